//! The gRPC face of the logs for callers who follow what changes: first what they have missed, page by page
//! and as fast as they take it, then every new event.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use catalog_events::{FeedFilter, FeedType, Position, ProductId};
use catalog_proto::v1;
use catalog_proto::v1::event_service_server::EventService;
use catalog_proto::v1::followed_event::Event;
use futures_util::{Stream, StreamExt as _, stream};
use service_kit::status;
use sqlx::PgPool;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request, Response, Status};

use crate::domain::Violation;
use crate::grpc::convert::{product_change, timestamp};
use crate::grpc::error::{database_status, invalid_follow, log_status};
use crate::log_watch::{Heads, LogWatch};
use crate::store::{self, FollowedRule};

const HEARTBEAT_EVERY_S: u64 = 2;
const FOLLOWERS_MAX: usize = 200;
const IDS_MAX: usize = 100;

pub(crate) type EventStream =
    Pin<Box<dyn Stream<Item = Result<v1::FollowEventsResponse, Status>> + Send>>;

/// Lets callers follow the logs.
pub(crate) struct EventGrpc {
    pool: PgPool,
    watch: LogWatch,
    places: Arc<Semaphore>,
    /// Ends all streams, which would go on for ever.
    stop: CancellationToken,
}

impl EventGrpc {
    /// `pool` should be one of its own: whoever reads old events must not keep requests waiting.
    pub(crate) fn new(pool: PgPool, watch: LogWatch, stop: CancellationToken) -> Self {
        Self {
            pool,
            watch,
            places: Arc::new(Semaphore::new(FOLLOWERS_MAX)),
            stop,
        }
    }
}

#[tonic::async_trait]
impl EventService for EventGrpc {
    type FollowEventsStream = EventStream;

    async fn follow_events(
        &self,
        request: Request<v1::FollowEventsRequest>,
    ) -> Result<Response<EventStream>, Status> {
        let request = request.into_inner();
        let filter = filter(&request).map_err(invalid_follow)?;
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| {
            let message =
                format!("{FOLLOWERS_MAX} callers follow the events already: try again later");
            status(Code::ResourceExhausted, "TOO_MANY_FOLLOWERS", message, [])
        })?;
        let heads = self.watch.follow();
        let (products, rules) = store::heads(&self.pool).await.map_err(database_status)?;
        let reached = Heads {
            products: begin("after_position", request.after_position, products)?,
            rules: begin("after_rule_position", request.after_rule_position, rules)?,
        };
        let follower = Follower {
            pool: self.pool.clone(),
            filter,
            heads,
            reached,
            stop: self.stop.clone(),
            // The first answer tells where it begins.
            heartbeat_at: Instant::now(),
            _place: place,
        };
        let answers = stream::try_unfold(follower, async |mut follower| {
            let answer = follower.next().await?;
            Ok(Some((answer, follower)))
        });
        Ok(Response::new(answers.boxed()))
    }
}

fn filter(request: &v1::FollowEventsRequest) -> Result<FeedFilter, Vec<Violation>> {
    if request.product_ids.len() > IDS_MAX {
        let reason = format!("are more than {IDS_MAX}");
        return Err(vec![Violation::new("product_ids", reason)]);
    }
    let ids: Result<Vec<ProductId>, _> = request.product_ids.iter().map(|id| id.parse()).collect();
    let types: Result<Vec<FeedType>, _> = request.types.iter().map(|name| name.parse()).collect();
    match (ids, types) {
        (Ok(ids), Ok(types)) => Ok(FeedFilter::new(ids, types)),
        (Err(err), _) => Err(vec![Violation::new("product_ids", err.to_string())]),
        (_, Err(err)) => Err(vec![Violation::new("types", err.to_string())]),
    }
}

/// Where a caller begins: after the position that it states, or now.
fn begin(field: &str, stated: Option<i64>, head: Position) -> Result<Position, Status> {
    match stated {
        None => Ok(head),
        Some(..0) => Err(invalid_follow(vec![Violation::new(field, "is negative")])),
        Some(after) if Position::from_i64(after) > head => {
            let reason = format!("the log ends at {head}, before {after}");
            let violation = [(field.to_owned(), reason.clone())];
            Err(status(
                Code::OutOfRange,
                "BEYOND_THE_LOG",
                reason,
                violation,
            ))
        }
        Some(after) => Ok(Position::from_i64(after)),
    }
}

/// One caller, and what it was told.
struct Follower {
    pool: PgPool,
    filter: FeedFilter,
    heads: watch::Receiver<Heads>,
    reached: Heads,
    stop: CancellationToken,
    heartbeat_at: Instant,
    _place: OwnedSemaphorePermit,
}

impl Follower {
    async fn next(&mut self) -> Result<v1::FollowEventsResponse, Status> {
        loop {
            if self.stop.is_cancelled() {
                let message = "this instance is stopping: follow the events at another one";
                return Err(status(Code::Unavailable, "STOPPING", message, []));
            }
            let due = self.heartbeat_at <= Instant::now();
            let events = if due { Vec::new() } else { self.page().await? };
            if due || !events.is_empty() {
                self.heartbeat_at = Instant::now() + Duration::from_secs(HEARTBEAT_EVERY_S);
                return Ok(v1::FollowEventsResponse {
                    events,
                    position: self.reached.products.to_i64(),
                    rule_position: self.reached.rules.to_i64(),
                });
            }
            let heads = *self.heads.borrow_and_update();
            if heads.products > self.reached.products || heads.rules > self.reached.rules {
                continue;
            }
            tokio::select! {
                _ = self.heads.changed() => {}
                () = tokio::time::sleep_until(self.heartbeat_at) => {}
                () = self.stop.cancelled() => {}
            }
        }
    }

    /// The next events, which may be none of a long part of the log.
    async fn page(&mut self) -> Result<Vec<v1::FollowedEvent>, Status> {
        let heads = *self.heads.borrow();
        let mut events = Vec::new();
        if heads.products > self.reached.products {
            let after = self.reached.products;
            let page =
                store::followed_events(&self.pool, &self.filter, after, heads.products).await;
            let (changes, reached) = page.map_err(log_status)?;
            events.extend(changes.into_iter().map(|(id, event)| {
                let change = v1::FollowedProductChange {
                    product_id: id.to_string(),
                    change: Some(product_change(event)),
                };
                of(Event::Product(change))
            }));
            self.reached.products = reached;
        }
        if heads.rules > self.reached.rules {
            let page = store::followed_rules(&self.pool, self.reached.rules).await;
            for rule in page.map_err(log_status)? {
                self.reached.rules = rule.position;
                let kind = if rule.rule.is_some() {
                    FeedType::RulePut
                } else {
                    FeedType::RuleDeleted
                };
                if self.filter.wants(kind, None) {
                    events.push(of(Event::Rule(rule_change(rule))));
                }
            }
        }
        Ok(events)
    }
}

fn of(event: Event) -> v1::FollowedEvent {
    v1::FollowedEvent { event: Some(event) }
}

fn rule_change(event: FollowedRule) -> v1::FollowedRuleChange {
    let version = event.version;
    v1::FollowedRuleChange {
        rule_id: event.rule_id.to_string(),
        version: version.get(),
        occurred_at: Some(timestamp(event.occurred_at)),
        actor: event.actor,
        rule: event.rule.map(|rule| rule.to_message(version)),
        event_id: event.event_id.to_string(),
        position: event.position.to_i64(),
    }
}
