//! Products as Shopify exports them: a table in which the rows of a product share a handle. Only the first
//! of them has what the product as a whole is; the others are variants, or have one more image.
//! Every variant becomes a product of its own, as it has a price, a stock keeping unit and a barcode.

mod header;
mod handles;
mod identity;

use std::borrow::Cow;

use crate::feed::form::preset::shopify::handles::Handles;
use crate::feed::form::preset::shopify::header::{Layout, Meaning, OPTIONS};
use crate::feed::form::preset::shopify::identity::id_of;
use crate::feed::mapping::{Field, Mapping};
use crate::feed::row::Mistake;
use crate::feed::source::Notes;
use crate::feed::values;

/// The attribute that the variants of a product share.
const HANDLE: &str = "handle";
/// The option of a product without any, and its value.
const NO_OPTION: (&str, &str) = ("Title", "Default Title");

/// The rows of an export, while they are read.
pub(in crate::feed) struct Shopify {
    layout: Layout,
    /// The fields whose cells are written anew; the others are as the user maps them.
    fills: Vec<Field>,
    handles: Handles,
    notes: Notes,
    images: u64,
    images_of_variants: u64,
    inactive: u64,
}

/// A variant as a row of the same columns.
pub(in crate::feed) struct Variant<'c> {
    /// The cells with those of the product filled in.
    pub(in crate::feed) filled: Vec<Cow<'c, str>>,
    /// These cells as the fields and attributes need them.
    pub(in crate::feed) cells: Vec<Cow<'c, str>>,
    /// Attributes whose names stand in the row: place of the column, name and value. An option without a
    /// name is none.
    pub(in crate::feed) attributes: Vec<(usize, String, String)>,
}

impl Shopify {
    /// Looks whether a header is one of Shopify, and maps its columns; `found` is told where it is. A preset
    /// that was chosen must fit.
    pub(in crate::feed) fn find(
        names: &[String],
        mapping: &mut Mapping,
        is_chosen: bool,
        found: impl FnOnce() -> String,
        notes: &Notes,
    ) -> Result<Option<Self>, String> {
        let Some(layout) = Layout::find(names, mapping, is_chosen) else {
            return if is_chosen {
                Err(format!(
                    "the header has no column Handle or \"URL handle\", which the preset shopify needs; it has {}",
                    values::listed(names)
                ))
            } else {
                Ok(None)
            };
        };
        let (fills, left_out) = layout.map_columns(names, mapping);
        if !is_chosen {
            notes.add(found());
        }
        if !left_out.is_empty() {
            notes.add(format!(
                "columns about the shop are left out: {}; --text COLUMN keeps one as an attribute",
                left_out.join(", ")
            ));
        }
        Ok(Some(Self {
            layout,
            fills,
            handles: Handles::default(),
            notes: notes.clone(),
            images: 0,
            images_of_variants: 0,
            inactive: 0,
        }))
    }

