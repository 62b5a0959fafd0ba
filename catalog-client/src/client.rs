//! The client: where the catalog is, and who asks.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Method, RequestBuilder, Url};
use uuid::Uuid;

use crate::error::Error;
use crate::request::send;
use crate::tokens::Tokens;

const TIMEOUT: Duration = Duration::from_secs(10);
const CONSISTENCY: &str = "catalog-consistency";

/// A client of one catalog. Clones share connections and what they know of their writes.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
    key: Option<String>,
    tokens: Arc<Tokens>,
}

impl Client {
    /// A client of the catalog at an address such as `http://127.0.0.1:8000`. Nothing is asked yet.
    pub fn new(address: &str) -> Result<Self, Error> {
        let base: Url = address
            .parse()
            .map_err(|err| Error::Address(format!("{err}")))?;
        if base.cannot_be_a_base() {
            return Err(Error::Address("it has no host".to_owned()));
        }
        let http = reqwest::Client::builder()
            .connect_timeout(TIMEOUT)
            .build()
            .map_err(Error::NoAnswer)?;
        Ok(Self {
            http,
            base,
            key: None,
            tokens: Arc::default(),
        })
    }

    /// Sends an API key, or a token of the identity provider, along with every request.
    #[must_use]
    pub fn with_key(mut self, key: &str) -> Self {
        self.key = Some(key.to_owned());
        self
    }

    /// A request to a path below `/api/`.
    pub(crate) fn request(&self, method: Method, path: &[&str]) -> RequestBuilder {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push("api").extend(path);
        }
        let request = self.http.request(method, url);
        match &self.key {
            Some(key) => request.bearer_auth(key),
            None => request,
        }
    }

    /// A read that waits for the writes of this client.
    pub(crate) fn read(&self, method: Method, path: &[&str]) -> RequestBuilder {
        let request = self.request(method, path).timeout(TIMEOUT);
        match self.tokens.header() {
            Some(tokens) => request.header(CONSISTENCY, tokens),
            None => request,
        }
    }

    /// Sends a write under a key of its own, and remembers its token.
    pub(crate) async fn write(&self, request: RequestBuilder) -> Result<reqwest::Response, Error> {
        let key = Uuid::new_v4().to_string();
        let request = request.timeout(TIMEOUT).header("idempotency-key", key);
        let response = send(request).await?;
        let token = response.headers().get(CONSISTENCY);
        if let Some(token) = token.and_then(|token| token.to_str().ok()) {
            self.tokens.remember(token);
        }
        Ok(response)
    }

    /// Remembers a token that an answer told in its body.
    pub(crate) fn remember(&self, token: &str) {
        self.tokens.remember(token);
    }
}
