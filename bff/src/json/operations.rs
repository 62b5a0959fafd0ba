//! The JSON forms of where both sides stand, and of what operators do about it.

use catalog_proto::v1;
use catalog_proto::v1::rebuild_progress::Phase;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::json::product::rfc3339;
use crate::json::stated;

/// Where the log, the stream and every projection stand.
#[derive(Serialize, ToSchema)]
pub(crate) struct StatusJson {
    /// None where the write service does not answer.
    #[schema(required)]
    write: Option<WriteStatusJson>,
    /// None where the read service does not answer.
    #[schema(required)]
    read: Option<ReadStatusJson>,
    /// What keeps something from advancing, in words.
    errors: Vec<String>,
}

/// Where the write side stands.
#[derive(Serialize, ToSchema)]
struct WriteStatusJson {
    /// Whether the instance that answered runs the sequencer and the relays.
    leader: bool,
    /// The number of live products of the log.
    products: i64,
    /// The last position of the event log.
    log_position: i64,
    /// The digest of all live products of the log; equal digests mean equal content.
    #[schema(required)]
    digest: Option<String>,
    /// Committed events that have no position yet.
    outbox_pending: i64,
    outbox_oldest_age_ms: i64,
    /// The first sequence that the stream holds.
    stream_first_sequence: i64,
    /// The last one; it equals `log_position` when nothing is on its way.
    stream_sequence: i64,
    /// The last position of the log of search rules.
    rule_position: i64,
    rule_stream_sequence: i64,
}

/// Where the read side stands.
#[derive(Serialize, ToSchema)]
struct ReadStatusJson {
    /// The generation of the read model that answers.
    generation: i64,
    /// The one that a rollback would return to.
    #[schema(required)]
    previous_generation: Option<i64>,
    documents: i64,
    digest: String,
    /// Events that could not be applied.
    parked_events: i64,
    projections: Vec<ProjectionJson>,
    #[schema(required)]
    rules: Option<RuleStatusJson>,
}

/// Where a projection stands.
#[derive(Serialize, ToSchema)]
struct ProjectionJson {
    /// `read_model`, `keyword_index` or `embeddings`.
    name: String,
    /// The position of the log up to which everything is applied.
    position: i64,
    /// What is still to be applied: events, or documents without an embedding.
    lag: i64,
    documents: i64,
    #[schema(required)]
    digest: Option<String>,
    /// Why it stands still.
    #[schema(required)]
    error: Option<String>,
}

/// How far the read side is with the search rules.
#[derive(Serialize, ToSchema)]
struct RuleStatusJson {
    position: i64,
    rules: i64,
    /// How many of them are followed at the moment.
    active: i64,
    #[schema(required)]
    error: Option<String>,
}

/// The answers of both sides, or why there is none.
pub(crate) type Answered<T> = Result<T, String>;

impl StatusJson {
    pub(crate) fn of(
        write: Answered<v1::GetWriteStatusResponse>,
        read: Answered<v1::GetReadStatusResponse>,
    ) -> Self {
        let mut errors = Vec::new();
        match &write {
            Ok(write) => errors.extend(stated(write.relay_error.clone())),
            Err(err) => errors.push(format!("write service: {err}")),
        }
        match &read {
            Ok(read) => {
                let still = read.projections.iter();
                let still = still.filter(|one| !one.error.is_empty());
                errors.extend(still.map(|one| format!("{}: {}", one.name, one.error)));
                let rules = read
                    .rules
                    .as_ref()
                    .and_then(|rules| stated(rules.error.clone()));
                errors.extend(rules.map(|error| format!("search rules: {error}")));
            }
            Err(err) => errors.push(format!("read service: {err}")),
        }
        Self {
            write: write.ok().map(WriteStatusJson::of),
            read: read.ok().map(ReadStatusJson::of),
            errors,
        }
    }
}

impl WriteStatusJson {
    fn of(status: v1::GetWriteStatusResponse) -> Self {
        Self {
            leader: status.leader,
            products: status.products,
            log_position: status.log_position,
            digest: stated(status.digest),
            outbox_pending: status.outbox_pending,
            outbox_oldest_age_ms: status.outbox_oldest_age_ms,
            stream_first_sequence: status.stream_first_sequence,
            stream_sequence: status.stream_sequence,
            rule_position: status.rule_position,
            rule_stream_sequence: status.rule_stream_sequence,
        }
    }
}

impl ReadStatusJson {
    fn of(status: v1::GetReadStatusResponse) -> Self {
        let projections = status.projections.into_iter().map(|one| ProjectionJson {
            name: one.name,
            position: one.position,
            lag: one.lag,
            documents: one.documents,
            digest: stated(one.digest),
            error: stated(one.error),
        });
        Self {
            generation: status.generation,
            previous_generation: Some(status.previous_generation).filter(|one| *one > 0),
            documents: status.documents,
            digest: status.digest,
            parked_events: status.parked_events,
            projections: projections.collect(),
            rules: status.rules.map(|rules| RuleStatusJson {
                position: rules.position,
                rules: rules.rules,
                active: rules.active,
                error: stated(rules.error),
            }),
        }
    }
}

