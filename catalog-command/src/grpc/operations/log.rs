//! Answers from the event log. What can be long is streamed page by page, as fast as the caller
//! takes it; no page is read before the one before it was taken.

use std::pin::Pin;
use std::sync::Arc;

use catalog_events::{Position, ProductId};
use catalog_proto::v1;
use futures_util::{Stream, StreamExt as _, TryStreamExt as _, stream};
use service_kit::status;
use sqlx::PgPool;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::{Code, Status};

use crate::domain::{Buckets, LogDigest};
use crate::grpc::error::{database_status, log_status};
use crate::store::{self, EventRow, Head, LogError};

const PRODUCTS_IN_ANSWER_MAX: usize = 1_000;
const IDS_MAX: usize = 1_000;
/// For how many ids one query reads the last events.
const IDS_IN_PAGE_MAX: usize = 50;
const EVENTS_IN_PAGE_MAX: i64 = 500;
/// The bytes of one page as they are stored: JSON may be compressed there.
const PAGE_BYTES_MAX: i64 = 2 * 1024 * 1024;
/// The bytes of events at which an answer ends: callers take 4 MiB unless they are told otherwise, and
/// one event may be large.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// A stream of answers to one call.
pub(super) type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// The calls that are answered at one time. They need long reads, and mostly the live products of the log
/// in memory for as long as their answers are being read; further calls wait for their turn.
const FOLDS_MAX: usize = 2;

/// Answers what the log holds.
pub(super) struct LogAnswers {
    pool: PgPool,
    folds: Arc<Semaphore>,
}

impl LogAnswers {
    pub(super) fn new(pool: PgPool) -> Self {
        Self {
            pool,
            folds: Arc::new(Semaphore::new(FOLDS_MAX)),
        }
    }

    pub(super) async fn digest(
        &self,
        request: v1::GetLogDigestRequest,
    ) -> Result<v1::LogDigest, Status> {
        let (head, position) = self.position(request.position).await?;
        let digest = if request.recompute {
            let _turn = self.turn().await?;
            let fold = store::fold_log(&self.pool, position, Buckets::ALL).await;
            Some(fold.map_err(log_status)?.digest())
        } else if position == head.position {
            head.digest
        } else {
            let _turn = self.turn().await?;
            let digest = store::digest_at(&self.pool, head, position).await;
            digest.map_err(log_status)?
        };
        let LogDigest { buckets, documents } = digest.ok_or_else(|| {
            let message = "the digest of the log is being computed for the first time: ask again";
            status(Code::Unavailable, "DIGEST_PENDING", message, [])
        })?;
        Ok(v1::LogDigest {
            position: position.to_i64(),
            documents,
            buckets: buckets.to_message(),
        })
    }

    pub(super) async fn products(
        &self,
        request: v1::ListLogProductsRequest,
    ) -> Result<Answers<v1::ListLogProductsResponse>, Status> {
        let (_, position) = self.position(request.position).await?;
        let buckets = Buckets::of(&request.buckets)
            .ok_or_else(|| invalid("buckets", "are numbers from 0 to 63"))?;
        let turn = self.turn().await?;
        let fold = store::fold_log(&self.pool, position, buckets).await;
        let products = fold.map_err(log_status)?.into_products();
        let states = products
            .into_iter()
            .map(|(id, version, hash)| v1::ProductState {
                id: id.to_string(),
                version: version.get(),
                content_hash: hash.to_bytes().to_vec(),
            });
        let answers = stream::iter(states)
            .chunks(PRODUCTS_IN_ANSWER_MAX)
            .map(move |products| {
                // The products are in memory until the last of them is read.
                let _turn = &turn;
                Ok(v1::ListLogProductsResponse { products })
            });
        Ok(answers.boxed())
    }

    pub(super) async fn events(
        &self,
        request: v1::ReadEventsRequest,
    ) -> Result<Answers<v1::ReadEventsResponse>, Status> {
        let (_, up_to) = self.position(request.up_to_position).await?;
        let after = match request.after_position {
            0 => Position::START,
            after => self.position(after).await?.1,
        };
        let shared = self.pool.clone();
        let pages = stream::try_unfold(after, move |after| {
            let pool = shared.clone();
            async move { next_page(&pool, after, up_to).await.map_err(log_status) }
        });
        Ok(pages.map_ok(answers).try_flatten().boxed())
    }

