//! The two gRPC upstreams, one shared HTTP/2 channel each.
//!
//! Invariant: every call has a deadline, told to the server and kept here, and ends in a `Status`
//! that says what happened: `DEADLINE_EXCEEDED` when time ran out, `UNAVAILABLE` when the
//! connection gave no answer.

mod rules;

use std::future::Future;
use std::time::Duration;

use catalog_events::ProductId;
use catalog_proto::v1;
use catalog_proto::v1::catalog_command_service_client::CatalogCommandServiceClient;
use catalog_proto::v1::catalog_service_client::CatalogServiceClient;
use catalog_proto::v1::get_product_as_of_request::AsOf;
use catalog_proto::v1::search_rule_service_client::SearchRuleServiceClient;
use service_kit::TraceContext;
use tonic::metadata::{Ascii, MetadataMap, MetadataValue};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Response, Status, TimeoutExpired};

use crate::{Config, GrpcTarget};

const CONNECT_MS_MAX: u64 = 1_000;
const KEEP_ALIVE_INTERVAL_MS: u64 = 10_000;
const KEEP_ALIVE_ANSWER_MS_MAX: u64 = 5_000;
/// How long the read side waits for the writes of consistency tokens unless told.
pub(crate) const CONSISTENCY_WAIT: Duration = Duration::from_millis(250);
/// 100 products with the longest texts.
const ANSWER_BYTES_MAX: usize = 16 << 20;

pub(crate) struct Upstream {
    catalog: CatalogServiceClient<Channel>,
    command: CatalogCommandServiceClient<Channel>,
    rules: SearchRuleServiceClient<Channel>,
    get_deadline: Duration,
    batch_deadline: Duration,
    search_deadline: Duration,
    write_deadline: Duration,
}

/// On whose behalf a call is made.
pub(crate) struct Caller {
    pub(crate) trace: TraceContext,
    pub(crate) actor: Option<Actor>,
}

/// What a read found.
pub(crate) struct Found {
    pub(crate) product: v1::Product,
    /// The read side had not caught up with the tokens in time.
    pub(crate) stale: bool,
}

/// What a write left.
pub(crate) struct Written {
    pub(crate) product: v1::Product,
    pub(crate) token: String,
}

/// Invariant: 1 to [`Actor::CHARS_MAX`] visible ASCII characters.
pub(crate) struct Actor(MetadataValue<Ascii>);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Catalog-Actor is 1 to {} visible ASCII characters", Actor::CHARS_MAX)]
pub(crate) struct InvalidActor;

impl Upstream {
    /// Must be called within a runtime.
    pub(crate) fn connect_lazily(config: &Config) -> Self {
        let catalog = CatalogServiceClient::new(channel(&config.catalog_grpc_target));
        let write_side = channel(&config.command_grpc_target);
        let command = CatalogCommandServiceClient::new(write_side.clone());
        let rules = SearchRuleServiceClient::new(write_side);
        Self {
            catalog: catalog.max_decoding_message_size(ANSWER_BYTES_MAX),
            command: command.max_decoding_message_size(ANSWER_BYTES_MAX),
            rules: rules.max_decoding_message_size(ANSWER_BYTES_MAX),
            get_deadline: config.get_deadline,
            batch_deadline: config.batch_deadline,
            search_deadline: config.search_deadline,
            write_deadline: config.write_deadline,
        }
    }

    pub(crate) async fn get_product(
        &self,
        caller: &Caller,
        id: &ProductId,
        consistency_tokens: Vec<String>,
    ) -> Result<Found, Status> {
        let deadline = patient(self.get_deadline, &consistency_tokens);
        let message = v1::GetProductRequest {
            id: id.to_string(),
            consistency_tokens,
            ..v1::GetProductRequest::default()
        };
        let mut client = self.catalog.clone();
        let request = caller.request(message, deadline);
        let answer = within(deadline, client.get_product(request)).await?;
        Ok(Found {
            stale: is_stale(answer.metadata()),
            product: answer.into_inner(),
        })
    }

    pub(crate) async fn batch_get_products(
        &self,
        caller: &Caller,
        message: v1::BatchGetProductsRequest,
    ) -> Result<v1::BatchGetProductsResponse, Status> {
        let deadline = patient(self.batch_deadline, &message.consistency_tokens);
        let mut client = self.catalog.clone();
        let request = caller.request(message, deadline);
        let answer = within(deadline, client.batch_get_products(request)).await?;
        Ok(answer.into_inner())
    }

