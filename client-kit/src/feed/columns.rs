//! What the columns of a table mean, settled once for all of its rows.

mod unseen;
mod stand_in;
mod header;

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use catalog_events::Currency;

pub(super) use crate::feed::columns::header::{header_at, is_title};
pub(super) use crate::feed::columns::unseen::Unseen;

use crate::feed::draft::{Draft, Numbers, Role};
use crate::feed::exact::{self, TypedColumn};
use crate::feed::form::{Preset, Shopify, map_google_table};
use crate::feed::mapping::{Field, Mapping};
use crate::feed::prices::DecimalSign;
use crate::feed::row::{Cell, Original, Row};
use crate::feed::source::Notes;
use crate::feed::values;

pub(super) struct Columns {
    names: Vec<String>,
    roles: Vec<Role>,
    /// The attributes that every row states.
    stated: Arc<[String]>,
    mapping: Mapping,
    /// What completes the rows of an export of Shopify.
    shopify: Option<Shopify>,
    /// The places of columns without a name in which no row had a value so far.
    nameless: Vec<usize>,
    notes: Notes,
}

/// What becomes of line breaks in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum LineBreaks {
    Kept,
    /// They are blanks to a text of one line.
    Joined,
    /// No value has any.
    Refused,
}

impl Columns {
    /// Settles the columns of a header. The error says what it lacks.
    pub(super) fn new(
        names: Vec<String>,
        mut mapping: Mapping,
        preset: Option<Preset>,
        notes: &Notes,
    ) -> Result<Self, String> {
        let note = || Preset::Shopify.note();
        let shopify = match preset {
            None | Some(Preset::Shopify) => {
                Shopify::find(&names, &mut mapping, preset.is_some(), note, notes)?
            }
            Some(_) => None,
        };
        if shopify.is_none() && matches!(preset, None | Some(Preset::Google)) {
            let found = map_google_table(&names, &mut mapping, preset.is_some());
            let found = found.filter(|_| preset.is_none());
            found.into_iter().for_each(|note| notes.add(note));
        }
        mapping.has_preset_of_rows = shopify.is_some();
        let mut mapping = mapping.for_header(&names);
        let is_code = |name: &&String| values::is_of_gtins(name) && !mapping.is_typed(name);
        let codes: Vec<String> = names.iter().filter(is_code).cloned().collect();
        mapping.texts.extend(codes);
        if mapping.checks_header {
            mapping.check_header(&names)?;
        }
        let mut taken = Taken::default();
        let roles: Vec<Role> = names
            .iter()
            .map(|name| role(name, &mapping, &mut taken))
            .collect();
        let stated = roles.iter().filter_map(|role| match role {
            Role::Attribute(name) | Role::Currency(name) => Some(format!("attributes.{name}")),
            Role::Exact(TypedColumn::Attribute { name, .. }) => {
                let name = exact::name(name, &mapping.strip);
                Some(format!("attributes.{name}"))
            }
            Role::Exact(TypedColumn::Categories) => Some("categories".to_owned()),
            _ => None,
        });
        let nameless = (0..names.len()).filter(|place| names[*place].is_empty());
        let columns = Self {
            stated: stated.collect(),
            nameless: nameless.collect(),
            notes: notes.clone(),
            names,
            roles,
            mapping,
            shopify,
        };
        columns.hints().for_each(|hint| notes.add(hint));
        Ok(columns)
    }

