//! What is written is read back by the import, without any option, as what it was.

use std::io::Cursor;

use catalog_events::{AttributeValue, Money};
use catalog_proto::v1::{Product, ProductInput, ProductStatus};

use super::*;
use crate::feed::{Mapping, MappingArgs, Row, Source, rows};

pub(crate) fn products() -> Vec<Product> {
    let attributes: [(&str, AttributeValue); 14] = [
        ("version", "4.10".into()),
        ("code", "007".into()),
        ("flag as text", "true".into()),
        ("flag", false.into()),
        ("Weight (kg)", 40.0.into()),
        ("huge", 1e300.into()),
        ("size:number", "XL".into()),
        ("a.b;c,d\"e", " blanks ".into()),
        ("Größe [cm]", "日本 😀".into()),
        ("empty", "".into()),
        ("lines", "one\r\ntwo\n\"three\"".into()),
        (
            "list",
            AttributeValue::List(vec!["42".into(), 42.0.into(), true.into()]),
        ),
        ("of one", AttributeValue::List(vec![" x ".into()])),
        ("mixed", "text".into()),
    ];
    let first = Product {
        id: "a".to_owned(),
        title: "=1+1, \"quoted\"".to_owned(),
        description: "one\ntwo; three".to_owned(),
        price_minor: (1 << 53) - 1,
        currency: "USD".to_owned(),
        categories: vec!["A > B / C".to_owned(), "[D]".to_owned()],
        gtins: vec!["4006381333931".to_owned(), "00012345".to_owned()],
        attributes: attributes
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.to_message()))
            .collect(),
        ..Product::default()
    };
    let mut second = Product {
        id: "b".to_owned(),
        title: "Täst".to_owned(),
        price_minor: 1_234,
        currency: "KWD".to_owned(),
        categories: vec!["X/Y".to_owned(), "Z".to_owned()],
        status: ProductStatus::Discontinued.into(),
        ..Product::default()
    };
    let number = AttributeValue::from(7.5).to_message();
    second.attributes.insert("mixed".to_owned(), number);
    let third = Product {
        id: "c".to_owned(),
        title: "Yen &amp; R&D; &#x41;".to_owned(),
        brand: "B&amp;O".to_owned(),
        categories: vec!["A &gt; B".to_owned(), "C".to_owned()],
        price_minor: 500,
        currency: "JPY".to_owned(),
        ..Product::default()
    };
    vec![first, second, third]
}

fn input(product: &Product) -> ProductInput {
    let product = product.clone();
    ProductInput {
        id: product.id,
        title: product.title,
        description: product.description,
        price_minor: product.price_minor,
        currency: product.currency,
        brand: product.brand,
        categories: product.categories,
        gtins: product.gtins,
        attributes: product.attributes,
        // A product without a status is active.
        status: product.status.max(1),
        ..ProductInput::default()
    }
}

/// What a row says of a product, with the price as the write service reads it.
fn in_minor_units(row: Row) -> ProductInput {
    let mut product = row.parsed.unwrap().unwrap().product.unwrap();
    let price = std::mem::take(&mut product.price);
    let price = Money::parse(&price, product.currency.parse().unwrap());
    product.price_minor = price.unwrap().minor();
    product
}

fn check(form: &Form) {
    let mut text = Vec::new();
    form.head(&mut text).unwrap();
    for product in products() {
        form.write(&product, &mut text).unwrap().unwrap();
    }
    form.tail(&mut text);
    let shown = String::from_utf8(text.clone()).unwrap();
    let source = Source::from_reader("feed", Cursor::new(text)).unwrap();
    let mapping = Mapping::new(MappingArgs::default()).unwrap();
    let read = rows(source, None, mapping).unwrap();
    let read: Vec<_> = read.map(|row| in_minor_units(row.unwrap())).collect();
    let expected: Vec<_> = products().iter().map(input).collect();
    assert_eq!(read, expected, "{shown}");
}

#[test]
fn lines_are_read_back_as_what_they_were() {
    check(&Form::lines(Fields::default()));
}

#[test]
fn a_table_is_read_back_as_what_it_was() {
    let mut columns = Columns::default();
    for product in products() {
        columns.add(&product, &Fields::default()).unwrap();
    }
    let kept = Columns::of_headers(&columns.headers()).unwrap();
    check(&Form::table(&Fields::default(), &kept));
}
