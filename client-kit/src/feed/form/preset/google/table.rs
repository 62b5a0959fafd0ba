//! Google's feed as a table: its text feed, separated by tabs, and tables whose columns have the names of the XML.

use crate::feed::form::preset::google::PREFIX;
use crate::feed::form::preset::members::is_default;
use crate::feed::mapping::{Field, Mapping};
use crate::feed::values;

/// The fields, each with the columns that fill it: the first that the header has.
const FIELDS: [(Field, &[&str]); 9] = [
    (Field::Id, &["id"]),
    (Field::Title, &["title"]),
    (Field::Description, &["description"]),
    (Field::Price, &["price"]),
    (Field::ImageUrl, &["image_link"]),
    (Field::Brand, &["brand"]),
    (Field::Gtins, &["gtin"]),
    (Field::Sku, &["mpn"]),
    (
        Field::Categories,
        &["product_type", "google_product_category"],
    ),
];
/// Columns that every feed for Google has and other tables may have too.
const NEEDED: [&str; 3] = ["id", "title", "image_link"];
/// Columns that such a feed has besides, and how many of them tell it from another table.
const TELLING: [&str; 16] = [
    "additional_image_link",
    "age_group",
    "availability",
    "condition",
    "custom_label_0",
    "google_product_category",
    "gtin",
    "identifier_exists",
    "is_bundle",
    "item_group_id",
    "link",
    "mpn",
    "product_highlight",
    "product_type",
    "sale_price",
    "shipping_weight",
];
const TELLING_MIN: usize = 2;

/// Maps the columns of a header that the user has not mapped; a column of the field's own name stays where
/// the preset was not chosen. Says what was found; None for another table.
pub(in crate::feed) fn map_google_table(
    names: &[String],
    mapping: &mut Mapping,
    is_chosen: bool,
) -> Option<String> {
    let is_prefixed = names.iter().any(|name| is_prefixed(name));
    if !is_chosen && !is_prefixed && !is_text_feed(names) {
        return None;
    }
    let mut is_filled = is_prefixed;
    for (field, columns) in FIELDS {
        let is_own = |name: &String| name.to_lowercase() == field.as_str();
        let has_own = !is_chosen && names.iter().any(is_own);
        if has_own || mapping.is_told(field) || !is_default(field, mapping) {
            continue;
        }
        if let Some(name) = columns
            .iter()
            .find_map(|column| place(column, names, mapping))
        {
            mapping.fill(field, name);
            is_filled = true;
        }
    }
    name_attributes(names, mapping);
    let columns = if is_prefixed {
        "g:id, g:price, g:gtin"
    } else {
        "image_link, gtin, product_type"
    };
    is_filled.then(|| {
        format!(
            "the feed is one of Google: {columns} and others fill the fields that no --map names"
        )
    })
}

/// The column of a name that no option is about, one with the prefix before another.
fn place<'n>(column: &str, names: &'n [String], mapping: &Mapping) -> Option<&'n String> {
    let is_free = |name: &String| {
        let fields = mapping.columns.get(name).into_iter().flatten();
        !fields.into_iter().any(|field| mapping.is_told(*field))
            && !mapping.ignored.contains(name)
            && !mapping.splits.contains_key(name)
    };
    let alike = || {
        let alike = names.iter().filter(|name| local(name) == column);
        alike.filter(|name| is_free(name))
    };
    let prefixed = alike().find(|name| has_prefix(name));
    prefixed.or_else(|| alike().next())
}

/// Gives the attributes of columns with a prefix their names without it.
fn name_attributes(names: &[String], mapping: &mut Mapping) {
    for name in names.iter().filter(|name| has_prefix(name)) {
        let plain = local(name);
        let is_named = mapping.columns.contains_key(name) || mapping.splits.contains_key(name);
        if !is_named && !names.contains(&plain) {
            let attribute = values::attribute_name(&plain, &mapping.strip);
            mapping.names.insert(name.clone(), attribute);
        }
    }
}

fn is_text_feed(names: &[String]) -> bool {
    let plain: Vec<String> = names.iter().map(|name| local(name)).collect();
    let has = |column: &&str| plain.iter().any(|name| name == column);
    let telling = TELLING.iter().filter(|column| has(column)).count();
    NEEDED.iter().all(has) && telling >= TELLING_MIN
}

/// Whether a column has the prefix and a name that Google knows.
fn is_prefixed(name: &str) -> bool {
    let plain = local(name);
    let fields = FIELDS.iter().flat_map(|(_, columns)| columns.iter());
    has_prefix(name) && fields.chain(&TELLING).any(|column| *column == plain)
}

fn has_prefix(name: &str) -> bool {
    let start = name.get(..PREFIX.len());
    start.is_some_and(|start| start.eq_ignore_ascii_case(PREFIX))
}

/// The name of a column as the XML has it, without the prefix: Google takes blanks for `_`.
fn local(name: &str) -> String {
    let plain = if has_prefix(name) {
        name.get(PREFIX.len()..).unwrap_or_default()
    } else {
        name
    };
    plain.trim().to_lowercase().replace([' ', '-'], "_")
}
