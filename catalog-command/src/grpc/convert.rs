//! Wire types into the domain's unchecked fields, and the few arguments that are checked on the way.

use catalog_events::{AttributeValue, Change, Currency, Money, ProductId, Status, Version, moment};
use catalog_proto::v1;
use catalog_proto::v1::get_product_as_of_request::AsOf as AsOfMessage;
use prost_types::{FieldMask, Timestamp};
use time::OffsetDateTime;

use crate::commands::AsOf;
use crate::domain::{Amount, Patch, ProductFields, Violation};
use crate::store::PastEvent;

const MASK_PATHS_MAX: usize = 1_000;
const HISTORY_UNLESS_TOLD: i64 = 20;
const HISTORY_MAX: i64 = 100;

pub(crate) fn product_fields(input: v1::ProductInput) -> ProductFields {
    let status = v1::ProductStatus::try_from(input.status);
    ProductFields {
        id: input.id,
        title: input.title,
        description: input.description,
        price_minor: input.price_minor,
        price: stated(input.price),
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
        status: status.map_or_else(|_| Status::default(), Status::from_message),
        unknown_status: status.is_err().then_some(input.status),
    }
}

pub(crate) fn product_id(text: &str) -> Result<ProductId, Vec<Violation>> {
    text.parse()
        .map_err(|err: catalog_events::InvalidProductId| {
            vec![Violation::new("id", err.to_string())]
        })
}

/// Gives a product to be created an id where it has none.
pub(crate) fn id_or_fresh(id: &mut String) {
    if id.is_empty() {
        *id = uuid::Uuid::now_v7().to_string();
    }
}

/// The amount of a price whose currency may be that of the product.
pub(crate) fn amount(minor: i64, price: String) -> Result<Amount, Vec<Violation>> {
    Amount::parse(minor, stated(price).as_deref()).map_err(|violation| vec![violation])
}

/// An empty text states nothing.
fn stated(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
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

/// Checks an expected version, where 0 means that there must be nothing.
pub(crate) fn expected_version_or_none(
    version: Option<i64>,
) -> Result<Option<i64>, Vec<Violation>> {
    match version {
        Some(..0) => Err(vec![Violation::new("expected_version", "is negative")]),
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

/// How many changes, and before which version.
pub(crate) fn history_page(
    request: &v1::GetProductHistoryRequest,
) -> Result<(i64, Option<Version>), Vec<Violation>> {
    let limit = match i64::from(request.limit) {
        ..0 => return Err(vec![Violation::new("limit", "is negative")]),
        0 => HISTORY_UNLESS_TOLD,
        limit => limit.min(HISTORY_MAX),
    };
    match request.before_version {
        ..0 => Err(vec![Violation::new("before_version", "is negative")]),
        before => Ok((limit, Version::new(before))),
    }
}

pub(crate) fn as_of(as_of: Option<AsOfMessage>) -> Result<AsOf, Vec<Violation>> {
    match as_of {
        None => Err(vec![Violation::new(
            "as_of",
            "is missing: state a version or a time",
        )]),
        Some(AsOfMessage::Version(version)) => match Version::new(version) {
            Some(version) => Ok(AsOf::Version(version)),
            None => Err(vec![Violation::new("version", "versions count from 1")]),
        },
        Some(AsOfMessage::Time(time)) => match moment(&time) {
            Some(time) => Ok(AsOf::Time(time)),
            None => Err(vec![Violation::new("time", "is no time of the calendar")]),
        },
    }
}

pub(crate) fn product_change(event: PastEvent) -> v1::ProductChange {
    let version = event.version;
    let (kind, fields, was) = described(event.change);
    v1::ProductChange {
        version: version.get(),
        r#type: kind.into(),
        occurred_at: Some(timestamp(event.occurred_at)),
        actor: event.actor,
        changed_fields: fields,
        previous_price_minor: was.map(|was| was.minor()),
        previous_currency: was.map_or(String::new(), |was| was.currency().to_string()),
        product: event.product.map(|product| product.to_message(version)),
        event_id: event.event_id.to_string(),
        position: event.position.to_i64(),
    }
}

pub(crate) fn timestamp(at: OffsetDateTime) -> Timestamp {
    Timestamp {
        seconds: at.unix_timestamp(),
        nanos: at.nanosecond() as i32,
    }
}

fn described(change: Change) -> (v1::ChangeType, Vec<String>, Option<Money>) {
    match change {
        Change::Created => (v1::ChangeType::Created, Vec::new(), None),
        Change::Updated { fields } => (v1::ChangeType::Updated, fields, None),
        Change::PriceChanged { was, .. } => (v1::ChangeType::PriceChanged, Vec::new(), Some(was)),
        Change::Deleted => (v1::ChangeType::Deleted, Vec::new(), None),
        Change::Unknown => (v1::ChangeType::Unspecified, Vec::new(), None),
    }
}
