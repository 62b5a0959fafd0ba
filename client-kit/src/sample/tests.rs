//! The made-up products are repeatable, distinct and complete.

use std::collections::{BTreeSet, HashSet};

use expect_test::{Expect, expect};

use super::*;

#[test]
fn a_seed_gives_the_same_catalog_every_time() {
    let titles = |seed| -> Vec<_> { products(3, seed).map(|product| product.title).collect() };
    expect![[r#"
        Mirovia Terra WDRQP Webcam, Full HD, Navy Blue
        Corvane Core SRJHE Bluetooth Speaker, 20 W, IPX5, Black
        Graphene Nine Ember P5B83 Earbuds, open-ear, IPX4, Anthracite"#]]
    .assert_eq(&titles(1).join("\n"));
    assert_eq!(titles(1), titles(1));
    assert_ne!(titles(1), titles(2));
}

#[test]
fn a_product_reads_like_one() {
    FIRST_PRODUCT.assert_eq(&format!("{:#?}", product(1, 1)));
}

const FIRST_PRODUCT: Expect = expect![[r#"
        ProductInput {
            id: "sample-000001",
            title: "Mirovia Terra WDRQP Webcam, Full HD, Navy Blue",
            description: "Sharp Full HD video with a view of 78 degrees, in poor light too. Part of the Terra series by Mirovia. Designed to be repaired: four screws and it is open.",
            price_minor: 4099,
            currency: "USD",
            image_url: "https://images.example.com/sample-000001.jpg",
            brand: "Mirovia",
            categories: [
                "Computers",
                "Webcams",
            ],
            attributes: {
                "autofocus": AttributeValue {
                    kind: Some(
                        Flag(
                            false,
                        ),
                    ),
                },
                "colour": AttributeValue {
                    kind: Some(
                        Text(
                            "Navy Blue",
                        ),
                    ),
                },
                "country_of_origin": AttributeValue {
                    kind: Some(
                        Text(
                            "Taiwan",
                        ),
                    ),
                },
                "field_of_view_degrees": AttributeValue {
                    kind: Some(
                        Number(
                            78.0,
                        ),
                    ),
                },
                "privacy_shutter": AttributeValue {
                    kind: Some(
                        Flag(
                            true,
                        ),
                    ),
                },
                "resolution": AttributeValue {
                    kind: Some(
                        Text(
                            "Full HD",
                        ),
                    ),
                },
            },
            status: Active,
            sku: "MIR-WDRQP",
            gtins: [
                "2026544357613",
            ],
            price: "",
        }"#]];

#[test]
fn what_should_differ_differs() {
    const COUNT: u64 = 50_000;
    let distinct = |part: fn(ProductInput) -> String| {
        products(COUNT, 7).map(part).collect::<HashSet<_>>().len() as u64
    };
    assert_eq!(distinct(|product| product.id), COUNT);
    assert_eq!(distinct(|product| product.title), COUNT);
    assert_eq!(distinct(|product| product.sku), COUNT);
    assert_eq!(distinct(|mut product| product.gtins.remove(0)), COUNT);
    assert_eq!(product(1_000_000, 7).id, "sample-1000000");
}

#[test]
fn gtins_carry_their_check_digit() {
    for product in products(1_000, 3) {
        let gtin = &product.gtins[0];
        assert_eq!(gtin.len(), 13);
        assert_eq!(gtin[12..], check_digit(&gtin[..12]).to_string());
    }
}

#[test]
fn every_kind_is_told_completely() {
    let mut seen = BTreeSet::new();
    for product in products(2_000, 5) {
        assert!(
            !product.description.contains(['{', '}']),
            "{}",
            product.description
        );
        assert!(product.attributes.len() >= 4, "{product:?}");
        assert!(
            (100..=500_000).contains(&product.price_minor),
            "{product:?}"
        );
        seen.insert(product.categories.join(" > "));
    }
    let kinds: BTreeSet<_> = KINDS
        .iter()
        .map(|kind| kind.categories.to_owned())
        .collect();
    assert_eq!(seen, kinds);
}
