//! Checks a cluster that has come to rest: the lag is gone, the stream equals the log, every read
//! model is the fold of the log, and reads and searches by id show exactly that.

use std::time::{Duration, Instant};

use async_nats::jetstream;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use catalog_events::STREAM;
use catalog_proto::v1::GetWriteStatusRequest;
use catalog_proto::v1::catalog_command_operations_client::CatalogCommandOperationsClient;
use futures_util::{StreamExt as _, TryStreamExt as _};

use crate::chaos::history::{Answer, Outcome, Request, Seen};
use crate::chaos::ledger::{Folded, Ledger};
use crate::chaos::logged::Logged;
use crate::chaos::nemesis::Nemesis;
use crate::chaos::violation::Violation;
use crate::chaos::wire::Wire;
use crate::cluster::{Cluster, channel};

const LAG_SECONDS_MAX: u64 = 60;
const LOOK_EVERY_MS: u64 = 25;
/// The limit of one status: shorter than the wait for the lag, so that one lost answer does not
/// take all of it.
const STATUS_MS_MAX: u64 = 3_000;
const READERS: usize = 4;
const SEARCHES_MAX: usize = 60;
const STREAM_SECONDS_MAX: u64 = 60;

/// Waits until nothing lags and tells how long it took; the inner error tells what still lags.
pub(super) async fn settle(nemesis: &mut Nemesis<'_>) -> anyhow::Result<Result<Duration, String>> {
    let started = Instant::now();
    loop {
        nemesis.supervise()?;
        let limit = Duration::from_millis(STATUS_MS_MAX);
        let told = tokio::time::timeout(limit, lag(nemesis.cluster)).await;
        match told.unwrap_or_else(|_| Err("no status within 3 s".to_owned())) {
            Ok(()) => return Ok(Ok(started.elapsed())),
            Err(lag) if started.elapsed() > Duration::from_secs(LAG_SECONDS_MAX) => {
                return Ok(Err(lag));
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(LOOK_EVERY_MS)).await,
        }
    }
}

/// Fails with what still lags.
async fn lag(cluster: &Cluster) -> Result<(), String> {
    let told = |status: tonic::Status| format!("{:?} {}", status.code(), status.message());
    let mut operations = CatalogCommandOperationsClient::new(channel(&cluster.command_grpc()));
    let answer = operations.get_write_status(GetWriteStatusRequest {}).await;
    let write = answer.map_err(told)?.into_inner();
    let read = cluster.read_status().await.map_err(told)?;
    if !write.leader || write.outbox_pending > 0 || !write.relay_error.is_empty() {
        return Err(format!("{write:?}"));
    }
    let at = |position: i64| position == write.log_position;
    let projections = read
        .projections
        .iter()
        .filter(|one| one.name != "embeddings");
    let all = projections.map(|one| one.position).all(at);
    if all && at(write.stream_sequence) {
        Ok(())
    } else {
        Err(format!("{write:?}; {read:?}"))
    }
}

/// I3: digests and counts that the services report equal our own fold.
pub(super) async fn digests(cluster: &Cluster, ledger: &Ledger) -> anyhow::Result<Vec<Violation>> {
    let read = cluster.read_status().await?;
    let mut violations = Vec::new();
    for one in &read.projections {
        if one.name == "embeddings" {
            continue;
        }
        let expected = (ledger.position(), ledger.live(), ledger.digest());
        let found = (one.position, one.documents, one.digest.clone());
        if found != expected {
            let text = format!("{}: {found:?}, the log folds to {expected:?}", one.name);
            violations.push(Violation::new("I3", text));
        }
    }
    let mut operations = CatalogCommandOperationsClient::new(channel(&cluster.command_grpc()));
    let answer = operations.get_write_status(GetWriteStatusRequest {}).await;
    let write = answer?.into_inner();
    if !write.digest.is_empty() && write.digest != ledger.digest() {
        let text = format!(
            "the log says digest {}, it folds to {}",
            write.digest,
            ledger.digest()
        );
        violations.push(Violation::new("I3", text));
    }
    Ok(violations)
}