    /// Completes a row. None for one that has nothing but another image.
    pub(in crate::feed) fn variant<'c>(
        &mut self,
        cells: &[&'c str],
    ) -> Result<Option<Variant<'c>>, Mistake> {
        let layout = &self.layout;
        let own = |meaning| layout.cell(meaning, cells);
        let handle = own(Meaning::Handle);
        if handle.is_empty() {
            return Err(wrong(
                "there is no handle, which tells the product of the row",
            ));
        }
        let has_image = !own(Meaning::Image).is_empty();
        let is_first = !self.handles.has(handle);
        let begins = !layout.has(Meaning::Title) || !own(Meaning::Title).is_empty();
        let is_variant = layout.is_variant(cells);
        if !is_variant && has_image && !(is_first && begins) {
            self.images += 1;
            return Ok(None);
        }
        if is_first && !begins {
            return Err(wrong(format!(
                "the first row of the handle {:?}, which has the title, is missing, was rejected or is too far \
                 away: import all rows of a handle together",
                values::shorten(handle)
            )));
        }
        if !is_first && !is_variant {
            return Err(wrong("the row has neither a variant nor an image"));
        }
        let shared = self
            .handles
            .learn(handle, layout.shared(cells), own(Meaning::Image));
        let filled = layout.filled(cells, shared);
        self.images_of_variants += u64::from(has_image && !is_first);
        Ok(Some(self.rewritten(filled)))
    }

    fn rewritten<'c>(&mut self, filled: Vec<Cow<'c, str>>) -> Variant<'c> {
        let mut cells = filled.clone();
        let layout = &self.layout;
        let get = |meaning| layout.cell(meaning, &filled);
        let options = options(layout, &filled);
        let values: Vec<&str> = options.iter().map(|(.., value)| value.as_str()).collect();
        for field in &self.fills {
            let (meaning, text) = match field {
                Field::Id => (Meaning::Handle, id_of(get(Meaning::Handle), &values)),
                Field::Title if !values.is_empty() && !get(Meaning::Title).is_empty() => {
                    let title = get(Meaning::Title);
                    (Meaning::Title, format!("{title} - {}", values.join(" / ")))
                }
                Field::ImageUrl if !get(Meaning::VariantImage).is_empty() => {
                    (Meaning::Image, get(Meaning::VariantImage).to_owned())
                }
                Field::Categories if get(Meaning::Category).is_empty() => {
                    (Meaning::Category, get(Meaning::Kind).to_owned())
                }
                // Programs write an apostrophe before digits, so that a spreadsheet leaves them alone.
                Field::Sku => (Meaning::Sku, without_apostrophe(get(Meaning::Sku))),
                Field::Gtins => (Meaning::Barcode, without_apostrophe(get(Meaning::Barcode))),
                Field::Status => {
                    let Some(status) =
                        status(get(Meaning::Status), get(Meaning::Published), layout)
                    else {
                        continue;
                    };
                    self.inactive += u64::from(status != "active");
                    (layout.status(), status.to_owned())
                }
                _ => continue,
            };
            if let Some(cell) = layout.place(meaning).and_then(|at| cells.get_mut(at)) {
                *cell = Cow::Owned(text);
            }
        }
        let mut attributes = options;
        attributes.retain(|(_, name, _)| !name.is_empty());
        if self.fills.contains(&Field::Id)
            && let Some(place) = layout.place(Meaning::Handle)
        {
            let handle = get(Meaning::Handle).to_owned();
            attributes.push((place, HANDLE.to_owned(), handle));
        }
        Variant {
            filled,
            cells,
            attributes,
        }
    }

    /// Tells at the end of the feed what is not in the catalog as it is in the shop.
    pub(in crate::feed) fn end(&mut self) {
        let images = std::mem::take(&mut self.images);
        let beside = std::mem::take(&mut self.images_of_variants);
        if images + beside > 0 {
            self.notes.add(format!(
                "a product has one image: {images} rows with nothing but another one are left out, and {beside} \
                 other images that stand beside variants"
            ));
        }
        let inactive = std::mem::take(&mut self.inactive);
        if inactive > 0 {
            self.notes.add(format!(
                "{inactive} variants are discontinued, as their product is archived, a draft or not published"
            ));
        }
    }
}

/// The options of a variant: place of the column, name and value. A change of prices may have no names.
fn options(layout: &Layout, cells: &[Cow<'_, str>]) -> Vec<(usize, String, String)> {
    let options = OPTIONS.filter_map(|number| {
        let place = layout.place(Meaning::OptionValue(number))?;
        let value = layout.cell(Meaning::OptionValue(number), cells);
        let name = layout.cell(Meaning::OptionName(number), cells);
        let is_one = !value.is_empty() && (name, value) != NO_OPTION && value != NO_OPTION.1;
        let name = values::attribute_name(name, &[]);
        let name = if name.is_empty() && layout.has(Meaning::OptionName(number)) {
            format!("option{number}")
        } else {
            name
        };
        is_one.then(|| (place, name, value.to_owned()))
    });
    options.collect()
}

/// The status of a product by the two columns that say something of it; None for a word that is not known.
fn status(status: &str, published: &str, layout: &Layout) -> Option<&'static str> {
    let is_hidden = matches!(values::flag(published), Ok(serde_json::Value::Bool(false)));
    match status.to_lowercase().as_str() {
        "active" | "" if is_hidden => Some("discontinued"),
        "active" => Some("active"),
        "" if !layout.has(Meaning::Status) && !published.is_empty() => Some("active"),
        "archived" | "draft" | "unlisted" | "discontinued" => Some("discontinued"),
        _ => None,
    }
}

fn without_apostrophe(text: &str) -> String {
    text.strip_prefix('\'').unwrap_or(text).to_owned()
}

fn wrong(reason: impl Into<String>) -> Mistake {
    Mistake {
        field: HANDLE.to_owned(),
        ..Mistake::row(reason)
    }
}
