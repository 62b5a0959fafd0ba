//! Starts the real application on port 0 with its own database and its own broker.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use async_nats::jetstream;
use catalog_command::{App, Config};
use catalog_events::{Broker, ProductEvent, STREAM, decode};
use catalog_proto::v1;
use catalog_proto::v1::api_key_service_client::ApiKeyServiceClient;
use catalog_proto::v1::catalog_command_operations_client::CatalogCommandOperationsClient;
use catalog_proto::v1::catalog_command_service_client::CatalogCommandServiceClient;
use catalog_proto::v1::search_rule_service_client::SearchRuleServiceClient;
use catalog_proto::v1::webhook_service_client::WebhookServiceClient;
use devkit::{Devkit, Nats, NatsOptions};
use service_kit::{Env, Service as _};
use sqlx::{PgPool, Postgres, Transaction};
use tokio::sync::OnceCell;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

pub(crate) const DEADLINE: Duration = Duration::from_secs(30);
pub(crate) const TOKEN_SECRET: &str = "a secret of the tests";

static DEVKIT: OnceCell<Devkit> = OnceCell::const_new();

/// One write service and what it stands on.
pub(crate) struct Catalog {
    pub(crate) commands: CatalogCommandServiceClient<Channel>,
    pub(crate) pool: PgPool,
    pub(crate) nats: Nats,
    pub(crate) database_url: String,
    service: Option<Running>,
    folder: tempfile::TempDir,
}

pub(crate) struct Running {
    stop: CancellationToken,
    task: JoinHandle<anyhow::Result<()>>,
    operations: CatalogCommandOperationsClient<Channel>,
    rules: SearchRuleServiceClient<Channel>,
    keys: ApiKeyServiceClient<Channel>,
    webhooks: WebhookServiceClient<Channel>,
    target: String,
    ops_addr: SocketAddr,
}

impl Catalog {
    pub(crate) async fn start() -> Self {
        let devkit = DEVKIT
            .get_or_init(|| async { Devkit::throwaway().await.expect("start devkit") })
            .await;
        let database_url = devkit.unique_database("command").await.expect("database");
        let folder = tempfile::tempdir().expect("folder");
        let options = NatsOptions {
            throwaway: true,
            ..NatsOptions::default()
        };
        let nats = Nats::start_with(folder.path(), options)
            .await
            .expect("start nats");
        let (commands, service) = launch(&database_url, &nats.url(), 0).await;
        Self {
            commands,
            pool: PgPool::connect(&database_url).await.expect("connect"),
            nats,
            database_url,
            service: Some(service),
            folder,
        }
    }

    /// A second instance on the same database and broker.
    pub(crate) async fn start_another(&self) -> (CatalogCommandServiceClient<Channel>, Running) {
        launch(&self.database_url, &self.nats.url(), 0).await
    }

    /// Stops the service and starts it again; the stream then keeps events for `max_age_hours`, 0 for ever.
    pub(crate) async fn restart_service(&mut self, max_age_hours: u32) {
        self.stop_service().await;
        let (commands, service) = launch(&self.database_url, &self.nats.url(), max_age_hours).await;
        self.commands = commands;
        self.service = Some(service);
    }

    /// Stops the service and starts it again; the stream then keeps so many bytes.
    pub(crate) async fn restart_with_bytes(&mut self, max_bytes: u64) {
        self.stop_service().await;
        let mut config = configuration(&self.database_url, &self.nats.url(), 0);
        config.stream.max_bytes = max_bytes;
        let (commands, service) = launch_configured(config).await;
        self.commands = commands;
        self.service = Some(service);
    }

    pub(crate) fn operations(&self) -> CatalogCommandOperationsClient<Channel> {
        let service = self.service.as_ref().expect("the service runs");
        service.operations.clone()
    }

    pub(crate) fn rules(&self) -> SearchRuleServiceClient<Channel> {
        self.service.as_ref().expect("the service runs").rules()
    }

    pub(crate) fn keys(&self) -> ApiKeyServiceClient<Channel> {
        self.service.as_ref().expect("the service runs").keys()
    }

    pub(crate) fn webhooks(&self) -> WebhookServiceClient<Channel> {
        self.service.as_ref().expect("the service runs").webhooks()
    }

    /// Stops the service and starts it again with other settings of webhooks.
    pub(crate) async fn restart_with_webhooks(&mut self, settings: WebhookSettings) {
        self.stop_service().await;
        let config = configured(&self.database_url, &self.nats.url(), 0, settings);
        let (commands, service) = launch_configured(config).await;
        self.commands = commands;
        self.service = Some(service);
    }

