//! Products, events and an index in a temporary folder, for the tests of this crate.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use catalog_events::{
    AttributeValue, Change, Currency, Money, Position, Product, ProductEvent, Status, Version,
};
use tempfile::TempDir;
use time::macros::datetime;
use uuid::Uuid;

use crate::index::error::IndexError;
use crate::index::keyword_index::KeywordIndex;
use crate::index::options::IndexOptions;
use crate::index::scoring::terms::QueryTerms;
use crate::index::text::language::Language;
use crate::index::writer::IndexWriter;

pub(crate) fn product(id: &str, title: &str) -> Product {
    let at = datetime!(2026-01-02 03:04:05 UTC);
    Product {
        id: id.parse().expect("id"),
        title: title.to_owned(),
        description: String::new(),
        price: Money::from_minor(1999, Currency::USD).expect("price"),
        image_url: None,
        brand: None,
        sku: None,
        gtins: Vec::new(),
        categories: Vec::new(),
        attributes: BTreeMap::new(),
        status: Status::Active,
        created_at: at,
        updated_at: at,
    }
}

pub(crate) fn text(value: &str) -> AttributeValue {
    value.into()
}

pub(crate) fn with_attributes(id: &str, title: &str, attributes: &[(&str, &str)]) -> Product {
    let attributes = attributes.iter();
    Product {
        attributes: attributes
            .map(|(name, value)| ((*name).to_owned(), text(value)))
            .collect(),
        ..product(id, title)
    }
}

/// Returns printers ("p00") and cables for them ("c00"), whose titles are shorter and have the word
/// "printer" too.
pub(crate) fn printers_and_cables() -> Vec<Product> {
    let printer = ["technology", "resolution", "paper", "duplex", "speed"];
    let cable = ["length", "connector", "gender", "shield"];
    let printers = (0..20).map(|number| {
        let title = format!("Inka P{number} printer 600 x 600 dots, tray A4 of 250 sheets");
        let attributes = printer.map(|name| (name, "x"));
        with_attributes(&format!("p{number:02}"), &title, &attributes)
    });
    let cables = (0..20).map(|number| {
        let title = format!("Inka printer cable {number}");
        with_attributes(
            &format!("c{number:02}"),
            &title,
            &cable.map(|name| (name, "x")),
        )
    });
    printers.chain(cables).collect()
}

pub(crate) fn changed(position: u64, version: i64, product: Product) -> ProductEvent {
    ProductEvent {
        event_id: Uuid::nil(),
        position: Position(position),
        product_id: product.id.clone(),
        version: Version::new(version).expect("version"),
        occurred_at: product.updated_at,
        actor: "test".to_owned(),
        traceparent: None,
        change: Change::Created,
        product: Some(product),
    }
}

pub(crate) fn deleted(position: u64, version: i64, id: &str) -> ProductEvent {
    ProductEvent {
        change: Change::Deleted,
        product: None,
        ..changed(position, version, product(id, ""))
    }
}

pub(crate) fn open(folder: &Path) -> (KeywordIndex, IndexWriter) {
    open_with(folder, IndexOptions::default())
}

/// Waits for the lock of the folder: a test that starts a server forks this process, and the child
/// holds a copy of every lock until it runs another program.
pub(crate) fn open_with(folder: &Path, options: IndexOptions) -> (KeywordIndex, IndexWriter) {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        match KeywordIndex::open(folder, options.clone()) {
            Err(IndexError::Locked) if Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(5));
            }
            opened => return opened.expect("index"),
        }
    }
}

/// Builds an index of these products, all in one commit.
pub(crate) fn index_in_one_go(products: &[Product]) -> (TempDir, KeywordIndex) {
    index_in(Language::default(), products)
}

/// Builds an index of these products in a language, all in one commit.
pub(crate) fn index_in(language: Language, products: &[Product]) -> (TempDir, KeywordIndex) {
    let folder = tempfile::tempdir().expect("folder");
    let options = IndexOptions {
        language,
        ..IndexOptions::default()
    };
    let (index, mut writer) = open_with(folder.path(), options);
    let events: Vec<ProductEvent> = products
        .iter()
        .zip(1..)
        .map(|(product, at)| changed(at, 1, product.clone()))
        .collect();
    writer.apply(&events).expect("apply");
    writer
        .commit(Position(events.len() as u64))
        .expect("commit");
    (folder, index)
}

/// Builds an index of these products, each in a commit of its own.
pub(crate) fn index_of(products: &[Product]) -> (TempDir, KeywordIndex) {
    let folder = tempfile::tempdir().expect("folder");
    let (index, mut writer) = open(folder.path());
    for (product, position) in products.iter().zip(1..) {
        writer
            .apply(&[changed(position, 1, product.clone())])
            .expect("apply");
        writer.commit(Position(position)).expect("commit");
    }
    (folder, index)
}

/// Returns the ids that a query finds, in order.
pub(crate) fn found(index: &KeywordIndex, query: &str) -> Vec<String> {
    index
        .search(&QueryTerms::of(query, Language::English), 100)
        .expect("search")
        .hits
        .into_iter()
        .map(|hit| hit.product_id.to_string())
        .collect()
}
