//! Tests that each value that a facet lists finds, given back as a filter, the products it counts.

use catalog_events::{AttributeScalar, AttributeValue, Currency, Money, Product, Status};

use crate::index::sets::facets::{FacetCounts, FacetRequest};
use crate::index::sets::filter::{Filter, PriceBounds};
use crate::index::sets::sorting::{Order, OrderBy};
use crate::index::tests::keyword_index::Random;
use crate::index::tests::support::{index_in_one_go, index_of, product, text};
use crate::index::{FieldName, IndexError, IndexSnapshot, folded};

const TEXTS: [&str; 24] = [
    "Red",
    "RED",
    "Black, matt",
    "Levi's",
    "Levi\u{2019}s",
    "Müller",
    "Mu\u{308}ller",
    "10 µF",
    "10 μF",
    "ｶﾒﾗ",
    "カメラ",
    "Straße",
    "STRASSE",
    "42",
    "42.0",
    "4.10",
    "4.1",
    "-0",
    "true",
    "False",
    "a>b",
    "a > b",
    "",
    " ",
];
const NAMES: [&str; 6] = ["colour", "temperature.min", "w, h", "a:b", "x\\y.z", "size"];
const NUMBERS: [f64; 10] = [42.0, 42.5, 4.1, 0.1, -0.0, 0.0, -10.0, 1e9, 1e300, 15.6];
const CODES: [&str; 3] = ["USD", "JPY", "KWD"];

fn one<T: Clone>(random: &mut Random, of: &[T]) -> T {
    of[random.below(of.len() as u64) as usize].clone()
}

fn random_product(random: &mut Random, number: u64) -> Product {
    let currency: Currency = one(random, &CODES).parse().expect("currency");
    let plain = product(&format!("p{number}"), "mouse");
    let micros = time::Duration::microseconds(random.below(4) as i64 * 333_333);
    let mut product = Product {
        price: Money::from_minor(random.below(4) as i64 * 995, currency).expect("price"),
        brand: (random.below(3) > 0).then(|| one(random, &TEXTS).to_owned()),
        status: one(random, &[Status::Active, Status::Discontinued]),
        created_at: plain.created_at + micros,
        ..plain
    };
    for _ in 0..random.below(4) {
        product.categories.push(one(random, &TEXTS).to_owned());
    }
    for name in NAMES {
        let value = match random.below(6) {
            0 => continue,
            1 => {
                let scalars = (0..=random.below(4)).map(|_| random_scalar(random));
                AttributeValue::List(scalars.collect())
            }
            _ => AttributeValue::One(random_scalar(random)),
        };
        product.attributes.insert(name.to_owned(), value);
    }
    product
}

fn random_scalar(random: &mut Random) -> AttributeScalar {
    match random.below(4) {
        0 => (random.below(2) == 0).into(),
        1 | 2 => one(random, &NUMBERS).into(),
        _ => one(random, &TEXTS).into(),
    }
}

fn fields() -> Vec<FieldName> {
    let names = [
        "brand",
        "category",
        "status",
        "currency",
        "price",
        "price_major",
        "created_at",
    ];
    let plain = names.iter().map(|name| (*name).to_owned());
    let attributes = NAMES.iter().map(|name| format!("attributes.{name}"));
    plain
        .chain(attributes)
        .map(|name| FieldName::parse(&name).expect("field"))
        .collect()
}

fn facet(snapshot: &IndexSnapshot, field: &FieldName, interval: Option<f64>) -> FacetCounts {
    let request = FacetRequest {
        field: field.clone(),
        size: 1_000,
        interval,
        containing: String::new(),
    };
    let all = snapshot.all(None).expect("all");
    snapshot.facet(&request, &all, None).expect("facet")
}

fn found(snapshot: &IndexSnapshot, filter: &Filter) -> u64 {
    snapshot.filtered(filter).expect("filter").len()
}

fn terms(field: &FieldName, value: &str) -> Filter {
    Filter::Terms {
        field: field.clone(),
        folded: vec![folded(value)],
    }
}

/// The filter of a bucket, from its lower bound to below its upper one.
fn bucket(field: &FieldName, (from, to): (f64, f64)) -> Filter {
    let field = field.clone();
    if field.is_price() {
        return Filter::Price(PriceBounds {
            is_major: field == FieldName::PriceMajor,
            min: from,
            max: f64::INFINITY,
            below: to,
        });
    }
    let (min, max) = (from, field.before(to));
    Filter::Range { field, min, max }
}

