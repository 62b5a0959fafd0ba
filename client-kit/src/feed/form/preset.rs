//! What the columns of well-known kinds of feeds mean. A preset fills a field only where the user has
//! not mapped it.

mod google;
mod bmecat;
mod schema_org;
mod shopify;
mod members;

use serde_json::{Map, Value};

use crate::feed::form::preset::members::is_default;
use crate::feed::mapping::{Field, Mapping};

pub(in crate::feed) use crate::feed::form::preset::google::{has_google_id, map_google_table};
pub(in crate::feed) use crate::feed::form::preset::shopify::Shopify;

/// A kind of feed whose columns are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Preset {
    /// Google Merchant Center and what reads its feeds: g:id, g:price, g:gtin …
    Google,
    /// BMEcat 1.2 and 2005
    Bmecat,
    /// JSON-LD with products of schema.org
    SchemaOrg,
    /// Icecat as JSON Lines: supplier, ean, img_high, attr_t_ …
    Icecat,
    /// The export of products of Shopify as CSV: Handle, Option1 Value, Variant Price … Every variant is a
    /// product of its own
    Shopify,
}

/// Columns of a table, each with the field that it fills.
type Columns = &'static [(Field, &'static str)];

const ICECAT: Columns = &[
    (Field::Brand, "supplier"),
    (Field::Description, "short_description"),
    (Field::Sku, "name"),
    (Field::Gtins, "ean"),
    (Field::ImageUrl, "img_high"),
];
const ICECAT_PREFIXES: [&str; 3] = ["attr_t_", "attr_n_", "attr_b_"];
const ICECAT_IGNORED: [&str; 3] = ["img_low", "img_thumb", "img_500x500"];

/// The columns of Google's feeds as tables.
const GOOGLE: Columns = &[
    (Field::ImageUrl, "image_link"),
    (Field::Gtins, "gtin"),
    (Field::Sku, "mpn"),
    (Field::Categories, "product_type"),
];

impl Preset {
    /// A sentence for the user of a feed in which the preset was found.
    pub(crate) fn note(self) -> String {
        let (kind, fields) = match self {
            Preset::Google => ("Google", "g:id, g:price, g:gtin and others"),
            Preset::Bmecat => ("BMEcat", "SUPPLIER_PID, DESCRIPTION_SHORT and others"),
            Preset::SchemaOrg => ("schema.org", "sku, offers.price and others"),
            Preset::Icecat => ("Icecat", "supplier, ean and others"),
            Preset::Shopify => ("Shopify", "Handle, Vendor, Variant Price and others"),
        };
        format!("the feed is one of {kind}: {fields} fill the fields that no --map names")
    }

    /// Maps columns that have the same meaning in every row, and no structure.
    pub(in crate::feed) fn map_columns(self, mapping: &mut Mapping) {
        match self {
            Preset::Icecat => {
                fill(mapping, ICECAT);
                mapping.strip.extend(ICECAT_PREFIXES.map(str::to_owned));
                mapping.ignored.extend(ICECAT_IGNORED.map(str::to_owned));
                if is_default(Field::Price, mapping) {
                    mapping.price_is_minor = true;
                }
            }
            Preset::Google => fill(mapping, GOOGLE),
            Preset::Bmecat | Preset::SchemaOrg | Preset::Shopify => {}
        }
    }

    /// Renames and reorders the members of a row so that they have the names of fields.
    pub(in crate::feed) fn apply(
        self,
        row: Map<String, Value>,
        mapping: &Mapping,
    ) -> Map<String, Value> {
        match self {
            Preset::Google => google::apply(row, mapping),
            Preset::Bmecat => bmecat::apply(row, mapping),
            Preset::SchemaOrg => schema_org::apply(row, mapping),
            Preset::Icecat | Preset::Shopify => row,
        }
    }
}

fn fill(mapping: &mut Mapping, columns: Columns) {
    for (field, column) in columns {
        let is_taken = mapping.columns.contains_key(*column);
        if !is_default(*field, mapping) || is_taken {
            continue;
        }
        mapping.fill(*field, column);
    }
}
