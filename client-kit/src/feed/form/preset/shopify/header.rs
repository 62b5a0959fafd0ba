//! The columns of an export, by their names of before 2024 and of today, in any case.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use crate::feed::form::preset::members::{is_default, is_named};
use crate::feed::form::preset::shopify::handles::Shared;
use crate::feed::mapping::{Field, Mapping};
use crate::feed::values;

/// The numbers of the options of a product.
pub(super) const OPTIONS: RangeInclusive<u8> = 1..=3;

/// What the preset knows of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Meaning {
    Handle,
    Title,
    Description,
    Vendor,
    Category,
    Kind,
    Tags,
    Published,
    Status,
    OptionName(u8),
    OptionValue(u8),
    Sku,
    Price,
    Barcode,
    Image,
    VariantImage,
}

const NAMES: [(&str, Meaning); 26] = [
    ("handle", Meaning::Handle),
    ("url handle", Meaning::Handle),
    ("title", Meaning::Title),
    ("body (html)", Meaning::Description),
    ("body html", Meaning::Description),
    ("description", Meaning::Description),
    ("vendor", Meaning::Vendor),
    ("product category", Meaning::Category),
    ("standard product type", Meaning::Category),
    ("type", Meaning::Kind),
    ("custom product type", Meaning::Kind),
    ("tags", Meaning::Tags),
    ("published", Meaning::Published),
    ("published on online store", Meaning::Published),
    ("status", Meaning::Status),
    ("variant sku", Meaning::Sku),
    ("sku", Meaning::Sku),
    ("variant price", Meaning::Price),
    ("price", Meaning::Price),
    ("variant barcode", Meaning::Barcode),
    ("barcode", Meaning::Barcode),
    ("image src", Meaning::Image),
    ("product image url", Meaning::Image),
    ("variant image", Meaning::VariantImage),
    ("variant image url", Meaning::VariantImage),
    ("variant image src", Meaning::VariantImage),
];
/// Names that only Shopify gives, each enough beside a handle.
const TELLING: [&str; 8] = [
    "url handle",
    "variant price",
    "variant sku",
    "body (html)",
    "option1 name",
    "option1 value",
    "published on online store",
    "product image url",
];
const FIELDS: [(Field, Meaning); 10] = [
    (Field::Id, Meaning::Handle),
    (Field::Title, Meaning::Title),
    (Field::Description, Meaning::Description),
    (Field::Brand, Meaning::Vendor),
    (Field::Categories, Meaning::Category),
    (Field::Price, Meaning::Price),
    (Field::Sku, Meaning::Sku),
    (Field::Gtins, Meaning::Barcode),
    (Field::ImageUrl, Meaning::Image),
    (Field::Status, Meaning::Status),
];
/// Columns of numbers, and the attributes that they are.
const NUMBERS: [(&str, &str); 6] = [
    ("variant compare at price", "compare_at_price"),
    ("compare-at price", "compare_at_price"),
    ("variant grams", "grams"),
    ("weight value (grams)", "grams"),
    ("variant inventory qty", "inventory_quantity"),
    ("inventory quantity", "inventory_quantity"),
];
/// What concerns the shop and not the product: costs, stock keeping, taxes, search engines.
const LEFT_OUT: [&str; 29] = [
    "cost per item",
    "variant inventory tracker",
    "inventory tracker",
    "variant inventory policy",
    "continue selling when out of stock",
    "variant fulfillment service",
    "fulfillment service",
    "variant requires shipping",
    "requires shipping",
    "variant taxable",
    "charge tax",
    "variant tax code",
    "tax code",
    "variant weight unit",
    "weight unit for display",
    "image position",
    "image alt text",
    "gift card",
    "seo title",
    "seo description",
    "unit price total measure",
    "unit price total measure unit",
    "unit price base measure",
    "unit price base measure unit",
    "option1 linked to",
    "option2 linked to",
    "option3 linked to",
    "google shopping / custom product",
    "published scope",
];
/// Where the name of a column ends that is a metafield: `Colour (product.metafields.custom.colour)`.
const METAFIELDS: [&str; 2] = [" (product.metafields.", " (variant.metafields."];

