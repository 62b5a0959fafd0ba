//! The route that tells what changes as it happens, as server-sent events.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use catalog_events::{FeedFilter, FeedType, ProductId};
use futures_util::stream;
use tokio::time::timeout;
use tonic::Code;

use crate::events::{Full, NotNow, Place, Reader, Start};
use crate::http::api::Api;
use crate::http::request::params::Query;
use crate::http::request::principal::Principal;
use crate::keys::KeyRing;
use crate::openapi::params::{EventHeaders, EventParams};
use crate::problem::{FieldErrors, Problem};

const IDS_MAX: usize = 100;
const LAST_EVENT_ID: &str = "last-event-id";
/// How soon a stream ends after its key or token did.
const CHECKED_EVERY: Duration = Duration::from_millis(200);

/// `GET /api/events?ids=…&types=…&from=…`: products and search rules as they change.
#[utoipa::path(
    get,
    path = "/api/events",
    operation_id = "followEvents",
    tag = "events",
    summary = "Follow what changes, as server-sent events",
    params(EventParams, EventHeaders),
    responses((
        status = 200,
        description = "A stream of events that does not end. `event` is the type, `data` the change as the history \
                       of a product tells it, and `id` the place in the logs: sent as `Last-Event-ID`, the stream \
                       goes on after it, without a gap or a repetition. A comment is sent when there is nothing \
                       to tell.",
        body = String,
        content_type = "text/event-stream",
    )),
    security(("key" = ["read"]))
)]
pub(crate) async fn follow_events(
    State(api): State<Arc<Api>>,
    Extension(principal): Extension<Principal>,
    headers: HeaderMap,
    query: Query,
) -> Result<Response, Problem> {
    let (filter, start) = read(&query, &headers)?;
    let place = api.events.place(principal.name().as_deref());
    let place = place.map_err(full)?;
    let reader = api.events.open(start, filter).await.map_err(not_now)?;
    let following = Following {
        reader,
        keys: api.keys.clone(),
        principal,
        _place: place,
    };
    let chunks = stream::unfold(following, async |mut following| {
        let chunk = following.next().await?;
        Some((Ok::<_, Infallible>(chunk), following))
    });
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        // A proxy that gathers answers would keep events back.
        (
            HeaderName::from_static("x-accel-buffering"),
            HeaderValue::from_static("no"),
        ),
    ];
    Ok((StatusCode::OK, headers, Body::from_stream(chunks)).into_response())
}

/// One client, for as long as its key or token allows.
struct Following {
    reader: Reader,
    keys: KeyRing,
    principal: Principal,
    _place: Place,
}

impl Following {
    /// The next events; None once the key or token is over, whether there is anything to tell or not.
    async fn next(&mut self) -> Option<Bytes> {
        let (keys, principal) = (&self.keys, &self.principal);
        let is_valid = || match principal {
            Principal::Public => true,
            Principal::Key(_, secret) => keys.is_valid(secret),
            Principal::Token(token) => token.is_valid(),
        };
        let mut next = pin!(self.reader.next());
        loop {
            match timeout(CHECKED_EVERY, next.as_mut()).await {
                Ok(chunk) => return chunk.filter(|_| is_valid()),
                Err(_) if is_valid() => {}
                Err(_) => return None,
            }
        }
    }
}

/// Which events the client wants, and from where on.
fn read(query: &Query, headers: &HeaderMap) -> Result<(FeedFilter, Start), Problem> {
    let mut errors = FieldErrors::default();
    query.check_names(&["ids", "types", "from"], &mut errors);
    let ids: Result<Vec<ProductId>, _> = query.all("ids").map(str::parse).collect();
    let ids = ids.map_err(|err| err.to_string()).and_then(|ids| {
        if ids.len() > IDS_MAX {
            return Err(format!(
                "must be {IDS_MAX} at most: leave them out to follow all products"
            ));
        }
        Ok(ids)
    });
    let ids = errors.take("/ids".to_owned(), ids).unwrap_or_default();
    let names = query.all("types").flat_map(|names| names.split(','));
    let types: Result<Vec<Vec<FeedType>>, _> = names.map(FeedType::named).collect();
    let types = errors.take("/types".to_owned(), types).unwrap_or_default();
    let from = query.one("from")?.map_or(Ok(Start::default()), str::parse);
    let from = errors.take("/from".to_owned(), from).unwrap_or_default();
    errors.finish()?;
    let start = match headers.get(LAST_EVENT_ID).map(HeaderValue::to_str) {
        // A browser that was told no event yet sends none, or an empty one.
        None | Some(Ok("")) => from,
        Some(id) => id.ok().and_then(|id| id.parse().ok()).ok_or_else(|| {
            let detail = "Last-Event-ID is no id of these events, which look like 120.7";
            Problem::new(StatusCode::BAD_REQUEST, detail)
        })?,
    };
    Ok((FeedFilter::new(ids, types.concat()), start))
}

fn full(full: Full) -> Problem {
    match full {
        Full::All { max } => Problem::for_now(
            StatusCode::SERVICE_UNAVAILABLE,
            format!("{max} clients follow events here already"),
        ),
        Full::OfKey { max } => Problem::for_now(
            StatusCode::TOO_MANY_REQUESTS,
            format!("{max} clients follow events with this key already"),
        ),
    }
}

fn not_now(why: NotNow) -> Problem {
    let unavailable = |detail| Problem::for_now(StatusCode::SERVICE_UNAVAILABLE, detail);
    match why {
        NotNow::Stopping => unavailable("This instance is stopping"),
        NotNow::Silent => unavailable("Events cannot be told now: the write service is away"),
        NotNow::Busy => unavailable("As many clients read old events as can be served at once"),
        NotNow::Upstream(status) if status.code() == Code::OutOfRange => {
            let detail = format!(
                "is beyond the end of the catalog's log: {}. Leave it out to follow from now on",
                status.message()
            );
            Problem::invalid_field("/from", detail)
        }
        NotNow::Upstream(status) => Problem::of_status(&status, false),
    }
}
