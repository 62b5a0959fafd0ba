//! A product while it is put together from the columns of its row.

use std::collections::btree_map::Entry;

use catalog_events::{Money, ProductId};
use catalog_proto::v1::{AttributeValue, ProductInput};
use serde_json::{Map, Value};

use crate::feed::exact::{self, TypedColumn};
use crate::feed::mapping::{Field, Mapping};
use crate::feed::row::Mistake;
use crate::feed::values::{self, shorten};

/// Reads the members of an object as the columns of a product.
pub(super) fn from_json(
    object: Map<String, Value>,
    mapping: &Mapping,
) -> Result<ProductInput, Mistake> {
    let mut draft = Draft::new(mapping);
    draft.object("", object);
    draft.finish()
}

/// Reads cells, each with the name of its column, as a product.
pub(super) fn from_cells(row: &[(&str, &str)], mapping: &Mapping) -> Result<ProductInput, Mistake> {
    let mut draft = Draft::new(mapping);
    for (column, text) in row {
        draft.cell(column, text);
    }
    draft.finish()
}

/// A product while its columns are read. The first mistake is kept and reading goes on, so that
/// the report can name the product.
struct Draft<'m> {
    mapping: &'m Mapping,
    product: ProductInput,
    price: Option<String>,
    mistake: Option<Mistake>,
}

impl<'m> Draft<'m> {
    fn new(mapping: &'m Mapping) -> Self {
        Self {
            mapping,
            product: ProductInput::default(),
            price: None,
            mistake: None,
        }
    }

    /// The members of an object become columns `prefix.member`.
    fn object(&mut self, prefix: &str, object: Map<String, Value>) {
        for (name, value) in object {
            let column = if prefix.is_empty() {
                name
            } else {
                format!("{prefix}.{name}")
            };
            if self.mapping.ignored.contains(&column) {
                continue;
            }
            match (self.mapping.columns.get(&column), value) {
                (Some(fields), value) => self.fields(fields, value),
                // This is the form in which the catalog itself prints products.
                (None, Value::Object(members)) if column == "attributes" => {
                    for (name, value) in members {
                        let value = self.split(&name, value);
                        self.exact_attribute(&name, exact::json_value(value));
                    }
                }
                (None, Value::Object(members)) => self.object(&column, members),
                (None, value) => {
                    let value = self.split(&column, value);
                    self.attribute(&column, value);
                }
            }
        }
    }

    fn cell(&mut self, column: &str, text: &str) {
        // Nothing is nothing in every column, and wide tables are mostly empty.
        if column.is_empty() || text.is_empty() || self.mapping.ignored.contains(column) {
            return;
        }
        let typed = || TypedColumn::parse(column);
        match (self.mapping.columns.get(column), typed()) {
            (Some(fields), _) => self.fields(fields, Value::String(text.to_owned())),
            (None, Some(typed)) => self.typed_cell(column, &typed, text),
            (None, None) => {
                let value = |text: &str| {
                    if self.mapping.keep_text {
                        Value::String(text.to_owned())
                    } else {
                        values::typed(text)
                    }
                };
                let value = match self.mapping.splits.get(column) {
                    Some(separator) => text.split(separator.as_str()).map(value).collect(),
                    None => value(text),
                };
                self.attribute(column, value);
            }
        }
    }

    /// Reads a cell of a table that the catalog exported.
    fn typed_cell(&mut self, column: &str, typed: &TypedColumn, text: &str) {
        let wrong = |reason| format!("column {column:?} {reason}");
        match typed {
            TypedColumn::Categories => match exact::texts(text) {
                Ok(levels) => self.product.categories = levels,
                Err(reason) => self.fault(Field::Categories.as_str(), wrong(reason)),
            },
            TypedColumn::Attribute { name, kind } => match kind.read(text) {
                Ok(value) => self.exact_attribute(name, Ok(Some(value))),
                Err(reason) => self.fault("attributes", wrong(reason)),
            },
        }
    }

    /// Adds an attribute in the catalog's own form: under its name as it is, but for a prefix.
    fn exact_attribute(&mut self, name: &str, value: Result<Option<AttributeValue>, String>) {
        match value {
            Ok(Some(value)) => self.insert(exact::name(name, &self.mapping.strip), value),
            Ok(None) => {}
            Err(reason) => self.fault("attributes", format!("attribute {name:?} {reason}")),
        }
    }

