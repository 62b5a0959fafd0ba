//! A feed for Google is valid, and an import reads back the products that are in it.

use std::io::Cursor;

use catalog_events::{AttributeValue, Money};
use catalog_proto::v1::{Product, ProductInput};
use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event;

use super::*;
use crate::export::Form;
use crate::feed::{Mapping, MappingArgs, Source, rows};

/// The members of an item: name and text.
type Members = Vec<(String, String)>;

fn product(id: &str) -> Product {
    Product {
        id: id.to_owned(),
        title: "Lamp & <shade>".to_owned(),
        description: "Bright\r\n\"light\" ]]>".to_owned(),
        image_url: format!("https://img.example/{id}.jpg?a=1&b=2"),
        brand: "Acme".to_owned(),
        sku: "L-1".to_owned(),
        gtins: vec!["4006381333931".to_owned()],
        categories: vec!["Home".to_owned(), "Lamps".to_owned()],
        price_minor: 1_234,
        currency: "EUR".to_owned(),
        ..Product::default()
    }
}

fn link() -> Link {
    "https://shop.example/p/{id}?from=feed&x=1".parse().unwrap()
}

/// Writes products, and tells what became of each.
fn written(products: &[Product]) -> (Vec<u8>, Vec<Result<Adapted, LeftOut>>) {
    let form = Form::merchant(link());
    let mut text = Vec::new();
    form.head(&mut text).unwrap();
    let told = products.iter().map(|it| form.write(it, &mut text).unwrap());
    let told = told.collect();
    form.tail(&mut text);
    (text, told)
}

/// The items of a feed.
fn items(text: &[u8]) -> Vec<Members> {
    let mut reader = Reader::from_reader(text);
    let (mut items, mut buffer) = (Vec::new(), Vec::new());
    let mut member: Option<(String, String)> = None;
    loop {
        buffer.clear();
        match reader
            .read_event_into(&mut buffer)
            .expect("well-formed XML")
        {
            Event::Start(tag) if tag.name().as_ref() == "item" => items.push(Members::new()),
            Event::Start(tag) => {
                let name = tag.name().as_ref().to_owned();
                member = name
                    .strip_prefix("g:")
                    .map(|it| (it.to_owned(), String::new()));
            }
            Event::Text(text) => {
                if let Some((_, content)) = &mut member {
                    content.push_str(&text);
                }
            }
            Event::GeneralRef(entity) => {
                let char = entity.resolve_char_ref().unwrap().map(String::from);
                let known = || resolve_predefined_entity(&entity).unwrap().to_owned();
                if let Some((_, content)) = &mut member {
                    content.push_str(&char.unwrap_or_else(known));
                }
            }
            Event::End(_) => items
                .last_mut()
                .into_iter()
                .for_each(|item| item.extend(member.take())),
            Event::Eof => return items,
            _ => {}
        }
    }
}

/// Checks an item by the product data specification.
fn validate(item: &Members) {
    let all = |name: &str| {
        let found = item.iter().filter(move |(found, _)| found == name);
        found.map(|(_, text)| text.as_str()).collect::<Vec<_>>()
    };
    let one = |name: &str| match all(name)[..] {
        [text] if !text.is_empty() => text.to_owned(),
        ref found => panic!("{name} is there {} times in {item:?}", found.len()),
    };
    let bounded = |name: &str, max: usize| {
        let text = one(name);
        assert!(text.chars().count() <= max, "{name} of {item:?}");
    };
    bounded("id", 50);
    bounded("title", 150);
    bounded("description", 5_000);
    for name in ["link", "image_link"] {
        let address = one(name);
        let rest = address
            .strip_prefix("https://")
            .or(address.strip_prefix("http://"));
        let rest = rest.unwrap_or_default();
        assert!(
            !rest.is_empty() && address.len() <= 2_000,
            "{name} of {item:?}"
        );
    }
    let allowed = ["in_stock", "out_of_stock", "preorder", "backorder"];
    assert!(allowed.contains(&&*one("availability")), "{item:?}");
    assert!(
        ["new", "refurbished", "used"].contains(&&*one("condition")),
        "{item:?}"
    );
    let price = one("price");
    let (amount, currency) = price.split_once(' ').expect("an amount and a currency");
    let parsed = Money::parse(amount, currency.parse().expect("a currency")).expect("an amount");
    assert!(parsed.minor() > 0 && amount.bytes().all(|it| it.is_ascii_digit() || it == b'.'));
    let (gtins, mpns, brands) = (all("gtin"), all("mpn"), all("brand"));
    assert!(
        gtins.len() <= 10 && mpns.len() <= 1 && brands.len() <= 1,
        "{item:?}"
    );
    assert!(gtins.iter().all(|gtin| gtin::is_valid(gtin)), "{item:?}");
    for name in mpns.iter().chain(&brands) {
        assert!((1..=70).contains(&name.chars().count()), "{item:?}");
    }
    let is_known = !gtins.is_empty() || (!mpns.is_empty() && !brands.is_empty());
    let expected: &[&str] = if is_known { &[] } else { &["no"] };
    assert_eq!(all("identifier_exists"), expected, "{item:?}");
    assert!(
        all("product_type")
            .iter()
            .all(|it| it.chars().count() <= 750)
    );
}

