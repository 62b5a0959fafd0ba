//! The clients of both upstreams and the deadlines of their calls.

use std::time::Duration;

use anyhow::Context as _;
use axum::http::Uri;
use catalog_proto::encoded::catalog_service_client::CatalogServiceClient;
use catalog_proto::v1::api_key_service_client::ApiKeyServiceClient;
use catalog_proto::v1::catalog_command_operations_client::CatalogCommandOperationsClient;
use catalog_proto::v1::catalog_command_service_client::CatalogCommandServiceClient;
use catalog_proto::v1::catalog_query_operations_client::CatalogQueryOperationsClient;
use catalog_proto::v1::event_service_client::EventServiceClient;
use catalog_proto::v1::search_rule_service_client::SearchRuleServiceClient;
use catalog_proto::v1::usage_service_client::UsageServiceClient;
use catalog_proto::v1::webhook_service_client::WebhookServiceClient;
use client_kit::Target;
use service_kit::{GrpcAccess, GrpcChannel, TlsError};
use tonic::transport::Endpoint;

use crate::config::{Config, GrpcTarget};

/// The calls of the read side that have one answer and change nothing.
const READS: &str = "/catalog.v1.CatalogService/";
const CONNECT_MS_MAX: u64 = 1_000;
const KEEP_ALIVE_INTERVAL_MS: u64 = 10_000;
const KEEP_ALIVE_ANSWER_MS_MAX: u64 = 5_000;
/// The longest answer: 100 products as large as they may be, of 512 KiB and what does not count.
const ANSWER_BYTES_MAX: usize = 64 << 20;

pub(crate) type EventClient = EventServiceClient<GrpcChannel>;

pub(crate) struct Upstream {
    pub(super) catalog: CatalogServiceClient<GrpcChannel>,
    pub(super) usage: UsageServiceClient<GrpcChannel>,
    pub(super) command: CatalogCommandServiceClient<GrpcChannel>,
    pub(crate) api_keys: ApiKeyServiceClient<GrpcChannel>,
    pub(super) webhooks: WebhookServiceClient<GrpcChannel>,
    pub(super) rules: SearchRuleServiceClient<GrpcChannel>,
    pub(super) write_operations: CatalogCommandOperationsClient<GrpcChannel>,
    pub(super) read_operations: CatalogQueryOperationsClient<GrpcChannel>,
    write_side: GrpcChannel,
    read_side: GrpcChannel,
    /// On a connection of its own: streams that never end must not keep calls waiting.
    pub(crate) events: EventClient,
    pub(super) get_deadline: Duration,
    pub(super) batch_deadline: Duration,
    pub(super) search_deadline: Duration,
    pub(super) write_deadline: Duration,
}

impl Upstream {
    /// Must be called within a runtime.
    pub(crate) fn connect_lazily(config: &Config) -> anyhow::Result<Self> {
        let replicas = config
            .access
            .replicas(&config.catalog_grpc_target.uris(), READS, endpoint)
            .context("BFF_CATALOG_GRPC_TARGET")?;
        let catalog = CatalogServiceClient::new(replicas);
        // What an operator asks is about one replica, always the same.
        let read_side = channel(config.catalog_grpc_target.first(), &config.access)
            .context("BFF_CATALOG_GRPC_TARGET")?;
        let write_side = channel(&config.command_grpc_target, &config.access)
            .context("BFF_COMMAND_GRPC_TARGET")?;
        let command = CatalogCommandServiceClient::new(write_side.clone());
        let api_keys = ApiKeyServiceClient::new(write_side.clone());
        let rules = SearchRuleServiceClient::new(write_side.clone());
        let event_side = channel(&config.command_grpc_target, &config.access)
            .context("BFF_COMMAND_GRPC_TARGET")?;
        let events = EventServiceClient::new(event_side);
        Ok(Self {
            events: events.max_decoding_message_size(ANSWER_BYTES_MAX),
            catalog: catalog.max_decoding_message_size(ANSWER_BYTES_MAX),
            usage: UsageServiceClient::new(read_side.clone()),
            command: command.max_decoding_message_size(ANSWER_BYTES_MAX),
            api_keys,
            webhooks: WebhookServiceClient::new(write_side.clone()),
            write_operations: CatalogCommandOperationsClient::new(write_side.clone()),
            read_operations: CatalogQueryOperationsClient::new(read_side.clone()),
            write_side,
            read_side,
            rules: rules.max_decoding_message_size(ANSWER_BYTES_MAX),
            get_deadline: config.get_deadline,
            batch_deadline: config.batch_deadline,
            search_deadline: config.search_deadline,
            write_deadline: config.write_deadline,
        })
    }
}

impl Upstream {
    /// The write service, for a part of the program that calls it itself.
    pub(crate) fn write_target(&self) -> Target {
        Target::command("").behind(self.write_side.clone())
    }

    /// The read service, likewise.
    pub(crate) fn read_target(&self) -> Target {
        Target::query("").behind(self.read_side.clone())
    }
}

fn channel(target: &GrpcTarget, access: &GrpcAccess) -> Result<GrpcChannel, TlsError> {
    access.channel(&endpoint(target.uri().clone()))
}

fn endpoint(uri: Uri) -> Endpoint {
    Endpoint::from(uri)
        .connect_timeout(Duration::from_millis(CONNECT_MS_MAX))
        .http2_keep_alive_interval(Duration::from_millis(KEEP_ALIVE_INTERVAL_MS))
        .keep_alive_timeout(Duration::from_millis(KEEP_ALIVE_ANSWER_MS_MAX))
        .keep_alive_while_idle(true)
        .tcp_nodelay(true)
}
