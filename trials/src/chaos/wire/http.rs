//! A client of the HTTP API.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde::Deserialize;
use serde_json::json;

use crate::chaos::history::{
    After, Answer, FailureKind, Outcome, Request, Seen, description, title,
};
use crate::chaos::wire::outcome::{HANG_MS, chain, fail, unknown};

const TOKEN: &str = "catalog-consistency";
const STALE: &str = "catalog-stale";

#[derive(Debug)]
pub(in crate::chaos) struct Http {
    client: Client,
    base: String,
}

#[derive(Deserialize)]
struct ProductBody {
    id: String,
    version: i64,
    title: String,
    price_minor: i64,
}

#[derive(Deserialize)]
struct SearchBody {
    items: Vec<ProductBody>,
}

#[derive(Deserialize)]
struct ProblemBody {
    status: u16,
    detail: String,
}

/// An answer whose body was read to its end.
struct Received {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Http {
    pub(super) fn new(base: &str) -> anyhow::Result<Self> {
        let client = Client::builder()
            .timeout(Duration::from_millis(2 * HANG_MS))
            .build()?;
        Ok(Self {
            client,
            base: format!("{base}/api/products"),
        })
    }

    pub(super) async fn call(&self, request: &Request, request_id: &str) -> Outcome {
        let Some(builder) = self.request(request, request_id) else {
            return fail("there is no such call over HTTP");
        };
        match send(builder).await {
            Ok(received) => received.outcome(request),
            Err(err) => unknown(FailureKind::Connection, chain(&err)),
        }
    }

    fn request(&self, request: &Request, request_id: &str) -> Option<RequestBuilder> {
        let product = |method: Method, id: &str, rest: &str| {
            let url = format!("{}/{id}{rest}", self.base);
            self.client.request(method, url)
        };
        Some(match request {
            Request::Create { id, mark } => keyed(self.client.post(&self.base), request_id).json(
                &json!({ "id": id, "title": title(*mark), "description": description(*mark),
                         "price_minor": mark, "currency": "USD" }),
            ),
            Request::Update { id, mark } => {
                let patch = json!({ "title": title(*mark), "description": description(*mark) });
                keyed(product(Method::PATCH, id, ""), request_id)
                    .header(CONTENT_TYPE, "application/merge-patch+json")
                    .body(patch.to_string())
            }
            Request::Price { id, mark } => keyed(product(Method::PUT, id, "/price"), request_id)
                .json(&json!({ "price_minor": mark, "currency": "USD" })),
            Request::Delete { id, .. } => keyed(product(Method::DELETE, id, ""), request_id),
            Request::Import { .. } => return None,
            Request::Get { id, after } => with_token(product(Method::GET, id, ""), after),
            Request::Search { word, after, .. } => {
                let url = format!("{}/search", self.base);
                let query = [("q", word.as_str()), ("strategy", "keyword")];
                with_token(self.client.get(url).query(&query), after)
            }
        })
    }
}

fn keyed(builder: RequestBuilder, request_id: &str) -> RequestBuilder {
    builder.header("idempotency-key", request_id)
}

fn with_token(builder: RequestBuilder, after: &Option<After>) -> RequestBuilder {
    match after {
        Some(after) if !after.token.is_empty() => builder.header(TOKEN, &after.token),
        _ => builder,
    }
}

async fn send(builder: RequestBuilder) -> Result<Received, reqwest::Error> {
    let answer = builder.send().await?;
    Ok(Received {
        status: answer.status(),
        headers: answer.headers().clone(),
        body: answer.bytes().await?.to_vec(),
    })
}

impl Received {
    fn outcome(&self, request: &Request) -> Outcome {
        match self.status.as_u16() {
            200..=299 => match self.answer(request) {
                Ok(answer) => Outcome::Ok(answer),
                Err(err) => unknown(FailureKind::Wrong, format!("{}: {err}", self.status)),
            },
            status => self.problem(request, status),
        }
    }

    fn answer(&self, request: &Request) -> Result<Answer, serde_json::Error> {
        let stale = self.is_stale();
        Ok(match request {
            Request::Get { .. } => Answer::Found {
                seen: self.product()?.into(),
                stale,
            },
            Request::Search { id, .. } => {
                let body: SearchBody = serde_json::from_slice(&self.body)?;
                let mut items = body.items.into_iter();
                Answer::Hit {
                    seen: items.find(|item| item.id == *id).map(Seen::from),
                    stale,
                }
            }
            Request::Delete { .. } => self.written(None),
            _ => self.written(Some(self.product()?.version)),
        })
    }

    fn product(&self) -> Result<ProductBody, serde_json::Error> {
        serde_json::from_slice(&self.body)
    }

    fn written(&self, version: Option<i64>) -> Answer {
        let token = self
            .headers
            .get(TOKEN)
            .and_then(|token| token.to_str().ok());
        Answer::Written {
            version,
            token: token.unwrap_or_default().to_owned(),
        }
    }

    fn is_stale(&self) -> bool {
        self.headers.get(STALE).is_some_and(|stale| stale == "true")
    }

    /// Reads an error, which must be a problem document (RFC 9457) with an expected status.
    fn problem(&self, request: &Request, status: u16) -> Outcome {
        let content_type = self.headers.get(CONTENT_TYPE);
        let typed = content_type.is_some_and(|typed| typed == "application/problem+json");
        let problem: Option<ProblemBody> = serde_json::from_slice(&self.body).ok();
        let shown = String::from_utf8_lossy(&self.body);
        let Some(problem) = problem.filter(|problem| typed && problem.status == status) else {
            return unknown(FailureKind::Wrong, format!("{status}: no problem: {shown}"));
        };
        let text = format!("{status} {}", problem.detail);
        let is_read = request.mark().is_none();
        match status {
            404 if is_read && matches!(request, Request::Get { .. }) => {
                let stale = self.is_stale();
                Outcome::Ok(Answer::Missing { stale })
            }
            404 | 409 | 412 if !is_read => fail(text),
            429 => fail(text),
            503 => unknown(FailureKind::Unavailable, text),
            _ => unknown(FailureKind::Wrong, text),
        }
    }
}

impl From<ProductBody> for Seen {
    fn from(body: ProductBody) -> Self {
        Self {
            version: body.version,
            title: body.title,
            price_minor: body.price_minor,
        }
    }
}
