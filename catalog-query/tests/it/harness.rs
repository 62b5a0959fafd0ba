//! A broker with events on it, and replicas of the real application that read them.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use async_nats::{HeaderMap, jetstream};
use catalog_events::{
    Change, ConsistencyToken, Currency, EncodedMessage, EventType, Money, Position, Product,
    ProductEvent, Status, TokenKey, Version, encode, stream_config,
};
use catalog_proto::v1;
use catalog_proto::v1::catalog_query_operations_client::CatalogQueryOperationsClient;
use catalog_proto::v1::catalog_service_client::CatalogServiceClient;
use catalog_query::App;
use devkit::{Devkit, Nats, NatsOptions};
use service_kit::{Env, Service as _};
use sqlx::PgPool;
use tempfile::TempDir;
use time::OffsetDateTime;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use uuid::Uuid;

use crate::event_log::EventLog;

pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// The secret that consistency tokens are sealed with.
const TOKEN_SECRET: &str = "secret of the test";

static DEVKIT: OnceCell<Devkit> = OnceCell::const_new();

/// The database and the broker of the replicas. It plays the write side: it puts events on the stream.
pub(crate) struct World {
    pub(crate) nats: Nats,
    pub(crate) jetstream: jetstream::Context,
    pub(crate) pool: PgPool,
    /// The same events, as the write service keeps them.
    pub(crate) log: EventLog,
    /// The address where replicas that start from now on find the log.
    pub(crate) log_target: Option<String>,
    pub(crate) model_dir: Option<PathBuf>,
    database_url: String,
    position: Position,
    versions: HashMap<String, Version>,
    _broker_folder: TempDir,
}

/// One running query service.
pub(crate) struct Replica {
    pub(crate) catalog: CatalogServiceClient<Channel>,
    pub(crate) operations: CatalogQueryOperationsClient<Channel>,
    pub(crate) target: String,
    ops: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<anyhow::Result<()>>,
}

impl World {
    pub(crate) async fn new() -> Self {
        let mut world = Self::without_model().await;
        let model = devkit::embedding_model().await.expect("embedding model");
        world.model_dir = Some(model.folder);
        world
    }

    pub(crate) async fn without_model() -> Self {
        let devkit = DEVKIT
            .get_or_init(|| async { Devkit::throwaway().await.expect("start devkit") })
            .await;
        let database_url = devkit.unique_database("query").await.expect("database");
        let broker_folder = tempfile::tempdir().expect("folder");
        let options = NatsOptions {
            throwaway: true,
            ..NatsOptions::default()
        };
        let nats = Nats::start_with(broker_folder.path(), options)
            .await
            .expect("start nats");
        let client = catalog_events::connect("test", &nats.url())
            .await
            .expect("connect");
        let jetstream = jetstream::new(client);
        let config = stream_config(Position(1));
        jetstream
            .get_or_create_stream(config)
            .await
            .expect("stream");
        Self {
            pool: PgPool::connect(&database_url).await.expect("connect"),
            nats,
            jetstream,
            log: EventLog::default(),
            log_target: None,
            model_dir: None,
            database_url,
            position: Position::START,
            versions: HashMap::new(),
            _broker_folder: broker_folder,
        }
    }

