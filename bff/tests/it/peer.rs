//! A gRPC server that speaks both services over an in-memory map, or answers as it was told.

use std::any::Any;
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use catalog_events::Money;
use catalog_proto::v1::catalog_command_service_server::{
    CatalogCommandService, CatalogCommandServiceServer,
};
use catalog_proto::v1::catalog_service_server::{CatalogService, CatalogServiceServer};
use catalog_proto::v1::get_product_as_of_request::AsOf;
use catalog_proto::v1::search_rule_service_server::SearchRuleServiceServer;
use catalog_proto::v1::*;
use futures_util::stream::Empty;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::metadata::MetadataMap;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status, Streaming};

#[derive(Clone)]
pub(crate) struct Peer {
    state: Arc<Mutex<State>>,
    pub(crate) addr: SocketAddr,
    _stop: Arc<DropGuard>,
}

#[derive(Default)]
pub(crate) struct State {
    products: BTreeMap<String, Product>,
    pub(crate) rules: BTreeMap<String, SearchRule>,
    /// What searches find instead of the map.
    search: Option<SearchProductsResponse>,
    mode: Mode,
    /// What the next `GetProduct` calls find instead of the map: a read side that lags.
    lagging: VecDeque<Option<Product>>,
    calls: Vec<Call>,
    /// What every read says of its own answer.
    stale: bool,
    /// Of every product, newest first.
    history: Vec<ProductChange>,
    /// By request id: the content, and the answer it got.
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
            .add_service(SearchRuleServiceServer::new(handler))
            .serve_with_incoming_shutdown(incoming, stop.cancelled_owned());
        tokio::spawn(server);
        peer
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

    pub(crate) fn set_stale(&self, stale: bool) {
        self.lock().stale = stale;
    }

    pub(crate) fn tell(&self, history: Vec<ProductChange>) {
        self.lock().history = history;
    }

    /// The calls since the last time.
    pub(crate) fn take_calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.lock().calls)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
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
    /// Notes the call, then serves it from the state unless told otherwise.
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
    /// A write whose answer is kept under its request id.
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

    fn is_stale(&self) -> bool {
        self.0.lock().expect("state").stale
    }
}

fn reused() -> Status {
    let violation = ("request_id".to_owned(), "was used before".to_owned());
    let code = tonic::Code::InvalidArgument;
    service_kit::status(code, "REQUEST_ID_REUSED", "reused", [violation])
}

/// The minor units of a decimal text, as the write service tells them.
fn minor_units(price: &str, currency: &str) -> Result<i64, Status> {
    let money = currency
        .parse()
        .and_then(|currency| Money::parse(price, currency));
    money.map(|money| money.minor()).map_err(|err| {
        let violation = ("price".to_owned(), err.to_string());
        let code = tonic::Code::InvalidArgument;
        service_kit::status(code, "INVALID_REQUEST", "not valid", [violation])
    })
}

/// Made of what tokens are made of.
pub(crate) fn token(id: &str, version: i64) -> String {
    format!("token-{id}-{version}")
}

impl State {
    fn at(&mut self, id: &str, expected: Option<i64>) -> Result<&mut Product, Status> {
        let product = self.products.get_mut(id);
        let product = product.ok_or_else(|| Status::not_found("no such product"))?;
        match expected {
            Some(version) if version != product.version => Err(Status::aborted("version")),
            _ => Ok(product),
        }
    }
}

fn stored(input: ProductInput) -> Product {
    Product {
        title: input.title,
        description: input.description,
        price: input.price_minor as f64 / 100.0,
        price_minor: input.price_minor,
        currency: input.currency,
        image_url: input.image_url,
        brand: input.brand,
        sku: input.sku,
        gtins: input.gtins,
        categories: input.categories,
        attributes: input.attributes,
        status: input.status,
        ..product(&input.id)
    }
}

