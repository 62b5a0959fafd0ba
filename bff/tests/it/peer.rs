//! A gRPC server that speaks both services over an in-memory map, or answers as it was told.

use std::any::Any;
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use catalog_proto::v1::api_key_service_server::ApiKeyServiceServer;
use catalog_proto::v1::catalog_command_service_server::CatalogCommandServiceServer;
use catalog_proto::v1::catalog_service_server::{CatalogService, CatalogServiceServer};
use catalog_proto::v1::search_rule_service_server::SearchRuleServiceServer;
use catalog_proto::v1::usage_service_server::UsageServiceServer;
use catalog_proto::v1::*;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::metadata::MetadataMap;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

use crate::key_peer::Keys;

#[derive(Clone)]
pub(crate) struct Peer {
    state: Arc<Mutex<State>>,
    pub(crate) addr: SocketAddr,
    _stop: Arc<DropGuard>,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) products: BTreeMap<String, Product>,
    pub(crate) rules: BTreeMap<String, SearchRule>,
    /// The answer to searches, where it is not to come from the map.
    pub(crate) search: Option<SearchProductsResponse>,
    /// The answer to questions about searches.
    pub(crate) analytics: GetSearchAnalyticsResponse,
    pub(crate) keys: Keys,
    mode: Mode,
    /// The answers to the next `GetProduct` calls, one each: those of a read side that lags.
    pub(crate) lagging: VecDeque<Option<Product>>,
    calls: Vec<Call>,
    /// Whether reads call their answers stale.
    pub(crate) stale: bool,
    /// The changes that every product has had, newest first.
    pub(crate) history: Vec<ProductChange>,
    /// The content of each write with a request id, and the answer it got.
    answered: BTreeMap<String, (String, Box<dyn Any + Send>)>,
}

#[derive(Clone, Default)]
pub(crate) enum Mode {
    #[default]
    Serve,
    Fail(Status),
    NeverAnswer,
}

#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: &'static str,
    pub(crate) metadata: MetadataMap,
    pub(crate) message: String,
}

impl Peer {
    pub(crate) async fn start() -> Self {
        let incoming = TcpIncoming::bind(([127, 0, 0, 1], 0).into()).expect("a free port");
        let stop = CancellationToken::new();
        let peer = Self {
            state: Arc::default(),
            addr: incoming.local_addr().expect("address"),
            _stop: Arc::new(stop.clone().drop_guard()),
        };
        let handler = Handler(peer.state.clone());
        let server = tonic::transport::Server::builder()
            .add_service(CatalogServiceServer::new(handler.clone()))
            .add_service(CatalogCommandServiceServer::new(handler.clone()))
            .add_service(ApiKeyServiceServer::new(handler.clone()))
            .add_service(UsageServiceServer::new(handler.clone()))
            .add_service(SearchRuleServiceServer::new(handler))
            .serve_with_incoming_shutdown(incoming, stop.cancelled_owned());
        tokio::spawn(server);
        peer
    }

    /// The read side, for a server of the test's own.
    pub(crate) fn catalog(&self) -> CatalogServiceServer<impl CatalogService> {
        CatalogServiceServer::new(Handler(self.state.clone()))
    }

    pub(crate) fn set(&self, mode: Mode) {
        self.lock().mode = mode;
    }

    pub(crate) fn put(&self, product: Product) {
        self.lock().products.insert(product.id.clone(), product);
    }

    pub(crate) fn product(&self, id: &str) -> Option<Product> {
        self.lock().products.get(id).cloned()
    }

    pub(crate) fn lag(&self, found: Option<Product>) {
        self.lock().lagging.push_back(found);
    }

    pub(crate) fn answer_searches(&self, answer: SearchProductsResponse) {
        self.lock().search = Some(answer);
    }

    pub(crate) fn answer_analytics(&self, answer: GetSearchAnalyticsResponse) {
        self.lock().analytics = answer;
    }

    pub(crate) fn set_stale(&self, stale: bool) {
        self.lock().stale = stale;
    }

    pub(crate) fn tell(&self, history: Vec<ProductChange>) {
        self.lock().history = history;
    }

    /// Returns the calls since it was asked last.
    pub(crate) fn take_calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.lock().calls)
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .expect("no test panics while it holds the lock")
    }
}

pub(crate) fn product(id: &str) -> Product {
    Product {
        id: id.to_owned(),
        title: format!("Product {id}"),
        description: "A thing".to_owned(),
        price: 19.99,
        price_minor: 1999,
        currency: "USD".to_owned(),
        image_url: "https://example.org/a.png".to_owned(),
        status: ProductStatus::Active.into(),
        version: 1,
        created_at: Some(prost_types::Timestamp::default()),
        updated_at: Some(prost_types::Timestamp::default()),
        ..Default::default()
    }
}

#[derive(Clone)]
pub(crate) struct Handler(Arc<Mutex<State>>);

impl Handler {
    /// Notes the call, then answers from the state or as the mode says.
    pub(crate) async fn serve<M: std::fmt::Debug, T>(
        &self,
        method: &'static str,
        request: Request<M>,
        answer: impl FnOnce(&mut State, M) -> Result<T, Status>,
    ) -> Result<Response<T>, Status> {
        let (metadata, _, message) = request.into_parts();
        let mode = {
            let mut state = self.0.lock().expect("state");
            let message = format!("{message:?}");
            state.calls.push(Call {
                method,
                metadata,
                message,
            });
            state.mode.clone()
        };
        match mode {
            Mode::Serve => answer(&mut self.0.lock().expect("state"), message).map(Response::new),
            Mode::Fail(status) => Err(status),
            Mode::NeverAnswer => std::future::pending().await,
        }
    }
}

impl Handler {
    /// Serves a write and keeps its answer under the request id.
    pub(crate) async fn serve_write<M: std::fmt::Debug, T: Clone + Send + 'static>(
        &self,
        method: &'static str,
        request_id: String,
        request: Request<M>,
        answer: impl FnOnce(&mut State, M) -> Result<T, Status>,
    ) -> Result<Response<T>, Status> {
        let content = format!("{method} {:?}", request.get_ref());
        self.serve(method, request, |state, message| {
            if let Some((known, earlier)) = state.answered.get(&request_id) {
                let earlier = earlier.downcast_ref::<T>().filter(|_| *known == content);
                return earlier.cloned().ok_or_else(reused);
            }
            let answer = answer(state, message)?;
            if !request_id.is_empty() {
                let kept = Box::new(answer.clone());
                state.answered.insert(request_id, (content, kept));
            }
            Ok(answer)
        })
        .await
    }

    pub(crate) fn with_state<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.0.lock().expect("state"))
    }

    pub(crate) fn is_stale(&self) -> bool {
        self.0.lock().expect("state").stale
    }
}

fn reused() -> Status {
    let violation = ("request_id".to_owned(), "was used before".to_owned());
    let code = tonic::Code::InvalidArgument;
    service_kit::status(code, "REQUEST_ID_REUSED", "reused", [violation])
}