    /// Starts a replica with its index in `folder`.
    pub(crate) async fn replica(&self, folder: &TempDir) -> Replica {
        let model_dir = self.model_dir.as_ref();
        let mut env = Env::from_pairs(
            App::PREFIX,
            [
                ("CATALOG_QUERY_DATABASE_URL", self.database_url.clone()),
                ("CATALOG_QUERY_NATS_URL", self.nats.url()),
                (
                    "CATALOG_QUERY_COMMAND_GRPC_TARGET",
                    self.log_target.clone().unwrap_or_default(),
                ),
                ("CATALOG_QUERY_GRPC_ADDR", "127.0.0.1:0".to_owned()),
                ("CATALOG_QUERY_OPS_ADDR", "127.0.0.1:0".to_owned()),
                (
                    "CATALOG_QUERY_DATA_DIR",
                    folder.path().display().to_string(),
                ),
                (
                    "CATALOG_QUERY_MODEL_DIR",
                    model_dir
                        .map(|dir| dir.display().to_string())
                        .unwrap_or_default(),
                ),
                ("CATALOG_QUERY_TOKEN_SECRET", TOKEN_SECRET.to_owned()),
            ],
        );
        let config = App::configure(&mut env);
        env.finish().expect("configuration");
        let app = App::build(config).await.expect("build");
        let target = format!("http://{}", app.grpc_addr().expect("address"));
        let ops = app.ops_addr().expect("address");
        let stop = CancellationToken::new();
        let task = tokio::spawn(app.run(stop.clone()));
        let channel = Channel::from_shared(target.clone())
            .expect("uri")
            .connect_lazy();
        Replica {
            catalog: CatalogServiceClient::new(channel.clone()),
            operations: CatalogQueryOperationsClient::new(channel),
            target,
            ops,
            stop,
            task,
        }
    }

    /// Publishes the product's next version.
    pub(crate) async fn put(&mut self, id: &str, title: &str) {
        let product = product(id, title);
        self.publish(id, Some(product)).await;
    }

    pub(crate) async fn put_product(&mut self, product: Product) {
        let id = product.id.to_string();
        self.publish(&id, Some(product)).await;
    }

    pub(crate) async fn delete(&mut self, id: &str) {
        self.publish(id, None).await;
    }

    /// Puts one state of the product into the log and another onto the stream.
    pub(crate) async fn put_forged(
        &mut self,
        id: &str,
        logged: Option<Product>,
        streamed: Option<Product>,
    ) {
        let version = self.next_version(id);
        let logged = self.event(id, version, logged);
        let streamed = self.event(id, version, streamed);
        let position = self.position.next();
        self.log.push(position, &logged.headers, &logged.payload);
        self.store(&streamed.subject, streamed.headers, streamed.payload)
            .await;
    }

    /// Puts an event into the log and rubbish onto the stream.
    pub(crate) async fn put_damaged(&mut self, id: &str, title: &str) {
        let version = self.next_version(id);
        let event = self.event(id, version, Some(product(id, title)));
        let position = self.position.next();
        self.log.push(position, &event.headers, &event.payload);
        self.store(&event.subject, event.headers, "rubbish".into())
            .await;
    }

    async fn publish(&mut self, id: &str, product: Option<Product>) {
        let version = self.next_version(id);
        let message = self.event(id, version, product);
        self.publish_raw(&message.subject, Some(message.headers), message.payload)
            .await;
    }

    fn next_version(&mut self, id: &str) -> Version {
        let version = match self.versions.get(id) {
            Some(version) => version.next(),
            None => Version::FIRST,
        };
        self.versions.insert(id.to_owned(), version);
        version
    }

    /// Makes an event of the next position.
    fn event(&self, id: &str, version: Version, product: Option<Product>) -> EncodedMessage {
        let (event_type, change) = match &product {
            Some(_) => (EventType::Created, Change::Created),
            None => (EventType::Deleted, Change::Deleted),
        };
        let event = ProductEvent {
            event_id: Uuid::now_v7(),
            position: self.position.next(),
            product_id: id.parse().expect("id"),
            version,
            occurred_at: OffsetDateTime::now_utc(),
            actor: "test".to_owned(),
            traceparent: None,
            change,
            product,
        };
        encode(event_type, &event).expect("encode")
    }

    pub(crate) async fn publish_raw(
        &mut self,
        subject: &str,
        headers: Option<HeaderMap>,
        payload: bytes::Bytes,
    ) {
        let headers = headers.unwrap_or_default();
        self.log.push(self.position.next(), &headers, &payload);
        self.store(subject, headers, payload).await;
    }