#[test]
fn every_listed_value_given_back_finds_its_count() {
    let mut values = 0;
    for seed in 0..40 {
        let mut random = Random(seed);
        let products: Vec<Product> = (0..30).map(|at| random_product(&mut random, at)).collect();
        let (_folder, index) = index_of(&products);
        let snapshot = index.snapshot();
        for field in fields() {
            for interval in [None, Some(0.1), Some(7.0)] {
                if interval.is_some() && !field.has_numbers() {
                    continue;
                }
                let counts = facet(&snapshot, &field, interval);
                for listed in counts.values {
                    let filter = match listed.bounds {
                        Some(bounds) => bucket(&field, bounds),
                        None => terms(&field, &listed.value),
                    };
                    let found = found(&snapshot, &filter);
                    assert_eq!(found, listed.count, "seed {seed}, {field:?}: {listed:?}");
                    values += 1;
                }
            }
        }
    }
    assert!(values > 5_000, "{values}");
}

/// Compares the number of products that have a value of an attribute, as a query states it.
fn check(snapshot: &IndexSnapshot, attribute: &str, value: &str, expected: u64) {
    let filter = Filter::ByName {
        attribute: attribute.to_owned(),
        folded: vec![folded(value)],
    };
    assert_eq!(found(snapshot, &filter), expected, "{attribute}={value}");
}

fn with(id: &str, attributes: &[(&str, AttributeValue)]) -> Product {
    let attributes = attributes.iter();
    Product {
        attributes: attributes
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect(),
        ..product(id, "box")
    }
}

#[test]
fn a_value_is_found_however_it_is_written() {
    let (_folder, index) = index_in_one_go(&[
        with("a", &[("size", 42.0.into()), ("sealed", true.into())]),
        with("b", &[("size", 42.5.into()), ("sealed", false.into())]),
        with("c", &[("size", text("42")), ("version", text("4.10"))]),
        with("d", &[("version", 4.1.into())]),
    ]);
    let snapshot = index.snapshot();
    for (attribute, value, expected) in [
        ("size", "42", 2),
        ("size", "42.0", 2),
        ("size", "42.50", 1),
        ("size", "43", 0),
        ("sealed", "true", 1),
        ("sealed", "FALSE", 1),
        // A text that stands there as it was written is not the number.
        ("version", "4.10", 1),
        ("version", "4.1", 1),
        ("version", "4.100", 1),
    ] {
        check(&snapshot, attribute, value, expected);
    }
}

#[test]
fn the_name_of_an_attribute_goes_before_a_bound() {
    let number = |number: f64| AttributeValue::from(number);
    let (_folder, index) = index_in_one_go(&[
        with(
            "a",
            &[
                ("temperature.min", number(-10.0)),
                ("temperature", number(5.0)),
            ],
        ),
        with("b", &[("width", number(5.0)), ("age.min", text("3 years"))]),
        with("c", &[("width", number(7.0))]),
    ]);
    let snapshot = index.snapshot();
    for (attribute, value, expected) in [
        ("temperature.min", "-10", 1),
        ("temperature.min", "-20", 0),
        ("temperature.max", "5", 1),
        ("age.min", "3 Years", 1),
        ("width.min", "5", 2),
        ("width.min", "6", 1),
        ("width.max", "5", 1),
        ("width.below", "7", 1),
        ("nothing.min", "1", 0),
    ] {
        check(&snapshot, attribute, value, expected);
    }
    let no_number = Filter::ByName {
        attribute: "width.min".to_owned(),
        folded: vec!["many".to_owned()],
    };
    let refused = snapshot.filtered(&no_number);
    assert!(matches!(refused, Err(IndexError::NoBound(name)) if name == "width.min"));
}

fn priced(id: &str, price: &str, code: &str) -> Product {
    let currency = code.parse().expect("currency");
    Product {
        price: Money::parse(price, currency).expect("price"),
        ..product(id, "mug")
    }
}

fn mugs() -> Vec<Product> {
    vec![
        priced("jpy", "1200", "JPY"),
        priced("kwd", "9.5", "KWD"),
        priced("usd80", "80", "USD"),
        priced("usd15", "15", "USD"),
    ]
}

