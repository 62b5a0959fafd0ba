//! Configuration of the write service.

use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::time::Duration;

use catalog_events::Broker;
use service_kit::{ClientTls, Env, ServerTls, ServiceTokens};

use crate::domain::{Reach, Schedule};

/// 5 s, 5 min, 30 min, 2, 5, 10, 14, 20 and 24 h: three days, as the specification suggests.
const WEBHOOK_BACKOFF_MS: &str =
    "5000,300000,1800000,7200000,18000000,36000000,50400000,72000000,86400000";

/// The configuration of the write service.
#[derive(Clone, Debug)]
pub struct Config {
    /// The URL of Postgres.
    pub database_url: String,
    /// The password in place of the one in that URL.
    pub database_password: Option<String>,
    /// The same Postgres for the leader, as another role; none where that is the same one.
    pub leader_database_url: Option<String>,
    /// The password in place of the one in the leader's URL.
    pub leader_database_password: Option<String>,
    /// Where NATS is.
    pub nats: Broker,
    /// Where the gRPC API listens.
    pub grpc_addr: SocketAddr,
    /// Where health and metrics listen.
    pub ops_addr: SocketAddr,
    /// How long requests are still taken at a stop, after readiness is off.
    pub drain_wait: Duration,
    /// The most connections to Postgres for requests.
    pub database_connections_max: u32,
    /// What the streams keep. The event log keeps all events.
    pub stream: StreamLimits,
    /// Whether the gRPC API describes itself.
    pub reflection: bool,
    /// What callers of the gRPC API show; none lets everybody call.
    pub service_token: Option<ServiceTokens>,
    /// With it, the gRPC API speaks TLS.
    pub tls: Option<ServerTls>,
    /// For how many hours the answer under a request id is kept.
    pub request_id_hours: NonZeroU16,
    /// The secret that seals consistency tokens; the read side has the same.
    pub token_secret: String,
    /// How webhooks are delivered.
    pub webhooks: WebhookConfig,
}

/// How webhooks are delivered.
#[derive(Clone, Debug)]
pub struct WebhookConfig {
    pub(crate) reach: Reach,
    pub(crate) schedule: Schedule,
    pub(crate) timeout: Duration,
    pub(crate) tls: ClientTls,
}

/// What the streams keep, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamLimits {
    /// Zero for ever.
    pub max_age: Duration,
    /// Zero without a bound.
    pub max_bytes: u64,
    pub replicas: u8,
}

impl Config {
    pub(crate) fn read(env: &mut Env) -> Self {
        Self {
            database_url: env.required(
                "DATABASE_URL",
                "Postgres of the write side, as postgres://user:password@host:port/database.",
            ),
            database_password: env.secret(
                "DATABASE_PASSWORD",
                "The password of the user in DATABASE_URL, as it is.",
            ),
            leader_database_url: env.secret(
                "LEADER_DATABASE_URL",
                "The same database for who extends the log, as a role of its own; unset, DATABASE_URL.",
            ),
            leader_database_password: env.secret(
                "LEADER_DATABASE_PASSWORD",
                "The password of the user in LEADER_DATABASE_URL, as it is.",
            ),
            nats: nats(env),
            grpc_addr: env.or(
                "GRPC_ADDR",
                "127.0.0.1:50052",
                "Where the gRPC API listens; port 0 takes a free one.",
            ),
            ops_addr: env.or(
                "OPS_ADDR",
                "127.0.0.1:9102",
                "Where health and metrics listen.",
            ),
            drain_wait: Duration::from_millis(env.or(
                "DRAIN_WAIT_MS",
                "1000",
                "How long requests are still taken at a stop, after readiness is off.",
            )),
            database_connections_max: env.or(
                "DATABASE_CONNECTIONS_MAX",
                "16",
                "Connections to Postgres for requests, at most; 6 more are the leader's.",
            ),
            stream: stream_limits(env),
            reflection: env.or(
                "REFLECTION",
                "true",
                "Whether the gRPC API describes itself; off in production.",
            ),
            service_token: env.secret(
                "SERVICE_TOKEN",
                "Callers of the gRPC API show it; several may stand here, with commas, and any is taken. \
                 Unset, everybody may call.",
            ),
            tls: ServerTls::read_mutual(env),
            request_id_hours: env.or(
                "REQUEST_ID_HOURS",
                "24",
                "How long a request that is sent again gets its earlier answer.",
            ),
            token_secret: env
                .optional(
                    "TOKEN_SECRET",
                    "Seals consistency tokens; catalog-query needs the same.",
                )
                .unwrap_or_default(),
            webhooks: WebhookConfig::read(env),
        }
    }
}

impl WebhookConfig {
    fn read(env: &mut Env) -> Self {
        let private = env.or(
            "WEBHOOK_PRIVATE",
            "false",
            "Whether webhooks may go to http URLs and to addresses that are not public; for trials, and \
             for receivers on a network of your own.",
        );
        let timeout = env.or(
            "WEBHOOK_TIMEOUT_MS",
            "15000",
            "How long a delivery may take, its connection and its answer included.",
        );
        Self {
            reach: if private { Reach::Private } else { Reach::Public },
            schedule: env.or(
                "WEBHOOK_BACKOFF_MS",
                WEBHOOK_BACKOFF_MS,
                "The waits between the attempts of a delivery; when all have passed, the webhook is disabled.",
            ),
            timeout: Duration::from_millis(timeout),
            tls: ClientTls::read_for(env, "WEBHOOK_"),
        }
    }
}

fn nats(env: &mut Env) -> Broker {
    let url = env.or(
        "NATS_URL",
        "nats://127.0.0.1:4222",
        "NATS with JetStream, or tls://…; a token or user:password goes before the host.",
    );
    let password = env.secret(
        "NATS_PASSWORD",
        "The password of the user in NATS_URL, as it is.",
    );
    let tls = ClientTls::read_for(env, "NATS_");
    Broker {
        url,
        password,
        authority: tls.authority().map(Into::into),
        identity: tls
            .identity()
            .map(|(certificate, key)| (certificate.into(), key.into())),
    }
}

fn stream_limits(env: &mut Env) -> StreamLimits {
    StreamLimits {
        max_age: hours(env.or(
            "STREAM_MAX_AGE_HOURS",
            "168",
            "How many hours the stream keeps events, 0 for ever; the event log keeps them all, and readers \
             that are further behind read it there.",
        )),
        max_bytes: env.or(
            "STREAM_MAX_BYTES",
            "4294967296",
            "The most bytes of events that the stream keeps, 0 without a bound: then a stream that fills the \
             broker's disk refuses events. The broker sets this much room aside.",
        ),
        replicas: env.or(
            "STREAM_REPLICAS",
            "1",
            "On how many servers of a NATS cluster each stream is kept, 1 to 5. One that is kept on more stays \
             so.",
        ),
    }
}

fn hours(hours: u32) -> Duration {
    Duration::from_secs(u64::from(hours) * 3_600)
}
