//! `POST /api/import`: a feed of products in any form that `catalogctl import` reads, streamed through.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use client_kit::Target;
use client_kit::feed::{self, FeedError, Mapping, Notes, Rows, Source};
use client_kit::import::{ImportError, ImportOptions, run};
use serde_json::{Value, json};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::http::answer::long::{as_lines, as_object, wants_lines};
use crate::http::api::Api;
use crate::http::feeds::import_body::{self, Bounds};
use crate::http::feeds::import_options::{ImportParams, in_names_of_parameters};
use crate::http::feeds::import_report::{Gathered, ImportReport};
use crate::http::feeds::place;
use crate::http::feeds::unhurried::Unhurry;
use crate::http::request::params::Query;
use crate::problem::Problem;
use crate::upstream::Caller;

/// How long the write service may be away in the middle.
const RETRY: Duration = Duration::from_secs(30);
/// Lines that wait for a client that reads slowly.
const AHEAD_LINES: usize = 1_000;

/// `POST /api/import`: imports the feed in the body.
#[utoipa::path(
    post,
    path = "/api/import",
    operation_id = "importProducts",
    tag = "products",
    summary = "Import a feed of products",
    description = "The body is the feed itself: JSON, JSON Lines, CSV, XML or a spreadsheet, plain or packed with \
        gzip, zstd or zip. What a row does not state stays as it is. A row at fault keeps no other from being \
        imported, and the same feed may be sent again without harm. A text is read in the `charset` \
        of its content type unless it begins with a byte order mark; `encoding` goes before both. \
        `Accept: application/x-ndjson` gets every rejected row and the progress while they happen, and the report as \
        the last line. A feed that breaks off after some rows is answered with 200, `completed: false` and the \
        `problem`.",
    params(ImportParams),
    request_body(content((String = "text/csv"), (String = "application/x-ndjson"), (String = "application/json"),
        (String = "application/xml"), (Vec<u8> = "application/octet-stream"))),
    responses((status = 200, description = "What became of the rows",
        content((ImportReport = "application/json"), (String = "application/x-ndjson")))),
    security(("key" = ["write"]))
)]
pub(crate) async fn import_products(
    State(api): State<Arc<Api>>,
    caller: Caller,
    unhurry: Unhurry,
    query: Query,
    request: Request,
) -> Result<Response, Problem> {
    check_kind(request.headers())?;
    let params = ImportParams::read(&query)?.with_charset(request.headers())?;
    let mapping = Mapping::new(params.mapping.clone()).map_err(|mistake| {
        let detail = in_names_of_parameters(&mistake);
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
    })?;
    let place = place(&api.feeds.imports)?;
    let wants_lines = wants_lines(request.headers());
    let stop = api.feeds.stop.child_token();
    let stops_when_unread = stop.clone().drop_guard();
    let (lines, told) = mpsc::channel(AHEAD_LINES);
    let (opened, opens) = oneshot::channel();
    let import = Import {
        target: api.upstream.write_target(),
        options: ImportOptions {
            batch_rows: params.batch.into(),
            retry: RETRY,
            validate_only: params.dry_run,
            metadata: caller.metadata(),
            ..ImportOptions::default()
        },
        stop,
        lines: wants_lines.then_some(lines),
        opened,
        held: (place, unhurry),
    };
    let bounds = Bounds {
        bytes_max: api.feeds.import_bytes_max,
        silence_max: api.read_timeout,
    };
    let body = request.into_body();
    let running = tokio::spawn(import.run(body, bounds, params, mapping));
    let gone = |_| Problem::internal("an import ended without a word");
    opens.await.map_err(gone)??;
    if wants_lines {
        Ok(as_lines(told, stops_when_unread))
    } else {
        as_object(running, stops_when_unread, failed).await
    }
}