    pub(crate) async fn search_products(
        &self,
        caller: &Caller,
        message: v1::SearchProductsRequest,
    ) -> Result<v1::SearchProductsResponse, Status> {
        let deadline = patient(self.search_deadline, &message.consistency_tokens);
        let mut client = self.catalog.clone();
        let request = caller.request(message, deadline);
        let answer = within(deadline, client.search_products(request)).await?;
        Ok(answer.into_inner())
    }

    pub(crate) async fn similar_products(
        &self,
        caller: &Caller,
        message: v1::SimilarProductsRequest,
    ) -> Result<v1::SimilarProductsResponse, Status> {
        let mut client = self.catalog.clone();
        let request = caller.request(message, self.search_deadline);
        let answer = within(self.search_deadline, client.similar_products(request)).await?;
        Ok(answer.into_inner())
    }

    pub(crate) async fn autocomplete(
        &self,
        caller: &Caller,
        message: v1::AutocompleteRequest,
    ) -> Result<v1::AutocompleteResponse, Status> {
        let mut client = self.catalog.clone();
        let request = caller.request(message, self.search_deadline);
        let answer = within(self.search_deadline, client.autocomplete(request)).await?;
        Ok(answer.into_inner())
    }

    pub(crate) async fn get_product_as_of(
        &self,
        caller: &Caller,
        id: &ProductId,
        as_of: AsOf,
    ) -> Result<Found, Status> {
        let message = v1::GetProductAsOfRequest {
            id: id.to_string(),
            as_of: Some(as_of),
        };
        let mut client = self.command.clone();
        let request = caller.request(message, self.get_deadline);
        let answer = within(self.get_deadline, client.get_product_as_of(request)).await?;
        Ok(Found {
            product: answer.into_inner(),
            stale: false,
        })
    }

    pub(crate) async fn get_product_history(
        &self,
        caller: &Caller,
        message: v1::GetProductHistoryRequest,
    ) -> Result<v1::GetProductHistoryResponse, Status> {
        let mut client = self.command.clone();
        let request = caller.request(message, self.batch_deadline);
        let answer = within(self.batch_deadline, client.get_product_history(request)).await?;
        Ok(answer.into_inner())
    }

    pub(crate) async fn create_product(
        &self,
        caller: &Caller,
        message: v1::CreateProductRequest,
    ) -> Result<Written, Status> {
        let mut client = self.command.clone();
        let request = caller.request(message, self.write_deadline);
        let answer = within(self.write_deadline, client.create_product(request)).await?;
        let answer = answer.into_inner();
        Written::of(answer.product, answer.consistency_token)
    }

    pub(crate) async fn update_product(
        &self,
        caller: &Caller,
        message: v1::UpdateProductRequest,
    ) -> Result<Written, Status> {
        let mut client = self.command.clone();
        let request = caller.request(message, self.write_deadline);
        let answer = within(self.write_deadline, client.update_product(request)).await?;
        let answer = answer.into_inner();
        Written::of(answer.product, answer.consistency_token)
    }

    pub(crate) async fn change_price(
        &self,
        caller: &Caller,
        message: v1::ChangePriceRequest,
    ) -> Result<Written, Status> {
        let mut client = self.command.clone();
        let request = caller.request(message, self.write_deadline);
        let answer = within(self.write_deadline, client.change_price(request)).await?;
        let answer = answer.into_inner();
        Written::of(answer.product, answer.consistency_token)
    }

