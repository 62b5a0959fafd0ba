//! Wire types into the domain's unchecked fields, and the few arguments that are checked on the way.

use catalog_events::{AttributeValue, Currency, ProductId, Status};
use catalog_proto::v1;
use prost_types::FieldMask;

use crate::domain::{Patch, ProductFields, Violation};

const MASK_PATHS_MAX: usize = 1_000;

pub(crate) fn product_fields(input: v1::ProductInput) -> ProductFields {
    let status = input.status();
    ProductFields {
        id: input.id,
        title: input.title,
        description: input.description,
        price_minor: input.price_minor,
        currency: input.currency,
        image_url: input.image_url,
        brand: input.brand,
        sku: input.sku,
        gtins: input.gtins,
        categories: input.categories,
        attributes: input
            .attributes
            .into_iter()
            .filter_map(|(name, value)| Some((name, AttributeValue::from_message(value)?)))
            .collect(),
        status: Status::from_message(status),
    }
}

pub(crate) fn product_id(text: &str) -> Result<ProductId, Vec<Violation>> {
    text.parse()
        .map_err(|err: catalog_events::InvalidProductId| {
            vec![Violation::new("id", err.to_string())]
        })
}

/// Empty means: keep.
pub(crate) fn currency(code: &str) -> Result<Option<Currency>, Vec<Violation>> {
    match code {
        "" => Ok(None),
        code => code
            .parse()
            .map(Some)
            .map_err(|err: catalog_events::MoneyError| {
                vec![Violation::new("currency", err.to_string())]
            }),
    }
}

pub(crate) fn expected_version(version: Option<i64>) -> Result<Option<i64>, Vec<Violation>> {
    match version {
        Some(..=0) => {
            let reason = "versions count from 1";
            Err(vec![Violation::new("expected_version", reason)])
        }
        version => Ok(version),
    }
}

pub(crate) fn patch(
    input: v1::ProductInput,
    mask: Option<FieldMask>,
) -> Result<Patch, Vec<Violation>> {
    let paths = mask.map(|mask| mask.paths).unwrap_or_default();
    let problem = match paths.len() {
        0 => "names no field",
        1..=MASK_PATHS_MAX => {
            return Ok(Patch {
                paths,
                fields: product_fields(input),
            });
        }
        _ => "names too many fields",
    };
    Err(vec![Violation::new("update_mask", problem)])
}
