//! A row of an import: what a feed says of a product, of which the rest stays as it is.

use std::collections::HashSet;

use catalog_events::{Product, Status};
use time::OffsetDateTime;

use crate::domain::decision::{expect_version, put};
use crate::domain::{Current, Decision, Draft, Patch, ProductFields, Rejection, Violation};

const ATTRIBUTES: &str = "attributes";

/// The fields that every row of a batch states, so that one without a value is cleared.
#[derive(Debug, Default)]
pub(crate) struct Columns(pub(crate) HashSet<String>);

/// A row, unchecked.
#[derive(Clone, Debug)]
pub(crate) struct ImportRow {
    pub(crate) fields: ProductFields,
    /// None where the row does not state one.
    pub(crate) status: Option<Status>,
    /// The fields that it states to be empty.
    pub(crate) clears: Vec<String>,
    /// Whether what it does not state is empty.
    pub(crate) replaces: bool,
    /// The version that the product must have.
    pub(crate) expected: Option<i64>,
}

impl ImportRow {
    /// A row that replaces a product as a whole.
    pub(crate) fn replacing(fields: ProductFields) -> Self {
        Self {
            status: Some(fields.status),
            fields,
            clears: Vec::new(),
            replaces: true,
            expected: None,
        }
    }

    /// Decides what the row means for its product. `Ok(None)` leaves it as it is.
    pub(crate) fn decide(
        &self,
        columns: &Columns,
        current: Option<&Current>,
        now: OffsetDateTime,
    ) -> Result<Option<Decision>, Rejection> {
        if let Some(expected) = self.expected {
            expect_version(current, expected)?;
        }
        let product = current.and_then(|current| current.product.as_ref());
        let fields = match product {
            Some(product) if !self.replaces => self.merged(columns, product),
            _ if self.replaces => Ok(self.fields.clone()),
            _ => self.complete(),
        };
        let draft =
            Draft::parse(fields.map_err(Rejection::Invalid)?).map_err(Rejection::Invalid)?;
        put(current, draft, None, now)
    }

    /// The fields of a new product, which no earlier value can complete.
    fn complete(&self) -> Result<ProductFields, Vec<Violation>> {
        let mut missing = Vec::new();
        if self.fields.title.trim().is_empty() {
            missing.push(Violation::new(
                "title",
                "is missing, and the product is new",
            ));
        }
        if !self.states_price() {
            missing.push(Violation::new(
                "price",
                "is missing, and the product is new",
            ));
        }
        if missing.is_empty() {
            Ok(self.fields.clone())
        } else {
            Err(missing)
        }
    }

    fn states_price(&self) -> bool {
        self.fields.price.is_some() || self.fields.price_minor != 0
    }

    /// The fields of the product with those replaced that the row states.
    fn merged(
        &self,
        columns: &Columns,
        product: &Product,
    ) -> Result<ProductFields, Vec<Violation>> {
        self.check_price(columns)
            .map_err(|violation| vec![violation])?;
        let patch = Patch {
            paths: self.stated(columns, product),
            fields: ProductFields {
                status: self.status.unwrap_or_default(),
                ..self.fields.clone()
            },
        };
        patch.apply_to(product)
    }

    /// Whether the row has a field and nothing in it.
    fn clears(&self, columns: &Columns, name: &str) -> bool {
        columns.0.contains(name) || self.clears.iter().any(|one| one == name)
    }

    /// The paths of the fields that the row has a value for, or states to be empty.
    fn stated(&self, columns: &Columns, product: &Product) -> Vec<String> {
        let row = &self.fields;
        let fields = [
            ("title", !row.title.is_empty()),
            ("description", !row.description.is_empty()),
            ("image_url", !row.image_url.is_empty()),
            ("brand", !row.brand.is_empty()),
            ("sku", !row.sku.is_empty()),
            ("gtins", !row.gtins.is_empty()),
            ("categories", !row.categories.is_empty()),
            ("status", self.status.is_some()),
        ];
        let fields = fields
            .into_iter()
            .filter(|(name, has_value)| *has_value || self.clears(columns, name));
        let prices = [
            ("price", row.price.is_some()),
            ("price_minor", row.price_minor != 0),
            ("currency", !row.currency.is_empty()),
        ];
        let prices = prices.into_iter().filter(|(_, has_value)| *has_value);
        let named = fields.chain(prices).map(|(name, _)| name.to_owned());
        named
            .chain(self.stated_attributes(columns, product))
            .collect()
    }

