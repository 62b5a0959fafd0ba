//! `GET /api/export`: all products as they were at one position of the event log. Invariant: an answer
//! that ends in order is complete; one that cannot be completed breaks off.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use catalog_proto::v1::ExportProductsResponse;
use client_kit::Target;
use client_kit::export::{
    Columns, ExportError, ExportFormat, ExportOptions, Fields, Form, Reader, Retrying, latest,
};
use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::Code;
use tonic::metadata::MetadataMap;

use crate::http::api::Api;
use crate::http::feeds::export_plan::ExportPlan;
use crate::http::feeds::place;
use crate::http::feeds::unhurried::Unhurry;
use crate::http::request::params::Query;
use crate::openapi::params::ExportParams;
use crate::problem::Problem;
use crate::upstream::Caller;

const CATALOG_POSITION: HeaderName = HeaderName::from_static("catalog-position");
const CATALOG_EVENT: HeaderName = HeaderName::from_static("catalog-event");
/// How long the write service may be away in the middle.
const RETRY: Duration = Duration::from_secs(20);
/// Blocks of products that wait for a client that reads slowly; a block has about 1 MiB.
const AHEAD_BLOCKS: usize = 1;

/// `GET /api/export`: streams products in the order of their ids.
#[utoipa::path(
    get,
    path = "/api/export",
    operation_id = "exportProducts",
    tag = "products",
    summary = "Export all products as they were at one position of the event log",
    description = "The answer names its position in `Catalog-Position`. One that broke off is gone on with by \
        that `position`, its `event`, and `after` with the id of the last whole product.",
    params(ExportParams),
    responses((status = 200, description = "One product a line, or a row, which an import reads back",
        content((String = "application/x-ndjson"), (String = "text/csv")),
        headers(("Catalog-Position" = i64), ("Catalog-Event" = String))),
        (status = 409, description = "Another event is at that position: the catalog is another, or was restored",
            body = crate::openapi::problem::Problem, content_type = "application/problem+json")),
    security(("key" = ["read"]))
)]
pub(crate) async fn export_products(
    State(api): State<Arc<Api>>,
    caller: Caller,
    unhurry: Unhurry,
    query: Query,
) -> Result<Response, Problem> {
    let plan = ExportPlan::read(&query)?;
    let place = place(&api.feeds.exports)?;
    let format = plan.format;
    let (blocks, written) = mpsc::channel(AHEAD_BLOCKS);
    let (begun, beginning) = oneshot::channel();
    let export = Export {
        target: api.upstream.write_target(),
        plan,
        metadata: caller.metadata(),
        stop: api.feeds.stop.clone(),
        begun: Some(begun),
        blocks,
    };
    tokio::spawn(async move {
        export.run().await;
        drop((place, unhurry));
    });
    let gone = |_| Problem::internal("an export ended without a word");
    let Begun { position, event_id } = beginning.await.map_err(gone)??;
    let (kind, extension) = match format {
        ExportFormat::Csv => ("text/csv; charset=utf-8; header=present", "csv"),
        ExportFormat::Jsonl | ExportFormat::Google => ("application/x-ndjson", "jsonl"),
    };
    let name = format!("attachment; filename=\"catalog-{position}.{extension}\"");
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CATALOG_POSITION, HeaderValue::from(position));
    let texts = [(CONTENT_DISPOSITION, name), (CATALOG_EVENT, event_id)];
    for (name, text) in texts {
        headers.extend(HeaderValue::try_from(text).map(|value| (name, value)));
    }
    let body = Body::from_stream(ReceiverStream::new(written));
    Ok((StatusCode::OK, headers, body).into_response())
}

/// An export that has an answer: it will be of this position.
struct Begun {
    position: i64,
    event_id: String,
}

struct Export {
    target: Target,
    plan: ExportPlan,
    metadata: MetadataMap,
    stop: CancellationToken,
    /// Taken when the first answer is there.
    begun: Option<oneshot::Sender<Result<Begun, Problem>>>,
    blocks: mpsc::Sender<io::Result<Bytes>>,
}

/// Why an export ends early.
enum Ended {
    Failed(Problem),
    /// Nobody reads it any more.
    Unread,
}

impl From<Problem> for Ended {
    fn from(problem: Problem) -> Self {
        Self::Failed(problem)
    }
}

