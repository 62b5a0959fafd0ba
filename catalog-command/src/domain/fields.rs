//! A product as a client states it, unchecked, and the mask that says which fields it states.

use std::collections::{BTreeMap, HashSet};

use catalog_events::{AttributeValue, Product, Status};

use crate::domain::Violation;

/// The path of an attribute begins with this.
const ATTRIBUTE: &str = "attributes.";
/// Why two names of attributes that differ in spaces around them are refused.
pub(super) const STATED_TWICE: &str = "is stated twice";

/// The unchecked fields of a product; an empty text means none.
#[derive(Clone, Debug, Default)]
pub(crate) struct ProductFields {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) price_minor: i64,
    /// The decimal text of major units, where it is stated instead of minor units.
    pub(crate) price: Option<String>,
    pub(crate) currency: String,
    pub(crate) image_url: String,
    pub(crate) brand: String,
    pub(crate) sku: String,
    pub(crate) gtins: Vec<String>,
    pub(crate) categories: Vec<String>,
    pub(crate) attributes: BTreeMap<String, AttributeValue>,
    pub(crate) status: Status,
    /// What was stated in place of a status: a number of another release.
    pub(crate) unknown_status: Option<i32>,
}

/// New values for the fields that `paths` names.
#[derive(Clone, Debug)]
pub(crate) struct Patch {
    pub(crate) paths: Vec<String>,
    pub(crate) fields: ProductFields,
}

impl From<&Product> for ProductFields {
    fn from(product: &Product) -> Self {
        Self {
            id: product.id.to_string(),
            title: product.title.clone(),
            description: product.description.clone(),
            price_minor: product.price.minor(),
            price: None,
            currency: product.price.currency().to_string(),
            image_url: product.image_url.clone().unwrap_or_default(),
            brand: product.brand.clone().unwrap_or_default(),
            sku: product.sku.clone().unwrap_or_default(),
            gtins: product.gtins.clone(),
            categories: product.categories.clone(),
            attributes: product.attributes.clone(),
            status: product.status,
            unknown_status: None,
        }
    }
}

impl Patch {
    /// The product's fields with the named ones replaced.
    pub(crate) fn apply_to(self, product: &Product) -> Result<ProductFields, Vec<Violation>> {
        let mut fields = ProductFields::from(product);
        let mut new = self.fields;
        let mut wrong = Vec::new();
        let paths = named_once(&self.paths);
        let states = |name: &str| paths.iter().any(|path| path == name);
        new.attributes = trimmed_names(new.attributes, &mut wrong);
        let is_priced = states("price") || states("price_minor");
        let is_other = || new.currency.parse() != Ok(product.price.currency());
        if states("currency") && !is_priced && !new.currency.is_empty() && is_other() {
            // 19.99 USD are not 1999 JPY.
            let reason = "is another one than before: state the price too";
            wrong.push(Violation::new("currency", reason));
        }
        if states("price") {
            // The product's own price is no statement that could contradict the new one.
            fields.price_minor = 0;
        }
        for path in &paths {
            match path.as_str() {
                "title" => fields.title = std::mem::take(&mut new.title),
                "description" => fields.description = std::mem::take(&mut new.description),
                "price" => fields.price = Some(new.price.take().unwrap_or_default()),
                "price_minor" => fields.price_minor = new.price_minor,
                "currency" => fields.currency = std::mem::take(&mut new.currency),
                "image_url" => fields.image_url = std::mem::take(&mut new.image_url),
                "brand" => fields.brand = std::mem::take(&mut new.brand),
                "sku" => fields.sku = std::mem::take(&mut new.sku),
                "gtins" => fields.gtins = std::mem::take(&mut new.gtins),
                "categories" => fields.categories = std::mem::take(&mut new.categories),
                "attributes" => fields.attributes = std::mem::take(&mut new.attributes),
                "status" => {
                    (fields.status, fields.unknown_status) = (new.status, new.unknown_status);
                }
                path => match path.strip_prefix(ATTRIBUTE) {
                    Some(name) => {
                        match new.attributes.remove(name) {
                            Some(value) => fields.attributes.insert(name.to_owned(), value),
                            None => fields.attributes.remove(name),
                        };
                    }
                    None => wrong.push(Violation::new(
                        "update_mask",
                        format!("{:?} is not a field that can be updated", shorten(path)),
                    )),
                },
            }
        }
        if wrong.is_empty() {
            Ok(fields)
        } else {
            Err(wrong)
        }
    }
}

/// Each field that a mask names, once: a second look at a value that was moved already would find
/// nothing. An attribute is part of `attributes`, where the mask names all of them.
fn named_once(paths: &[String]) -> Vec<String> {
    let all_attributes = paths.iter().any(|path| path == "attributes");
    let mut seen = HashSet::new();
    let path = |path: &String| match path.strip_prefix(ATTRIBUTE) {
        Some(_) if all_attributes => None,
        Some(name) => Some(format!("{ATTRIBUTE}{}", name.trim())),
        None => Some(path.clone()),
    };
    let paths = paths.iter().filter_map(path);
    paths.filter(|path| seen.insert(path.clone())).collect()
}

/// Attributes by their names as they are kept, without spaces around them.
fn trimmed_names(
    attributes: BTreeMap<String, AttributeValue>,
    wrong: &mut Vec<Violation>,
) -> BTreeMap<String, AttributeValue> {
    let mut trimmed = BTreeMap::new();
    for (name, value) in attributes {
        let name = name.trim().to_owned();
        let field = format!("{ATTRIBUTE}{}", shorten(&name));
        if trimmed.insert(name, value).is_some() {
            wrong.push(Violation::new(field, STATED_TWICE));
        }
    }
    trimmed
}

fn shorten(path: &str) -> String {
    path.chars().take(64).collect()
}
