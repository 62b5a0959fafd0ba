//! Follows the write service for the tail, for as long as the process lives.

use std::convert::Infallible;
use std::time::Duration;

use catalog_proto::v1;
use service_kit::Retry;
use tonic::{Status, Streaming};

use crate::events::cursor::Cursor;
use crate::events::live::LiveEvent;
use crate::events::tail::Tail;
use crate::upstream::EventClient;

/// The write service says something every two seconds.
const SILENCE_S_MAX: u64 = 10;

/// The events of an answer, and the place that they reach.
pub(super) type Told = (Vec<LiveEvent>, Cursor);

pub(super) async fn follow(tail: &Tail, client: EventClient) {
    let mut retry = Retry::new("events");
    loop {
        let Err(ended) = follow_once(tail, client.clone(), &mut retry).await;
        retry.failed(ended).wait().await;
    }
}

async fn follow_once(
    tail: &Tail,
    mut client: EventClient,
    retry: &mut Retry,
) -> Result<Infallible, Status> {
    let reached = tail.end();
    let request = v1::FollowEventsRequest {
        after_position: reached.map(|end| end.products),
        after_rule_position: reached.map(|end| end.rules),
        ..v1::FollowEventsRequest::default()
    };
    let mut answers = match client.follow_events(request).await {
        Ok(answers) => answers.into_inner(),
        Err(status) => {
            if status.code() == tonic::Code::OutOfRange {
                // The log is shorter than it was: what is in memory is of another one.
                restart(tail, client).await?;
            }
            return Err(status);
        }
    };
    loop {
        let (events, reached) = told(&mut answers).await?;
        retry.succeeded();
        if tail.end().is_none() {
            tail.begin(reached);
        } else {
            tail.extend(events, reached);
        }
    }
}

/// Begins again at the present ends of the logs.
async fn restart(tail: &Tail, mut client: EventClient) -> Result<(), Status> {
    let request = v1::FollowEventsRequest::default();
    let mut answers = client.follow_events(request).await?.into_inner();
    let (_, reached) = told(&mut answers).await?;
    tail.begin(reached);
    Ok(())
}

/// Reads the next answer. The write service is never silent for long.
pub(super) async fn told(
    answers: &mut Streaming<v1::FollowEventsResponse>,
) -> Result<Told, Status> {
    let next = tokio::time::timeout(Duration::from_secs(SILENCE_S_MAX), answers.message());
    let next = next
        .await
        .map_err(|_| Status::unavailable("the write service fell silent"))??;
    let answer = next.ok_or_else(|| Status::unavailable("the write service ended the stream"))?;
    let reached = Cursor {
        products: answer.position,
        rules: answer.rule_position,
    };
    let events = answer.events.iter().filter_map(LiveEvent::of);
    Ok((events.collect(), reached))
}
