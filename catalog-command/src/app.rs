//! Puts the write service together: storage, leader tasks, gRPC and operators' listeners.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use async_nats::jetstream;
use catalog_events::TokenKey;
use catalog_proto::v1::catalog_command_operations_server::CatalogCommandOperationsServer;
use catalog_proto::v1::catalog_command_service_server::CatalogCommandServiceServer;
use catalog_proto::v1::search_rule_service_server::SearchRuleServiceServer;
use prometheus_client::registry::Registry;
use service_kit::{Env, GrpcServer, Ops, Readiness, Service, Tasks};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use uuid::Uuid;

use crate::commands::{Commands, GroupSaver};
use crate::config::Config;
use crate::expiry::Expiry;
use crate::grpc::{CommandGrpc, Operations, SearchRuleGrpc};
use crate::leader::Leader;
use crate::relay::{Log, Relay, StreamCare};
use crate::sequencer::Sequencer;
use crate::status::{RelayProgress, WriteProgress};
use crate::store::Databases;

/// A batch of 1,000 large products.
const REQUEST_BYTES_MAX: usize = 32 * 1024 * 1024;

pub struct App {
    grpc: GrpcServer,
    ops: Ops,
    commands: Commands,
    group_saver: GroupSaver,
    tokens: TokenKey,
    operations: Operations,
    leader: Leader,
    expiry: Expiry,
}

impl App {
    pub fn grpc_addr(&self) -> anyhow::Result<SocketAddr> {
        Ok(self.grpc.addr())
    }

    pub fn ops_addr(&self) -> anyhow::Result<SocketAddr> {
        self.ops.addr()
    }
}

impl Service for App {
    const NAME: &'static str = "catalog-command";
    const PREFIX: &'static str = "CATALOG_COMMAND_";
    type Config = Config;

    fn configure(env: &mut Env) -> Config {
        Config::read(env)
    }

    async fn build(config: Config) -> anyhow::Result<Self> {
        let databases =
            Databases::connect(&config.database_url, config.database_connections_max).await?;
        let (leader, requests) = (databases.leader.clone(), databases.requests.clone());
        let client = catalog_events::connect(Self::NAME, &config.nats_url)
            .await
            .context("CATALOG_COMMAND_NATS_URL")?;
        let jetstream = jetstream::new(client.clone());
        let mut grpc = GrpcServer::bind(config.grpc_addr).await?;
        if config.reflection {
            grpc = grpc.with_reflection(catalog_proto::FILE_DESCRIPTOR_SET);
        }

        let progress = WriteProgress::default();
        let mut registry = Registry::default();
        progress.register(&mut registry);
        let ops = Ops::bind(config.ops_addr, registry, Readiness::default()).await?;

        let committed = Arc::new(Notify::new());
        let sequenced = Arc::new(Notify::new());
        let sequencer = Sequencer {
            pool: leader.clone(),
            committed: committed.clone(),
            sequenced: sequenced.clone(),
            progress: progress.clone(),
        };
        let relay = |log, extended: &Arc<Notify>, progress: &RelayProgress| Relay {
            log,
            pool: leader.clone(),
            client: client.clone(),
            care: StreamCare {
                log,
                pool: leader.clone(),
                jetstream: jetstream.clone(),
                progress: progress.clone(),
            },
            memory: Default::default(),
            extended: extended.clone(),
            progress: progress.clone(),
        };
        let rules_changed = Arc::new(Notify::new());
        let rule_relay = relay(Log::Rules, &rules_changed, &progress.rule_relay);
        let products = Log::Products {
            max_age: config.stream_max_age,
        };
        let relay = relay(products, &sequenced, &progress.relay);
        let keep_hours = config.request_id_hours.get();
        let (commands, group_saver) =
            Commands::new(&databases, committed, rules_changed, keep_hours);
        Ok(Self {
            grpc,
            ops,
            commands,
            group_saver,
            tokens: TokenKey::new(&config.token_secret),
            operations: Operations::new(requests.clone(), jetstream, progress.clone()),
            expiry: Expiry { pool: requests },
            leader: Leader {
                pool: leader,
                me: Uuid::new_v4(),
                sequencer,
                relay,
                rule_relay,
                progress,
            },
        })
    }

    async fn run(mut self, stop: CancellationToken) -> anyhow::Result<()> {
        tracing::info!(grpc = %self.grpc_addr()?, ops = %self.ops_addr()?, "catalog-command is up");
        type CommandService = CatalogCommandServiceServer<CommandGrpc>;
        let health = self.grpc.announce::<CommandService>().await;
        health.set_serving().await;
        let rules = SearchRuleServiceServer::new(SearchRuleGrpc {
            commands: self.commands.clone(),
        });
        let commands = CommandService::new(CommandGrpc {
            commands: self.commands,
            tokens: self.tokens,
        });
        let routes = Routes::new(commands.max_decoding_message_size(REQUEST_BYTES_MAX))
            .add_service(rules)
            .add_service(CatalogCommandOperationsServer::new(self.operations));

        let mut tasks = Tasks::new(stop);
        tasks.spawn("leader", |stop| self.leader.run(stop));
        // Ends when the last request does.
        tasks.spawn("group saver", |_| self.group_saver.run());
        tasks.spawn("expiry", |stop| self.expiry.run(stop));
        tasks.spawn("ops", |stop| self.ops.run(stop));
        tasks.spawn("grpc", |stop| self.grpc.serve(routes, stop));
        tasks.run().await
    }
}
