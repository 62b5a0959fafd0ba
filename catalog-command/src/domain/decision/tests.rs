//! Decisions on products in each of their states.

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
fn a_field_that_is_named_twice_is_changed_once() {
    let stored = Current {
        product: Some(
            draft(|fields| {
                fields.description = "old".to_owned();
                fields.attributes = [("color", "red"), ("size", "1 l")]
                    .map(|(name, value)| (name.to_owned(), value.into()))
                    .into();
            })
            .into_product(THEN, THEN),
        ),
        ..current()
    };
    let changed = |paths: &[&str], fields: ProductFields| {
        let decision = update(Some(&stored), patch(paths, fields), None, NOW);
        decision.map(|decision| {
            let product = decision.expect("a change").product.expect("product");
            let attributes = serde_json::to_string(&product.attributes).expect("JSON");
            format!("{} {attributes}", product.description)
        })
    };
    let attributes = |named: &[(&str, &str)]| ProductFields {
        description: "new".to_owned(),
        attributes: named
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).into()))
            .collect(),
        ..ProductFields::default()
    };
    let blue = || attributes(&[("color", "blue")]);
    let spaced = || attributes(&[(" color ", "blue")]);
    for (paths, fields, expected) in [
        (
            &["description", "description"][..],
            blue(),
            r#"new {"color":"red","size":"1 l"}"#,
        ),
        (
            &["attributes", "attributes.color"],
            blue(),
            r#"old {"color":"blue"}"#,
        ),
        (
            &["attributes.color", "attributes"],
            blue(),
            r#"old {"color":"blue"}"#,
        ),
        (
            &["attributes.color", "attributes. color"],
            blue(),
            r#"old {"color":"blue","size":"1 l"}"#,
        ),
        (
            &["attributes. color "],
            spaced(),
            r#"old {"color":"blue","size":"1 l"}"#,
        ),
        (
            &["attributes.color"],
            spaced(),
            r#"old {"color":"blue","size":"1 l"}"#,
        ),
        (&["attributes"], spaced(), r#"old {"color":"blue"}"#),
    ] {
        assert_eq!(changed(paths, fields).as_deref(), Ok(expected), "{paths:?}");
    }
    let twice = attributes(&[("color", "blue"), (" color", "green")]);
    let refused = changed(&["attributes"], twice);
    let violation = Violation::new("attributes.color", "is stated twice");
    assert_eq!(refused, Err(Rejection::Invalid(vec![violation])));
}

#[test]
fn what_is_stated_in_place_of_a_status_is_refused() {
    let unknown = |fields: &mut ProductFields| fields.unknown_status = Some(7);
    let mut fields = ProductFields {
        id: "p1".to_owned(),
        title: "Mouse".to_owned(),
        price_minor: 1,
        ..ProductFields::default()
    };
    unknown(&mut fields);
    let violation = vec![Violation::new("status", "7 is no status of a product")];
    assert_eq!(Draft::parse(fields.clone()), Err(violation.clone()));
    let updated = |paths| update(Some(&current()), patch(paths, fields.clone()), None, NOW);
    assert_eq!(updated(&["status"]), Err(Rejection::Invalid(violation)));
    assert_eq!(
        updated(&["price_minor"])
            .expect("not its status")
            .expect("changed")
            .version
            .get(),
        2
    );
}

#[test]
fn no_new_product_gets_the_id_that_cannot_be_read() {
    let reserved = || draft(|fields| fields.id = "search".to_owned());
    let violation = Violation::new("id", "is reserved");
    let refused = Rejection::Invalid(vec![violation]);
    assert_eq!(create(None, reserved(), NOW), Err(refused.clone()));
    assert_eq!(put(None, reserved(), None, NOW), Err(refused));
}

#[test]
fn the_names_of_what_changed_leave_room_for_the_product() {
    let with = |prefix: &str, count: usize| {
        draft(|fields| {
            let name = |at| format!("{prefix}{at:03} {}", "x".repeat(190));
            let attributes = (0..count).map(|at| (name(at), AttributeValue::from(1.0)));
            fields.attributes = attributes.collect();
        })
    };
    let old = Current {
        product: Some(with("a", 900).into_product(THEN, THEN)),
        ..current()
    };
    let fields_of = |new: Draft| {
        let decision = put(Some(&old), new, None, NOW)
            .expect("valid")
            .expect("changed");
        let Change::Updated { fields } = decision.change else {
            panic!("an update");
        };
        fields
    };
    assert_eq!(fields_of(with("b", 900)), ["attributes"]);
    assert_eq!(fields_of(with("a", 899)).len(), 1);
    assert!(fields_of(with("a", 899))[0].starts_with("attributes.a899"));
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
        Money::from_minor(1, was.currency()).map_err(|err| Violation::new("price", err.to_string()))
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
