//! What a command means for a product in its current state. A command that changes nothing is
//! `Ok(None)`: no version, no event, nothing written.

#[cfg(test)]
mod tests;

use catalog_events::{Change, ContentHash, Money, Product, ProductId, Version};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::domain::{Draft, Patch, Violation};

/// The most bytes of the names of changed attributes that an event lists: it must fit into a message of
/// the broker, beside the product.
const CHANGED_NAMES_BYTES_MAX: usize = 32 * 1024;
/// The id that no new product gets: a client of the HTTP API could not read it, since its path is that of
/// the search.
const RESERVED_ID: &str = "search";

/// What the store knows of a product. A deleted one keeps its version.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Current {
    pub(crate) version: Version,
    /// When that version was made.
    pub(crate) updated_at: OffsetDateTime,
    /// None after a deletion.
    pub(crate) product: Option<Product>,
}

impl Current {
    /// The hash of the product before a change; none after a deletion. It is computed, not kept: a writer
    /// of an older release would change the product and leave its hash behind.
    pub(crate) fn content_hash(&self, id: &ProductId) -> Option<ContentHash> {
        let product = self.product.as_ref()?;
        Some(ContentHash::of(id, self.version, product))
    }
}

/// A change to be saved together with its event.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Decision {
    pub(crate) id: ProductId,
    pub(crate) version: Version,
    pub(crate) change: Change,
    /// None for a deletion.
    pub(crate) product: Option<Product>,
    pub(crate) at: OffsetDateTime,
}

impl Decision {
    /// The hash of the product as it is after the change; none after a deletion.
    pub(crate) fn content_hash(&self) -> Option<ContentHash> {
        let product = self.product.as_ref()?;
        Some(ContentHash::of(&self.id, self.version, product))
    }
}

/// Why a command is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub(crate) enum Rejection {
    #[error("no such product")]
    NotFound,
    #[error("a product with this id exists")]
    AlreadyExists,
    #[error("a product with this id exists at version {found}, and it must not")]
    MustNotExist { found: Version },
    #[error("there is no such product, at version {expected} or any other")]
    Missing { expected: i64 },
    #[error("the product is at version {found}, not {expected}")]
    VersionMismatch { expected: i64, found: Version },
    #[error("the product is not valid")]
    Invalid(Vec<Violation>),
}

/// The time that a change counts as made at. Writers' clocks differ, and the time of a product must never
/// go back, not even where an id is deleted and created again.
fn time_of_change(current: Option<&Current>, now: OffsetDateTime) -> OffsetDateTime {
    current.map_or(now, |current| current.updated_at.max(now))
}

/// Creates a product. A deleted id can be created again; its versions go on.
pub(crate) fn create(
    current: Option<&Current>,
    draft: Draft,
    now: OffsetDateTime,
) -> Result<Decision, Rejection> {
    if current.is_some_and(|current| current.product.is_some()) {
        return Err(Rejection::AlreadyExists);
    }
    if draft.id.as_str() == RESERVED_ID {
        return Err(Rejection::Invalid(vec![Violation::new(
            "id",
            "is reserved",
        )]));
    }
    let at = time_of_change(current, now);
    Ok(Decision {
        id: draft.id.clone(),
        version: current.map_or(Version::FIRST, |current| current.version.next()),
        change: Change::Created,
        product: Some(draft.into_product(at, at)),
        at,
    })
}

/// Creates or replaces a product as a whole. `expected` is the version that it must have; 0 means that
/// there must be no such product.
pub(crate) fn put(
    current: Option<&Current>,
    draft: Draft,
    expected: Option<i64>,
    now: OffsetDateTime,
) -> Result<Option<Decision>, Rejection> {
    let Some((found, product)) = living(current) else {
        return match expected {
            Some(expected @ 1..) => Err(Rejection::Missing { expected }),
            _ => create(current, draft, now).map(Some),
        };
    };
    match expected {
        Some(0) => return Err(Rejection::MustNotExist { found }),
        Some(expected) => expect_version(current, expected)?,
        None => {}
    }
    let at = time_of_change(current, now);
    Ok(replace(found, product, draft, at))
}

