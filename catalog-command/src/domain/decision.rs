//! What a command means for a product in its current state. A command that changes nothing is
//! `Ok(None)`: no version, no event, nothing written.

use catalog_events::{Change, ContentHash, Money, Product, ProductId, Version};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::domain::{Draft, Patch, Violation};

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
    let attributes = names
        .filter(|name| old.attributes.get(*name) != new.attributes.get(*name))
        .map(|name| format!("attributes.{name}"));
    scalars
        .into_iter()
        .filter(|(_, differs)| *differs)
        .map(|(name, _)| name.to_owned())
        .chain(attributes)
        .collect()
}

#[cfg(test)]
mod tests {
    use catalog_events::{AttributeValue, Currency};
    use time::macros::datetime;

    use super::*;
    use crate::domain::ProductFields;

    const THEN: OffsetDateTime = datetime!(2026-01-01 00:00 UTC);
    const NOW: OffsetDateTime = datetime!(2026-01-02 00:00 UTC);

    fn draft(change: impl FnOnce(&mut ProductFields)) -> Draft {
        let mut fields = ProductFields {
            id: "p1".to_owned(),
            title: "Mouse".to_owned(),
            price_minor: 1999,
            ..ProductFields::default()
        };
        change(&mut fields);
        Draft::parse(fields).expect("valid draft")
    }

    fn current() -> Current {
        let created = create(None, draft(|_| ()), THEN).expect("new");
        Current {
            version: created.version,
            updated_at: created.at,
            product: created.product,
        }
    }

    fn deleted() -> Current {
        let decision = delete(Some(&current()), None, THEN).expect("exists");
        Current {
            version: decision.version,
            updated_at: decision.at,
            product: None,
        }
    }

    fn patch(paths: &[&str], fields: ProductFields) -> Patch {
        Patch {
            paths: paths.iter().map(|path| (*path).to_owned()).collect(),
            fields,
        }
    }

    #[test]
    fn creates_once_and_again_after_a_deletion() {
        let current = current();
        assert_eq!(current.version, Version::FIRST);
        let again = create(Some(&current), draft(|_| ()), NOW);
        assert_eq!(again, Err(Rejection::AlreadyExists));

        let reborn = create(Some(&deleted()), draft(|_| ()), NOW).expect("id is free");
        assert_eq!((reborn.version.get(), reborn.change), (3, Change::Created));
    }

    #[test]
    fn the_same_product_put_again_changes_nothing() {
        assert_eq!(put(Some(&current()), draft(|_| ()), None, NOW), Ok(None));
        assert_eq!(put(Some(&current()), draft(|_| ()), Some(1), NOW), Ok(None));
    }

    #[test]
    fn a_put_keeps_to_the_version_that_it_expects() {
        let put = |current: Option<&Current>, expected| {
            put(current, draft(|f| f.price_minor = 1), Some(expected), NOW).map(|put| {
                let decision = put.expect("changed");
                (decision.version.get(), decision.change.event_type())
            })
        };
        assert_eq!(put(Some(&current()), 1).expect("at version 1").0, 2);
        let found = Version::FIRST;
        let exists = Rejection::MustNotExist { found };
        assert_eq!(put(Some(&current()), 0), Err(exists));
        let expected = 7;
        let mismatch = Rejection::VersionMismatch { expected, found };
        assert_eq!(put(Some(&current()), 7), Err(mismatch));
        for absent in [None, Some(deleted())] {
            let missing = Err(Rejection::Missing { expected: 2 });
            assert_eq!(put(absent.as_ref(), 2), missing);
            let version = absent
                .as_ref()
                .map_or(1, |deleted| deleted.version.get() + 1);
            assert_eq!(put(absent.as_ref(), 0).expect("absent").0, version);
        }
    }