#[test]
fn prices_are_compared_in_one_currency() {
    let (_folder, index) = index_in_one_go(&mugs());
    let snapshot = index.snapshot();
    let usd: Currency = "USD".parse().expect("currency");
    assert_eq!(snapshot.price_currency(None).expect("currency"), usd);
    let at_most = |max: f64| {
        Filter::Price(PriceBounds {
            is_major: true,
            min: 0.0,
            max,
            below: f64::INFINITY,
        })
    };
    let asked =
        |code: &str, max| Filter::All(vec![terms(&FieldName::Currency, code), at_most(max)]);
    for (filter, expected) in [
        (at_most(20.0), 1),
        (at_most(1e6), 2),
        (asked("JPY", 1_200.0), 1),
        (asked("jpy", 1_199.0), 0),
        (asked("KWD", 9.5), 1),
        (asked("KWD", 9.499), 0),
        (Filter::Not(Box::new(at_most(20.0))), 3),
    ] {
        assert_eq!(found(&snapshot, &filter), expected, "{filter:?}");
    }
    let counts = facet(&snapshot, &FieldName::PriceMajor, Some(10.0));
    let bounds: Vec<_> = counts.values.iter().map(|value| value.bounds).collect();
    assert_eq!(bounds, [Some((10.0, 20.0)), Some((80.0, 90.0))]);
    assert_eq!(counts.missing, 2);
    let numbers = counts.numbers.expect("numbers");
    assert_eq!((numbers.min, numbers.max, numbers.mean), (15.0, 80.0, 47.5));
}

#[test]
fn other_currencies_come_last_in_an_order_by_price() {
    let (_folder, index) = index_in_one_go(&mugs());
    let snapshot = index.snapshot();
    let all = snapshot.all(None).expect("all");
    for (by, currency, expected) in [
        (
            OrderBy::PriceAscending,
            None,
            ["usd15", "usd80", "jpy", "kwd"],
        ),
        (
            OrderBy::PriceDescending,
            None,
            ["usd80", "usd15", "jpy", "kwd"],
        ),
        (
            OrderBy::PriceAscending,
            Some("KWD"),
            ["kwd", "jpy", "usd15", "usd80"],
        ),
    ] {
        let order = Order {
            by,
            currency: currency.map(|code| code.parse().expect("currency")),
            discontinued_last: false,
        };
        let mut ids = Vec::new();
        let mut after = None;
        loop {
            let page = snapshot
                .page(&all, &order, after.as_ref(), 1)
                .expect("page");
            let Some(place) = page.into_iter().next() else {
                break;
            };
            ids.push(place.id.to_string());
            after = Some(place);
        }
        assert_eq!(ids, expected);
    }
}

#[test]
fn the_facets_that_divide_a_set_are_chosen() {
    let number = |number: f64| AttributeValue::from(number);
    let products: Vec<Product> = (0..60_u32)
        .map(|at| {
            let mut attributes = vec![
                ("colour", text(["Red", "Blue", "Green"][at as usize % 3])),
                ("material", text("Steel")),
                ("code", text(&format!("code {at}"))),
                ("weight", number(f64::from(at) * 1.5)),
            ];
            if at < 3 {
                attributes.push(("rare", text(["x", "y", "z"][at as usize])));
            }
            Product {
                brand: Some(["Acme", "Zenith"][at as usize % 2].to_owned()),
                categories: vec!["Boxes".to_owned()],
                ..with(&format!("p{at}"), &attributes)
            }
        })
        .collect();
    let (_folder, index) = index_of(&products);
    let snapshot = index.snapshot();
    let all = snapshot.all(None).expect("all");
    let chosen = snapshot.choose_facets(&all, &[], None, 10).expect("facets");
    let names: Vec<String> = chosen.iter().map(|facet| facet.field.name()).collect();
    // All boxes have one category, one price and one material, and each code is that of one box.
    assert_eq!(names, ["brand", "attributes.weight", "attributes.colour"]);
    assert_eq!(chosen[1].interval, Some(20.0));
    let fewer = snapshot
        .choose_facets(&all, &chosen[..1], None, 1)
        .expect("facets");
    assert_eq!(fewer, chosen[1..2]);
}
