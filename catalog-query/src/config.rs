//! Configuration of the query service.

use std::net::SocketAddr;
use std::num::NonZero;
use std::path::PathBuf;
use std::thread::available_parallelism;
use std::time::Duration;

use catalog_events::{Broker, Currency};
use service_kit::{ClientTls, Env, GrpcAccess, ServerTls, ServiceTokens};

use crate::events::LogTarget;
use crate::index::Language;
use crate::usage::HalfLife;

/// The name of this service, for the log and for the servers that it connects to.
pub(crate) const SERVICE: &str = "catalog-query";

#[derive(Clone, Debug)]
pub struct Config {
    pub database_url: String,
    /// In place of the one in the URL.
    pub database_password: Option<String>,
    pub nats: Broker,
    pub grpc_addr: SocketAddr,
    pub ops_addr: SocketAddr,
    pub drain_wait: Duration,
    pub data_dir: PathBuf,
    pub model_dir: Option<PathBuf>,
    pub command_grpc_target: Option<LogTarget>,
    pub database_connections_max: u32,
    pub cache_bytes_max: u64,
    pub memory_vectors_max: u64,
    pub embedding_threads: usize,
    pub ranking_profiles: Option<PathBuf>,
    pub language: Language,
    pub usage_half_life: HalfLife,
    pub currency: Option<Currency>,
    pub reflection: bool,
    /// What callers of the gRPC API show.
    pub service_token: Option<ServiceTokens>,
    /// How the write service is shown who calls.
    pub access: GrpcAccess,
    pub tls: Option<ServerTls>,
    pub token_secret: String,
}

impl Config {
    pub(crate) fn read(env: &mut Env) -> Self {
        let service_token = service_token(env);
        Self {
            database_url: env.required(
                "DATABASE_URL",
                "Postgres of the read side, as postgres://user:password@host:port/database.",
            ),
            database_password: env.secret(
                "DATABASE_PASSWORD",
                "The password of the user in DATABASE_URL, as it is.",
            ),
            nats: nats(env),
            grpc_addr: env.or(
                "GRPC_ADDR",
                "127.0.0.1:50051",
                "Where the gRPC API listens; port 0 takes a free one.",
            ),
            ops_addr: env.or(
                "OPS_ADDR",
                "127.0.0.1:9101",
                "Where health and metrics listen.",
            ),
            drain_wait: Duration::from_millis(env.or(
                "DRAIN_WAIT_MS",
                "1000",
                "How long requests are still taken at a stop, after readiness is off.",
            )),
            data_dir: env.or(
                "DATA_DIR",
                "/var/lib/catalog-query",
                "Folder of this replica's keyword index; it can be rebuilt from the events.",
            ),
            model_dir: env.optional(
                "MODEL_DIR",
                "Folder with model.onnx and tokenizer.json; unset, search is by keyword only.",
            ),
            command_grpc_target: command_grpc_target(env),
            database_connections_max: env.or(
                "DATABASE_CONNECTIONS_MAX",
                "16",
                "Connections to Postgres at most.",
            ),
            cache_bytes_max: env.or(
                "CACHE_BYTES_MAX",
                "33554432",
                "Memory for cached products, in bytes.",
            ),
            memory_vectors_max: env.or(
                "MEMORY_VECTORS_MAX",
                "100000",
                "Vectors that are kept in memory at most, 1.2 KB each; more are searched in Postgres.",
            ),
            embedding_threads: embedding_threads(env),
            ranking_profiles: env.optional(
                "RANKING_PROFILES",
                "JSON file of ranking profiles; unset, there is one with the usual weights.",
            ),
            language: language(env),
            usage_half_life: usage_half_life(env),
            currency: env.optional(
                "CURRENCY",
                "Currency in which a search compares prices unless it asks for another, such as EUR; \
                 unset, the one that most products have.",
            ),
            reflection: env.or(
                "REFLECTION",
                "true",
                "Whether the gRPC API describes itself; off in production.",
            ),
            access: GrpcAccess::default()
                .with_tokens(service_token.as_ref())
                .with_tls(ClientTls::read(env)),
            service_token,
            tls: ServerTls::read_mutual(env),
            token_secret: token_secret(env),
        }
    }
}

fn service_token(env: &mut Env) -> Option<ServiceTokens> {
    env.secret(
        "SERVICE_TOKEN",
        "Callers of the gRPC API show it, and the write service is shown it. Several may stand here, with \
         commas: all are taken, the first is shown. Unset, everybody may call.",
    )
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

fn command_grpc_target(env: &mut Env) -> Option<LogTarget> {
    env.optional(
        "COMMAND_GRPC_TARGET",
        "The event log: catalog-command, as http://host:port or https://host:port. Needed for events that the stream no \
         longer holds, and for comparing a rebuild with the log.",
    )
}

fn language(env: &mut Env) -> Language {
    env.or(
        "LANGUAGE",
        "english",
        "Language of the products, whose forms of words are found as one: english, german, french, \
         ..., or none. Another one builds the keyword index anew.",
    )
}

/// The threads that compute embeddings, one for each core where it is not stated.
fn embedding_threads(env: &mut Env) -> usize {
    let help = "Threads that compute embeddings, all but one of them only while their core is idle; 0 \
                is as many as there are cores.";
    match env.or("EMBEDDING_THREADS", "0", help) {
        0 => available_parallelism().map_or(1, NonZero::get),
        stated => stated,
    }
}

fn usage_half_life(env: &mut Env) -> HalfLife {
    env.or(
        "USAGE_HALF_LIFE_DAYS",
        "30",
        "After how many days a view or a search counts half as much as a new one: 0.01 to 36500.",
    )
}

fn token_secret(env: &mut Env) -> String {
    env.optional(
        "TOKEN_SECRET",
        "Opens consistency tokens; the same as CATALOG_COMMAND_TOKEN_SECRET.",
    )
    .unwrap_or_default()
}