/// Replaces the fields that the patch names. `expected` is the version that the product must have.
pub(crate) fn update(
    current: Option<&Current>,
    patch: Patch,
    expected: Option<i64>,
    now: OffsetDateTime,
) -> Result<Option<Decision>, Rejection> {
    let (version, product) = existing(current, expected)?;
    let fields = patch.apply_to(product).map_err(Rejection::Invalid)?;
    let draft = Draft::parse(fields).map_err(Rejection::Invalid)?;
    let at = time_of_change(current, now);
    Ok(replace(version, product, draft, at))
}

/// Changes the price to what `to` makes of the present one. `expected` is the version that the product
/// must have.
pub(crate) fn change_price(
    current: Option<&Current>,
    to: impl FnOnce(Money) -> Result<Money, Violation>,
    expected: Option<i64>,
    now: OffsetDateTime,
) -> Result<Option<Decision>, Rejection> {
    let (version, product) = existing(current, expected)?;
    let was = product.price;
    let price = to(was).map_err(|violation| Rejection::Invalid(vec![violation]))?;
    let at = time_of_change(current, now);
    Ok((price != was).then(|| Decision {
        id: product.id.clone(),
        version: version.next(),
        change: Change::PriceChanged { was, now: price },
        product: Some(Product {
            price,
            updated_at: at,
            ..product.clone()
        }),
        at,
    }))
}

/// Deletes a product. `expected` is the version that it must have.
pub(crate) fn delete(
    current: Option<&Current>,
    expected: Option<i64>,
    now: OffsetDateTime,
) -> Result<Decision, Rejection> {
    let (version, product) = existing(current, expected)?;
    Ok(Decision {
        id: product.id.clone(),
        version: version.next(),
        change: Change::Deleted,
        product: None,
        at: time_of_change(current, now),
    })
}

fn existing(
    current: Option<&Current>,
    expected: Option<i64>,
) -> Result<(Version, &Product), Rejection> {
    if let Some(expected) = expected {
        expect_version(current, expected)?;
    }
    living(current).ok_or(Rejection::NotFound)
}

fn living(current: Option<&Current>) -> Option<(Version, &Product)> {
    let current = current?;
    Some((current.version, current.product.as_ref()?))
}

/// Refuses a product that is not there or has another version.
pub(super) fn expect_version(current: Option<&Current>, expected: i64) -> Result<(), Rejection> {
    match living(current) {
        Some((found, _)) if found.get() == expected => Ok(()),
        Some((found, _)) => Err(Rejection::VersionMismatch { expected, found }),
        None => Err(Rejection::NotFound),
    }
}

fn replace(
    version: Version,
    product: &Product,
    draft: Draft,
    at: OffsetDateTime,
) -> Option<Decision> {
    let new = draft.into_product(product.created_at, at);
    let fields = changed_fields(product, &new);
    let change = match fields.as_slice() {
        [] => return None,
        [only] if only == "price" => Change::PriceChanged {
            was: product.price,
            now: new.price,
        },
        _ => Change::Updated { fields },
    };
    Some(Decision {
        id: new.id.clone(),
        version: version.next(),
        change,
        product: Some(new),
        at,
    })
}

/// The names of the fields that differ: of attributes each, as `attributes.NAME`, or all of them as
/// `attributes` where their names would make the event too large.
fn changed_fields(old: &Product, new: &Product) -> Vec<String> {
    let scalars = [
        ("title", old.title != new.title),
        ("description", old.description != new.description),
        ("price", old.price != new.price),
        ("image_url", old.image_url != new.image_url),
        ("brand", old.brand != new.brand),
        ("sku", old.sku != new.sku),
        ("gtins", old.gtins != new.gtins),
        ("categories", old.categories != new.categories),
        ("status", old.status != new.status),
    ];
    let names = old.attributes.keys().chain(
        new.attributes
            .keys()
            .filter(|name| !old.attributes.contains_key(*name)),
    );
    let mut attributes: Vec<String> = names
        .filter(|name| old.attributes.get(*name) != new.attributes.get(*name))
        .map(|name| format!("attributes.{name}"))
        .collect();
    if attributes.iter().map(String::len).sum::<usize>() > CHANGED_NAMES_BYTES_MAX {
        attributes = vec!["attributes".to_owned()];
    }
    let scalars = scalars.into_iter().filter(|(_, differs)| *differs);
    let scalars = scalars.map(|(name, _)| name.to_owned());
    scalars.chain(attributes).collect()
}