/// An event that could not be applied.
#[derive(Serialize, ToSchema)]
pub(crate) struct ParkedEventJson {
    position: i64,
    /// None where the message names no product.
    #[schema(required)]
    product_id: Option<String>,
    error: String,
    #[schema(required, format = DateTime)]
    parked_at: Option<String>,
    /// How often it was tried again.
    retries: i32,
}

impl ParkedEventJson {
    fn of(event: v1::ParkedEvent) -> Self {
        Self {
            position: event.position,
            product_id: stated(event.product_id),
            error: event.error,
            parked_at: event.parked_at.as_ref().and_then(rfc3339),
            retries: event.retries,
        }
    }
}

/// The events that could not be applied, 1,000 at most, in the order of the log.
#[derive(Serialize, ToSchema)]
pub(crate) struct ParkedEventsJson {
    items: Vec<ParkedEventJson>,
    /// How many there are in all.
    total: i64,
}

impl ParkedEventsJson {
    pub(crate) fn of(parked: v1::ListParkedEventsResponse) -> Self {
        Self {
            items: parked.events.into_iter().map(ParkedEventJson::of).collect(),
            total: parked.total,
        }
    }
}

/// What became of events that were tried again.
#[derive(Serialize, ToSchema)]
pub(crate) struct RetriedJson {
    /// The positions of those that are applied now.
    applied: Vec<i64>,
    /// Those that still fail.
    failed: Vec<ParkedEventJson>,
}

impl RetriedJson {
    pub(crate) fn of(retried: v1::RetryParkedEventsResponse) -> Self {
        Self {
            applied: retried.applied,
            failed: retried
                .failed
                .into_iter()
                .map(ParkedEventJson::of)
                .collect(),
        }
    }
}

/// The generation that answers after a rebuild or a rollback.
#[derive(Serialize, ToSchema)]
pub(crate) struct RebuiltJson {
    generation: i64,
    /// The digest of its products, which was compared with that of the log.
    digest: String,
}

impl RebuiltJson {
    /// What the last step tells; none of any other.
    pub(crate) fn of(step: &v1::RebuildProgress) -> Option<Self> {
        (step.phase() == Phase::Switched).then(|| Self {
            generation: step.generation,
            digest: step.digest.clone(),
        })
    }
}

/// The name of a phase of a rebuild.
pub(crate) fn phase(step: &v1::RebuildProgress) -> &'static str {
    match step.phase() {
        Phase::Unspecified => "begin",
        Phase::Replay => "replay",
        Phase::Embed => "embed",
        Phase::Compare => "compare",
        Phase::Switched => "switch",
    }
}

/// Pairs of words that the catalog seems to use for the same, the surest first.
#[derive(Serialize, ToSchema)]
pub(crate) struct SynonymSuggestionsJson {
    items: Vec<SynonymSuggestionJson>,
}

/// Two words that may mean the same.
#[derive(Serialize, ToSchema)]
struct SynonymSuggestionJson {
    term: String,
    synonym: String,
    /// From 0 to 1.
    confidence: f64,
    /// The cosine of the vectors of the two.
    similarity: f64,
    term_documents: i64,
    synonym_documents: i64,
    both_documents: i64,
    /// What speaks for it, in words.
    evidence: String,
}

impl SynonymSuggestionsJson {
    pub(crate) fn of(found: Vec<v1::SynonymSuggestion>) -> Self {
        let items = found.into_iter().map(|one| SynonymSuggestionJson {
            term: one.term,
            synonym: one.synonym,
            confidence: one.confidence,
            similarity: one.similarity,
            term_documents: one.term_documents,
            synonym_documents: one.synonym_documents,
            both_documents: one.both_documents,
            evidence: one.evidence,
        });
        Self {
            items: items.collect(),
        }
    }
}

/// The ranking profiles that a search can choose from, by name.
#[derive(Serialize, ToSchema)]
pub(crate) struct RankingProfilesJson {
    items: Vec<RankingProfileJson>,
}

/// The weights that decide an order, under a name.
#[derive(Serialize, ToSchema)]
struct RankingProfileJson {
    name: String,
    version: i64,
    /// Whether searches that choose none use this one.
    is_default: bool,
    /// Every weight: what could stand in the file of profiles.
    #[schema(value_type = Object)]
    parameters: Value,
}

impl RankingProfilesJson {
    pub(crate) fn of(listed: v1::ListRankingProfilesResponse) -> Self {
        let items = listed.profiles.into_iter().map(|one| RankingProfileJson {
            name: one.name,
            version: one.version,
            is_default: one.is_default,
            parameters: serde_json::from_str(&one.parameters).unwrap_or_default(),
        });
        Self {
            items: items.collect(),
        }
    }
}
