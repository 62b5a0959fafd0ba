//! A product while it is put together from the columns of its row.

mod money;

use std::collections::HashMap;
use std::sync::Arc;

use catalog_events::ProductId;
use catalog_proto::v1::{AttributeValue, ImportRow, ProductInput};
use serde_json::{Map, Value};

use crate::feed::draft::money::Money;
use crate::feed::exact::{self, TypedColumn};
use crate::feed::mapping::{Field, Mapping, take_amount};
use crate::feed::prices::DecimalSign;
use crate::feed::row::{Cell, Mistake, Original, ROW_BYTES_MAX, Row};
use crate::feed::values::{self, shorten};

/// Reads the members of an object as the columns of a product.
pub(super) fn from_json(line: u64, object: Map<String, Value>, mapping: &Mapping) -> Row {
    let original = mapping
        .keeps_originals
        .then(|| Original::Object(Value::Object(object.clone()).to_string()));
    let mut draft = Draft::new(mapping);
    draft.object("", object);
    Row {
        original,
        ..draft.finish(line)
    }
}

/// The most bytes of the names of all nested columns of a row: each has the names of those around it.
const NAMES_BYTES_MAX: usize = 4 * ROW_BYTES_MAX;

/// Gives names that are taken a number behind them.
#[derive(Debug, Default)]
pub(super) struct Numbers(HashMap<String, u32>);

impl Numbers {
    /// The name with the next number that makes it free.
    pub(super) fn free(&mut self, name: &str, is_taken: impl Fn(&str) -> bool) -> String {
        let last = self.0.entry(name.to_owned()).or_insert(1);
        loop {
            *last += 1;
            let numbered = format!("{name}_{last}");
            if !is_taken(&numbered) {
                return numbered;
            }
        }
    }
}

/// What a column of a table is for.
#[derive(Clone, Debug)]
pub(crate) enum Role {
    Nothing,
    Fields(Vec<Field>),
    Attribute(String),
    /// A column that names the currency of the price; this attribute where it has none.
    Currency(String),
    /// A column of a table that the catalog exported.
    Exact(TypedColumn),
    /// A column whose name has no letter or digit.
    Nameless,
}

/// What a row says of a product, while its columns are read. The first mistake is kept and reading goes
/// on, so that the report can name the product.
pub(super) struct Draft<'m> {
    mapping: &'m Mapping,
    product: ProductInput,
    /// The fields that the row has a column for, and nothing in it.
    clears: Vec<String>,
    money: Money,
    expected_version: Option<i64>,
    numbers: Numbers,
    /// The bytes of the names of nested columns so far.
    names_bytes: usize,
    mistake: Option<Mistake>,
    warnings: Vec<Mistake>,
    /// Whether an attribute of an element has the name of the column of ids.
    has_id_attribute: bool,
}

impl<'m> Draft<'m> {
    pub(super) fn new(mapping: &'m Mapping) -> Self {
        Self {
            mapping,
            product: ProductInput::default(),
            clears: Vec::new(),
            money: Money::default(),
            expected_version: None,
            numbers: Numbers::default(),
            names_bytes: 0,
            mistake: None,
            warnings: Vec::new(),
            has_id_attribute: false,
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
            self.names_bytes += prefix.len();
            if self.names_bytes > NAMES_BYTES_MAX {
                let reason = "the names of its nested columns are too long: --ignore some of them";
                return self.fault("attributes", reason.to_owned());
            }
            if self.mapping.ignored.contains(&column) || values::is_of_report(&column) {
                continue;
            }
            match (self.mapping.columns.get(&column), value) {
                (Some(fields), Value::Object(members)) if fields.contains(&Field::Price) => {
                    self.price_members(&column, fields, members);
                }
                (Some(fields), value) => {
                    let sign = self.sign_of(&value);
                    self.fields(fields, value, sign);
                }
                // This is the form in which the catalog itself prints products.
                (None, Value::Object(members)) if column == "attributes" => {
                    for (name, value) in members {
                        let value = self.split(&name, value);
                        self.exact_attribute(&name, exact::json_value(value));
                    }
                }
                (None, Value::Object(members)) => self.object(&column, members),
                (None, Value::String(text)) if self.takes_currency(&column, &text) => {}
                (None, value) => {
                    let value = self.split(&column, value);
                    self.attribute(&column, value);
                }
            }
        }
    }

    /// Reads a cell of a table. What its column is for was settled before.
    pub(super) fn cell(&mut self, column: &str, role: &Role, cell: Cell<'_>) {
        let text = cell.text;
        let name = match role {
            Role::Nothing => return,
            Role::Fields(fields) => {
                let sign = if cell.is_number {
                    DecimalSign::Point
                } else {
                    self.mapping.decimal_sign
                };
                return self.fields(fields, Value::String(text.to_owned()), sign);
            }
            Role::Nameless if text.trim().is_empty() => return,
            Role::Nameless => return self.nameless(column),
            // Nothing is nothing in every column, and wide tables are mostly empty.
            Role::Attribute(_) | Role::Exact(_) | Role::Currency(_) if text.is_empty() => return,
            Role::Exact(typed) => return self.typed_cell(column, typed, text),
            Role::Currency(name) => {
                if self.money.take_currency(column, || name.clone(), text) {
                    return;
                }
                name
            }
            Role::Attribute(name) => name,
        };
        self.named_cell(column, name, cell);
    }

