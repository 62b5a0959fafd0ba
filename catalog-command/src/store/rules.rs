//! Search rules and the log of their changes, saved by one statement. Invariant: a writer that extends
//! the log holds the lock on its head until the commit, so that positions are committed in their order.

use catalog_events::{
    EncodedMessage, Position, RuleEvent, RuleId, SearchRule, Version, encode_rule,
};
use serde_json::value::RawValue;
use sqlx::types::Json;
use sqlx::{PgConnection, PgExecutor, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::{CurrentRule, RuleDecision};
use crate::store::{LogError, Origin, soon};

/// Waits for the writer of rules before this one; others wait until the transaction ends.
pub(crate) async fn lock_rule_log(db: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query("SELECT FROM rule_log_head FOR UPDATE")
        .execute(db)
        .await?;
    Ok(())
}

/// A rule, which may be deleted; none when there never was one.
pub(crate) async fn load_rule(
    db: impl PgExecutor<'_>,
    id: &RuleId,
) -> sqlx::Result<Option<CurrentRule>> {
    let row: Option<RuleRow> =
        sqlx::query_as("SELECT id, version, updated_at, rule FROM search_rules WHERE id = $1")
            .bind(id.as_str())
            .fetch_optional(db)
            .await?;
    row.map(RuleRow::into_current).transpose()
}

/// The number of rules that are not deleted.
pub(crate) async fn count_rules(db: &mut PgConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar("SELECT count(*) FROM search_rules WHERE rule IS NOT NULL")
        .fetch_one(db)
        .await
}

/// Saves the rule and its event at the next position. The caller has locked the log.
pub(crate) async fn save_rule(
    db: &mut PgConnection,
    decision: &RuleDecision,
    origin: &Origin,
) -> sqlx::Result<()> {
    let rule = decision
        .rule
        .as_ref()
        .map(serde_json::to_string)
        .transpose()
        .map_err(|err| sqlx::Error::Encode(err.into()))?;
    sqlx::query(
        "WITH head AS (
             UPDATE rule_log_head SET position = position + 1 RETURNING position
         ), saved AS (
             INSERT INTO search_rules (id, version, rule, updated_at)
             VALUES ($1, $2, $3::json, $4)
             ON CONFLICT (id) DO UPDATE
             SET version = excluded.version, rule = excluded.rule,
                 updated_at = excluded.updated_at
         )
         INSERT INTO rule_log
             (position, event_id, rule_id, version, occurred_at, actor, traceparent, rule)
         SELECT position, $5, $1, $2, $4, $6, $7, $3::json FROM head",
    )
    .bind(decision.id.as_str())
    .bind(decision.version.get())
    .bind(rule)
    .bind(decision.at)
    .bind(Uuid::now_v7())
    .bind(&origin.actor)
    .bind(&origin.traceparent)
    .execute(db)
    .await?;
    Ok(())
}

/// Which rules a page lists.
#[derive(Clone, Debug)]
pub(crate) struct RulePage {
    /// The id after which the page begins; empty means from the first.
    pub(crate) after: String,
    /// The kinds, named as in the JSON; empty means every kind.
    pub(crate) kinds: &'static [&'static str],
    pub(crate) limit: i64,
    /// The most bytes of the rules as JSON; the first rule comes whatever its size.
    pub(crate) bytes_max: i64,
}

/// A page of the rules, sorted by id, and whether there are more after it.
pub(crate) async fn list_rules(
    pool: &PgPool,
    page: &RulePage,
) -> sqlx::Result<(Vec<(Version, SearchRule)>, bool)> {
    let rows: Vec<ListedRow> = sqlx::query_as(
        "SELECT id, version, updated_at, rule, found
         FROM (
             SELECT *, count(*) OVER () AS found, row_number() OVER by_id AS place,
                    sum(octet_length(rule::text)) OVER by_id AS bytes
             FROM (
                 SELECT * FROM search_rules
                 WHERE rule IS NOT NULL AND id > $1
                     AND (cardinality($2::text[]) = 0 OR rule -> 'kind' ->> 'type' = ANY($2))
                 ORDER BY id LIMIT $3 + 1
             ) AS next
             WINDOW by_id AS (ORDER BY id)
         ) AS page
         WHERE place <= $3 AND (bytes <= $4 OR place = 1)
         ORDER BY id",
    )
    .bind(&page.after)
    .bind(page.kinds)
    .bind(page.limit)
    .bind(page.bytes_max)
    .fetch_all(pool)
    .await?;
    let more = rows
        .first()
        .is_some_and(|row| row.found > rows.len() as i64);
    let listed = |row: ListedRow| {
        let CurrentRule { version, rule, .. } = row.rule.into_current()?;
        Ok(rule.map(|rule| (version, rule)))
    };
    let rules: sqlx::Result<_> = rows
        .into_iter()
        .filter_map(|row| listed(row).transpose())
        .collect();
    Ok((rules?, more))
}