#[tonic::async_trait]
impl CatalogService for Handler {
    async fn get_product(
        &self,
        request: Request<GetProductRequest>,
    ) -> Result<Response<Product>, Status> {
        let answer = self.serve("GetProduct", request, |state, message| {
            let found = match state.lagging.pop_front() {
                Some(found) => found,
                None => state.products.get(&message.id).cloned(),
            };
            found.ok_or_else(|| Status::not_found("no such product"))
        });
        let mut answer = answer.await;
        if self.is_stale() {
            let metadata = match &mut answer {
                Ok(response) => response.metadata_mut(),
                Err(status) => status.metadata_mut(),
            };
            metadata.insert("catalog-stale", "true".parse().expect("ASCII"));
        }
        answer
    }

    /// In the order of the map, so that the order asked is the BFF's own work.
    async fn batch_get_products(
        &self,
        request: Request<BatchGetProductsRequest>,
    ) -> Result<Response<BatchGetProductsResponse>, Status> {
        self.serve("BatchGetProducts", request, |state, message| {
            let products = state.products.values();
            let products = products.filter(|product| message.ids.contains(&product.id));
            Ok(BatchGetProductsResponse {
                products: products.cloned().collect(),
                stale: state.stale,
            })
        })
        .await
    }

    async fn search_products(
        &self,
        request: Request<SearchProductsRequest>,
    ) -> Result<Response<SearchProductsResponse>, Status> {
        self.serve("SearchProducts", request, |state, message| {
            if let Some(answer) = &state.search {
                return Ok(answer.clone());
            }
            let products = state.products.values();
            let products = products.filter(|product| product.title.contains(&message.query));
            let degraded = message.strategy() == SearchStrategy::Vector;
            let strategy = match degraded {
                true => SearchStrategy::Keyword.into(),
                false => message.strategy,
            };
            Ok(SearchProductsResponse {
                products: products.take(message.limit as usize).cloned().collect(),
                strategy,
                degraded,
                stale: state.stale,
                ..SearchProductsResponse::default()
            })
        })
        .await
    }

    async fn autocomplete(
        &self,
        request: Request<AutocompleteRequest>,
    ) -> Result<Response<AutocompleteResponse>, Status> {
        self.serve("Autocomplete", request, |state, message| {
            let titles = state.products.values().map(|product| &product.title);
            let titles = titles.filter(|title| title.starts_with(&message.prefix));
            let suggestions = titles.map(|title| Suggestion {
                text: title.clone(),
                documents: 1,
                views: 2,
            });
            Ok(AutocompleteResponse {
                suggestions: suggestions.take(message.limit as usize).collect(),
            })
        })
        .await
    }

    async fn similar_products(
        &self,
        request: Request<SimilarProductsRequest>,
    ) -> Result<Response<SimilarProductsResponse>, Status> {
        self.serve("SimilarProducts", request, |state, message| {
            let others = state.products.values();
            let others = others.filter(|product| product.id != message.id);
            Ok(SimilarProductsResponse {
                products: others.take(message.limit as usize).cloned().collect(),
                degraded: false,
            })
        })
        .await
    }
}

#[tonic::async_trait]
impl CatalogCommandService for Handler {
    async fn create_product(
        &self,
        request: Request<CreateProductRequest>,
    ) -> Result<Response<CreateProductResponse>, Status> {
        let request_id = request.get_ref().request_id.clone();
        self.serve_write("CreateProduct", request_id, request, |state, message| {
            let mut input = message.product.expect("product");
            if input.id.is_empty() {
                input.id = format!("generated-{}", state.products.len() + 1);
            }
            if state.products.contains_key(&input.id) {
                return Err(Status::already_exists("id"));
            }
            let product = stored(input);
            state.products.insert(product.id.clone(), product.clone());
            Ok(CreateProductResponse {
                consistency_token: token(&product.id, product.version),
                product: Some(product),
            })
        })
        .await
    }