/// A body that is an upload of a form is not the feed itself.
pub(super) fn check_kind(headers: &HeaderMap) -> Result<(), Problem> {
    let kind = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    let is_form = kind.is_some_and(|kind| {
        let forms: [&[u8]; 2] = [b"multipart/", b"application/x-www-form-urlencoded"];
        let kind = kind.to_ascii_lowercase();
        forms.iter().any(|form| kind.starts_with(form))
    });
    if !is_form {
        return Ok(());
    }
    let detail = "The body is the feed itself, not a form: for instance \
        curl --data-binary @feed.csv -H 'Content-Type: text/csv'";
    let accepted = "text/csv, application/x-ndjson, application/json, application/xml, application/octet-stream";
    let problem = Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail);
    Err(problem.with(ACCEPT, HeaderValue::from_static(accepted)))
}

/// The report of an import that did nothing.
fn failed(problem: &Problem) -> Value {
    json!({"completed": false, "rows": 0, "problem": problem.to_json()})
}

struct Import {
    target: Target,
    options: ImportOptions,
    stop: CancellationToken,
    lines: Option<mpsc::Sender<Bytes>>,
    /// Told when the first rows of the feed can be read, or why they cannot.
    opened: oneshot::Sender<Result<(), Problem>>,
    held: (OwnedSemaphorePermit, Unhurry),
}

impl Import {
    /// An error tells that nothing was imported.
    async fn run(
        self,
        body: Body,
        bounds: Bounds,
        params: ImportParams,
        mapping: Mapping,
    ) -> Result<ImportReport, Problem> {
        let _held = self.held;
        let reader = import_body::reader(body, bounds);
        let opened = tokio::task::spawn_blocking(move || open(reader, &params, mapping)).await;
        let opened = opened.map_err(Problem::internal).and_then(|opened| opened);
        let (rows, notes) = match opened {
            Ok(opened) => opened,
            Err(problem) => {
                let _ = self.opened.send(Err(problem.clone()));
                return Err(problem);
            }
        };
        let _ = self.opened.send(Ok(()));
        let mut gathered = Gathered::new(notes, self.lines.clone());
        let notice = &mut |notice: client_kit::import::Notice<'_>| gathered.notice(&notice);
        let (summary, result) = run(rows, &self.target, &self.options, self.stop, notice).await;
        let problem = result.err().map(problem);
        let told = problem.as_ref().map(Problem::to_json);
        let report = gathered.finish(summary, told);
        if let Some(lines) = self.lines {
            let _ = lines.send(report.line()).await;
        }
        match problem {
            Some(problem) if !report.has_products() => Err(problem),
            _ => Ok(report),
        }
    }
}

fn open(
    mut body: import_body::ImportBody,
    params: &ImportParams,
    mapping: Mapping,
) -> Result<(Rows, Notes), Problem> {
    if body.is_empty() {
        return Err(empty());
    }
    let source = Source::read_as("the body", body, &params.form).map_err(unread)?;
    let notes = source.notes();
    let rows = feed::rows(source, params.form.format, mapping).map_err(unread)?;
    let rows = feed::telling_of_currencies(rows, notes.clone());
    Ok((rows, notes))
}

/// A body of nothing is a mistake: not even a feed without rows.
pub(super) fn empty() -> Problem {
    let detail = "The body is empty: it is the feed itself";
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
}

/// Why the feed cannot be read, or not to its end.
pub(super) fn unread(err: FeedError) -> Problem {
    let status = match &err {
        FeedError::Open { source, .. } | FeedError::Read { source, .. } => {
            import_body::status_of(source).unwrap_or(StatusCode::BAD_REQUEST)
        }
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let told = format!("{:#}", anyhow::Error::from(err));
    Problem::new(status, in_names_of_parameters(&told))
}

fn problem(err: ImportError) -> Problem {
    match err {
        ImportError::Feed(err) => unread(err),
        ImportError::Interrupted => {
            let detail = "The service stops: send the same feed again";
            Problem::for_now(StatusCode::SERVICE_UNAVAILABLE, detail)
        }
        ImportError::GaveUp { line, .. } => {
            let detail =
                format!("The write service does not answer: all rows before line {line} are done");
            Problem::outcome_unknown(detail)
        }
        ImportError::Refused { line, why } => {
            let detail = format!("The rows from line {line} on were refused: {why}");
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
        }
        err @ (ImportError::OldService | ImportError::Target(_)) => {
            Problem::new(StatusCode::BAD_GATEWAY, err.to_string())
        }
    }
}
