//! What is exported and in which form. An export that goes on must have the plan that it began with.

use std::path;

use catalog_proto::v1::{ExportProductsRequest, ProductStatus};
use client_kit::export::{ExportFormat, Fields, Link};
use serde::{Deserialize, Serialize};

/// A status to choose products by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Status {
    Active,
    Discontinued,
}

/// A category path, outermost first.
#[derive(Clone, Debug)]
pub(crate) struct Path(pub(super) Vec<String>);

/// Reads levels with `>` between them, or a JSON array of levels, which may hold a `>`.
pub(crate) fn parse_path(text: &str) -> Result<Path, String> {
    let levels: Vec<String> = serde_json::from_str(text).unwrap_or_else(|_| {
        let levels = text.split('>').map(str::trim);
        levels.map(str::to_owned).collect()
    });
    if levels.is_empty() || levels.iter().any(String::is_empty) {
        return Err("write the levels with > between them, such as Office > Chairs".to_owned());
    }
    Ok(Path(levels))
}

/// How a file is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Packing {
    Gzip,
    Zstd,
}

/// The format that a file name tells, and how the file is to be compressed.
pub(crate) fn of_name(file: &path::Path) -> (Option<ExportFormat>, Option<Packing>) {
    let lower_case = file.to_string_lossy().to_ascii_lowercase();
    let known = [(".gz", Packing::Gzip), (".zst", Packing::Zstd)];
    let packed = known
        .into_iter()
        .find_map(|(end, packing)| Some((lower_case.strip_suffix(end)?, packing)));
    let (name, packing) = match packed {
        Some((name, packing)) => (name, Some(packing)),
        None => (lower_case.as_str(), None),
    };
    let format = match name.rsplit_once('.') {
        Some((_, "jsonl" | "ndjson")) => Some(ExportFormat::Jsonl),
        Some((_, "csv")) => Some(ExportFormat::Csv),
        Some((_, "xml")) => Some(ExportFormat::Google),
        _ => None,
    };
    (format, packing)
}

/// What is exported and how.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) format: ExportFormat,
    pub(crate) packing: Option<Packing>,
    /// The position that was asked for; none for the present one.
    pub(crate) position: Option<i64>,
    pub(crate) brand: String,
    pub(crate) categories: Vec<String>,
    pub(crate) status: Option<Status>,
    pub(crate) fields: Fields,
    pub(crate) link: Option<Link>,
}

/// All that decides what a file holds but for the position, as texts that are kept and compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeptPlan {
    format: String,
    packing: Option<Packing>,
    brand: String,
    categories: Vec<String>,
    status: String,
    fields: Vec<String>,
    link: String,
}

impl Plan {
    /// Asks for what is behind `after_id` at `position`, which is 0 for the present one.
    pub(crate) fn request(&self, position: i64, after_id: String) -> ExportProductsRequest {
        let status = match self.status {
            None => ProductStatus::Unspecified,
            Some(Status::Active) => ProductStatus::Active,
            Some(Status::Discontinued) => ProductStatus::Discontinued,
        };
        ExportProductsRequest {
            position,
            after_id,
            ids_only: false,
            brand: self.brand.clone(),
            categories: self.categories.clone(),
            status: status.into(),
        }
    }

    /// Whether a product may be missing because it was not asked for.
    pub(crate) fn is_filtered(&self) -> bool {
        !self.brand.is_empty() || !self.categories.is_empty() || self.status.is_some()
    }

    pub(crate) fn kept(&self) -> KeptPlan {
        KeptPlan {
            format: format!("{:?}", self.format).to_lowercase(),
            packing: self.packing,
            brand: self.brand.clone(),
            categories: self.categories.clone(),
            status: self.status.map_or(String::new(), |it| format!("{it:?}")),
            fields: self.fields.names(),
            link: self
                .link
                .as_ref()
                .map_or(String::new(), |link| link.as_str().to_owned()),
        }
    }
}
