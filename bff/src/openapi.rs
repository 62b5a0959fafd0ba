//! The OpenAPI document: the shapes that it describes, and what all operations have in common.

pub(crate) mod product;
pub(crate) mod search;
pub(crate) mod rule;
pub(crate) mod usage;
pub(crate) mod api_key;
pub(crate) mod webhook;
pub(crate) mod params;
pub(crate) mod problem;

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use axum::http::HeaderValue;
use bytes::Bytes;
use utoipa::ToSchema;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    Components, ContentBuilder, HeaderBuilder, InfoBuilder, License, OpenApi, PathItem, Ref, RefOr,
    ResponseBuilder, ServerBuilder, tag::TagBuilder,
};

use crate::scope::{Scope, Scopes};

const ABOUT: &str = "Products of a shop: write them, read them, search them.\n\n\
    Every error is a problem (RFC 9457) whose `type` leads to its description. A write answers with a \
    `Catalog-Consistency` token; a read that carries it waits for that write. A write with an \
    `Idempotency-Key` may be sent again without harm. Unknown members and parameters are refused, with the \
    nearest known one.";

const TAGS: [(&str, &str); 7] = [
    ("products", "Reading and writing products"),
    (
        "search",
        "Finding products, and telling what became of a search",
    ),
    (
        "search rules",
        "Synonyms, and curation of the answers to some queries",
    ),
    ("keys", "Who may do what"),
    ("events", "What changes, as it happens"),
    ("webhooks", "Who is told over HTTP what changes"),
    ("operation", "Health, statistics, and this description"),
];

/// The document as it is sent.
pub(crate) struct Served {
    pub(crate) json: Bytes,
    pub(crate) etag: HeaderValue,
}

impl Served {
    /// The document of a deployment in which `public` needs no key.
    pub(crate) fn of(document: &OpenApi, public: Scopes) -> Self {
        let mut document = document.clone();
        let items = document.paths.paths.values_mut();
        for (_, operation) in items.flat_map(operations_mut) {
            let needed = scope_of(operation);
            if needed.is_some_and(|scope| public.has(scope))
                && let Some(ways) = &mut operation.security
            {
                // Nothing is one of the ways to be let in.
                ways.push(SecurityRequirement::default());
            }
        }
        let json = serde_json::to_vec(&document).unwrap_or_default();
        let mut hasher = DefaultHasher::new();
        json.hash(&mut hasher);
        let etag = format!("\"{:016x}\"", hasher.finish());
        Self {
            json: json.into(),
            etag: HeaderValue::try_from(etag).unwrap_or(HeaderValue::from_static("\"openapi\"")),
        }
    }
}

/// The scope that an operation needs.
pub(crate) fn scope_of(operation: &Operation) -> Option<Scope> {
    let requirement = operation.security.as_ref()?.first()?;
    let requirement = serde_json::to_value(requirement).ok()?;
    requirement.get(KEY)?.get(0)?.as_str()?.parse().ok()
}

/// The name of the scheme by which keys and tokens are sent.
const KEY: &str = "key";

/// Adds what all operations have in common: who may ask, and how they fail.
pub(crate) fn complete(document: &mut OpenApi) {
    document.info = InfoBuilder::new()
        .title("Catalog")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .license(Some(License::new(env!("CARGO_PKG_LICENSE"))))
        .build();
    document.servers = Some(vec![ServerBuilder::new().url("/").build()]);
    let tags = TAGS.map(|(name, about)| {
        TagBuilder::new()
            .name(name)
            .description(Some(about))
            .build()
    });
    document.tags = Some(tags.into());
    let components = document.components.get_or_insert_with(Components::new);
    let mut bearer = Http::new(HttpAuthScheme::Bearer);
    bearer.bearer_format = Some("a key `ck_…`, or a JWT".to_owned());
    components.add_security_scheme(KEY, SecurityScheme::Http(bearer));
    // What only parameters and problems refer to.
    add_schema::<problem::Problem>(components);
    add_schema::<params::RuleTypeParam>(components);
    add_schema::<params::ExportFormat>(components);
    add_schema::<params::StatusParam>(components);
    add_schema::<webhook::WebhookMessage>(components);
    for item in document.paths.paths.values_mut() {
        for (method, operation) in operations_mut(item) {
            add_problems(method, operation);
        }
    }
    document.webhooks = Some(webhook::sent());
}

fn add_schema<T: ToSchema>(components: &mut Components) {
    components
        .schemas
        .insert(T::name().into_owned(), T::schema());
}

/// Yields the operations of a path with their methods.
pub(crate) fn operations(item: &PathItem) -> impl Iterator<Item = (&'static str, &Operation)> {
    let operations = [
        ("GET", &item.get),
        ("PUT", &item.put),
        ("POST", &item.post),
        ("PATCH", &item.patch),
        ("DELETE", &item.delete),
    ];
    let stated = operations.into_iter();
    stated.filter_map(|(method, operation)| Some((method, operation.as_ref()?)))
}

fn operations_mut(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let operations = [
        ("GET", &mut item.get),
        ("PUT", &mut item.put),
        ("POST", &mut item.post),
        ("PATCH", &mut item.patch),
        ("DELETE", &mut item.delete),
    ];
    let stated = operations.into_iter();
    stated.filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

/// Adds the problems that an operation may answer with.
fn add_problems(method: &str, operation: &mut Operation) {
    let mut statuses: Vec<(u16, &str)> = vec![
        (400, "The request is malformed"),
        (404, "It is not there"),
        (405, "No such method"),
        (414, "The query string is too long"),
        (422, "Members or parameters are at fault"),
        (429, "Too many requests"),
        (500, "A fault of the service"),
    ];
    let is_open = scope_of(operation).is_none();
    if !is_open {
        statuses.extend([
            (401, "No valid key or token"),
            (403, "The key may not do this"),
            (502, "A service behind this one failed"),
            (503, "A service behind this one is away; nothing was done"),
        ]);
    }
    if operation.request_body.is_some() {
        statuses.extend([
            (408, "The body did not arrive in time"),
            (413, "The body is too long"),
            (415, "The body is of another kind"),
        ]);
    }
    if method != "GET" && !is_open {
        statuses.extend([
            (409, "What is stored is in the way"),
            (412, "Not at that version"),
            (504, "It may have been done, or not"),
        ]);
    }
    for (status, about) in statuses {
        let response = ResponseBuilder::new().description(about).content(
            "application/problem+json",
            ContentBuilder::new()
                .schema(Some(Ref::from_schema_name("Problem")))
                .build(),
        );
        let response = if matches!(status, 429 | 503) {
            response.header("Retry-After", HeaderBuilder::new().build())
        } else {
            response
        };
        let responses = &mut operation.responses.responses;
        responses
            .entry(status.to_string())
            .or_insert_with(|| RefOr::T(response.build()));
    }
}