    /// A client that is sent no more than `window_bytes` before it reads.
    pub(crate) fn slow_operations(
        &self,
        window_bytes: u32,
    ) -> CatalogCommandOperationsClient<Channel> {
        let service = self.service.as_ref().expect("the service runs");
        let endpoint = Channel::from_shared(service.target.clone())
            .expect("uri")
            .initial_stream_window_size(window_bytes);
        CatalogCommandOperationsClient::new(endpoint.connect_lazy())
    }

    pub(crate) fn ops_addr(&self) -> SocketAddr {
        self.service.as_ref().expect("the service runs").ops_addr
    }

    /// Where the broker keeps its streams.
    pub(crate) fn streams_folder(&self) -> PathBuf {
        self.folder.path().join("streams")
    }

    pub(crate) async fn jetstream(&self) -> jetstream::Context {
        let client = catalog_events::connect("test", &self.nats.url()).await;
        jetstream::new(client.expect("connect"))
    }

    /// Takes the log from its leader, as another instance would, and sequences nothing.
    pub(crate) async fn hold_log(&mut self) {
        sqlx::query(
            "UPDATE log_head
             SET epoch = epoch + 1, holder = gen_random_uuid(), lease_until = 'infinity'",
        )
        .execute(&self.pool)
        .await
        .expect("take the lease");
        self.status_where("it leads no more", |status| !status.leader)
            .await;
    }

    pub(crate) async fn free_log(&self) {
        sqlx::query("UPDATE log_head SET holder = NULL, lease_until = '-infinity'")
            .execute(&self.pool)
            .await
            .expect("release the lease");
    }

    /// The first status for which `holds` is true.
    pub(crate) async fn status_where(
        &mut self,
        what: &str,
        holds: impl Fn(&v1::GetWriteStatusResponse) -> bool,
    ) -> v1::GetWriteStatusResponse {
        let started = Instant::now();
        loop {
            let status = self.status().await;
            if holds(&status) {
                return status;
            }
            assert!(started.elapsed() < DEADLINE, "never {what}: {status:?}");
            tokio::task::yield_now().await;
        }
    }

    pub(crate) async fn stop_service(&mut self) {
        if let Some(service) = self.service.take() {
            service.stop().await;
        }
    }

    /// Makes `service` the one that is asked for its status.
    pub(crate) fn adopt(&mut self, service: Running) {
        self.service = Some(service);
    }

    pub(crate) async fn create(&mut self, id: &str, title: &str) -> v1::Product {
        let request = v1::CreateProductRequest {
            product: Some(input(id, title)),
            ..Default::default()
        };
        let answer = self.commands.create_product(request).await.expect("create");
        answer.into_inner().product.expect("product")
    }

    /// Keeps events in the outbox until the guard is dropped.
    pub(crate) async fn hold_sequencer(&self) -> Transaction<'static, Postgres> {
        let mut held = self.pool.begin().await.expect("transaction");
        sqlx::query("SELECT FROM log_head FOR UPDATE")
            .execute(&mut *held)
            .await
            .expect("lock");
        held
    }

    pub(crate) async fn import(
        &mut self,
        products: Vec<v1::ProductInput>,
    ) -> Result<v1::ImportProductsResponse, tonic::Status> {
        self.import_batch(v1::ImportProductsRequest {
            products,
            ..Default::default()
        })
        .await
    }

    pub(crate) async fn import_batch(
        &mut self,
        batch: v1::ImportProductsRequest,
    ) -> Result<v1::ImportProductsResponse, tonic::Status> {
        let batches = tokio_stream::iter([batch]);
        let mut answers = self.commands.import_products(batches).await?.into_inner();
        Ok(answers.message().await?.expect("an answer to the batch"))
    }

    pub(crate) async fn status(&mut self) -> v1::GetWriteStatusResponse {
        let service = self.service.as_mut().expect("the service runs");
        let request = v1::GetWriteStatusRequest {};
        let answer = service.operations.get_write_status(request).await;
        answer.expect("status").into_inner()
    }

    /// All events, once the log has `count` of them and the stream too.
    pub(crate) async fn events(&self, count: u64) -> Vec<ProductEvent> {
        let client = catalog_events::connect("test", &self.nats.url())
            .await
            .expect("connect");
        let jetstream = jetstream::new(client);
        let started = Instant::now();
        let stream = loop {
            if let Ok(stream) = jetstream.get_stream(STREAM).await
                && stream.cached_info().state.last_sequence >= count
            {
                break stream;
            }
            assert!(
                started.elapsed() < DEADLINE,
                "the stream never reached {count}"
            );
            tokio::task::yield_now().await;
        };
        let mut events = Vec::new();
        for sequence in 1..=stream.cached_info().state.last_sequence {
            let message = stream.get_raw_message(sequence).await.expect("no hole");
            let event = decode(Some(&message.headers), &message.payload).expect("event");
            assert_eq!(event.position.0, sequence, "position equals sequence");
            events.push(event);
        }
        events
    }
}

