//! Tests of attributes that have several values.

use catalog_events::{AttributeScalar, AttributeValue, Product};

use crate::index::sets::facets::{FacetCounts, FacetRequest};
use crate::index::sets::filter::Filter;
use crate::index::tests::support::{found, index_in_one_go, index_of, product};
use crate::index::{FieldName, IndexSnapshot, folded};

fn list<T: Into<AttributeScalar>>(values: impl IntoIterator<Item = T>) -> AttributeValue {
    AttributeValue::List(values.into_iter().map(Into::into).collect())
}

fn quilt(id: &str, attributes: &[(&str, AttributeValue)]) -> Product {
    let attributes = attributes.iter();
    Product {
        attributes: attributes
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect(),
        ..product(id, "quilt")
    }
}

fn facet(snapshot: &IndexSnapshot, attribute: &str, size: usize) -> FacetCounts {
    let request = FacetRequest {
        field: FieldName::Attribute(attribute.to_owned()),
        size,
        interval: None,
        containing: String::new(),
    };
    let all = snapshot.all(None).expect("all");
    snapshot.facet(&request, &all, None).expect("facet")
}

fn counts(facet: &FacetCounts) -> Vec<(&str, u64)> {
    let values = facet.values.iter();
    values.map(|one| (one.value.as_str(), one.count)).collect()
}

fn named(attribute: &str, value: &str) -> Filter {
    Filter::ByName {
        attribute: attribute.to_owned(),
        folded: vec![folded(value)],
    }
}

/// Compares the number of products that pass a filter.
fn check(snapshot: &IndexSnapshot, filter: &Filter, expected: u64) {
    let found = snapshot.filtered(filter).expect("filter").len();
    assert_eq!(found, expected, "{filter:?}");
}

#[test]
fn a_product_is_counted_and_found_by_each_of_its_values() {
    let products = [
        quilt("mv1", &[("colour", list(["Red", "Blue"]))]),
        quilt("mv2", &[("colour", "Red".into())]),
        quilt("mv3", &[("colour", "Black, matt".into())]),
        quilt("mv4", &[("colour", list(["RED", "red"]))]),
        quilt("mv5", &[]),
    ];
    // In one segment with single values, and in segments of their own.
    for (_folder, index) in [index_in_one_go(&products), index_of(&products)] {
        let snapshot = index.snapshot();
        let all = facet(&snapshot, "colour", 10);
        let expected = [("Red", 3), ("Black, matt", 1), ("Blue", 1)];
        assert_eq!(counts(&all), expected);
        assert_eq!((all.other, all.missing), (0, 1));
        let most = facet(&snapshot, "colour", 1);
        assert_eq!((most.other, most.missing), (1, 1), "mv1 is red as well");
        check(&snapshot, &named("colour", "red"), 3);
        check(&snapshot, &named("colour", "Blue"), 1);
        check(&snapshot, &named("colour", "Red, Blue"), 0);
        let not = |value| Filter::Not(Box::new(named("colour", value)));
        check(&snapshot, &not("red"), 2);
        check(&snapshot, &not("blue"), 4);
        let colour = FieldName::Attribute("colour".to_owned());
        check(&snapshot, &Filter::Exists(colour), 4);
        assert_eq!(found(&index, "blue"), ["mv1"]);
    }
}

#[test]
fn any_number_of_a_list_is_in_a_range_and_counts() {
    let (_folder, index) = index_in_one_go(&[
        quilt("a", &[("width", list([3.0, 9.0]))]),
        quilt("b", &[("width", 6.0.into())]),
    ]);
    let snapshot = index.snapshot();
    let bounds =
        |from: &str, to: &str| Filter::All(vec![named("width.min", from), named("width.max", to)]);
    for (filter, expected) in [
        (named("width", "9"), 1),
        (named("width.min", "7"), 1),
        (named("width.max", "6"), 2),
        (bounds("5", "7"), 1),
        (bounds("8", "9.5"), 1),
        (bounds("9", "3"), 0),
        (Filter::Not(Box::new(named("width.min", "7"))), 1),
    ] {
        check(&snapshot, &filter, expected);
    }
    let numbers = facet(&snapshot, "width", 10).numbers.expect("numbers");
    assert_eq!((numbers.count, numbers.mean), (3, 6.0));
    assert_eq!((numbers.min, numbers.max), (3.0, 9.0));
}

#[test]
fn a_value_of_two_types_is_one_value_of_a_product() {
    let mixed: [AttributeScalar; 4] = ["42".into(), 42.0.into(), true.into(), "True".into()];
    let (_folder, index) = index_in_one_go(&[
        quilt("a", &[("code", list(mixed))]),
        quilt("b", &[("code", 42.0.into())]),
    ]);
    let snapshot = index.snapshot();
    let all = facet(&snapshot, "code", 10);
    assert_eq!(counts(&all), [("42", 2), ("True", 1)]);
    assert_eq!((all.other, all.missing), (0, 0));
    check(&snapshot, &named("code", "42"), 2);
    check(&snapshot, &named("code", "true"), 1);
}
