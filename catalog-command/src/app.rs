//! Puts the write service together: storage, leader tasks, gRPC and operators' listeners.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use async_nats::jetstream;
use catalog_events::TokenKey;
use catalog_proto::v1::api_key_service_server::ApiKeyServiceServer;
use catalog_proto::v1::catalog_command_operations_server::CatalogCommandOperationsServer;
use catalog_proto::v1::catalog_command_service_server::CatalogCommandServiceServer;
use catalog_proto::v1::event_service_server::EventServiceServer;
use catalog_proto::v1::search_rule_service_server::SearchRuleServiceServer;
use catalog_proto::v1::webhook_service_server::WebhookServiceServer;
use prometheus_client::registry::Registry;
use service_kit::{Env, GrpcServer, Leaving, Ops, Readiness, Service, Tasks};
use sqlx::PgPool;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use uuid::Uuid;

use crate::commands::{Commands, GroupSaver};
use crate::config::{Config, WebhookConfig};
use crate::domain::Reach;
use crate::expiry::Expiry;
use crate::grpc::{
    ApiKeyGrpc, CommandGrpc, EventGrpc, KeyWatch, Operations, SearchRuleGrpc, WebhookGrpc,
};
use crate::leader::Leader;
use crate::log_watch::LogWatch;
use crate::probe::Probe;
use crate::relay::{Log, Relay};
use crate::sequencer::Sequencer;
use crate::status::WriteProgress;
use crate::store::Databases;
use crate::webhooks::{Deliverer, Sender};

/// The most bytes of a request: enough for a batch of 1,000 large products.
const REQUEST_BYTES_MAX: usize = 32 * 1024 * 1024;

/// The write service, with its ports bound.
pub struct App {
    grpc: GrpcServer,
    ops: Ops,
    commands: Commands,
    group_saver: GroupSaver,
    tokens: TokenKey,
    operations: Operations,
    /// The connection on which API keys are followed.
    key_watch: PgPool,
    /// The connections on which the logs are followed.
    events: PgPool,
    log_watch: LogWatch,
    webhooks: Webhooks,
    leader: Leader,
    expiry: Expiry,
    probe: Probe,
    drain_wait: Duration,
}

impl App {
    /// The address that clients connect to, with the port that was taken.
    pub fn grpc_addr(&self) -> anyhow::Result<SocketAddr> {
        Ok(self.grpc.addr())
    }

    /// The address of health and metrics, with the port that was taken.
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
        TokenKey::check_secret(&config.token_secret, config.grpc_addr)
            .context("CATALOG_COMMAND_TOKEN_SECRET")?;
        let databases = Databases::connect(&config).await?;
        let client = config
            .nats
            .connect(Self::NAME)
            .await
            .context("CATALOG_COMMAND_NATS_URL")?;
        let reflected = config
            .reflection
            .then_some(catalog_proto::FILE_DESCRIPTOR_SET);
        let mut grpc = GrpcServer::bind_with(config.grpc_addr, config.tls.clone())
            .await?
            .with_reflection(reflected)
            .with_tokens(config.service_token.clone());
        let progress = WriteProgress::default();
        let health = grpc.announce::<CommandServer>().await;
        let probe = Probe::new(
            databases.probe.clone(),
            databases.clock.clone(),
            client.clone(),
            health,
        );
        let ops = bind_ops(&config, &progress, probe.readiness.clone()).await?;

