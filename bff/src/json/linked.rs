//! A product in the words of schema.org, as JSON-LD: what search engines read in the page of a product.

use catalog_events::Currency;
use catalog_proto::encoded::{AttributeView, ProductView};
use catalog_proto::v1;
use serde_json::{Map, Value, json};

/// Returns the product as a `schema.org/Product`. What it does not have is left out.
pub(crate) fn linked(product: &ProductView<'_>) -> Value {
    let mut linked = Map::new();
    linked.insert("@context".to_owned(), "https://schema.org".into());
    linked.insert("@type".to_owned(), "Product".into());
    linked.insert("productID".to_owned(), product.id.into());
    let texts = [
        ("name", product.title),
        ("description", product.description),
        ("image", product.image_url),
        ("sku", product.sku),
    ];
    for (name, text) in texts {
        if !text.is_empty() {
            linked.insert(name.to_owned(), text.into());
        }
    }
    if !product.brand.is_empty() {
        let brand = json!({"@type": "Brand", "name": product.brand});
        linked.insert("brand".to_owned(), brand);
    }
    match &product.gtins[..] {
        [] => {}
        [gtin] => {
            linked.insert("gtin".to_owned(), (*gtin).into());
        }
        gtins => {
            linked.insert("gtin".to_owned(), gtins.into());
        }
    }
    if !product.categories.is_empty() {
        linked.insert("category".to_owned(), product.categories.clone().into());
    }
    let properties: Vec<Value> = product.attributes.iter().filter_map(property).collect();
    if !properties.is_empty() {
        linked.insert("additionalProperty".to_owned(), properties.into());
    }
    linked.insert("offers".to_owned(), offer(product));
    Value::Object(linked)
}

fn offer(product: &ProductView<'_>) -> Value {
    let currency = product.currency.parse().unwrap_or(Currency::USD);
    let mut offer = json!({
        "@type": "Offer",
        "price": currency.in_major_units(product.price_minor),
        "priceCurrency": product.currency,
    });
    // Whether there are any left is not known here.
    if product.status == v1::ProductStatus::Discontinued {
        offer["availability"] = "https://schema.org/Discontinued".into();
    }
    offer
}

fn property((name, value): &(&str, AttributeView<'_>)) -> Option<Value> {
    let value = property_value(value)?;
    Some(json!({"@type": "PropertyValue", "name": name, "value": value}))
}

fn property_value(value: &AttributeView<'_>) -> Option<Value> {
    Some(match value {
        AttributeView::Text(text) => (*text).into(),
        AttributeView::Number(number) => json!(number),
        AttributeView::Flag(flag) => json!(flag),
        AttributeView::List(values) => values.iter().filter_map(property_value).collect(),
        AttributeView::Unknown => return None,
    })
}

#[cfg(test)]
mod tests {
    use catalog_proto::v1::attribute_value::Kind;

    use super::*;

    #[test]
    fn a_product_has_its_offer_and_properties() {
        let text = Kind::Text("red".to_owned());
        let product = v1::Product {
            id: "a-1".to_owned(),
            title: "Shoe".to_owned(),
            price_minor: 5,
            currency: "EUR".to_owned(),
            brand: "Acme".to_owned(),
            gtins: vec!["4006381333931".to_owned()],
            attributes: [("colour".to_owned(), v1::AttributeValue { kind: Some(text) })].into(),
            status: v1::ProductStatus::Discontinued.into(),
            ..v1::Product::default()
        };
        let expected = json!({
            "@context": "https://schema.org", "@type": "Product", "productID": "a-1", "name": "Shoe",
            "brand": {"@type": "Brand", "name": "Acme"}, "gtin": "4006381333931",
            "additionalProperty": [{"@type": "PropertyValue", "name": "colour", "value": "red"}],
            "offers": {"@type": "Offer", "price": "0.05", "priceCurrency": "EUR",
                       "availability": "https://schema.org/Discontinued"},
        });
        assert_eq!(linked(&(&product).into()), expected);
        let in_yen = v1::Product {
            price_minor: 1_500,
            currency: "JPY".to_owned(),
            ..v1::Product::default()
        };
        assert_eq!(linked(&(&in_yen).into())["offers"]["price"], "1500");
        let in_dinars = v1::Product {
            price_minor: 1_234,
            currency: "KWD".to_owned(),
            ..v1::Product::default()
        };
        assert_eq!(linked(&(&in_dinars).into())["offers"]["price"], "1.234");
    }
}