    /// Reads a cell of an attribute.
    pub(super) fn named_cell(&mut self, column: &str, name: &str, cell: Cell<'_>) {
        let value = match self.mapping.splits.get(column) {
            Some(separator) if !cell.is_number => cell
                .text
                .split(separator.as_str())
                .map(|part| self.typed(column, Cell::of_text(part)))
                .collect(),
            _ => self.typed(column, cell),
        };
        match value.and_then(|value| values::attribute(value).map_err(str::to_owned)) {
            Ok(Some(value)) => self.insert(name.to_owned(), value),
            // The columns of the feed say that the product has no value.
            Ok(None) => {}
            Err(reason) => self.fault("attributes", format!("column {column:?} {reason}")),
        }
    }

    fn typed(&self, column: &str, cell: Cell<'_>) -> Result<Value, String> {
        let (mapping, text) = (self.mapping, cell.text);
        let sign = if cell.is_number {
            DecimalSign::Point
        } else {
            mapping.sign_of(column)
        };
        if mapping.flags.contains(column) {
            values::flag(text)
        } else if mapping.keep_text || mapping.texts.contains(column) {
            Ok(Value::String(text.to_owned()))
        } else if mapping.numbers.contains(column) {
            Ok(values::number_or_text(text, sign))
        } else {
            Ok(values::typed(text, sign))
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
        let stripped = exact::name(name, &self.mapping.strip);
        match value {
            Ok(Some(value)) => self.insert(stripped, value),
            Ok(None) => self.clears.push(format!("attributes.{stripped}")),
            Err(reason) => self.fault("attributes", format!("attribute {name:?} {reason}")),
        }
    }

    /// A price with members: its amount, and what is said of it.
    fn price_members(&mut self, column: &str, fields: &[Field], mut members: Map<String, Value>) {
        match take_amount(&mut members) {
            Some(amount) => {
                let sign = self.sign_of(&amount);
                self.fields(fields, amount, sign);
                self.object(column, members);
            }
            None => self.fields(fields, Value::Object(members), DecimalSign::Unknown),
        }
    }

    fn takes_currency(&mut self, column: &str, text: &str) -> bool {
        let mapping = self.mapping;
        let attribute = || values::attribute_name(column, &mapping.strip);
        mapping.names_currency(column) && self.money.take_currency(column, attribute, text)
    }

    /// How a value of JSON is written: it has one way to write a number.
    fn sign_of(&self, value: &Value) -> DecimalSign {
        match value {
            Value::Number(_) => DecimalSign::Point,
            _ => self.mapping.decimal_sign,
        }
    }

    fn fields(&mut self, fields: &[Field], value: Value, sign: DecimalSign) {
        let Some((last, others)) = fields.split_last() else {
            return;
        };
        for field in others {
            self.field(*field, value.clone(), sign);
        }
        self.field(*last, value, sign);
    }

    fn field(&mut self, field: Field, value: Value, sign: DecimalSign) {
        if let Err(reason) = self.set(field, value, sign) {
            self.fault(field.as_str(), reason);
        }
    }

    /// Fills a field. `sign` is how the decimals of a price are written.
    fn set(&mut self, field: Field, value: Value, sign: DecimalSign) -> Result<(), String> {
        let product = &mut self.product;
        let text = match field {
            Field::Gtins => return self.set_gtins(value),
            Field::Categories => {
                let separator = self.mapping.category_separator.as_deref();
                product.categories = values::categories(value, separator)?;
                if product.categories.is_empty() {
                    self.clears.push(field.as_str().to_owned());
                }
                return Ok(());
            }
            _ => values::text(value)?,
        };
        let Some(text) = text else {
            let clears = &mut self.clears;
            if !matches!(field, Field::Id | Field::Currency | Field::Version) {
                clears.push(field.as_str().to_owned());
            }
            return Ok(());
        };
        match field {
            Field::Id => product.id = text,
            Field::Title => product.title = values::plain(text),
            Field::Description => product.description = text,
            Field::ImageUrl => match values::image_address(&text) {
                Ok(address) => product.image_url = address,
                Err(reason) => self.warn(field, reason),
            },
            Field::Brand => product.brand = values::plain(text),
            Field::Sku => product.sku = text,
            Field::Status => product.status = values::status(&text)?.into(),
            Field::Currency => product.currency = text,
            Field::Price => self.money.set_price(text, sign),
            Field::Version => self.expected_version = Some(values::version(&text)?),
            Field::Gtins | Field::Categories => {}
        }
        Ok(())
    }

    /// Takes the GTINs that are valid. One that is not is left out, and the others stay as they are.
    fn set_gtins(&mut self, value: Value) -> Result<(), String> {
        let stated = values::list(value, &values::GTIN_SEPARATORS)?;
        if stated.is_empty() {
            self.clears.push(Field::Gtins.as_str().to_owned());
        }
        let stated = stated.iter().flat_map(|text| values::gtins(text));
        for (gtin, warning) in stated {
            self.product.gtins.extend(gtin);
            if let Some(reason) = warning {
                self.warn(Field::Gtins, reason);
            }
        }
        Ok(())
    }

    fn attribute(&mut self, column: &str, value: Value) {
        let id = self.mapping.source(Field::Id);
        self.has_id_attribute |= column.strip_prefix('@') == Some(id);
        let name = values::attribute_name(column, &self.mapping.strip);
        if name.is_empty() {
            return self.nameless(column);
        }
        let value = if self.mapping.flags.contains(column) {
            values::flag_of(value)
        } else if (value.is_number() || value.is_array()) && self.has_gtins(column) {
            Ok(values::as_code(value))
        } else {
            Ok(value)
        };
        match value.and_then(|value| values::attribute(value).map_err(str::to_owned)) {
            Ok(Some(value)) => self.insert(name, value),
            Ok(None) => self.clears.push(format!("attributes.{name}")),
            Err(reason) => {
                let reason = format!("column {column:?} {reason}: --map or --ignore it");
                self.fault("attributes", reason);
            }
        }
    }

    fn has_gtins(&self, column: &str) -> bool {
        values::is_of_gtins(column) && !self.mapping.is_typed(column)
    }

    /// Adds an attribute with a text; none under a name without letters.
    fn text_attribute(&mut self, name: String, text: String) {
        if let Ok(Some(value)) = values::attribute(Value::String(text))
            && !name.is_empty()
        {
            self.insert(name, value);
        }
    }

    fn nameless(&mut self, column: &str) {
        let reason = format!("column {column:?} has no letter or digit: --ignore it");
        self.fault("attributes", reason);
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
        let name = if attributes.contains_key(&name) {
            self.numbers
                .free(&name, |name| attributes.contains_key(name))
        } else {
            name
        };
        attributes.insert(name, value);
    }

    fn fault(&mut self, field: &str, reason: String) {
        self.mistake.get_or_insert_with(|| Mistake {
            id: String::new(),
            field: field.to_owned(),
            reason,
        });
    }

    fn warn(&mut self, field: Field, reason: String) {
        self.warnings.push(Mistake {
            id: String::new(),
            field: field.as_str().to_owned(),
            reason,
        });
    }

    /// Checks what a client can check; the write service has the last word.
    pub(super) fn finish(mut self, line: u64) -> Row {
        for idle in self.money.take_idle_currencies() {
            self.text_attribute(idle.attribute, idle.text);
        }
        if let Err((field, reason)) = self.complete() {
            self.fault(field.as_str(), reason);
        }
        let id = self.product.id.clone();
        for warning in &mut self.warnings {
            warning.id.clone_from(&id);
        }
        // A list is cleared that has names both of values and of nothing: the values win.
        let attributes = &self.product.attributes;
        self.clears.retain(|name| {
            let attribute = name.strip_prefix("attributes.");
            attribute.is_none_or(|name| !attributes.contains_key(name))
        });
        let row = ImportRow {
            product: Some(self.product),
            clears: self.clears,
            replace: self.mapping.replaces,
            expected_version: self.expected_version,
        };
        Row {
            line,
            parsed: match self.mistake {
                None => Ok(Some(row)),
                Some(mistake) => Err(Mistake { id, ..mistake }),
            },
            warnings: self.warnings,
            columns: Arc::default(),
            original: None,
        }
    }

    fn complete(&mut self) -> Result<(), (Field, String)> {
        let missing = |field| {
            let column = self.mapping.source(field);
            (field, format!("there is nothing in column {column:?}"))
        };
        if self.product.id.is_empty() {
            let (field, mut reason) = missing(Field::Id);
            if self.has_id_attribute {
                let column = self.mapping.source(Field::Id);
                reason.push_str(&format!(": --map id=@{column} takes the attribute"));
            }
            return Err((field, reason));
        }
        if let Err(err) = self.product.id.parse::<ProductId>() {
            return Err((
                Field::Id,
                format!("{err}, got {:?}", shorten(&self.product.id)),
            ));
        }
        if self.product.title.is_empty() && (self.mapping.replaces || self.is_cleared(Field::Title))
        {
            return Err(missing(Field::Title));
        }
        if !self.money.has_price() && (self.mapping.replaces || self.is_cleared(Field::Price)) {
            return Err(missing(Field::Price));
        }
        let Self {
            money,
            mapping,
            product,
            ..
        } = self;
        let stated = money
            .currency(mapping, product)
            .map_err(|reason| (Field::Currency, reason))?;
        money
            .state(mapping, stated, product)
            .map_err(|reason| (Field::Price, reason))
    }

    fn is_cleared(&self, field: Field) -> bool {
        self.clears.iter().any(|name| name == field.as_str())
    }
}