    fn fields(&mut self, fields: &[Field], value: Value) {
        let Some((last, others)) = fields.split_last() else {
            return;
        };
        for field in others {
            self.field(*field, value.clone());
        }
        self.field(*last, value);
    }

    fn field(&mut self, field: Field, value: Value) {
        if let Err(reason) = self.set(field, value) {
            self.fault(field.as_str(), reason);
        }
    }

    fn set(&mut self, field: Field, value: Value) -> Result<(), String> {
        let product = &mut self.product;
        let text = match field {
            Field::Gtins => {
                product.gtins = values::list(value, &[',', ';', '|', ' '])?;
                return Ok(());
            }
            Field::Categories => {
                product.categories = values::list(value, &['>'])?;
                return Ok(());
            }
            _ => values::text(value)?,
        };
        let Some(text) = text else { return Ok(()) };
        match field {
            Field::Id => product.id = text,
            Field::Title => product.title = text,
            Field::Description => product.description = text,
            Field::ImageUrl => product.image_url = text,
            Field::Brand => product.brand = text,
            Field::Sku => product.sku = text,
            Field::Status => product.status = values::status(&text)?.into(),
            Field::Currency => product.currency = text,
            Field::Price => self.price = Some(text),
            Field::Gtins | Field::Categories => {}
        }
        Ok(())
    }

    fn attribute(&mut self, column: &str, value: Value) {
        let value = match values::attribute(value) {
            Ok(Some(value)) => value,
            Ok(None) => return,
            Err(reason) => {
                let reason = format!("column {column:?} {reason}: --map or --ignore it");
                return self.fault("attributes", reason);
            }
        };
        let name = values::attribute_name(column, &self.mapping.strip);
        if name.is_empty() {
            let reason = format!("column {column:?} has no letter or digit: --ignore it");
            return self.fault("attributes", reason);
        }
        self.insert(name, value);
    }

    /// The parts of a text in a column that is split; any other value as it is.
    fn split(&self, column: &str, value: Value) -> Value {
        match (self.mapping.splits.get(column), value) {
            (Some(separator), Value::String(text)) => {
                text.split(separator.as_str()).map(Value::from).collect()
            }
            (_, value) => value,
        }
    }

    /// Adds an attribute; a number is appended to a name that is already taken.
    fn insert(&mut self, name: String, value: AttributeValue) {
        let attributes = &mut self.product.attributes;
        let taken = match attributes.entry(name) {
            Entry::Vacant(free) => {
                free.insert(value);
                return;
            }
            Entry::Occupied(taken) => taken.key().clone(),
        };
        let mut numbered = (2..).map(|number| format!("{taken}_{number}"));
        let free = numbered.find(|name| !attributes.contains_key(name));
        attributes.insert(free.unwrap_or(taken), value);
    }

    fn fault(&mut self, field: &str, reason: String) {
        self.mistake.get_or_insert_with(|| Mistake {
            id: String::new(),
            field: field.to_owned(),
            reason,
        });
    }

    /// Checks what a client can check; the write service has the last word.
    fn finish(mut self) -> Result<ProductInput, Mistake> {
        if let Err((field, reason)) = self.complete() {
            self.fault(field.as_str(), reason);
        }
        match self.mistake {
            None => Ok(self.product),
            Some(mistake) => Err(Mistake {
                id: self.product.id,
                ..mistake
            }),
        }
    }

    fn complete(&mut self) -> Result<(), (Field, String)> {
        let missing = |field| {
            let column = self.mapping.source(field);
            (field, format!("there is nothing in column {column:?}"))
        };
        if self.product.id.is_empty() {
            return Err(missing(Field::Id));
        }
        if let Err(err) = self.product.id.parse::<ProductId>() {
            return Err((
                Field::Id,
                format!("{err}, got {:?}", shorten(&self.product.id)),
            ));
        }
        if self.product.title.is_empty() {
            return Err(missing(Field::Title));
        }
        let currency = match &*self.product.currency {
            "" => self.mapping.currency,
            code => code
                .parse()
                .map_err(|err| (Field::Currency, format!("{err}")))?,
        };
        let text = self.price.take().ok_or_else(|| missing(Field::Price))?;
        let parsed = if self.mapping.price_is_minor {
            values::minor_units(&text, currency)
        } else {
            Money::parse(&text, currency).map_err(|err| err.to_string())
        };
        let price = parsed.map_err(|reason| (Field::Price, reason))?;
        self.product.price_minor = price.minor();
        self.product.currency = currency.to_string();
        Ok(())
    }
}