        let wakes = Wakes::default();
        let (commands, group_saver) = Commands::new(
            &databases,
            wakes.committed.clone(),
            wakes.rules_changed.clone(),
            wakes.webhooks_changed.clone(),
            config.request_id_hours.get(),
        );
        let operations = Operations::new(
            databases.requests.clone(),
            jetstream::new(client.clone()),
            progress.clone(),
        );
        let log_watch = LogWatch::new();
        let sender = sender(&config.webhooks);
        let deliverer = Deliverer::new(
            databases.webhooks,
            sender.clone(),
            config.webhooks.schedule.clone(),
            log_watch.clone(),
            wakes.webhooks_changed.clone(),
            progress.webhooks.clone(),
        );
        Ok(Self {
            grpc,
            ops,
            log_watch,
            webhooks: Webhooks {
                sender,
                reach: config.webhooks.reach,
            },
            commands,
            group_saver,
            tokens: TokenKey::new(&config.token_secret),
            operations,
            key_watch: databases.key_watch,
            events: databases.events,
            leader: leader(
                &config,
                databases.leader,
                client,
                wakes,
                progress,
                deliverer,
            ),
            expiry: Expiry {
                pool: databases.requests,
            },
            probe,
            drain_wait: config.drain_wait,
        })
    }

    fn leaving(&self) -> Leaving {
        let Probe {
            readiness, health, ..
        } = &self.probe;
        Leaving::new(readiness.clone(), Some(health.clone()), self.drain_wait)
    }

    async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        tracing::info!(grpc = %self.grpc_addr()?, ops = %self.ops_addr()?, "catalog-command is up");
        let keys = ApiKeyServiceServer::new(ApiKeyGrpc {
            commands: self.commands.clone(),
            watch: KeyWatch::new(self.key_watch, stop.clone()),
        });
        let log_watch = self.log_watch;
        let events = EventGrpc::new(self.events.clone(), log_watch.clone(), stop.clone());
        let Webhooks { sender, reach } = self.webhooks;
        let webhooks = WebhookGrpc::new(self.commands.clone(), sender, reach);
        let routes = routes(self.commands, self.tokens, self.operations)
            .add_service(keys)
            .add_service(EventServiceServer::new(events))
            .add_service(WebhookServiceServer::new(webhooks));

        let mut tasks = Tasks::new(stop);
        tasks.spawn("probe", |stop| self.probe.run(stop));
        tasks.spawn("leader", |stop| self.leader.run(stop));
        // Ends when the last request does.
        tasks.spawn("group saver", |_| self.group_saver.run());
        tasks.spawn("expiry", |stop| self.expiry.run(stop));
        tasks.spawn("log watch", |stop| log_watch.run(self.events, stop));
        tasks.spawn("ops", |stop| self.ops.run(stop));
        tasks.spawn("grpc", |stop| self.grpc.serve(routes, stop));
        tasks.run().await
    }
}

type CommandServer = CatalogCommandServiceServer<CommandGrpc>;

async fn bind_ops(
    config: &Config,
    progress: &WriteProgress,
    readiness: Readiness,
) -> anyhow::Result<Ops> {
    let mut registry = Registry::default();
    progress.register(&mut registry);
    Ops::bind(config.ops_addr, registry, readiness).await
}

fn routes(commands: Commands, tokens: TokenKey, operations: Operations) -> Routes {
    let rules = SearchRuleServiceServer::new(SearchRuleGrpc {
        commands: commands.clone(),
    });
    let products = CommandServer::new(CommandGrpc { commands, tokens });
    Routes::new(products.max_decoding_message_size(REQUEST_BYTES_MAX))
        .add_service(rules)
        .add_service(CatalogCommandOperationsServer::new(operations))
}

/// How one part of the service tells the next that there is something to do.
#[derive(Default)]
struct Wakes {
    /// A command has left events in the outbox.
    committed: Arc<Notify>,
    /// The sequencer has extended the log of products.
    sequenced: Arc<Notify>,
    /// A command has extended the log of search rules.
    rules_changed: Arc<Notify>,
    /// A command has changed a webhook.
    webhooks_changed: Arc<Notify>,
}

/// What tests of webhooks need.
struct Webhooks {
    sender: Sender,
    reach: Reach,
}

/// A system without certificates is no reason not to start: deliveries by https say so.
fn sender(config: &WebhookConfig) -> Sender {
    let tls = config.tls.http1_connector();
    let tls = tls.map_err(|err| format!("{err} (CATALOG_COMMAND_WEBHOOK_TLS_CA)"));
    Sender::new(config.reach, tls, config.timeout)
}

fn leader(
    config: &Config,
    pool: PgPool,
    client: async_nats::Client,
    wakes: Wakes,
    progress: WriteProgress,
    deliverer: Deliverer,
) -> Leader {
    let products = Log::Products(config.stream);
    let rules = Log::Rules {
        replicas: config.stream.replicas,
    };
    let relay = |log, extended, progress| Relay::new(log, &pool, &client, extended, progress);
    Leader {
        me: Uuid::new_v4(),
        sequencer: Sequencer {
            pool: pool.clone(),
            committed: wakes.committed,
            sequenced: wakes.sequenced.clone(),
            progress: progress.clone(),
        },
        relay: relay(products, wakes.sequenced, progress.relay.clone()),
        rule_relay: relay(rules, wakes.rules_changed, progress.rule_relay.clone()),
        deliverer,
        pool,
        progress,
    }
}
