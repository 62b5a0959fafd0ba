//! Puts the write service together: storage, leader tasks, gRPC and operators' listeners.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use async_nats::jetstream;
use catalog_proto::v1::catalog_command_operations_server::CatalogCommandOperationsServer;
use catalog_proto::v1::catalog_command_service_server::CatalogCommandServiceServer;
use prometheus_client::registry::Registry;
use service_kit::{Env, Ops, Readiness, RequestLogLayer, Service, Tasks};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tonic::transport::server::TcpIncoming;
use uuid::Uuid;

use crate::Config;
use crate::commands::Commands;
use crate::grpc::{CommandGrpc, Operations};
use crate::leader::Leader;
use crate::relay::{Relay, StreamCare};
use crate::sequencer::Sequencer;
use crate::status::WriteProgress;

/// A batch of 1,000 large products.
const REQUEST_BYTES_MAX: usize = 32 * 1024 * 1024;

pub struct App {
    grpc: TcpListener,
    ops: Ops,
    commands: Commands,
    operations: Operations,
    leader: Leader,
    reflection: bool,
}

impl App {
    pub fn grpc_addr(&self) -> anyhow::Result<SocketAddr> {
        Ok(self.grpc.local_addr()?)
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
        let pool = connect_database(&config).await?;
        let client = catalog_events::connect(Self::NAME, &config.nats_url)
            .await
            .context("CATALOG_COMMAND_NATS_URL")?;
        let jetstream = jetstream::new(client.clone());
        let grpc = TcpListener::bind(config.grpc_addr)
            .await
            .with_context(|| format!("cannot listen on {} for gRPC", config.grpc_addr))?;

        let progress = WriteProgress::default();
        let mut registry = Registry::default();
        progress.register(&mut registry);
        let ops = Ops::bind(config.ops_addr, registry, Readiness::default()).await?;

        let committed = Arc::new(Notify::new());
        let sequenced = Arc::new(Notify::new());
        let sequencer = Sequencer {
            pool: pool.clone(),
            committed: committed.clone(),
            sequenced: sequenced.clone(),
            progress: progress.clone(),
        };
        let relay = Relay {
            pool: pool.clone(),
            client,
            care: StreamCare {
                pool: pool.clone(),
                jetstream: jetstream.clone(),
                max_age: config.stream_max_age,
                progress: progress.clone(),
            },
            memory: Default::default(),
            sequenced,
            progress: progress.clone(),
        };
        Ok(Self {
            grpc,
            ops,
            commands: Commands::new(pool.clone(), committed),
            operations: Operations::new(pool.clone(), jetstream, progress.clone()),
            leader: Leader {
                pool,
                me: Uuid::new_v4(),
                sequencer,
                relay,
                progress,
            },
            reflection: config.reflection,
        })
    }

    async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        tracing::info!(grpc = %self.grpc_addr()?, ops = %self.ops_addr()?, "catalog-command is up");
        let (health, health_service) = tonic_health::server::health_reporter();
        type Commands = CatalogCommandServiceServer<CommandGrpc>;
        health.set_serving::<Commands>().await;
        let reflection = self
            .reflection
            .then(|| {
                tonic_reflection::server::Builder::configure()
                    .register_encoded_file_descriptor_set(catalog_proto::FILE_DESCRIPTOR_SET)
                    .build_v1()
            })
            .transpose()?;
        let commands = CatalogCommandServiceServer::new(CommandGrpc {
            commands: self.commands,
        });
        let router = tonic::transport::Server::builder()
            .layer(RequestLogLayer)
            .add_service(commands.max_decoding_message_size(REQUEST_BYTES_MAX))
            .add_service(CatalogCommandOperationsServer::new(self.operations))
            .add_service(health_service)
            .add_optional_service(reflection);
        let incoming = TcpIncoming::from(self.grpc).with_nodelay(Some(true));

        let mut tasks = Tasks::new(stop);
        tasks.spawn("leader", |stop| self.leader.run(stop));
        tasks.spawn("ops", |stop| self.ops.run(stop));
        tasks.spawn("grpc", |stop| async move {
            let served = router.serve_with_incoming_shutdown(incoming, stop.cancelled());
            Ok(served.await?)
        });
        tasks.run().await
    }
}

async fn connect_database(config: &Config) -> anyhow::Result<PgPool> {
    let pool = PgPoolOptions::new()
        .max_connections(config.database_connections_max)
        .connect(&config.database_url)
        .await
        .context("cannot connect to Postgres (CATALOG_COMMAND_DATABASE_URL)")?;
    catalog_migrations::COMMAND
        .run(&pool)
        .await
        .context("cannot migrate the database of the write side")?;
    Ok(pool)
}