impl Running {
    pub(crate) fn rules(&self) -> SearchRuleServiceClient<Channel> {
        self.rules.clone()
    }

    pub(crate) fn keys(&self) -> ApiKeyServiceClient<Channel> {
        self.keys.clone()
    }

    pub(crate) fn webhooks(&self) -> WebhookServiceClient<Channel> {
        self.webhooks.clone()
    }

    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.task.await.expect("no panic").expect("clean stop");
    }
}

/// How webhooks are delivered.
#[derive(Clone, Copy)]
pub(crate) struct WebhookSettings {
    pub(crate) private: bool,
    pub(crate) backoff_ms: &'static str,
}

impl Default for WebhookSettings {
    fn default() -> Self {
        Self {
            private: true,
            backoff_ms: "50,100,200,200,200,400,400,400,800,800,800,800,800,800,800,5000,5000,5000",
        }
    }
}

pub(crate) fn configuration(database_url: &str, nats_url: &str, max_age_hours: u32) -> Config {
    let webhooks = WebhookSettings::default();
    configured(database_url, nats_url, max_age_hours, webhooks)
}

fn configured(
    database_url: &str,
    nats_url: &str,
    max_age_hours: u32,
    webhooks: WebhookSettings,
) -> Config {
    let mut env = Env::from_pairs(
        App::PREFIX,
        [
            ("CATALOG_COMMAND_DATABASE_URL", database_url.to_owned()),
            ("CATALOG_COMMAND_NATS_URL", nats_url.to_owned()),
            ("CATALOG_COMMAND_GRPC_ADDR", "127.0.0.1:0".to_owned()),
            ("CATALOG_COMMAND_OPS_ADDR", "127.0.0.1:0".to_owned()),
            (
                "CATALOG_COMMAND_STREAM_MAX_AGE_HOURS",
                max_age_hours.to_string(),
            ),
            // A full stream refuses events.
            ("CATALOG_COMMAND_STREAM_MAX_BYTES", "0".to_owned()),
            ("CATALOG_COMMAND_TOKEN_SECRET", TOKEN_SECRET.to_owned()),
            (
                "CATALOG_COMMAND_WEBHOOK_PRIVATE",
                webhooks.private.to_string(),
            ),
            (
                "CATALOG_COMMAND_WEBHOOK_BACKOFF_MS",
                webhooks.backoff_ms.to_owned(),
            ),
            ("CATALOG_COMMAND_WEBHOOK_TIMEOUT_MS", "2000".to_owned()),
        ],
    );
    let config = App::configure(&mut env);
    env.finish().expect("configuration");
    config
}

pub(crate) async fn launch(
    database_url: &str,
    nats_url: &str,
    max_age_hours: u32,
) -> (CatalogCommandServiceClient<Channel>, Running) {
    launch_configured(configuration(database_url, nats_url, max_age_hours)).await
}

/// Starts an instance whose broker is reached in this way.
pub(crate) async fn launch_with(
    database_url: &str,
    broker: &Broker,
) -> (CatalogCommandServiceClient<Channel>, Running) {
    let mut config = configuration(database_url, &broker.url, 0);
    config.nats = broker.clone();
    launch_configured(config).await
}

async fn launch_configured(config: Config) -> (CatalogCommandServiceClient<Channel>, Running) {
    let app = App::build(config).await.expect("build");
    let ops_addr = app.ops_addr().expect("address");
    let target = format!("http://{}", app.grpc_addr().expect("address"));
    let stop = CancellationToken::new();
    let task = tokio::spawn(app.run(stop.clone()));
    let channel = Channel::from_shared(target.clone())
        .expect("uri")
        .connect_lazy();
    let commands = CatalogCommandServiceClient::new(channel.clone());
    let operations = CatalogCommandOperationsClient::new(channel.clone());
    (
        commands,
        Running {
            stop,
            task,
            operations,
            rules: SearchRuleServiceClient::new(channel.clone()),
            keys: ApiKeyServiceClient::new(channel.clone()),
            webhooks: WebhookServiceClient::new(channel),
            target,
            ops_addr,
        },
    )
}

pub(crate) fn input(id: &str, title: &str) -> v1::ProductInput {
    v1::ProductInput {
        id: id.to_owned(),
        title: title.to_owned(),
        price_minor: 1999,
        ..v1::ProductInput::default()
    }
}
