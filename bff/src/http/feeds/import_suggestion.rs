//! `POST /api/import/suggestion`: how a feed can be imported, as `catalogctl import --suggest` tells it.

use std::io::{self, Write as _};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use client_kit::suggest::{ColumnUse, SuggestError, Suggestion, Trial, suggest};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::answer::json_response;
use crate::http::api::Api;
use crate::http::feeds::import::{check_kind, empty, unread};
use crate::http::feeds::import_body::{self, Bounds, ImportBody};
use crate::http::feeds::import_options::{ImportParams, in_names_of_parameters, pairs_of_options};
use crate::http::feeds::place;
use crate::http::feeds::unhurried::Unhurry;
use crate::http::request::params::Query;
use crate::problem::Problem;

/// The longest feed that is looked at; the beginning of a longer one tells as much.
const BYTES_MAX: u64 = 64 << 20;

/// How a feed can be imported.
#[derive(Serialize, ToSchema)]
pub(crate) struct ImportSuggestion {
    /// The form of the feed in words.
    form: String,
    /// How many rows were looked at.
    rows: usize,
    /// Whether these are all of them.
    is_all: bool,
    #[schema(value_type = Vec<SuggestedColumn>)]
    columns: Vec<ColumnUse>,
    /// What holds for all rows, and what else was found.
    remarks: Vec<String>,
    /// What could not be found, and what to do.
    missing: Vec<String>,
    #[schema(value_type = ImportTrial)]
    trial: Trial,
    /// The parameters of `POST /api/import`, each a name and a value.
    parameters: Vec<(String, String)>,
    /// The same as a command line.
    command: String,
}

/// A column, and what it becomes.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the type describes JSON; none of it is ever made")]
pub(crate) struct SuggestedColumn {
    column: String,
    becomes: String,
    /// How sure that is, in a word; empty for an attribute.
    confidence: String,
    why: String,
    examples: Vec<String>,
}

/// What became of the rows that were read as suggested.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the type describes JSON; none of it is ever made")]
pub(crate) struct ImportTrial {
    rows: usize,
    products: usize,
    /// Rows that belong to the product of another one.
    left_out: usize,
    rejected: usize,
    warnings: usize,
    /// The first mistakes and warnings.
    problems: Vec<String>,
}

/// `POST /api/import/suggestion`: 200 with a proposal. Nothing is written.
#[utoipa::path(
    post,
    path = "/api/import/suggestion",
    operation_id = "suggestImport",
    tag = "products",
    summary = "Propose how a feed is imported",
    description = "The body is the feed, or its beginning: 64 MiB at most. The answer names what each column becomes and \
        why, and the parameters with which `POST /api/import` reads the feed so. What the parameters of this request \
        already say is kept.",
    params(ImportParams),
    request_body(content((String = "text/csv"), (String = "application/x-ndjson"), (String = "application/json"),
        (String = "application/xml"), (Vec<u8> = "application/octet-stream"))),
    responses((status = 200, description = "The proposal", body = ImportSuggestion)),
    security(("key" = ["write"]))
)]
pub(crate) async fn suggest_import(
    State(api): State<Arc<Api>>,
    _unhurry: Unhurry,
    query: Query,
    request: Request,
) -> Result<Response, Problem> {
    check_kind(request.headers())?;
    let params = ImportParams::read(&query)?.with_charset(request.headers())?;
    let _place = place(&api.feeds.imports)?;
    let bounds = Bounds {
        bytes_max: api.feeds.import_bytes_max.min(BYTES_MAX),
        silence_max: api.read_timeout,
    };
    let body = import_body::reader(request.into_body(), bounds);
    let looked = tokio::task::spawn_blocking(move || look(body, &params)).await;
    let found = looked.map_err(Problem::internal)??;
    json_response(StatusCode::OK, &found)
}

/// Keeps the body in a file, for a feed is read several times.
fn look(mut body: ImportBody, params: &ImportParams) -> Result<ImportSuggestion, Problem> {
    let mut file = tempfile::NamedTempFile::new().map_err(Problem::internal)?;
    if io::copy(&mut body, &mut file).map_err(not_taken)? == 0 {
        return Err(empty());
    }
    file.flush().map_err(Problem::internal)?;
    let found = suggest(file.path(), &params.form, &params.mapping);
    let found = found.map_err(|err| match err {
        SuggestError::Feed(err) => unread(err),
        SuggestError::Options(mistake) => {
            let detail = in_names_of_parameters(&mistake);
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
        }
        SuggestError::Pipe(err) => Problem::internal(err),
    })?;
    Ok(ImportSuggestion::of(
        found,
        &file.path().display().to_string(),
    ))
}

fn not_taken(err: io::Error) -> Problem {
    match import_body::status_of(&err) {
        Some(status) => Problem::new(status, err.to_string()),
        None => Problem::internal(err),
    }
}

impl ImportSuggestion {
    /// The name of the file here tells a client nothing.
    fn of(found: Suggestion, path: &str) -> Self {
        let told = |text: String| in_names_of_parameters(&text.replace(path, "the feed"));
        let all = |texts: Vec<String>| texts.into_iter().map(told).collect();
        Self {
            form: found.form,
            rows: found.rows,
            is_all: found.is_all,
            columns: found.columns,
            remarks: all(found.remarks),
            missing: all(found.missing),
            trial: Trial {
                problems: all(found.trial.problems),
                ..found.trial
            },
            parameters: pairs_of_options(&found.options),
            command: found.command.replace(path, "FILE"),
        }
    }
}
