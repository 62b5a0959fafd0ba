//! `catalogctl status`: where the log, the stream and every projection stand.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use catalog_proto::v1::catalog_command_operations_client::CatalogCommandOperationsClient;
use catalog_proto::v1::catalog_query_operations_client::CatalogQueryOperationsClient;
use catalog_proto::v1::{
    GetReadStatusRequest, GetReadStatusResponse, GetWriteStatusRequest, GetWriteStatusResponse,
    SearchRuleStatus,
};
use client_kit::{Meter, Target, bounded, output};
use serde_json::{Value, json};

use crate::endpoints::{EndpointArgs, Endpoints};

const POLL_MS: u64 = 200;
/// The one projection that may take long and that nothing else waits for.
const EMBEDDINGS: &str = "embeddings";

#[derive(Debug, clap::Args)]
pub(crate) struct StatusArgs {
    /// Waits until nothing lags
    #[arg(long)]
    wait: bool,
    /// Waits no longer than so
    #[arg(long, value_name = "SECONDS", default_value_t = 600, requires = "wait")]
    timeout_seconds: u64,
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) async fn command(
    args: StatusArgs,
    endpoints: &EndpointArgs,
) -> anyhow::Result<ExitCode> {
    let endpoints = endpoints.resolve()?;
    let status = if args.wait {
        let limit = Duration::from_secs(args.timeout_seconds);
        caught_up(&endpoints, limit).await?
    } else {
        Status::ask(&endpoints).await?
    };
    if args.json {
        output::json(&status.to_json(&endpoints))?;
    } else {
        output::text(&status.to_text(&endpoints))?;
    }
    for err in [status.write.as_ref().err(), status.read.as_ref().err()]
        .into_iter()
        .flatten()
    {
        eprintln!("error: {err}");
    }
    let answered = status.write.is_ok() && status.read.is_ok();
    match status.lag() {
        _ if !answered => Ok(ExitCode::FAILURE),
        Some(lag) if args.wait && lag > 0 => {
            let seconds = args.timeout_seconds;
            anyhow::bail!("still behind after {seconds} s: see what lags or stands still above")
        }
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// The answers of both services, or why there is none.
#[derive(Debug)]
pub(crate) struct Status {
    pub(crate) write: Result<GetWriteStatusResponse, String>,
    pub(crate) read: Result<GetReadStatusResponse, String>,
}

/// The last status when the time is over.
async fn caught_up(endpoints: &Endpoints, limit: Duration) -> anyhow::Result<Status> {
    let started = Instant::now();
    let mut meter = Meter::new("catching up");
    let mut most = 0;
    loop {
        let status = Status::ask(endpoints).await?;
        let lag = status.lag();
        if lag == Some(0) || started.elapsed() > limit {
            return Ok(status);
        }
        match lag {
            Some(lag) => {
                most = most.max(lag);
                meter.set(most - lag, Some(most), &format!("{lag} to go"));
            }
            None => meter.set(0, None, "a service does not answer"),
        }
        tokio::time::sleep(Duration::from_millis(POLL_MS)).await;
    }
}

impl Status {
    pub(crate) async fn ask(endpoints: &Endpoints) -> anyhow::Result<Self> {
        let mut write = CatalogCommandOperationsClient::new(endpoints.command.channel()?);
        let mut read = CatalogQueryOperationsClient::new(endpoints.query.channel()?);
        let (write, read) = tokio::join!(
            write.get_write_status(bounded(GetWriteStatusRequest {})),
            read.get_read_status(bounded(GetReadStatusRequest {}))
        );
        Ok(Self {
            write: answer(&endpoints.command, write),
            read: answer(&endpoints.query, read),
        })
    }

    /// How much is to be done until every projection has everything; none when that is not known.
    fn lag(&self) -> Option<u64> {
        self.lag_of(|_| true)
    }

    /// The same for what reads and keyword searches need.
    pub(crate) fn lag_without_embeddings(&self) -> Option<u64> {
        self.lag_of(|projection| projection != EMBEDDINGS)
    }

    fn lag_of(&self, counts: impl Fn(&str) -> bool) -> Option<u64> {
        let (write, read) = (self.write.as_ref().ok()?, self.read.as_ref().ok()?);
        let end = write.log_position + write.outbox_pending;
        let mut lag = write.outbox_pending + (write.log_position - write.stream_sequence).max(0);
        lag += (write.rule_position - write.rule_stream_sequence).max(0);
        if let Some(rules) = &read.rules {
            lag += (write.rule_position - rules.position).max(0);
        }
        for projection in read.projections.iter().filter(|one| counts(&one.name)) {
            lag += match &*projection.name {
                // Counts documents, not events.
                EMBEDDINGS => projection.lag,
                // The read service may not have heard of the end of the log.
                _ => projection.lag.max(end - projection.position),
            };
        }
        Some(u64::try_from(lag).unwrap_or(0))
    }

    /// Why something stands still, one a line.
    pub(crate) fn errors(&self) -> Vec<String> {
        let mut errors = Vec::new();
        match &self.write {
            Ok(write) => errors.extend(some(&write.relay_error).map(str::to_owned)),
            Err(err) => errors.push(err.clone()),
        }
        match &self.read {
            Ok(read) => {
                errors.extend(read.projections.iter().filter_map(|one| {
                    some(&one.error).map(|error| format!("{}: {error}", one.name))
                }));
                let rules = read.rules.as_ref().and_then(|rules| some(&rules.error));
                errors.extend(rules.map(|error| format!("search rules: {error}")));
            }
            Err(err) => errors.push(err.clone()),
        }
        errors
    }

    fn to_json(&self, endpoints: &Endpoints) -> Value {
        let write = match &self.write {
            Err(err) => json!({ "address": endpoints.command.address(), "error": err }),
            Ok(write) => json!({
                "address": endpoints.command.address(),
                "leader": write.leader,
                "products": write.products,
                "log_position": write.log_position,
                "outbox_pending": write.outbox_pending,
                "outbox_oldest_age_ms": write.outbox_oldest_age_ms,
                "digest": some(&write.digest),
                "stream_first_sequence": write.stream_first_sequence,
                "stream_sequence": write.stream_sequence,
                "stream_lag": (write.log_position - write.stream_sequence).max(0),
                "refilled_events": write.refilled_events,
                "stream_recreations": write.stream_recreations,
                "relay_error": some(&write.relay_error),
                "rule_position": write.rule_position,
                "rule_stream_sequence": write.rule_stream_sequence,
            }),
        };
        let read = match &self.read {
            Err(err) => json!({ "address": endpoints.query.address(), "error": err }),
            Ok(read) => json!({
                "address": endpoints.query.address(),
                "generation": read.generation,
                "previous_generation": Some(read.previous_generation).filter(|one| *one > 0),
                "parked_events": read.parked_events,
                "documents": read.documents,
                "digest": read.digest,
                "stream_sequence": read.stream_sequence,
                "projections": read.projections.iter().map(|one| json!({
                    "name": one.name,
                    "position": one.position,
                    "lag": one.lag,
                    "documents": one.documents,
                    "digest": some(&one.digest),
                    "error": some(&one.error),
                })).collect::<Vec<_>>(),
                "rules": read.rules.as_ref().map(|rules| json!({
                    "position": rules.position,
                    "rules": rules.rules,
                    "active": rules.active,
                    "error": some(&rules.error),
                })),
            }),
        };
        json!({ "write": write, "read": read, "lag": self.lag() })
    }

    fn to_text(&self, endpoints: &Endpoints) -> String {
        let mut text = String::new();
        if let Ok(write) = &self.write {
            text += &write_text(write, endpoints.command.address());
        }
        if let Ok(read) = &self.read {
            text += &read_text(read, endpoints.query.address());
            if let Some(rules) = &read.rules {
                let end = self.write.as_ref().map_or(0, |write| write.rule_position);
                text += &rules_text(rules, end);
            }
        }
        text
    }
}

fn write_text(write: &GetWriteStatusResponse, address: &str) -> String {
    let (products, log) = (write.products, write.log_position);
    let digest = some(&write.digest).map(|digest| format!(", digest {digest}"));
    let follows = (!write.leader).then_some(" (another instance leads)");
    let mut text = format!(
        "write service {address}: {products} products, log at {log}{}{}\n",
        digest.unwrap_or_default(),
        follows.unwrap_or_default()
    );
    let age = write.outbox_oldest_age_ms;
    let waits = (write.outbox_pending > 0).then(|| format!("oldest {age} ms"));
    let note = waits.unwrap_or_default();
    text += &row("outbox", log, write.outbox_pending, &note);
    let behind = (log - write.stream_sequence).max(0);
    let note = stream_note(write);
    text += &row("stream", write.stream_sequence, behind, &note);
    if write.rule_position > 0 {
        let sequence = write.rule_stream_sequence;
        let behind = (write.rule_position - sequence).max(0);
        text += &row("search rules", sequence, behind, "");
    }
    text
}

/// `end` is where the log of rules ends, as far as that is known.
fn rules_text(rules: &SearchRuleStatus, end: i64) -> String {
    let note = match some(&rules.error) {
        Some(error) => error.to_owned(),
        None => format!("{} of {} followed", rules.active, rules.rules),
    };
    let behind = (end - rules.position).max(0);
    row("search rules", rules.position, behind, &note)
}

/// What happened to the stream, the worst first; nothing when all is as it should be.
fn stream_note(write: &GetWriteStatusResponse) -> String {
    let (first, refilled) = (write.stream_first_sequence, write.refilled_events);
    let anew = write.stream_recreations;
    let notes = [
        some(&write.relay_error).map(str::to_owned),
        (anew > 0).then(|| format!("times created anew: {anew}")),
        (refilled > 0).then(|| format!("lost events filled in again: {refilled}")),
        (first > 1).then(|| format!("starts at {first}")),
    ];
    let notes: Vec<String> = notes.into_iter().flatten().collect();
    notes.join("; ")
}

fn read_text(read: &GetReadStatusResponse, address: &str) -> String {
    let (documents, generation) = (read.documents, read.generation);
    let previous = match read.previous_generation {
        0 => String::new(),
        previous => format!(" (rollback to {previous})"),
    };
    let digest = &read.digest;
    let mut text = format!(
        "read service {address}: {documents} documents, generation {generation}{previous}, digest {digest}\n"
    );
    for one in &read.projections {
        text += &row(&one.name, one.position, one.lag, &one.error);
    }
    if read.parked_events > 0 {
        let parked = read.parked_events;
        text += &format!("  parked events, which could not be applied: {parked}\n");
    }
    text
}

fn row(name: &str, position: i64, lag: i64, note: &str) -> String {
    let lag = if lag == 0 {
        "up to date".to_owned()
    } else {
        format!("{lag} behind")
    };
    let line = format!(
        "  {name:<14} {position:>10}  {lag:<12}  {}",
        output::plain(note)
    );
    format!("{}\n", line.trim_end())
}

fn some(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

fn answer<T>(
    target: &Target,
    answer: Result<tonic::Response<T>, tonic::Status>,
) -> Result<T, String> {
    match answer {
        Ok(answer) => Ok(answer.into_inner()),
        Err(status) => Err(target.explain(&status)),
    }
}

#[cfg(test)]
mod tests {
    use catalog_proto::v1::ProjectionStatus;
    use expect_test::expect;

    use super::*;

    fn projection(name: &str, position: i64, lag: i64) -> ProjectionStatus {
        ProjectionStatus {
            name: name.to_owned(),
            position,
            lag,
            error: String::new(),
            documents: 890,
            digest: "ab".to_owned(),
        }
    }

    fn status() -> Status {
        Status {
            write: Ok(GetWriteStatusResponse {
                log_position: 1000,
                outbox_pending: 2,
                outbox_oldest_age_ms: 15,
                stream_sequence: 990,
                leader: true,
                relay_error: "the stream is full".to_owned(),
                products: 900,
                ..GetWriteStatusResponse::default()
            }),
            read: Ok(GetReadStatusResponse {
                generation: 1,
                stream_sequence: 990,
                projections: vec![
                    projection("read_model", 990, 0),
                    projection("embeddings", 400, 590),
                ],
                documents: 890,
                digest: "ab".to_owned(),
                ..GetReadStatusResponse::default()
            }),
        }
    }

    fn endpoints() -> Endpoints {
        Endpoints {
            command: Target::command("w:1"),
            query: Target::query("r:1"),
            nats_url: String::new(),
        }
    }

    #[test]
    fn a_projection_is_behind_the_end_of_the_log_not_of_what_it_heard() {
        let mut status = status();
        assert_eq!(status.lag_without_embeddings(), Some(2 + 10 + 12));
        assert_eq!(status.lag(), Some(2 + 10 + 12 + 590));
        status.write = Err("no answer".to_owned());
        assert_eq!(status.lag(), None);
    }

    #[test]
    fn what_happened_to_the_stream_and_the_events_is_shown() {
        let mut status = status();
        if let (Ok(write), Ok(read)) = (&mut status.write, &mut status.read) {
            write.relay_error = String::new();
            write.digest = "ab".to_owned();
            write.stream_first_sequence = 200;
            write.refilled_events = 12;
            write.stream_recreations = 2;
            write.leader = false;
            read.previous_generation = 3;
            read.parked_events = 4;
        }
        expect![[r#"
            write service w:1: 900 products, log at 1000, digest ab (another instance leads)
              outbox               1000  2 behind      oldest 15 ms
              stream                990  10 behind     times created anew: 2; lost events filled in again: 12; starts at 200
            read service r:1: 890 documents, generation 1 (rollback to 3), digest ab
              read_model            990  up to date
              embeddings            400  590 behind
              parked events, which could not be applied: 4
        "#]].assert_eq(&status.to_text(&endpoints()));
        expect![[r#"{"lag":614,"read":{"address":"r:1","digest":"ab","documents":890,"generation":1,"parked_events":4,"previous_generation":3,"projections":[{"digest":"ab","documents":890,"error":null,"lag":0,"name":"read_model","position":990},{"digest":"ab","documents":890,"error":null,"lag":590,"name":"embeddings","position":400}],"rules":null,"stream_sequence":990},"write":{"address":"w:1","digest":"ab","leader":false,"log_position":1000,"outbox_oldest_age_ms":15,"outbox_pending":2,"products":900,"refilled_events":12,"relay_error":null,"rule_position":0,"rule_stream_sequence":0,"stream_first_sequence":200,"stream_lag":10,"stream_recreations":2,"stream_sequence":990}}"#]].assert_eq(&status.to_json(&endpoints()).to_string());
    }

    #[test]
    fn search_rules_are_shown_where_there_are_some() {
        let mut status = status();
        if let (Ok(write), Ok(read)) = (&mut status.write, &mut status.read) {
            (write.rule_position, write.rule_stream_sequence) = (7, 5);
            read.rules = Some(SearchRuleStatus {
                position: 4,
                rules: 3,
                active: 2,
                error: String::new(),
            });
        }
        assert_eq!(status.lag(), Some(2 + 10 + 12 + 590 + 2 + 3));
        expect![[r#"
            write service w:1: 900 products, log at 1000
              outbox               1000  2 behind      oldest 15 ms
              stream                990  10 behind     the stream is full
              search rules            5  2 behind
            read service r:1: 890 documents, generation 1, digest ab
              read_model            990  up to date
              embeddings            400  590 behind
              search rules            4  3 behind      2 of 3 followed
        "#]]
        .assert_eq(&status.to_text(&endpoints()));
        let json = status.to_json(&endpoints());
        let rules = json!({"position": 4, "rules": 3, "active": 2, "error": null});
        assert_eq!(json["read"]["rules"], rules);
    }

    #[test]
    fn one_service_is_shown_without_the_other() {
        let mut status = status();
        expect![[r#"
            write service w:1: 900 products, log at 1000
              outbox               1000  2 behind      oldest 15 ms
              stream                990  10 behind     the stream is full
            read service r:1: 890 documents, generation 1, digest ab
              read_model            990  up to date
              embeddings            400  590 behind
        "#]]
        .assert_eq(&status.to_text(&endpoints()));
        status.write = Err("no answer".to_owned());
        expect![[r#"
            read service r:1: 890 documents, generation 1, digest ab
              read_model            990  up to date
              embeddings            400  590 behind
        "#]]
        .assert_eq(&status.to_text(&endpoints()));
        expect![[r#"{"lag":null,"read":{"address":"r:1","digest":"ab","documents":890,"generation":1,"parked_events":0,"previous_generation":null,"projections":[{"digest":"ab","documents":890,"error":null,"lag":0,"name":"read_model","position":990},{"digest":"ab","documents":890,"error":null,"lag":590,"name":"embeddings","position":400}],"rules":null,"stream_sequence":990},"write":{"address":"w:1","error":"no answer"}}"#]].assert_eq(&status.to_json(&endpoints()).to_string());
    }
}