    async fn store(&mut self, subject: &str, headers: HeaderMap, payload: bytes::Bytes) {
        let publish = self
            .jetstream
            .publish_with_headers(subject.to_owned(), headers, payload);
        let stored = publish.await.expect("publish").await.expect("stored");
        self.position = self.position.next();
        assert_eq!(stored.sequence, self.position.0, "position equals sequence");
    }

    /// The consistency token that the last write of the product returned.
    pub(crate) fn token(&self, id: &str) -> String {
        let token = ConsistencyToken {
            product_id: id.parse().expect("id"),
            version: self.versions[id],
        };
        TokenKey::new(TOKEN_SECRET).seal(&token)
    }

    pub(crate) fn position(&self) -> i64 {
        self.position.to_i64()
    }
}

impl Replica {
    /// Waits until documents and keyword index have applied everything, and so have the embeddings in a
    /// world with a model.
    pub(crate) async fn caught_up(&mut self, world: &World) -> v1::GetReadStatusResponse {
        let model = world.model_dir.is_some();
        eventually("caught up", async || {
            let status = self.status().await;
            let behind =
                status
                    .projections
                    .iter()
                    .any(|projection| match projection.name.as_str() {
                        "embeddings" => model && projection.lag > 0,
                        _ => projection.position < world.position(),
                    });
            (!behind).then_some(status)
        })
        .await
    }

    pub(crate) async fn status(&self) -> v1::GetReadStatusResponse {
        let mut operations = self.operations.clone();
        let answer = operations
            .get_read_status(v1::GetReadStatusRequest {})
            .await;
        answer.expect("status").into_inner()
    }

    /// Asks as a load balancer does.
    pub(crate) async fn is_ready(&self) -> bool {
        let mut connection = TcpStream::connect(self.ops).await.expect("connect");
        let request = b"GET /health/ready HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n";
        connection.write_all(request).await.expect("ask");
        let mut answer = String::new();
        connection
            .read_to_string(&mut answer)
            .await
            .expect("answer");
        answer.starts_with("HTTP/1.1 200")
    }

    pub(crate) async fn get(&self, id: &str) -> Result<v1::Product, tonic::Status> {
        let request = v1::GetProductRequest {
            id: id.to_owned(),
            ..Default::default()
        };
        let answer = self.catalog.clone().get_product(request).await?;
        Ok(answer.into_inner())
    }

    pub(crate) async fn search(
        &self,
        query: &str,
        strategy: v1::SearchStrategy,
    ) -> Result<v1::SearchProductsResponse, tonic::Status> {
        let request = v1::SearchProductsRequest {
            query: query.to_owned(),
            limit: 0,
            strategy: strategy.into(),
            ..Default::default()
        };
        let answer = self.catalog.clone().search_products(request).await?;
        Ok(answer.into_inner())
    }

    /// Ends it without giving anything back, as a killed process does.
    pub(crate) async fn kill(self) {
        self.task.abort();
        assert!(self.task.await.expect_err("aborted").is_cancelled());
    }

    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.task.await.expect("no panic").expect("clean stop");
    }
}

/// Polls `look` until it finds something.
pub(crate) async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(started.elapsed() < DEADLINE, "never {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

pub(crate) fn product(id: &str, title: &str) -> Product {
    let at = OffsetDateTime::UNIX_EPOCH;
    Product {
        id: id.parse().expect("id"),
        title: title.to_owned(),
        description: format!("This is {title}."),
        price: Money::from_minor(1999, Currency::USD).expect("price"),
        image_url: None,
        brand: Some("Acme".to_owned()),
        sku: None,
        gtins: vec![],
        categories: vec![],
        attributes: Default::default(),
        status: Status::Active,
        created_at: at,
        updated_at: at,
    }
}

pub(crate) fn folder() -> TempDir {
    tempfile::tempdir().expect("folder")
}

pub(crate) fn ids(products: &[v1::Product]) -> Vec<&str> {
    products.iter().map(|product| product.id.as_str()).collect()
}
