//! The clients of both upstreams and the deadlines of their calls.

use std::time::Duration;

use catalog_proto::v1::api_key_service_client::ApiKeyServiceClient;
use catalog_proto::v1::catalog_command_service_client::CatalogCommandServiceClient;
use catalog_proto::v1::catalog_service_client::CatalogServiceClient;
use catalog_proto::v1::event_service_client::EventServiceClient;
use catalog_proto::v1::search_rule_service_client::SearchRuleServiceClient;
use catalog_proto::v1::usage_service_client::UsageServiceClient;
use tonic::transport::{Channel, Endpoint};

use crate::config::{Config, GrpcTarget};

const CONNECT_MS_MAX: u64 = 1_000;
const KEEP_ALIVE_INTERVAL_MS: u64 = 10_000;
const KEEP_ALIVE_ANSWER_MS_MAX: u64 = 5_000;
/// The longest answer: 100 products with the longest texts.
const ANSWER_BYTES_MAX: usize = 16 << 20;

pub(crate) type EventClient = EventServiceClient<Channel>;

pub(crate) struct Upstream {
    pub(super) catalog: CatalogServiceClient<Channel>,
    pub(super) usage: UsageServiceClient<Channel>,
    pub(super) command: CatalogCommandServiceClient<Channel>,
    pub(crate) api_keys: ApiKeyServiceClient<Channel>,
    pub(super) rules: SearchRuleServiceClient<Channel>,
    /// On a connection of its own: streams that never end must not keep calls waiting.
    pub(crate) events: EventClient,
    pub(super) get_deadline: Duration,
    pub(super) batch_deadline: Duration,
    pub(super) search_deadline: Duration,
    pub(super) write_deadline: Duration,
}

impl Upstream {
    /// Must be called within a runtime.
    pub(crate) fn connect_lazily(config: &Config) -> Self {
        let read_side = channel(&config.catalog_grpc_target);
        let catalog = CatalogServiceClient::new(read_side.clone());
        let write_side = channel(&config.command_grpc_target);
        let command = CatalogCommandServiceClient::new(write_side.clone());
        let api_keys = ApiKeyServiceClient::new(write_side.clone());
        let rules = SearchRuleServiceClient::new(write_side);
        let events = EventServiceClient::new(channel(&config.command_grpc_target));
        Self {
            events: events.max_decoding_message_size(ANSWER_BYTES_MAX),
            catalog: catalog.max_decoding_message_size(ANSWER_BYTES_MAX),
            usage: UsageServiceClient::new(read_side),
            command: command.max_decoding_message_size(ANSWER_BYTES_MAX),
            api_keys,
            rules: rules.max_decoding_message_size(ANSWER_BYTES_MAX),
            get_deadline: config.get_deadline,
            batch_deadline: config.batch_deadline,
            search_deadline: config.search_deadline,
            write_deadline: config.write_deadline,
        }
    }
}

fn channel(target: &GrpcTarget) -> Channel {
    Endpoint::from(target.uri().clone())
        .connect_timeout(Duration::from_millis(CONNECT_MS_MAX))
        .http2_keep_alive_interval(Duration::from_millis(KEEP_ALIVE_INTERVAL_MS))
        .keep_alive_timeout(Duration::from_millis(KEEP_ALIVE_ANSWER_MS_MAX))
        .keep_alive_while_idle(true)
        .tcp_nodelay(true)
        .connect_lazy()
}
