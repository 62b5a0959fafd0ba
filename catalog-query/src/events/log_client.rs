//! Asks the write service for its event log: for events that the stream no longer holds, and for
//! proofs. The address is optional; what needs the log fails without it and says so.

use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;
use catalog_events::{BucketedDigest, ParseDigestError, Position, ProductId, decode_body};
use catalog_proto::v1;
use catalog_proto::v1::catalog_command_operations_client::CatalogCommandOperationsClient;
use service_kit::{GrpcAccess, GrpcChannel, TlsError};
use tonic::transport::Endpoint;
use tonic::{Code, Request, Status, Streaming};

use crate::events::error::LogError;
use crate::events::received::{BATCH_BYTES_MAX, Received};

const CONNECT_MS_MAX: u64 = 2_000;
/// How long an answer may take, and every part of an answer that comes in parts.
const ANSWER_MS_MAX: u64 = 10_000;
const KEEP_ALIVE_INTERVAL_MS: u64 = 5_000;
const KEEP_ALIVE_ANSWER_MS_MAX: u64 = 2_000;
/// The most bytes of one part; the server decides how many events it puts in one.
const PART_BYTES_MAX: usize = 2 * BATCH_BYTES_MAX;
/// The most products in one [`LogClient::product_events`].
pub(crate) const PRODUCT_IDS_MAX: usize = 1_000;

/// The address of catalog-command, as `http://host:port` or `https://host:port`.
#[derive(Clone, Debug)]
pub struct LogTarget(Endpoint);

#[derive(Debug, thiserror::Error)]
#[error("it has the form http://host:port or https://host:port")]
pub struct InvalidLogTarget;

impl FromStr for LogTarget {
    type Err = InvalidLogTarget;

    fn from_str(text: &str) -> Result<Self, InvalidLogTarget> {
        let endpoint: Endpoint = text.parse().map_err(|_| InvalidLogTarget)?;
        match endpoint.uri().scheme_str() {
            Some("http" | "https") => Ok(Self(endpoint)),
            _ => Err(InvalidLogTarget),
        }
    }
}

/// The digest of all products as the log has them at a position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogDigest {
    pub(crate) position: Position,
    /// The number of live products.
    pub(crate) documents: i64,
    pub(crate) digest: BucketedDigest,
}

/// A client of the event log. It connects when it is first used, and again whenever the write
/// service comes back.
#[derive(Clone)]
pub(crate) struct LogClient {
    client: CatalogCommandOperationsClient<GrpcChannel>,
}

impl LogClient {
    /// Must be called within a Tokio runtime.
    pub(crate) fn new(target: LogTarget, access: &GrpcAccess) -> Result<Self, TlsError> {
        let endpoint = target
            .0
            .connect_timeout(Duration::from_millis(CONNECT_MS_MAX))
            .http2_keep_alive_interval(Duration::from_millis(KEEP_ALIVE_INTERVAL_MS))
            .keep_alive_timeout(Duration::from_millis(KEEP_ALIVE_ANSWER_MS_MAX))
            .tcp_nodelay(true);
        let client = CatalogCommandOperationsClient::new(access.channel(&endpoint)?);
        Ok(Self {
            client: client.max_decoding_message_size(PART_BYTES_MAX),
        })
    }

    /// Asks where the log ends.
    pub(crate) async fn head(&self) -> Result<Position, LogError> {
        let request = v1::GetLogDigestRequest::default();
        let mut client = self.client.clone();
        let answer = in_time(client.get_log_digest(request), Position::START).await?;
        Ok(Position::from_i64(answer.into_inner().position))
    }