    #[test]
    fn an_import_says_what_changed() {
        let change = |draft| {
            let decision = put(Some(&current()), draft, None, NOW)
                .expect("accepted")
                .expect("changed");
            assert_eq!(decision.version.get(), 2);
            let product = decision.product.expect("not a deletion");
            assert_eq!((product.created_at, product.updated_at), (THEN, NOW));
            decision.change
        };
        let cheaper = change(draft(|f| f.price_minor = 1));
        let (was, now) = (1999, 1);
        let usd = |minor| Money::from_minor(minor, Currency::USD).expect("price");
        assert_eq!(
            cheaper,
            Change::PriceChanged {
                was: usd(was),
                now: usd(now)
            }
        );

        let colour = AttributeValue::from("red");
        let richer = change(draft(|f| {
            f.brand = "Acme".to_owned();
            f.attributes.insert("colour".to_owned(), colour);
        }));
        let fields = vec!["brand".to_owned(), "attributes.colour".to_owned()];
        assert_eq!(richer, Change::Updated { fields });
    }

    #[test]
    fn the_time_of_a_product_never_goes_back() {
        const BEFORE: OffsetDateTime = datetime!(2025-12-31 00:00 UTC);
        let current = Some(&current());
        let patched = patch(
            &["brand"],
            ProductFields {
                brand: "Acme".to_owned(),
                ..ProductFields::default()
            },
        );
        let cheaper = |was: Money| {
            Money::from_minor(1, was.currency())
                .map_err(|err| Violation::new("price", err.to_string()))
        };
        let changed = |decision: Result<Option<Decision>, _>| decision.expect("ok").expect("new");
        let decisions = [
            create(Some(&deleted()), draft(|_| ()), BEFORE).expect("id is free"),
            changed(put(current, draft(|f| f.price_minor = 1), None, BEFORE)),
            changed(put(Some(&deleted()), draft(|_| ()), None, BEFORE)),
            changed(update(current, patched, None, BEFORE)),
            changed(change_price(current, cheaper, None, BEFORE)),
            delete(current, None, BEFORE).expect("exists"),
        ];
        for decision in decisions {
            assert_eq!(decision.at, THEN, "{decision:?}");
            let updated_at = decision.product.map(|product| product.updated_at);
            assert!(updated_at.is_none_or(|at| at == THEN));
        }
    }

    #[test]
    fn a_stale_version_is_refused_before_anything_else() {
        let current = current();
        let mismatch = Rejection::VersionMismatch {
            expected: 7,
            found: Version::FIRST,
        };
        let change = change_price(Some(&current), Ok, Some(7), NOW);
        assert_eq!(change, Err(mismatch.clone()));
        assert_eq!(delete(Some(&current), Some(7), NOW), Err(mismatch));
        assert_eq!(
            delete(Some(&deleted()), Some(7), NOW),
            Err(Rejection::NotFound)
        );
        assert_eq!(change_price(Some(&current), Ok, Some(1), NOW), Ok(None));
    }

    #[test]
    fn a_patch_touches_only_what_it_names() {
        let fields = ProductFields {
            brand: "Acme".to_owned(),
            ..ProductFields::default()
        };
        let decision = update(Some(&current()), patch(&["brand"], fields), None, NOW)
            .expect("accepted")
            .expect("changed");
        let product = decision.product.expect("not a deletion");
        assert_eq!(
            (product.title.as_str(), product.brand.as_deref()),
            ("Mouse", Some("Acme"))
        );

        let refused = update(
            Some(&current()),
            patch(&["id"], ProductFields::default()),
            None,
            NOW,
        );
        let violation = Violation::new("update_mask", "\"id\" is not a field that can be updated");
        assert_eq!(refused, Err(Rejection::Invalid(vec![violation])));

        let empty = update(
            Some(&current()),
            patch(&["title"], ProductFields::default()),
            None,
            NOW,
        );
        let violation = Violation::new("title", "is empty");
        assert_eq!(empty, Err(Rejection::Invalid(vec![violation])));
    }
}