#[derive(sqlx::FromRow)]
struct ListedRow {
    #[sqlx(flatten)]
    rule: RuleRow,
    /// How many rules there are from the first of the page on, counted up to one more than the page
    /// holds: so it tells whether another page follows.
    found: i64,
}

#[derive(sqlx::FromRow)]
struct RuleRow {
    id: String,
    version: i64,
    updated_at: OffsetDateTime,
    rule: Option<Json<SearchRule>>,
}

impl RuleRow {
    fn into_current(self) -> sqlx::Result<CurrentRule> {
        let version = Version::new(self.version).ok_or_else(|| {
            let message = format!("{}: bad version", self.id);
            sqlx::Error::Decode(message.into())
        });
        Ok(CurrentRule {
            version: version?,
            updated_at: self.updated_at,
            rule: self.rule.map(|Json(rule)| rule),
        })
    }
}

/// The last position of the log of rules.
pub(crate) async fn rule_head_position(db: impl PgExecutor<'_>) -> sqlx::Result<Position> {
    let query = sqlx::query_scalar("SELECT position FROM rule_log_head");
    let position = soon(query.fetch_one(db)).await?;
    Ok(Position::from_i64(position))
}

/// The id of the event of a rule at `position`.
pub(crate) async fn rule_event_id_at(
    pool: &PgPool,
    position: Position,
) -> sqlx::Result<Option<Uuid>> {
    let id = sqlx::query_scalar("SELECT event_id FROM rule_log WHERE position = $1");
    soon(id.bind(position.to_i64()).fetch_optional(pool)).await
}

/// One event as the log keeps it. The rule stays text: one that a newer release wrote is published
/// as it is.
#[derive(sqlx::FromRow)]
pub(crate) struct RuleEventRow {
    position: i64,
    event_id: Uuid,
    rule_id: String,
    version: i64,
    occurred_at: OffsetDateTime,
    actor: String,
    traceparent: Option<String>,
    rule: Option<Json<Box<RawValue>>>,
}

impl RuleEventRow {
    /// The event as a message of the stream; `expected` is where it must stand.
    pub(crate) fn into_message(self, expected: Position) -> Result<EncodedMessage, LogError> {
        let event = self.into_event().filter(|one| one.position == expected);
        let message = event.and_then(|event| encode_rule(&event).ok());
        message.ok_or(LogError::Corrupt(expected))
    }

    fn into_typed(self) -> Option<FollowedRule> {
        let raw = self.into_event()?;
        let rule = raw.rule.map(|json| serde_json::from_str(json.get()));
        Some(RuleEvent {
            event_id: raw.event_id,
            position: raw.position,
            rule_id: raw.rule_id,
            version: raw.version,
            occurred_at: raw.occurred_at,
            actor: raw.actor,
            traceparent: raw.traceparent,
            rule: rule.transpose().ok()?,
        })
    }

    pub(crate) fn into_event(self) -> Option<RuleEvent<Box<RawValue>>> {
        Some(RuleEvent {
            event_id: self.event_id,
            position: Position::from_i64(self.position),
            rule_id: self.rule_id.parse().ok()?,
            version: Version::new(self.version)?,
            occurred_at: self.occurred_at,
            actor: self.actor,
            traceparent: self.traceparent,
            rule: self.rule.map(|Json(rule)| rule),
        })
    }
}

/// The events of rules after `position`, in order: at most `limit`, and at most `bytes_max`, but one at least.
pub(crate) async fn read_rule_events(
    pool: &PgPool,
    position: Position,
    limit: i64,
    bytes_max: i64,
) -> sqlx::Result<Vec<RuleEventRow>> {
    sqlx::query_as(
        "SELECT position, event_id, rule_id, version, occurred_at, actor, traceparent, rule
         FROM (
             SELECT *, sum(coalesce(octet_length(rule::text), 0)) OVER (ORDER BY position) AS bytes
             FROM rule_log WHERE position > $1 ORDER BY position LIMIT $2
         ) AS next
         WHERE bytes <= $3 OR position = $1 + 1
         ORDER BY position",
    )
    .bind(position.to_i64())
    .bind(limit)
    .bind(bytes_max)
    .fetch_all(pool)
    .await
}

/// The event of a rule as followers are told it.
pub(crate) type FollowedRule = RuleEvent<SearchRule>;

const FOLLOWED_EVENTS_MAX: i64 = 200;
const FOLLOWED_BYTES_MAX: i64 = 2 * 1024 * 1024;

/// The next events of rules after `position`, in order.
pub(crate) async fn followed_rules(
    pool: &PgPool,
    position: Position,
) -> Result<Vec<FollowedRule>, LogError> {
    let rows = read_rule_events(pool, position, FOLLOWED_EVENTS_MAX, FOLLOWED_BYTES_MAX);
    let mut expected = position;
    let mut events = Vec::new();
    for row in soon(rows).await? {
        expected = expected.next();
        let event = row.into_typed().filter(|one| one.position == expected);
        events.push(event.ok_or(LogError::Corrupt(expected))?);
    }
    Ok(events)
}