    /// Asks for the digest that the log has at `position`.
    pub(crate) async fn digest(&self, position: Position) -> Result<LogDigest, LogError> {
        let request = v1::GetLogDigestRequest {
            position: position.to_i64(),
            recompute: false,
        };
        let mut client = self.client.clone();
        // Folding a long log takes longer than other answers.
        let answer_max = Duration::from_millis(6 * ANSWER_MS_MAX);
        let answer = tokio::time::timeout(answer_max, client.get_log_digest(request))
            .await
            .map_err(|_| late())?
            .map_err(|status| named(status, position))?
            .into_inner();
        let digest = BucketedDigest::from_message(&answer.buckets)
            .map_err(|ParseDigestError| LogError::Answer("digest"))?;
        if answer.position != position.to_i64() {
            return Err(LogError::Answer("digest of the position asked for"));
        }
        Ok(LogDigest {
            position,
            documents: answer.documents,
            digest,
        })
    }

    /// Reads the events after `after`, up to `up_to` or else to the head of the log.
    pub(crate) async fn read(
        &self,
        after: Position,
        up_to: Option<Position>,
    ) -> Result<LogReader, LogError> {
        let request = v1::ReadEventsRequest {
            after_position: after.to_i64(),
            up_to_position: up_to.map_or(0, Position::to_i64),
        };
        let mut client = self.client.clone();
        let parts = in_time(client.read_events(Request::new(request)), after).await?;
        Ok(LogReader {
            parts: parts.into_inner(),
            last: after,
        })
    }

    /// Reads the last event of each product at or before `position`: [`PRODUCT_IDS_MAX`] at most.
    /// Products that the log does not know are left out.
    pub(crate) async fn product_events(
        &self,
        ids: &[ProductId],
        position: Position,
    ) -> Result<Vec<Received>, LogError> {
        let request = v1::ReadProductEventsRequest {
            ids: ids.iter().map(ToString::to_string).collect(),
            position: position.to_i64(),
        };
        let mut client = self.client.clone();
        let mut parts = in_time(client.read_product_events(request), position)
            .await?
            .into_inner();
        let mut events = Vec::new();
        while let Some(part) = in_time(parts.message(), position).await? {
            events.extend(part.events.into_iter().map(received));
        }
        Ok(events)
    }
}

/// Delivers events of the log, gapless and in order.
pub(crate) struct LogReader {
    parts: Streaming<v1::ReadEventsResponse>,
    last: Position,
}

impl LogReader {
    /// Waits for the next events and returns as many as came together; None at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<Received>>, LogError> {
        while let Some(part) = in_time(self.parts.message(), self.last).await? {
            let mut events = Vec::with_capacity(part.events.len());
            for event in part.events {
                let event = received(event);
                if event.position() != self.last.next() {
                    return Err(LogError::Answer("gapless part of the log"));
                }
                self.last = event.position();
                events.push(event);
            }
            if !events.is_empty() {
                return Ok(Some(events));
            }
        }
        Ok(None)
    }
}

fn received(event: v1::LoggedEvent) -> Received {
    let traceparent = (!event.traceparent.is_empty()).then_some(event.traceparent.as_str());
    let decoded = decode_body(&event.event_id, traceparent, &event.body);
    let position = Position::from_i64(event.position);
    Received::new(position, None, Bytes::from(event.body), decoded)
}

async fn in_time<T>(
    answer: impl Future<Output = Result<T, Status>>,
    position: Position,
) -> Result<T, LogError> {
    match tokio::time::timeout(Duration::from_millis(ANSWER_MS_MAX), answer).await {
        Ok(answer) => answer.map_err(|status| named(status, position)),
        Err(_) => Err(late()),
    }
}

fn named(status: Status, position: Position) -> LogError {
    match status.code() {
        Code::OutOfRange => LogError::NotThereYet(position),
        code => LogError::Unavailable(format!("{code:?}: {}", status.message())),
    }
}

fn late() -> LogError {
    LogError::Unavailable("no answer in time".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_an_http_address() {
        for good in ["http://127.0.0.1:50052", "https://host:1"] {
            assert!(good.parse::<LogTarget>().is_ok(), "{good}");
        }
        for bad in ["", "127.0.0.1:50052", "nats://host:1"] {
            assert!(bad.parse::<LogTarget>().is_err(), "{bad}");
        }
    }
}