    /// What to do for the fields that new products need and no column fills.
    fn hints(&self) -> impl Iterator<Item = String> + '_ {
        let mapping = &self.mapping;
        let is_import = mapping.checks_header && !mapping.has_preset_of_rows;
        let needed = stand_in::NEEDED.into_iter();
        let lacking = needed.filter(move |field| is_import && self.place(*field).is_none());
        lacking.filter_map(|field| {
            let columns = self.names.iter().zip(&self.roles);
            let free = columns.filter(|(_, role)| matches!(role, Role::Attribute(_)));
            stand_in::hint(field, free.map(|(name, _)| name.as_str()))
        })
    }

    /// Takes the currency that the cells of the price are shown in for that of the feed, where nothing says
    /// another. The error tells that there are several.
    pub(super) fn settle_currency(
        &mut self,
        shown: impl Fn(usize) -> Vec<Currency>,
        notes: &Notes,
    ) -> Result<(), String> {
        let is_named = |role: &Role| match role {
            Role::Fields(fields) => fields.contains(&Field::Currency),
            Role::Currency(_) => true,
            _ => false,
        };
        let is_told = self.mapping.currency.is_some() || self.roles.iter().any(is_named);
        let Some(price) = self.place(Field::Price).filter(|_| !is_told) else {
            return Ok(());
        };
        let column = self.name(price);
        match shown(price)[..] {
            [] => {}
            [currency] => {
                notes.add(format!(
                    "column {column:?} is in {currency}, as its cells are shown: --currency CODE says otherwise"
                ));
                self.mapping.currency = Some(currency);
            }
            [first, second, ..] => {
                return Err(format!(
                    "the cells of column {column:?} are shown in several currencies, such as {first} and \
                     {second}: name them in a column of their own, or --currency CODE for all"
                ));
            }
        }
        Ok(())
    }

    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// The columns with what each is for.
    pub(super) fn roles(&self) -> Vec<(String, Role)> {
        let roles = self.names.iter().zip(&self.roles);
        roles
            .map(|(name, role)| (name.clone(), role.clone()))
            .collect()
    }

    pub(super) fn mapping(&self) -> &Mapping {
        &self.mapping
    }

    /// The name of the column at a place.
    pub(super) fn name(&self, place: usize) -> &str {
        self.names.get(place).map_or("", String::as_str)
    }

    /// The place of the column that fills a field.
    pub(super) fn place(&self, field: Field) -> Option<usize> {
        let fills = |role: &Role| matches!(role, Role::Fields(fields) if fields.contains(&field));
        self.roles.iter().position(fills)
    }

    /// What becomes of line breaks in the cells of the column at a place.
    pub(super) fn line_breaks(&self, place: usize) -> LineBreaks {
        let of_field = |field: &Field| match field {
            Field::Description => LineBreaks::Kept,
            Field::Title | Field::Brand | Field::Categories | Field::Gtins => LineBreaks::Joined,
            Field::Id
            | Field::ImageUrl
            | Field::Sku
            | Field::Status
            | Field::Currency
            | Field::Price
            | Field::Version => LineBreaks::Refused,
        };
        match self.roles.get(place) {
            Some(Role::Fields(fields)) => {
                let breaks = fields.iter().map(of_field).max();
                breaks.unwrap_or(LineBreaks::Kept)
            }
            _ => LineBreaks::Kept,
        }
    }

    /// Whether the column at a place becomes an attribute.
    pub(super) fn is_attribute(&self, place: usize) -> bool {
        matches!(self.roles.get(place), Some(Role::Attribute(_)))
    }

    /// Reads the cells of a row, one for each column.
    pub(super) fn row(&mut self, line: u64, cells: &[Cell<'_>]) -> Row {
        self.tell_nameless(line, cells);
        let Some(shopify) = &mut self.shopify else {
            return self.product(line, cells, cells, &[]);
        };
        let texts: Vec<&str> = cells.iter().map(|cell| cell.text).collect();
        match shopify.variant(&texts) {
            Ok(Some(variant)) => {
                let filled = with_texts(cells, &variant.filled);
                let own = with_texts(cells, &variant.cells);
                self.product(line, &filled, &own, &variant.attributes)
            }
            Ok(None) => Row::left_out(line),
            Err(mistake) => Row {
                original: self.original(cells),
                ..Row::rejected(line, mistake)
            },
        }
    }

    /// Tells of columns that are left out as they have no name, once they have a value.
    fn tell_nameless(&mut self, line: u64, cells: &[Cell<'_>]) {
        let notes = &self.notes;
        self.nameless.retain(|place| {
            let cell = cells.get(*place).map_or("", |cell| cell.text.trim());
            if !cell.is_empty() {
                notes.add(format!(
                    "column {} has no name in the header and is left out, with {:?} in line {line}",
                    place + 1,
                    values::shorten(cell)
                ));
            }
            cell.is_empty()
        });
    }

    /// Tells what is known at the end of the feed.
    pub(super) fn end(&mut self) {
        if let Some(shopify) = &mut self.shopify {
            shopify.end();
        }
    }

    fn product(
        &self,
        line: u64,
        original: &[Cell<'_>],
        cells: &[Cell<'_>],
        attributes: &[(usize, String, String)],
    ) -> Row {
        let mut draft = Draft::new(&self.mapping);
        for (place, name, text) in attributes {
            draft.named_cell(self.name(*place), name, Cell::of_text(text));
        }
        for ((name, role), cell) in self.names.iter().zip(&self.roles).zip(cells) {
            draft.cell(name, role, *cell);
        }
        Row {
            columns: Arc::clone(&self.stated),
            original: self.original(original),
            ..draft.finish(line)
        }
    }

    /// The row as it stands in the feed, where that is wanted. It becomes a row of a CSV, where a number is a
    /// text like others: it has the notation that the options tell.
    fn original(&self, cells: &[Cell<'_>]) -> Option<Original> {
        let has_comma = self.mapping.told_sign == DecimalSign::Comma;
        let owned = |cell: &Cell<'_>| {
            if cell.is_number && has_comma {
                cell.text.replace('.', ",")
            } else {
                cell.text.to_owned()
            }
        };
        let is_wanted = self.mapping.keeps_originals;
        is_wanted.then(|| Original::Cells(cells.iter().map(owned).collect()))
    }
}

/// Cells with texts in their places. One whose text is another is a text.
fn with_texts<'c>(cells: &[Cell<'_>], texts: &'c [Cow<'_, str>]) -> Vec<Cell<'c>> {
    let cells = texts.iter().zip(cells);
    let cells = cells.map(|(text, cell)| Cell {
        text,
        is_number: cell.is_number && cell.text == text,
    });
    cells.collect()
}

/// What a column is for. A name that another one has is numbered.
pub(crate) fn role(column: &str, mapping: &Mapping, taken: &mut Taken) -> Role {
    if column.is_empty() || mapping.ignored.contains(column) || values::is_of_report(column) {
        return Role::Nothing;
    }
    if let Some(fields) = mapping.columns.get(column) {
        return Role::Fields(fields.clone());
    }
    if let Some(typed) = TypedColumn::parse(column) {
        return Role::Exact(typed);
    }
    let named = mapping.names.get(column).cloned();
    let name = named.unwrap_or_else(|| values::attribute_name(column, &mapping.strip));
    if name.is_empty() {
        return Role::Nameless;
    }
    let name = taken.free(name);
    if mapping.names_currency(column) {
        Role::Currency(name)
    } else {
        Role::Attribute(name)
    }
}

/// The names of attributes that columns have.
#[derive(Default)]
pub(crate) struct Taken {
    names: HashSet<String>,
    numbers: Numbers,
}

impl Taken {
    /// Takes a name, with a number behind it where another column has it.
    fn free(&mut self, name: String) -> String {
        let name = if self.names.contains(&name) {
            self.numbers.free(&name, |name| self.names.contains(name))
        } else {
            name
        };
        self.names.insert(name.clone());
        name
    }
}
