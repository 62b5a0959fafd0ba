//! All products at once: exports and imports.

use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde::Deserialize;

use crate::client::Client;
use crate::error::Error;
use crate::request::{json, send};

/// All products as they were at one position of the event log, as they come.
#[derive(Debug)]
pub struct Export {
    /// The position; the same one always gives the same export.
    pub position: i64,
    response: reqwest::Response,
}

impl Export {
    /// The next bytes; None at the end. An error means that the export is not complete.
    pub async fn chunk(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let chunk = self.response.chunk().await.map_err(Error::NoAnswer)?;
        Ok(chunk.map(Into::into))
    }

    /// All of it. The whole export has to fit into memory.
    pub async fn text(mut self) -> Result<String, Error> {
        let mut all = Vec::new();
        while let Some(chunk) = self.chunk().await? {
            all.extend(chunk);
        }
        String::from_utf8(all).map_err(|err| Error::Unreadable(err.to_string()))
    }
}

/// What became of a feed.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct ImportReport {
    /// Whether the feed was read to its end.
    pub completed: bool,
    pub rows: u64,
    pub created: u64,
    pub updated: u64,
    pub unchanged: u64,
    pub rejected: u64,
    /// The first rows that were not imported.
    #[serde(default)]
    pub rejected_rows: Vec<ImportRow>,
    #[serde(default)]
    consistency_token: String,
}

/// A row, and what is wrong with it.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct ImportRow {
    pub line: u64,
    pub id: String,
    pub field: String,
    pub reason: String,
}

impl Client {
    /// Exports all products; `parameters` are those of `GET /api/export`, such as `("format", "csv")`.
    pub async fn export(&self, parameters: &[(&str, &str)]) -> Result<Export, Error> {
        let request = self.request(Method::GET, &["export"]).query(parameters);
        let response = send(request).await?;
        let position = response.headers().get("catalog-position");
        let position = position.and_then(|position| position.to_str().ok()?.parse().ok());
        let position =
            position.ok_or_else(|| Error::Unreadable("no Catalog-Position".to_owned()))?;
        Ok(Export { position, response })
    }

    /// Imports a feed in any form; `parameters` are those of `POST /api/import`. It may be sent again.
    pub async fn import(
        &self,
        feed: impl Into<reqwest::Body>,
        parameters: &[(&str, &str)],
    ) -> Result<ImportReport, Error> {
        let request = self.request(Method::POST, &["import"]).query(parameters);
        let request = request.header(CONTENT_TYPE, "application/octet-stream");
        let report: ImportReport = json(send(request.body(feed)).await?).await?;
        if !report.consistency_token.is_empty() {
            self.remember(&report.consistency_token);
        }
        Ok(report)
    }
}
