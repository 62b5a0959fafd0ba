//! What an export holds and in which form, as its parameters say.

use catalog_events::ProductId;
use catalog_proto::v1::{ExportProductsRequest, ProductStatus};
use client_kit::export::{ExportFormat, Fields};

use crate::http::request::params::Query;
use crate::problem::{FieldErrors, Problem};

/// As many as a product has.
const LEVELS_MAX: usize = 20;
const POSITION: &str = "must be a whole number from 1";

pub(super) struct ExportPlan {
    pub(super) format: ExportFormat,
    pub(super) fields: Fields,
    pub(super) request: ExportProductsRequest,
    /// The event at the position, where an earlier answer told it.
    pub(super) event_id: Option<String>,
}

impl ExportPlan {
    pub(super) fn read(query: &Query) -> Result<Self, Problem> {
        let mut errors = FieldErrors::default();
        let known = [
            "format", "fields", "position", "event", "after", "brand", "category", "status",
        ];
        query.check_names(&known, &mut errors);
        let text = |name| Ok::<_, Problem>(query.one(name)?.unwrap_or_default().to_owned());
        let format = match query.one("format")? {
            None | Some("jsonl") => Ok(ExportFormat::Jsonl),
            Some("csv") => Ok(ExportFormat::Csv),
            Some(_) => Err("must be jsonl or csv"),
        };
        let status = match query.one("status")? {
            None => Ok(ProductStatus::Unspecified),
            Some("active") => Ok(ProductStatus::Active),
            Some("discontinued") => Ok(ProductStatus::Discontinued),
            Some(_) => Err("must be active or discontinued"),
        };
        let fields = query
            .one("fields")?
            .map_or(Ok(Fields::default()), str::parse);
        let position = match query.one("position")? {
            None => Ok(0),
            Some(number) => number.parse().ok().filter(|it| *it >= 1).ok_or(POSITION),
        };
        let categories = levels(&text("category")?);
        let after_id = text("after")?;
        if !after_id.is_empty() {
            errors.take("/after".to_owned(), after_id.parse::<ProductId>());
        }
        if !after_id.is_empty() && query.one("position")?.is_none() {
            let detail = "goes on with an export: give the Catalog-Position of its answer too";
            errors.push("/position".to_owned(), detail);
        }
        let format = errors.take("/format".to_owned(), format);
        let fields = errors.take("/fields".to_owned(), fields);
        let status = errors
            .take("/status".to_owned(), status)
            .unwrap_or_default();
        let position = errors.take("/position".to_owned(), position);
        let categories = errors.take("/category".to_owned(), categories);
        let event_id = query.one("event")?.map(str::to_owned);
        let brand = text("brand")?;
        errors.finish()?;
        Ok(Self {
            format: format.unwrap_or(ExportFormat::Jsonl),
            fields: fields.unwrap_or_default(),
            request: ExportProductsRequest {
                position: position.unwrap_or_default(),
                after_id,
                ids_only: false,
                brand,
                categories: categories.unwrap_or_default(),
                status: status.into(),
            },
            event_id: event_id.filter(|id| !id.is_empty()),
        })
    }

    /// Whether it begins at the first product.
    pub(super) fn is_whole(&self) -> bool {
        self.request.after_id.is_empty()
    }
}

/// The levels of a category path.
fn levels(path: &str) -> Result<Vec<String>, &'static str> {
    if path.is_empty() {
        return Ok(Vec::new());
    }
    let levels = path.split('>').map(|level| level.trim().to_owned());
    let levels: Vec<String> = levels.collect();
    if levels.len() > LEVELS_MAX {
        return Err("has more than 20 levels");
    }
    if levels.iter().any(String::is_empty) {
        return Err("must be levels with > between them, such as Office > Chairs");
    }
    Ok(levels)
}
