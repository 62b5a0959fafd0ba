//! What of a product is accepted, and how mistakes are named.

use super::*;

fn valid() -> ProductFields {
    ProductFields {
        id: "p1".to_owned(),
        title: " Mouse ".to_owned(),
        price_minor: 1999,
        ..ProductFields::default()
    }
}

fn check(change: impl FnOnce(&mut ProductFields), field: &str, reason: &str) {
    let mut fields = valid();
    change(&mut fields);
    let expected = vec![Violation::new(field, reason)];
    assert_eq!(Draft::parse(fields), Err(expected));
}

#[test]
fn fills_in_the_defaults() {
    let draft = Draft::parse(valid()).expect("valid");
    assert_eq!(draft.title, "Mouse");
    assert_eq!(
        draft.price,
        Money::from_minor(1999, Currency::USD).expect("price")
    );
    assert_eq!((draft.image_url, draft.brand), (None, None));
}

#[test]
fn the_scheme_of_an_address_is_one_in_any_case() {
    for url in ["https://x/a.jpg", "HTTPS://X/a.jpg", "Http://x/a.jpg"] {
        let fields = ProductFields {
            image_url: url.to_owned(),
            ..valid()
        };
        let draft = Draft::parse(fields).expect(url);
        assert_eq!(draft.image_url.as_deref(), Some(url));
    }
}

#[test]
fn names_the_field_at_fault() {
    let id = "a product id is 1 to 64 characters of A-Z a-z 0-9 _ -";
    check(|f| f.id = "a.b".into(), "id", id);
    check(|f| f.title = "  ".into(), "title", "is empty");
    check(
        |f| f.title = "x".repeat(1001),
        "title",
        "is longer than 1000 characters",
    );
    check(
        |f| f.title = "a\u{202E}b".into(),
        "title",
        "has control characters",
    );
    check(
        |f| f.description = "a\0b".into(),
        "description",
        "has control characters",
    );
    check(
        |f| f.price_minor = -1,
        "price_minor",
        "a price is not negative",
    );
    check(
        |f| f.currency = "EURO".into(),
        "currency",
        "\"EURO\" is not an ISO 4217 currency code such as USD",
    );
    for url in [
        "javascript:alert(1)",
        "ftp://x",
        "https://",
        "http:///x",
        "https://a b",
        "://a",
        "HTTPSS://a",
    ] {
        check(
            |f| f.image_url = url.into(),
            "image_url",
            "is not an http or https URL",
        );
    }
    check(
        |f| f.gtins = vec!["4006381333931".into(), "12".into()],
        "gtins[1]",
        "a GTIN has 8 to 14 digits",
    );
    check(
        |f| f.categories = vec!["A".into(), " ".into()],
        "categories[1]",
        "is empty",
    );
    let list = AttributeValue::List(vec!["a".into(), "b\0".into()]);
    check(
        |f| f.attributes = BTreeMap::from([("x[0]".to_owned(), list)]),
        "attributes[\"x[0]\"][1]",
        "has control characters",
    );
    let nan = BTreeMap::from([("x".to_owned(), AttributeValue::from(f64::NAN))]);
    check(
        |f| f.attributes = nan,
        "attributes.x",
        "is not a finite number",
    );
}

#[test]
fn a_title_that_nobody_sees_is_none() {
    let reason = "is empty: it has only characters that nobody sees";
    for title in [
        "\u{200B}",
        "\u{FEFF}\u{FEFF}",
        "\u{AD} \u{2060}",
        "\u{2800}",
        "\u{3164}\u{200D}",
        "\u{E0020}",
    ] {
        check(|f| f.title = title.into(), "title", reason);
    }
    // Among letters, some of them join or part what is seen.
    for title in ["a\u{AD}b", "\u{200B}x", "👩\u{200D}🔧", "⚙\u{FE0F}"] {
        let fields = ProductFields {
            title: title.to_owned(),
            ..valid()
        };
        assert_eq!(Draft::parse(fields).expect("valid").title, title);
    }
}

#[test]
fn a_product_fits_into_one_message() {
    let text = |bytes: usize| AttributeValue::from("\u{1}".repeat(bytes));
    let many = |count: usize| {
        (0..count)
            .map(|n| (format!("a{n}"), text(10_000)))
            .collect()
    };
    // As JSON, a control character takes six bytes.
    assert!(
        Draft::parse(ProductFields {
            attributes: many(8),
            ..valid()
        })
        .is_ok()
    );
    let reason = "make the product larger than 524288 bytes";
    check(|f| f.attributes = many(9), "attributes", reason);
}

#[test]
fn a_list_has_each_value_once_and_some_value() {
    let list = |scalars: Vec<AttributeScalar>| AttributeValue::List(scalars);
    let kept = |value: AttributeValue| {
        let attributes = BTreeMap::from([("x".to_owned(), value)]);
        let draft = Draft::parse(ProductFields {
            attributes,
            ..valid()
        });
        draft.expect("valid").attributes.remove("x")
    };
    let stated = vec![
        "Red".into(),
        (-0.0).into(),
        "red".into(),
        "Red".into(),
        0.0.into(),
        "0".into(),
        true.into(),
        true.into(),
    ];
    let distinct = vec![
        "Red".into(),
        0.0.into(),
        "red".into(),
        "0".into(),
        true.into(),
    ];
    assert_eq!(kept(list(stated)), Some(list(distinct)));
    assert_eq!(
        kept(list(vec!["Red".into()])),
        Some(list(vec!["Red".into()])),
        "a list of one stays a list"
    );
    assert_eq!(kept(list(Vec::new())), None);
}

#[test]
fn lists_are_bounded() {
    let check = |scalars: Vec<AttributeScalar>, field: &str, reason| {
        let list = BTreeMap::from([("x".to_owned(), AttributeValue::List(scalars))]);
        self::check(|f| f.attributes = list, field, reason);
    };
    let numbers = |count: u32| (0..count).map(|n| f64::from(n).into()).collect();
    check(numbers(1_001), "attributes.x", "has more than 1000 values");
    check(
        vec!["a\0".into()],
        "attributes[\"x\"][0]",
        "has control characters",
    );
    check(
        vec![1.0.into(), f64::NAN.into()],
        "attributes[\"x\"][1]",
        "is not a finite number",
    );
    let half = |sign: &str| sign.repeat(5_000).into();
    check(
        vec![half("a"), half("b"), "c".into()],
        "attributes.x",
        "has texts that are together longer than 10000 characters",
    );
    let largest = [
        AttributeValue::List(numbers(1_000)),
        AttributeValue::List(vec![half("a"), half("b")]),
    ];
    for largest in largest {
        let attributes = BTreeMap::from([("x".to_owned(), largest)]);
        let fields = ProductFields {
            attributes,
            ..valid()
        };
        assert!(Draft::parse(fields).is_ok());
    }
}

#[test]
fn reports_all_mistakes_at_once() {
    let fields = ProductFields {
        price_minor: -1,
        ..ProductFields::default()
    };
    let found = Draft::parse(fields).expect_err("three mistakes");
    let fields: Vec<_> = found.iter().map(|one| one.field.as_str()).collect();
    assert_eq!(fields, ["id", "title", "price_minor"]);
}
