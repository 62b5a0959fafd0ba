//! Renders a status as JSON for programs and as text for people.

use catalog_proto::v1::{GetReadStatusResponse, GetWriteStatusResponse, SearchRuleStatus};
use client_kit::output;
use serde_json::{Value, json};

use crate::endpoints::Endpoints;
use crate::status::answers::{Status, some};

impl Status {
    pub(super) fn to_json(&self, endpoints: &Endpoints) -> Value {
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

    pub(super) fn to_text(&self, endpoints: &Endpoints) -> String {
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

/// The line about search rules. `end` is the position where their log ends, 0 where that is not
/// known.
fn rules_text(rules: &SearchRuleStatus, end: i64) -> String {
    let note = match some(&rules.error) {
        Some(error) => error.to_owned(),
        None => format!("{} of {} followed", rules.active, rules.rules),
    };
    let behind = (end - rules.position).max(0);
    row("search rules", rules.position, behind, &note)
}

/// Notes on what happened to the stream, the worst first; empty when all is well.
fn stream_note(write: &GetWriteStatusResponse) -> String {
    let (first, refilled) = (write.stream_first_sequence, write.refilled_events);
    let anew = write.stream_recreations;
    let notes = [
        some(&write.relay_error).map(str::to_owned),
        (anew > 0).then(|| format!("times created anew: {anew}")),
        (refilled > 0).then(|| format!("lost events filled in again: {refilled}")),
        (first > 1).then(|| format!("starts at {first}")),
    ];
    notes.into_iter().flatten().collect::<Vec<_>>().join("; ")
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