    pub(super) async fn product_events(
        &self,
        request: v1::ReadProductEventsRequest,
    ) -> Result<Answers<v1::ReadEventsResponse>, Status> {
        if request.ids.len() > IDS_MAX {
            return Err(invalid("ids", &format!("are {IDS_MAX} at most")));
        }
        let ids: Vec<ProductId> = request
            .ids
            .iter()
            .map(|id| id.parse())
            .collect::<Result<_, _>>()
            .map_err(|err| invalid("ids", &format!("hold one that is no id: {err}")))?;
        let (_, position) = self.position(request.position).await?;
        let asked: Vec<Vec<ProductId>> = ids
            .chunks(IDS_IN_PAGE_MAX)
            .map(<[ProductId]>::to_vec)
            .collect();
        let shared = self.pool.clone();
        let pages = stream::iter(asked).then(move |ids| {
            let pool = shared.clone();
            async move {
                let page = last_events(&pool, &ids, position).await;
                page.map_err(log_status)
            }
        });
        Ok(pages.map_ok(answers).try_flatten().boxed())
    }

    /// The head, and the position that is asked for; 0 asks for the position of the head.
    async fn position(&self, asked: i64) -> Result<(Head, Position), Status> {
        let head = store::head(&self.pool).await.map_err(database_status)?;
        match u64::try_from(asked) {
            Err(_) => Err(invalid("position", "is not negative")),
            Ok(0) => Ok((head.clone(), head.position)),
            Ok(asked) if asked > head.position.0 => {
                let message = format!("the log ends at {}, before {asked}", head.position);
                Err(status(Code::OutOfRange, "BEYOND_THE_LOG", message, []))
            }
            Ok(asked) => Ok((head, Position(asked))),
        }
    }

    /// Waits until one of the places for long reads is free.
    async fn turn(&self) -> Result<OwnedSemaphorePermit, Status> {
        let turn = self.folds.clone().acquire_owned().await;
        turn.map_err(|_| Status::internal("the service stops"))
    }
}

/// The events of the next page and the position it reaches; none when `up_to` is reached.
async fn next_page(
    pool: &PgPool,
    after: Position,
    up_to: Position,
) -> Result<Option<(Vec<v1::LoggedEvent>, Position)>, LogError> {
    if after >= up_to {
        return Ok(None);
    }
    let limit = EVENTS_IN_PAGE_MAX.min(after.lag_to(up_to) as i64);
    let rows = store::read_events(pool, after, limit, PAGE_BYTES_MAX).await?;
    let mut reached = after;
    let mut events = Vec::with_capacity(rows.len());
    for row in rows {
        reached = reached.next();
        events.push(logged(row, reached)?);
    }
    if events.is_empty() {
        return Err(LogError::Corrupt(after.next()));
    }
    Ok(Some((events, reached)))
}

async fn last_events(
    pool: &PgPool,
    ids: &[ProductId],
    position: Position,
) -> Result<Vec<v1::LoggedEvent>, LogError> {
    let ids: Vec<&str> = ids.iter().map(ProductId::as_str).collect();
    let rows = store::read_last_events(pool, &ids, position).await?;
    rows.into_iter()
        .map(|row| {
            let position = row.position();
            logged(row, position)
        })
        .collect()
}

/// The event as the relay publishes it.
fn logged(row: EventRow, expected: Position) -> Result<v1::LoggedEvent, LogError> {
    let (event, message) = row.into_message(expected)?;
    Ok(v1::LoggedEvent {
        position: event.position.to_i64(),
        event_id: event.event_id.to_string(),
        traceparent: event.traceparent.unwrap_or_default(),
        body: message.payload.into(),
    })
}

/// A page cut into answers of bounded size.
fn answers(
    page: Vec<v1::LoggedEvent>,
) -> impl Stream<Item = Result<v1::ReadEventsResponse, Status>> {
    let mut answers: Vec<v1::ReadEventsResponse> = Vec::new();
    let mut bytes = 0;
    for event in page {
        bytes += event.body.len();
        match answers.last_mut() {
            Some(answer) if bytes <= ANSWER_BYTES_MAX => answer.events.push(event),
            _ => {
                bytes = event.body.len();
                let events = vec![event];
                answers.push(v1::ReadEventsResponse { events });
            }
        }
    }
    stream::iter(answers).map(Ok)
}

fn invalid(field: &str, reason: &str) -> Status {
    status(
        Code::InvalidArgument,
        "INVALID_REQUEST",
        format!("{field} {reason}"),
        [(field.to_owned(), reason.to_owned())],
    )
}