/// Where the columns stand that have a meaning.
pub(super) struct Layout {
    places: BTreeMap<Meaning, usize>,
    /// The columns that only the first row of a product fills.
    shared: Vec<usize>,
}

impl Layout {
    /// Finds the columns of a header. None for one that is not of Shopify.
    pub(super) fn find(names: &[String], mapping: &Mapping, is_chosen: bool) -> Option<Self> {
        let lower: Vec<String> = names.iter().map(|name| name.to_lowercase()).collect();
        let mut places = BTreeMap::new();
        for (place, (lower, name)) in lower.iter().zip(names).enumerate() {
            let is_wanted = !mapping.ignored.contains(name);
            if let Some(meaning) = meaning(lower).filter(|_| is_wanted) {
                places.entry(meaning).or_insert(place);
            }
        }
        let is_telling = |name: &String| TELLING.contains(&name.as_str());
        let is_found = is_chosen || lower.iter().any(is_telling);
        if !is_found || !places.contains_key(&Meaning::Handle) {
            return None;
        }
        // A shop without categories has types.
        if !places.contains_key(&Meaning::Category)
            && let Some(place) = places.remove(&Meaning::Kind)
        {
            places.insert(Meaning::Category, place);
        }
        let is_shared = |(place, name): (usize, &String)| {
            let is_known = places
                .iter()
                .any(|(meaning, at)| *at == place && meaning.is_shared());
            let is_shared =
                is_known || name.starts_with("google shopping / ") || name.contains(METAFIELDS[0]);
            is_shared.then_some(place)
        };
        let shared = lower.iter().enumerate().filter_map(is_shared).collect();
        Some(Self { places, shared })
    }

    /// Maps the columns that the user has not mapped. Gives the fields that this fills, and the columns that
    /// it leaves out.
    pub(super) fn map_columns(
        &self,
        names: &[String],
        mapping: &mut Mapping,
    ) -> (Vec<Field>, Vec<String>) {
        let mut fills = Vec::new();
        for (field, meaning) in FIELDS {
            let meaning = match field {
                Field::Status => self.status(),
                _ => meaning,
            };
            let column = self.place(meaning).and_then(|place| names.get(place));
            if let Some(column) = column.filter(|_| is_default(field, mapping)) {
                mapping.fill(field, column);
                fills.push(field);
            }
        }
        let mut left_out = Vec::new();
        let has_status = self.has(Meaning::Status);
        for (place, name) in names.iter().enumerate() {
            let lower = name.to_lowercase();
            if let Some((_, attribute)) = NUMBERS.iter().find(|(known, _)| *known == lower) {
                mapping.names.insert(name.clone(), (*attribute).to_owned());
                if !is_told(name, mapping) {
                    mapping.numbers.insert(name.clone());
                }
            }
            if let Some(end) = METAFIELDS.iter().find_map(|mark| lower.find(mark))
                && let Some(label) = name.get(..end)
            {
                let label = values::attribute_name(label, &mapping.strip);
                mapping.names.insert(name.clone(), label);
            }
            match meaning(&lower).filter(|meaning| self.place(*meaning) == Some(place)) {
                Some(Meaning::Tags) if !is_named(name, mapping) => {
                    mapping.splits.insert(name.clone(), ",".to_owned());
                }
                // The names stand for attributes, and the values for theirs.
                Some(Meaning::OptionName(_)) => mapping.leave_out(name),
                Some(Meaning::OptionValue(_)) => {
                    mapping.leave_out(name);
                    if !is_told(name, mapping) {
                        mapping.texts.insert(name.clone());
                    }
                }
                Some(Meaning::VariantImage) => mapping.leave_out(name),
                Some(Meaning::Published) if has_status => mapping.leave_out(name),
                _ if LEFT_OUT.contains(&lower.as_str())
                    && !is_named(name, mapping)
                    && !is_told(name, mapping) =>
                {
                    mapping.leave_out(name);
                    left_out.push(name.clone());
                }
                _ => {}
            }
        }
        (fills, left_out)
    }

