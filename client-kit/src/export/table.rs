//! A CSV table (RFC 4180) with a column for each attribute, whose header says what its cells hold. An
//! attribute that is a text here and a list there has a column for each. The columns are found in a first
//! pass over the products.

use std::collections::BTreeSet;
use std::io;

use catalog_events::AttributeValue;
use catalog_proto::v1;
use csv::{QuoteStyle, Writer, WriterBuilder};

use crate::export::fields::{Field, Fields, attribute};
use crate::feed::{CellKind, TypedColumn};

/// The most bytes of all headers: a row of an import has 1 MiB, and a catalog with this many
/// attributes is no table.
const HEADERS_BYTES_MAX: usize = 256 * 1024;
/// What stands between the levels of a category path.
const LEVELS: &str = " > ";

/// The columns that products need besides those of their fields, gathered product by product.
#[derive(Clone, Debug, Default)]
pub struct Columns {
    typed: BTreeSet<TypedColumn>,
    bytes: usize,
}

impl Columns {
    /// Whether there are fields whose columns depend on the products.
    pub fn are_needed(fields: &Fields) -> bool {
        let mut fields = fields.0.iter();
        fields.any(|field| {
            matches!(
                field,
                Field::Attributes | Field::Attribute(_) | Field::Categories
            )
        })
    }

    /// Adds those that a product needs. It fails where there are too many attributes for a table.
    pub fn add(&mut self, product: &v1::Product, fields: &Fields) -> Result<(), String> {
        for field in &fields.0 {
            match field {
                Field::Categories if !is_plain(&product.categories) => {
                    self.insert(TypedColumn::Categories);
                }
                Field::Attributes => {
                    for name in product.attributes.keys() {
                        self.insert_attribute(product, name);
                    }
                }
                Field::Attribute(name) => self.insert_attribute(product, name),
                _ => {}
            }
        }
        if self.bytes > HEADERS_BYTES_MAX {
            return Err(format!(
                "the products have more than {} attributes, too many for the columns of a table: \
                 choose some as fields, or export JSON Lines",
                self.typed.len() - 1
            ));
        }
        Ok(())
    }

    fn insert_attribute(&mut self, product: &v1::Product, name: &str) {
        if let Some(value) = attribute(product, name) {
            self.insert(TypedColumn::Attribute {
                name: name.to_owned(),
                kind: CellKind::of(&value),
            });
        }
    }

    fn insert(&mut self, column: TypedColumn) {
        let bytes = column.to_string().len();
        if self.typed.insert(column) {
            self.bytes += bytes;
        }
    }

    /// The headers, to be kept with an export that goes on later.
    pub fn headers(&self) -> Vec<String> {
        self.typed.iter().map(ToString::to_string).collect()
    }

    /// Reads what `headers` gave; none where that is something else.
    pub fn of_headers(headers: &[String]) -> Option<Self> {
        let mut columns = Self::default();
        for header in headers {
            columns.insert(TypedColumn::parse(header)?);
        }
        Some(columns)
    }
}

/// Whether a path can be read back from its levels with `>` between them.
fn is_plain(levels: &[String]) -> bool {
    !levels.iter().any(|level| level.contains('>'))
}

#[derive(Clone, Debug)]
enum Column {
    Field(Field),
    Typed(TypedColumn),
}

/// The columns of a table in their order.
#[derive(Debug)]
pub(super) struct Table(Vec<Column>);

impl Table {
    pub(super) fn new(fields: &Fields, columns: &Columns) -> Self {
        let mut table = Vec::new();
        for field in &fields.0 {
            let typed = columns.typed.iter().filter(|column| match column {
                TypedColumn::Categories => *field == Field::Categories,
                TypedColumn::Attribute { name, .. } => match field {
                    Field::Attributes => true,
                    Field::Attribute(chosen) => chosen == name,
                    _ => false,
                },
            });
            if !matches!(field, Field::Attributes | Field::Attribute(_)) {
                table.push(Column::Field(field.clone()));
            }
            table.extend(typed.cloned().map(Column::Typed));
        }
        Self(table)
    }

    /// Writes the header, all of it in quotes: a reader that guesses the separator must not take one of a
    /// name.
    pub(super) fn head(&self, out: &mut Vec<u8>) -> io::Result<()> {
        let headers = self.0.iter().map(|column| match column {
            Column::Field(field) => field.name(),
            Column::Typed(typed) => typed.to_string(),
        });
        let mut writer = WriterBuilder::new()
            .quote_style(QuoteStyle::Always)
            .from_writer(out);
        writer.write_record(headers)?;
        writer.flush()
    }

    pub(super) fn write(&self, product: &v1::Product, out: &mut Vec<u8>) -> io::Result<()> {
        let mut writer = Writer::from_writer(out);
        for column in &self.0 {
            writer.write_field(cell(column, product))?;
        }
        writer.write_record(None::<&[u8]>)?;
        writer.flush()
    }
}

fn cell(column: &Column, product: &v1::Product) -> String {
    let levels = &product.categories;
    match column {
        Column::Field(Field::Categories) if is_plain(levels) => levels.join(LEVELS),
        Column::Field(field) => field.text(product),
        Column::Typed(TypedColumn::Categories) if is_plain(levels) => String::new(),
        Column::Typed(TypedColumn::Categories) => serde_json::to_string(levels).unwrap_or_default(),
        Column::Typed(TypedColumn::Attribute { name, kind }) => {
            let value: Option<AttributeValue> = attribute(product, name);
            let of_kind = value.filter(|value| CellKind::of(value) == *kind);
            of_kind.map_or(String::new(), |value| kind.cell(&value))
        }
    }
}