    /// Returns the token of the deletion.
    pub(crate) async fn delete_product(
        &self,
        caller: &Caller,
        message: v1::DeleteProductRequest,
    ) -> Result<String, Status> {
        let mut client = self.command.clone();
        let request = caller.request(message, self.write_deadline);
        let answer = within(self.write_deadline, client.delete_product(request)).await?;
        Ok(answer.into_inner().consistency_token)
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

impl Caller {
    fn request<M>(&self, message: M, deadline: Duration) -> Request<M> {
        let mut request = Request::new(message);
        request.set_timeout(deadline);
        self.sign(request.metadata_mut());
        request
    }

    fn sign(&self, metadata: &mut MetadataMap) {
        if let Ok(trace) = MetadataValue::try_from(self.trace.to_string()) {
            metadata.insert("traceparent", trace);
        }
        if let Some(Actor(actor)) = &self.actor {
            metadata.insert("catalog-actor", actor.clone());
        }
    }
}

impl Actor {
    const CHARS_MAX: usize = 100;
}

impl TryFrom<&[u8]> for Actor {
    type Error = InvalidActor;

    fn try_from(bytes: &[u8]) -> Result<Self, InvalidActor> {
        let bounded = (1..=Self::CHARS_MAX).contains(&bytes.len());
        if !bounded || !bytes.iter().all(u8::is_ascii_graphic) {
            return Err(InvalidActor);
        }
        MetadataValue::try_from(bytes)
            .map(Self)
            .map_err(|_| InvalidActor)
    }
}

impl Written {
    fn of(product: Option<v1::Product>, token: String) -> Result<Self, Status> {
        let product = product.ok_or_else(|| Status::internal("the answer holds no product"))?;
        Ok(Self { product, token })
    }
}

/// Whether the answer, or the error, is older than the tokens of its request.
pub(crate) fn is_stale(metadata: &MetadataMap) -> bool {
    metadata
        .get("catalog-stale")
        .is_some_and(|stale| stale == "true")
}

/// The time for a read that may first have to wait.
fn patient(deadline: Duration, tokens: &[String]) -> Duration {
    match tokens.is_empty() {
        true => deadline,
        false => deadline + CONSISTENCY_WAIT,
    }
}

/// The server is told the deadline, but may be gone or too slow to keep it.
async fn within<T>(
    deadline: Duration,
    call: impl Future<Output = Result<Response<T>, Status>>,
) -> Result<Response<T>, Status> {
    match tokio::time::timeout(deadline, call).await {
        Ok(Ok(response)) => Ok(response),
        Ok(Err(status)) => Err(named(status)),
        Err(_) => Err(Status::deadline_exceeded(
            "the upstream did not answer in time",
        )),
    }
}

/// Names what the transport reports as CANCELLED or UNKNOWN. Only a status made on this side has
/// a source; what a server answers is left as it is, but for its own words for a late answer.
fn named(status: Status) -> Status {
    let late = TimeoutExpired(()).to_string();
    let code = match (status.code(), std::error::Error::source(&status)) {
        (Code::Cancelled, _) if status.message() == late => Code::DeadlineExceeded,
        (Code::Cancelled | Code::Internal | Code::Unknown, Some(_)) => Code::Unavailable,
        _ => return status,
    };
    let mut renamed = Status::new(code, status.message());
    renamed.set_source(std::sync::Arc::new(status));
    renamed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_actor_is_bounded_and_visible() {
        assert!(Actor::try_from(&b"jane@example.org"[..]).is_ok());
        assert!(Actor::try_from("x".repeat(100).as_bytes()).is_ok());
        for bad in ["", "two words", "caf\u{e9}", "a\tb", &"x".repeat(101)] {
            assert!(Actor::try_from(bad.as_bytes()).is_err(), "{bad:?}");
        }
    }

    fn check(status: Status, expected: Code) {
        assert_eq!(named(status).code(), expected);
    }

    fn from_transport(code: Code) -> Status {
        let mut status = Status::new(code, "broken pipe");
        status.set_source(std::sync::Arc::new(std::io::Error::other("broken pipe")));
        status
    }

    #[test]
    fn names_what_the_transport_leaves_open() {
        check(Status::cancelled("Timeout expired"), Code::DeadlineExceeded);
        check(Status::cancelled("the client went away"), Code::Cancelled);
        check(Status::unknown("the server said so"), Code::Unknown);
        check(Status::internal("the server said so"), Code::Internal);
        check(from_transport(Code::Unknown), Code::Unavailable);
        check(from_transport(Code::Cancelled), Code::Unavailable);
        check(from_transport(Code::Internal), Code::Unavailable);
        check(from_transport(Code::NotFound), Code::NotFound);
    }

    /// For instance one that sends the head of an answer and no more: the transport's own timer
    /// ends with the head.
    #[tokio::test]
    async fn an_answer_that_never_ends_is_late() {
        let never = std::future::pending::<Result<Response<()>, Status>>();
        let status = within(Duration::from_millis(1), never)
            .await
            .expect_err("late");
        assert_eq!(status.code(), Code::DeadlineExceeded);
    }
}
