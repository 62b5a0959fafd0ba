//! Connections to Postgres. Invariants: a session that stands still inside a transaction loses its
//! locks before the lease on the log is over; nobody waits for a lock or for a silent host for good.

use std::io;
use std::time::Duration;

use anyhow::Context as _;
use catalog_migrations::{SessionSettings, connect_options};
use sqlx::migrate::MigrateError;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection as _, PgConnection, PgPool, Row as _};

use crate::config::Config;
use crate::store::Clock;

/// How long a transaction may stand still. This is below the lease: a leader that was stopped inside a
/// transaction must not keep the next one out.
const IDLE_IN_TRANSACTION: &str = "2s";
const LOCK_WAIT: &str = "1500ms";
/// How long a group of writers waits for a lock: hardly at all, since a writer whose product is locked
/// goes on alone.
const GROUP_LOCK_WAIT: &str = "20ms";
/// How long a migration waits for a lock: longer, since it needs that of every transaction that uses the
/// table.
const MIGRATION_LOCK_WAIT: &str = "10s";
/// The sequencer, the two relays, the lease and the watch over the backlog have one each, and one is spare
/// for when a broken one is still being given up.
const LEADER_CONNECTIONS: u32 = 6;
const ACQUIRE_S_MAX: u64 = 3;
/// The pages of exports that are read at one time: they are long reads, and writers come first.
const EXPORT_CONNECTIONS: u32 = 2;
/// How long the page of an export waits for a connection, behind those of others.
const EXPORT_ACQUIRE_S_MAX: u64 = 20;
/// How long Postgres lets the query of one page run.
const EXPORT_STATEMENT: &str = "20s";
/// How long a request waits for a connection, and how long Postgres lets one of its statements run: longer
/// than any client waits, so that a crowd does not hold connections for answers that nobody reads.
const REQUEST_ACQUIRE_S_MAX: u64 = 10;
const REQUEST_STATEMENT: &str = "30s";
/// How long one statement of the leader may take.
const ANSWER_S_MAX: u64 = 5;
/// The pages of old events that are read at one time for those who follow the logs.
const EVENTS_CONNECTIONS: u32 = 2;
/// What became of deliveries to webhooks is kept over these.
const WEBHOOK_CONNECTIONS: u32 = 2;
/// How long a courier waits for one of them, behind the others.
const WEBHOOK_ACQUIRE_S_MAX: u64 = 10;
const PING_S_MAX: u64 = 2;
/// A connection that was used within this time is taken without a ping.
const UNPROVEN_AFTER_MS: u64 = 1_000;

/// The pools of connections: everything that this service says to Postgres goes through one of them.
#[derive(Clone)]
pub(crate) struct Databases {
    /// The time that all writers agree on.
    pub(crate) clock: Clock,
    /// For requests.
    pub(crate) requests: PgPool,
    /// For the leader alone, so that no crowd of writers keeps the leader from sequencing.
    pub(crate) leader: PgPool,
    /// The one connection on which writers save together.
    pub(crate) group: PgPool,
    /// For exports, which write nothing and must not keep a request waiting.
    pub(crate) exports: PgPool,
    /// The one connection on which changes of API keys are looked for: whoever checks keys takes them for
    /// outdated when it hears nothing.
    pub(crate) key_watch: PgPool,
    /// For those who follow the logs: they may have much to read, and write nothing.
    pub(crate) events: PgPool,
    /// The one connection on which it is asked whether the database is there.
    pub(crate) probe: PgPool,
    /// For the leader's deliveries to webhooks, so that these never keep it from sequencing.
    pub(crate) webhooks: PgPool,
}

impl Databases {
    /// Connects and migrates.
    pub(crate) async fn connect(config: &Config) -> anyhow::Result<Self> {
        let options = given(config)?;
        migrate(&options).await?;
        let of_leader = leader_options(config, &options)?;
        let patience = SessionSettings::of(&[
            ("idle_in_transaction_session_timeout", IDLE_IN_TRANSACTION),
            ("lock_timeout", LOCK_WAIT),
        ]);
        let reading = patience.and(&[("default_transaction_read_only", "on")]);
        let pool = |settings: &SessionSettings, connections, acquire_s| {
            proven(settings.clone().in_pool(PgPoolOptions::new()))
                .max_connections(connections)
                .acquire_timeout(Duration::from_secs(acquire_s))
        };
        let leader = pool(&patience, LEADER_CONNECTIONS, ACQUIRE_S_MAX);
        let webhooks = pool(&patience, WEBHOOK_CONNECTIONS, WEBHOOK_ACQUIRE_S_MAX);
        let hasty = patience.and(&[("lock_timeout", GROUP_LOCK_WAIT)]);
        let group = pool(&hasty, 1, ACQUIRE_S_MAX);
        let long = reading.and(&[("statement_timeout", EXPORT_STATEMENT)]);
        let exports = pool(&long, EXPORT_CONNECTIONS, EXPORT_ACQUIRE_S_MAX);
        let key_watch = pool(&patience, 1, ACQUIRE_S_MAX);
        let probe = pool(&patience, 1, ACQUIRE_S_MAX);
        let events = pool(&reading, EVENTS_CONNECTIONS, ACQUIRE_S_MAX);
        let bounded = patience.and(&[("statement_timeout", REQUEST_STATEMENT)]);
        let connections = config.database_connections_max;
        let requests = pool(&bounded, connections, REQUEST_ACQUIRE_S_MAX)
            .connect_with(options.clone())
            .await
            .context("cannot connect to Postgres (CATALOG_COMMAND_DATABASE_URL)")?;
        let clock = Clock::of(&requests)
            .await
            .context("cannot read the clock of Postgres")?;
        Ok(Self {
            clock,
            requests,
            leader: leader.connect_lazy_with(of_leader.clone()),
            group: group.connect_lazy_with(options.clone()),
            exports: exports.connect_lazy_with(options.clone()),
            key_watch: key_watch.connect_lazy_with(options.clone()),
            events: events.connect_lazy_with(options.clone()),
            probe: probe.connect_lazy_with(options),
            webhooks: webhooks.connect_lazy_with(of_leader),
        })
    }
}