impl Export {
    async fn run(mut self) {
        let Err(Ended::Failed(problem)) = self.write().await else {
            return;
        };
        match self.begun.take() {
            Some(begun) => drop(begun.send(Err(problem))),
            None => {
                tracing::warn!("an export breaks off: {problem}");
                // The answer must not look complete.
                let broken = io::Error::other("the export breaks off");
                let _ = self.blocks.send(Err(broken)).await;
            }
        }
    }

    async fn write(&mut self) -> Result<(), Ended> {
        if self.plan.request.position == 0 {
            self.wait_for_latest().await?;
        }
        let form = self.form().await?;
        let mut block = Vec::new();
        if self.plan.is_whole() {
            form.head(&mut block).map_err(Problem::internal)?;
        }
        let target = self.target.clone();
        let mut reader = self.reader(&target, self.plan.request.after_id.clone());
        while let Some(answer) = reader.next(&mut retrying).await.map_err(problem)? {
            self.begin(&answer);
            for product in &answer.products {
                let written = form.write(product, &mut block);
                let _ = written.map_err(Problem::internal)?;
            }
            if block.is_empty() {
                continue;
            }
            let written = Bytes::from(std::mem::take(&mut block));
            let sent = self.blocks.send(Ok(written)).await;
            sent.map_err(|_| Ended::Unread)?;
        }
        Ok(())
    }

    /// Waits for what was accepted before the export, for as long as the client does.
    async fn wait_for_latest(&self) -> Result<(), Ended> {
        let latest = tokio::select! {
            latest = latest(&self.target, &self.stop) => latest,
            () = self.blocks.closed() => return Err(Ended::Unread),
        };
        latest.map_err(|err| problem(err).into())
    }

    /// The form to write. The columns of a table are found in a first pass over all products.
    async fn form(&mut self) -> Result<Form, Problem> {
        let fields = self.plan.fields.clone();
        if self.plan.format != ExportFormat::Csv {
            return Ok(Form::lines(fields));
        }
        let mut columns = Columns::default();
        if Columns::are_needed(&fields) {
            let target = self.target.clone();
            let mut reader = self.reader(&target, String::new());
            while let Some(answer) = reader.next(&mut retrying).await.map_err(problem)? {
                self.plan.request.position = answer.position;
                self.plan.event_id = Some(answer.event_id);
                add_columns(&mut columns, &answer.products, &fields)?;
            }
        }
        Ok(Form::table(&fields, &columns))
    }

    fn reader<'t>(&self, target: &'t Target, after_id: String) -> Reader<'t> {
        let mut request = self.plan.request.clone();
        request.after_id = after_id;
        let options = ExportOptions {
            request,
            event_id: self.plan.event_id.clone(),
            retry: RETRY,
            metadata: self.metadata.clone(),
        };
        Reader::new(target, options, self.stop.clone())
    }

    fn begin(&mut self, answer: &ExportProductsResponse) {
        if let Some(begun) = self.begun.take() {
            let _ = begun.send(Ok(Begun {
                position: answer.position,
                event_id: answer.event_id.clone(),
            }));
        }
    }
}

fn add_columns(
    columns: &mut Columns,
    products: &[catalog_proto::v1::Product],
    fields: &Fields,
) -> Result<(), Problem> {
    let mut products = products.iter();
    let added = products.try_for_each(|product| columns.add(product, fields));
    added.map_err(|detail| Problem::invalid_field("/format", detail))
}

fn retrying(lost: Retrying) {
    tracing::warn!(
        attempt = lost.attempt,
        "an export tries again: {}",
        lost.why
    );
}

fn problem(err: ExportError) -> Problem {
    match err {
        ExportError::Interrupted => {
            let detail = "The service stops: go on with another replica";
            Problem::for_now(StatusCode::SERVICE_UNAVAILABLE, detail)
        }
        ExportError::OtherCatalog { .. } => Problem::new(
            StatusCode::CONFLICT,
            "`position` is another event than `event`: the catalog was restored; export anew",
        ),
        ExportError::Refused { code, why } => match code {
            Code::InvalidArgument => Problem::invalid_field("/position", why),
            code => Problem::of_status(&tonic::Status::new(code, why), false),
        },
        ExportError::GaveUp { why, .. } => {
            Problem::of_status(&tonic::Status::unavailable(why), false)
        }
        ExportError::Behind { position, .. } => {
            let detail = format!("{err}. `position={position}` exports what is there");
            Problem::for_now(StatusCode::SERVICE_UNAVAILABLE, detail)
        }
        ExportError::Target(err) => Problem::internal(err),
    }
}