/// I1 and I2: the stream holds the log, each event at the sequence that is its position.
pub(super) async fn stream(
    broker: &jetstream::Context,
    log: &[Logged],
) -> anyhow::Result<Vec<Violation>> {
    let mut violations = Vec::new();
    let mut stream = broker.get_stream(STREAM).await?;
    let state = stream.info().await?.state.clone();
    let last = log.last().map_or(0, |event| event.position as u64);
    let spans = (state.last_sequence + 1).saturating_sub(state.first_sequence);
    if state.last_sequence != last || state.messages != spans {
        let text = format!("the log ends at {last}, the stream is {state:?}");
        violations.push(Violation::new("I2", text));
        return Ok(violations);
    }
    let from = log.partition_point(|event| (event.position as u64) < state.first_sequence);
    let expected = &log[from..];
    let Some(first) = expected.first() else {
        return Ok(violations);
    };
    let config = pull::Config {
        deliver_policy: DeliverPolicy::ByStartSequence {
            start_sequence: first.position as u64,
        },
        ack_policy: AckPolicy::None,
        memory_storage: true,
        ..pull::Config::default()
    };
    let consumer = stream.create_consumer(config).await?;
    let stored = consumer.messages().await?.take(expected.len());
    let limit = Duration::from_secs(STREAM_SECONDS_MAX);
    let messages: Vec<_> = tokio::time::timeout(limit, stored.try_collect()).await??;
    for (message, event) in messages.iter().zip(expected) {
        let sequence = message.info().map(|info| info.stream_sequence).unwrap_or(0);
        let decoded = catalog_events::decode(message.headers.as_ref(), &message.payload);
        let same = decoded.as_ref().is_ok_and(|found| {
            found.event_id.to_string() == event.event_id
                && found.position.to_i64() == event.position
                && found.version.get() == event.version
                && found.product == event.product
        });
        if sequence != event.position as u64 || !same {
            let text = format!("sequence {sequence} holds {decoded:?}, the log {event:?}");
            violations.push(Violation::new("I2", text));
        }
    }
    Ok(violations)
}

/// I3 through the API: every product of the schedule is read by its id, and some are searched by
/// their words.
pub(super) async fn answers(wire: &Wire, ledger: &Ledger, prefix: &str) -> Vec<Violation> {
    let searchable = ledger
        .products(prefix)
        .filter(|(_, folded)| folded.product.is_some());
    let searches = searchable.take(SEARCHES_MAX).map(|(id, folded)| {
        let title = folded.product.as_ref().map_or("", |product| &product.title);
        let word = title.split(' ').next().unwrap_or_default().to_owned();
        let id = id.clone();
        (
            Request::Search {
                id,
                word,
                after: None,
            },
            folded,
        )
    });
    let gets = ledger.products(prefix).map(|(id, folded)| {
        let id = id.clone();
        (Request::Get { id, after: None }, folded)
    });
    let all = gets.chain(searches).map(async |(request, folded)| {
        let outcome = wire.call(&request, "").await;
        (!shows(&outcome, folded)).then(|| {
            let text =
                format!("at rest {request:?} is answered {outcome:?}, the log says {folded:?}");
            Violation::new("I3", text)
        })
    });
    let checks: Vec<_> = all.collect();
    futures_util::stream::iter(checks)
        .buffer_unordered(READERS)
        .filter_map(async |violation| violation)
        .collect()
        .await
}

fn shows(outcome: &Outcome, folded: &Folded) -> bool {
    let seen = match outcome.answer() {
        Some(Answer::Found { seen, .. }) => Some(seen),
        Some(Answer::Hit { seen, .. }) => seen.as_ref(),
        Some(Answer::Missing { .. }) => None,
        _ => return false,
    };
    let expected = folded.product.as_ref().map(|product| Seen {
        version: folded.version,
        title: product.title.clone(),
        price_minor: product.price.minor(),
    });
    seen == expected.as_ref()
}
