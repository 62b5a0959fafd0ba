//! Configuration of the write service.

use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::time::Duration;

use service_kit::{Env, ServiceTokens};

/// The configuration of the write service.
#[derive(Clone, Debug)]
pub struct Config {
    /// The URL of Postgres.
    pub database_url: String,
    /// The URL of NATS.
    pub nats_url: String,
    /// Where the gRPC API listens.
    pub grpc_addr: SocketAddr,
    /// Where health and metrics listen.
    pub ops_addr: SocketAddr,
    /// The most connections to Postgres for requests.
    pub database_connections_max: u32,
    /// How long the stream keeps events; zero means for ever. The event log keeps them all.
    pub stream_max_age: Duration,
    /// Whether the gRPC API describes itself.
    pub reflection: bool,
    /// What callers of the gRPC API show; none lets everybody call.
    pub service_token: Option<ServiceTokens>,
    /// For how many hours the answer under a request id is kept.
    pub request_id_hours: NonZeroU16,
    /// The secret that seals consistency tokens; the read side has the same.
    pub token_secret: String,
}

impl Config {
    pub(crate) fn read(env: &mut Env) -> Self {
        Self {
            database_url: env.required(
                "DATABASE_URL",
                "Postgres of the write side, as postgres://user:password@host:port/database.",
            ),
            nats_url: env.or(
                "NATS_URL",
                "nats://127.0.0.1:4222",
                "NATS with JetStream; a token or user:password goes before the host.",
            ),
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
            database_connections_max: env.or(
                "DATABASE_CONNECTIONS_MAX",
                "16",
                "Connections to Postgres for requests, at most; 4 more are the leader's.",
            ),
            stream_max_age: hours(env.or(
                "STREAM_MAX_AGE_HOURS",
                "0",
                "How many hours the stream keeps events, 0 for ever; the event log keeps them all.",
            )),
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
        }
    }
}

fn hours(hours: u32) -> Duration {
    Duration::from_secs(u64::from(hours) * 3_600)
}