    pub(super) fn place(&self, meaning: Meaning) -> Option<usize> {
        self.places.get(&meaning).copied()
    }

    pub(super) fn has(&self, meaning: Meaning) -> bool {
        self.places.contains_key(&meaning)
    }

    /// The column that fills the status.
    pub(super) fn status(&self) -> Meaning {
        if self.has(Meaning::Status) {
            Meaning::Status
        } else {
            Meaning::Published
        }
    }

    /// The text of a row in a column; nothing where there is no such column.
    pub(super) fn cell<'c>(&self, meaning: Meaning, cells: &'c [impl AsRef<str>]) -> &'c str {
        let cell = self.place(meaning).and_then(|place| cells.get(place));
        cell.map_or("", |cell| cell.as_ref().trim())
    }

    /// Whether a row has something of a variant.
    pub(super) fn is_variant(&self, cells: &[&str]) -> bool {
        let of_variant = |meaning: &Meaning| {
            matches!(
                meaning,
                Meaning::Sku | Meaning::Price | Meaning::Barcode | Meaning::OptionValue(_)
            )
        };
        let mut meanings = self.places.keys().filter(|meaning| of_variant(meaning));
        meanings.any(|meaning| !self.cell(*meaning, cells).is_empty())
    }

    /// The cells that other rows of the product share.
    pub(super) fn shared<'c>(
        &'c self,
        cells: &'c [&str],
    ) -> impl Iterator<Item = (usize, &'c str)> {
        let shared = self.shared.iter();
        shared.filter_map(|place| Some((*place, cells.get(*place)?.trim())))
    }

    /// The cells of a row, with what the product shares where they are empty.
    pub(super) fn filled<'c>(&self, cells: &[&'c str], shared: &Shared) -> Vec<Cow<'c, str>> {
        let mut filled: Vec<Cow<'c, str>> = cells.iter().map(|cell| Cow::Borrowed(*cell)).collect();
        for (place, text) in &shared.cells {
            if let Some(cell) = filled.get_mut(*place).filter(|cell| cell.trim().is_empty()) {
                *cell = Cow::Owned(text.clone());
            }
        }
        // A row may have one more image of the product beside its variant.
        if let Some(place) = self.place(Meaning::Image)
            && let Some(cell) = filled.get_mut(place)
        {
            *cell = Cow::Owned(shared.image.clone());
        }
        filled
    }
}

impl Meaning {
    fn is_shared(self) -> bool {
        matches!(
            self,
            Meaning::Title
                | Meaning::Description
                | Meaning::Vendor
                | Meaning::Category
                | Meaning::Kind
                | Meaning::Tags
                | Meaning::Published
                | Meaning::Status
                | Meaning::OptionName(_)
        )
    }
}

/// The meaning of a column by its name in lower case.
fn meaning(name: &str) -> Option<Meaning> {
    let known = NAMES.iter().find(|(known, _)| *known == name);
    known.map(|(_, meaning)| *meaning).or_else(|| {
        let (option, what) = name.strip_prefix("option")?.split_once(' ')?;
        let number = option
            .parse()
            .ok()
            .filter(|number| OPTIONS.contains(number))?;
        match what {
            "name" => Some(Meaning::OptionName(number)),
            "value" => Some(Meaning::OptionValue(number)),
            _ => None,
        }
    })
}

/// Whether an option says what the values of a column are.
fn is_told(column: &str, mapping: &Mapping) -> bool {
    mapping.texts.contains(column)
        || mapping.numbers.contains(column)
        || mapping.flags.contains(column)
}