    fn stated_attributes(&self, columns: &Columns, product: &Product) -> Vec<String> {
        let of_row = &self.fields.attributes;
        if self.clears(columns, ATTRIBUTES) {
            return vec![ATTRIBUTES.to_owned()];
        }
        let path = |name: &String| format!("{ATTRIBUTES}.{name}");
        let stored = product.attributes.keys();
        let emptied = stored
            .filter(|name| !of_row.contains_key(*name))
            .map(path)
            .filter(|path| self.clears(columns, path));
        of_row.keys().map(path).chain(emptied).collect()
    }

    /// A product always has a price.
    fn check_price(&self, columns: &Columns) -> Result<(), Violation> {
        let mut names = ["price", "price_minor"].iter();
        if !self.states_price() && names.any(|name| self.clears(columns, name)) {
            let reason = "is empty: a product always has one";
            return Err(Violation::new("price", reason));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use catalog_events::Version;
    use time::macros::datetime;

    use super::*;

    fn stored() -> Current {
        let fields = ProductFields {
            id: "p".to_owned(),
            title: "Kettle".to_owned(),
            price_minor: 2000,
            currency: "EUR".to_owned(),
            brand: "Fjell".to_owned(),
            gtins: vec!["4006381333931".to_owned()],
            attributes: [("colour", "red"), ("size", "1 l")]
                .map(|(name, value)| (name.to_owned(), value.into()))
                .into(),
            status: Status::Discontinued,
            ..ProductFields::default()
        };
        let at = datetime!(2026-01-02 03:04:05 UTC);
        Current {
            version: Version::FIRST,
            updated_at: at,
            product: Some(Draft::parse(fields).expect("valid").into_product(at, at)),
        }
    }

    /// What a row makes of the stored product.
    fn check(columns: &[&str], change: impl FnOnce(&mut ImportRow), expected: &str) {
        let mut row = ImportRow {
            fields: ProductFields {
                id: "p".to_owned(),
                ..ProductFields::default()
            },
            status: None,
            clears: Vec::new(),
            replaces: false,
            expected: None,
        };
        change(&mut row);
        let columns = Columns(columns.iter().map(|name| (*name).to_owned()).collect());
        let decided = row.decide(
            &columns,
            Some(&stored()),
            datetime!(2026-02-03 04:05:06 UTC),
        );
        let text = match decided {
            Ok(None) => "unchanged".to_owned(),
            Ok(Some(decision)) => {
                let product = decision.product.expect("product");
                let attributes = serde_json::to_string(&product.attributes).expect("JSON");
                format!(
                    "{} {} {} {:?} {:?} {:?} {attributes}",
                    product.title,
                    product.price.currency(),
                    product.price.minor(),
                    product.brand,
                    product.gtins,
                    product.status
                )
            }
            Err(Rejection::Invalid(violations)) => {
                let first = &violations[0];
                format!("{}: {}", first.field, first.reason)
            }
            Err(other) => other.to_string(),
        };
        assert_eq!(text, expected);
    }

    #[test]
    fn what_a_row_does_not_state_stays() {
        check(&[], |_| (), "unchanged");
        check(
            &["price"],
            |row| row.fields.price = Some("18".to_owned()),
            r#"Kettle EUR 1800 Some("Fjell") ["4006381333931"] Discontinued {"colour":"red","size":"1 l"}"#,
        );
    }

    #[test]
    fn what_a_row_states_to_be_empty_is_cleared() {
        check(
            &["brand", "attributes.size"],
            |row| row.clears = vec!["gtins".to_owned(), "attributes.colour".to_owned()],
            r#"Kettle EUR 2000 None [] Discontinued {}"#,
        );
        check(&["title"], |_| (), "title: is empty");
        check(
            &["price"],
            |_| (),
            "price: is empty: a product always has one",
        );
    }

    #[test]
    fn a_price_keeps_its_currency_unless_both_are_stated() {
        check(
            &[],
            |row| row.fields.currency = "JPY".to_owned(),
            "currency: is another one than before: state the price too",
        );
        check(
            &[],
            |row| {
                row.fields.currency = "JPY".to_owned();
                row.fields.price = Some("2500".to_owned());
            },
            r#"Kettle JPY 2500 Some("Fjell") ["4006381333931"] Discontinued {"colour":"red","size":"1 l"}"#,
        );
    }

    #[test]
    fn a_row_that_replaces_leaves_nothing() {
        check(
            &[],
            |row| {
                row.replaces = true;
                row.fields.title = "Pot".to_owned();
            },
            r#"Pot USD 0 None [] Active {}"#,
        );
    }

    #[test]
    fn a_row_may_expect_a_version() {
        check(
            &[],
            |row| row.expected = Some(2),
            "the product is at version 1, not 2",
        );
        check(&[], |row| row.expected = Some(1), "unchanged");
    }
}