    /// Replaces the product by what the mask makes of it, field by field.
    async fn update_product(
        &self,
        request: Request<UpdateProductRequest>,
    ) -> Result<Response<UpdateProductResponse>, Status> {
        let request_id = request.get_ref().request_id.clone();
        self.serve_write("UpdateProduct", request_id, request, |state, message| {
            let input = message.product.expect("product");
            let product = state.at(&input.id, message.expected_version)?;
            let mut new = stored(input.clone());
            if !input.price.is_empty() {
                new.price_minor = minor_units(&input.price, &product.currency)?;
            }
            for path in message.update_mask.expect("mask").paths {
                match path.as_str() {
                    "title" => product.title = new.title.clone(),
                    "description" => product.description = new.description.clone(),
                    "price" | "price_minor" => product.price_minor = new.price_minor,
                    "currency" => product.currency = new.currency.clone(),
                    "image_url" => product.image_url = new.image_url.clone(),
                    "brand" => product.brand = new.brand.clone(),
                    "sku" => product.sku = new.sku.clone(),
                    "gtins" => product.gtins = new.gtins.clone(),
                    "categories" => product.categories = new.categories.clone(),
                    "status" => product.status = new.status,
                    "attributes" => product.attributes = new.attributes.clone(),
                    path => {
                        let name = path
                            .strip_prefix("attributes.")
                            .expect("a path of the mask");
                        match new.attributes.get(name) {
                            Some(value) => {
                                product.attributes.insert(name.to_owned(), value.clone())
                            }
                            None => product.attributes.remove(name),
                        };
                    }
                }
            }
            product.version += 1;
            Ok(UpdateProductResponse {
                product: Some(product.clone()),
                consistency_token: token(&product.id, product.version),
            })
        })
        .await
    }

    async fn change_price(
        &self,
        request: Request<ChangePriceRequest>,
    ) -> Result<Response<ChangePriceResponse>, Status> {
        let request_id = request.get_ref().request_id.clone();
        self.serve_write("ChangePrice", request_id, request, |state, message| {
            let product = state.at(&message.id, message.expected_version)?;
            if !message.currency.is_empty() {
                product.currency = message.currency;
            }
            product.price_minor = if message.price.is_empty() {
                message.price_minor
            } else {
                minor_units(&message.price, &product.currency)?
            };
            product.version += 1;
            Ok(ChangePriceResponse {
                product: Some(product.clone()),
                consistency_token: token(&product.id, product.version),
            })
        })
        .await
    }

    async fn delete_product(
        &self,
        request: Request<DeleteProductRequest>,
    ) -> Result<Response<DeleteProductResponse>, Status> {
        let request_id = request.get_ref().request_id.clone();
        self.serve_write("DeleteProduct", request_id, request, |state, message| {
            let version = state.at(&message.id, message.expected_version)?.version + 1;
            state.products.remove(&message.id);
            Ok(DeleteProductResponse {
                version,
                consistency_token: token(&message.id, version),
            })
        })
        .await
    }

    type ImportProductsStream = Empty<Result<ImportProductsResponse, Status>>;

    async fn import_products(
        &self,
        _: Request<Streaming<ImportProductsRequest>>,
    ) -> Result<Response<Self::ImportProductsStream>, Status> {
        Err(Status::unimplemented("the BFF does not import"))
    }

    async fn get_product_history(
        &self,
        request: Request<GetProductHistoryRequest>,
    ) -> Result<Response<GetProductHistoryResponse>, Status> {
        self.serve("GetProductHistory", request, |state, message| {
            if state.history.is_empty() {
                return Err(Status::not_found("no such product"));
            }
            let before = message.before_version;
            let wanted = |change: &&ProductChange| before == 0 || change.version < before;
            let changes = state.history.iter().filter(wanted);
            let changes: Vec<_> = changes.take(message.limit as usize).cloned().collect();
            let oldest = changes.last().map_or(0, |change| change.version);
            Ok(GetProductHistoryResponse {
                changes,
                next_before_version: if oldest > 1 { oldest } else { 0 },
            })
        })
        .await
    }

    async fn get_product_as_of(
        &self,
        request: Request<GetProductAsOfRequest>,
    ) -> Result<Response<Product>, Status> {
        self.serve("GetProductAsOf", request, |state, message| {
            let as_of = message.as_of.expect("a moment");
            let then = state.history.iter().find(|change| match &as_of {
                AsOf::Version(version) => change.version == *version,
                AsOf::Time(time) => {
                    let at = change.occurred_at.as_ref().expect("time");
                    (at.seconds, at.nanos) <= (time.seconds, time.nanos)
                }
            });
            let product = then.and_then(|change| change.product.clone());
            product.ok_or_else(|| Status::not_found("not then"))
        })
        .await
    }
}