#[test]
fn every_item_is_valid() {
    let long = "größe😀 ".repeat(2_000);
    let with = |change: fn(&mut Product, &str)| {
        let mut product = product("x");
        change(&mut product, &long);
        product
    };
    type Change = fn(&mut Product, &str);
    let cases: [(Change, Result<&[&str], &str>); 18] = [
        (|_, _| {}, Ok(&[])),
        (
            |it, _| it.description.clear(),
            Ok(&["their title for a description"]),
        ),
        (
            |it, long| it.title = long.to_owned(),
            Ok(&["a shorter title"]),
        ),
        (
            |it, long| it.description = long.to_owned(),
            Ok(&["a shorter description"]),
        ),
        (
            |it, long| it.brand = long.to_owned(),
            Ok(&["a shorter brand"]),
        ),
        (
            |it, long| it.sku = long.to_owned(),
            Ok(&["no part number, as it is too long"]),
        ),
        (
            |it, long| it.categories = vec![long.to_owned()],
            Ok(&["a shorter category"]),
        ),
        (
            |it, _| it.gtins = vec!["4006381333932".to_owned()],
            Ok(&["no GTIN whose check digit is wrong"]),
        ),
        (|it, _| it.gtins.clear(), Ok(&[])),
        (
            |it, _| (it.gtins, it.sku, it.brand) = Default::default(),
            Ok(&[]),
        ),
        (|it, _| it.currency = "JPY".to_owned(), Ok(&[])),
        (|it, _| it.title = "\u{1}a\u{ffff}".to_owned(), Ok(&[])),
        (
            |it, _| it.id = "x".repeat(51),
            Err("an id of more than 50 characters"),
        ),
        (|it, _| it.title.clear(), Err("no title")),
        (|it, _| it.image_url.clear(), Err("no image_url")),
        (
            |it, _| it.image_url = "img/1.jpg".to_owned(),
            Err("an image_url that is no address of http or https"),
        ),
        (
            |it, _| it.image_url.push_str(&"x".repeat(2_000)),
            Err("an image_url that is no address of http or https"),
        ),
        (|it, _| it.price_minor = 0, Err("a price of 0")),
    ];
    for (change, expected) in cases {
        let (text, told) = written(&[with(change)]);
        let expected = expected.map(|told| Adapted(told.to_vec())).map_err(LeftOut);
        assert_eq!(told[0], expected);
        let items = items(&text);
        assert_eq!(items.len(), usize::from(expected.is_ok()));
        items.iter().for_each(validate);
    }
}

#[test]
fn what_a_product_says_of_its_availability_is_kept() {
    let says = |name: &str, text: &str, status| {
        let mut product = product("a");
        product.set_status(status);
        let value = AttributeValue::from(text).to_message();
        product.attributes.insert(name.to_owned(), value);
        let (text, _) = written(&[product]);
        let members = items(&text).remove(0);
        members
            .into_iter()
            .find(|(found, _)| found == name)
            .unwrap()
            .1
    };
    let active = ProductStatus::Active;
    assert_eq!(says("availability", "in stock", active), "in_stock");
    assert_eq!(says("availability", "PreOrder", active), "preorder");
    assert_eq!(says("availability", "soon", active), "in_stock");
    assert_eq!(
        says("availability", "in stock", ProductStatus::Discontinued),
        "out_of_stock"
    );
    assert_eq!(says("condition", "Used", active), "used");
}

#[test]
fn an_import_reads_the_products_back() {
    let mut second = product("b");
    (second.price_minor, second.currency) = (1_500, "JPY".to_owned());
    second.description.clear();
    second.gtins.push("96385074".to_owned());
    let products = [product("a"), second];
    let (text, _) = written(&products);
    let source = Source::from_reader("feed", Cursor::new(text)).unwrap();
    let read = rows(source, None, Mapping::new(MappingArgs::default()).unwrap()).unwrap();
    let read: Vec<ProductInput> = read
        .map(|row| row.unwrap().parsed.unwrap().unwrap().product.unwrap())
        .collect();
    assert_eq!(read.len(), products.len());
    for (read, product) in read.iter().zip(products) {
        let price = Money::parse(&read.price, read.currency.parse().unwrap()).unwrap();
        let description = if product.description.is_empty() {
            &product.title
        } else {
            &product.description
        };
        assert_eq!(
            (price.minor(), &read.currency),
            (product.price_minor, &product.currency)
        );
        assert_eq!(
            (
                &read.id,
                &read.title,
                &read.description,
                &read.image_url,
                &read.brand,
                &read.sku
            ),
            (
                &product.id,
                &product.title,
                description,
                &product.image_url,
                &product.brand,
                &product.sku
            )
        );
        assert_eq!(
            (&read.gtins, &read.categories),
            (&product.gtins, &product.categories)
        );
        // What this form says beside the fields of a product comes back as attributes.
        let names: Vec<&str> = read.attributes.keys().map(String::as_str).collect();
        assert_eq!(names, ["availability", "condition", "link"]);
    }
}