fn given(config: &Config) -> anyhow::Result<PgConnectOptions> {
    let options = connect_options(&config.database_url)
        .context("cannot use the database URL (CATALOG_COMMAND_DATABASE_URL)")?;
    Ok(with_password(options, config.database_password.as_deref()))
}

/// Those of the leader's own role where there is one.
fn leader_options(
    config: &Config,
    of_requests: &PgConnectOptions,
) -> anyhow::Result<PgConnectOptions> {
    let Some(url) = &config.leader_database_url else {
        return Ok(of_requests.clone());
    };
    let options = connect_options(url)
        .context("cannot use the leader's database URL (CATALOG_COMMAND_LEADER_DATABASE_URL)")?;
    let password = config.leader_database_password.as_deref();
    Ok(with_password(options, password))
}

fn with_password(options: PgConnectOptions, password: Option<&str>) -> PgConnectOptions {
    match password {
        Some(password) => options.password(password),
        None => options,
    }
}

/// Migrates on a connection of its own, whose statements may wait longer.
async fn migrate(options: &PgConnectOptions) -> anyhow::Result<()> {
    let patient = SessionSettings::of(&[("lock_timeout", MIGRATION_LOCK_WAIT)]);
    let pool = patient
        .in_pool(PgPoolOptions::new())
        .max_connections(1)
        .connect_with(options.clone())
        .await
        .context("cannot connect to Postgres (CATALOG_COMMAND_DATABASE_URL)")?;
    let migrated = catalog_migrations::bring_up(&catalog_migrations::COMMAND, &pool).await;
    pool.close().await;
    migrated.map_err(|err| {
        let held = waited_for_lock(&err);
        let failed = anyhow::Error::new(err);
        if held {
            failed.context(format!(
                "cannot migrate the database of the write side: another session, an instance that \
                 migrates or a long transaction, has held a lock for {MIGRATION_LOCK_WAIT}; start \
                 again"
            ))
        } else {
            failed.context("cannot migrate the database of the write side")
        }
    })
}

fn waited_for_lock(err: &MigrateError) -> bool {
    match err {
        MigrateError::Execute(err) | MigrateError::ExecuteMigration(err, _) => {
            Obstacle::of(err) == Some(Obstacle::Lock)
        }
        _ => false,
    }
}

/// Lets the transaction stand still for longer between two statements: the decisions on a large batch
/// take time. Only writers of its products wait for it.
pub(crate) async fn allow_long_decisions(db: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query("SET LOCAL idle_in_transaction_session_timeout = '10s'")
        .execute(db)
        .await?;
    Ok(())
}

/// Why Postgres ended a transaction that can be tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Obstacle {
    /// Another transaction holds what this one needs.
    Lock,
    /// This transaction stood still, and others needed what it held.
    Idle,
    /// The statement took longer than it may.
    Statement,
}

impl Obstacle {
    /// The obstacle that an error of Postgres tells of; none for any other error.
    pub(crate) fn of(err: &sqlx::Error) -> Option<Self> {
        match err.as_database_error()?.code()?.as_ref() {
            "55P03" => Some(Self::Lock),
            "25P03" => Some(Self::Idle),
            "57014" => Some(Self::Statement),
            _ => None,
        }
    }
}

/// Gives up on an answer of Postgres after `limit`: a host that is gone says nothing at all.
pub(crate) async fn within<T, E: From<sqlx::Error>>(
    limit: Duration,
    answer: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let late = || {
        let message = format!("Postgres did not answer within {} s", limit.as_secs());
        sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, message))
    };
    tokio::time::timeout(limit, answer)
        .await
        .unwrap_or_else(|_| Err(late().into()))
}

/// Gives up on an answer of Postgres after the time that one statement of the leader may take; see
/// [`within`].
pub(crate) async fn soon<T, E: From<sqlx::Error>>(
    answer: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    within(Duration::from_secs(ANSWER_S_MAX), answer).await
}

/// Drops connections that do not answer. The driver's own pings wait for as long as TCP does, which
/// is a quarter of an hour.
fn proven(pool: PgPoolOptions) -> PgPoolOptions {
    pool.test_before_acquire(false)
        .before_acquire(|connection, metadata| {
            Box::pin(async move {
                let unproven = metadata.idle_for > Duration::from_millis(UNPROVEN_AFTER_MS);
                if unproven {
                    ping(connection).await?;
                }
                Ok(true)
            })
        })
        .after_release(|connection, _| Box::pin(is_clean(connection)))
}

/// Whether a connection that was given back is in no transaction. A request that was cancelled while its BEGIN was under
/// way leaves one open that sqlx does not know of, and what the next one writes without a transaction would not be committed.
async fn is_clean(connection: &mut PgConnection) -> sqlx::Result<bool> {
    // Outside of a transaction a statement is one of its own.
    let asked = sqlx::raw_sql("SELECT transaction_timestamp() = statement_timestamp()");
    let asked = asked.fetch_one(connection);
    within(Duration::from_secs(PING_S_MAX), asked)
        .await?
        .try_get(0)
}

async fn ping(connection: &mut PgConnection) -> sqlx::Result<()> {
    within(Duration::from_secs(PING_S_MAX), connection.ping()).await
}
