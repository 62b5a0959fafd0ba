//! Which column of a feed becomes which field of a product; every other column becomes an attribute.

use std::collections::{HashMap, HashSet};

use catalog_events::{Currency, Money, ProductId};
use catalog_proto::v1::{AttributeValue, ProductInput};
use serde_json::{Map, Value};

use super::{Mistake, values};

/// What a column can be mapped to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    Id,
    Title,
    Description,
    ImageUrl,
    Brand,
    Sku,
    Gtins,
    Categories,
    Status,
    Currency,
    /// Mapped by `--price` or `--price-minor`.
    Price,
}

impl Field {
    /// All that `--map` takes.
    const MAPPED: [Field; 10] = [
        Field::Id,
        Field::Title,
        Field::Description,
        Field::ImageUrl,
        Field::Brand,
        Field::Sku,
        Field::Gtins,
        Field::Categories,
        Field::Status,
        Field::Currency,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Field::Id => "id",
            Field::Title => "title",
            Field::Description => "description",
            Field::ImageUrl => "image_url",
            Field::Brand => "brand",
            Field::Sku => "sku",
            Field::Gtins => "gtins",
            Field::Categories => "categories",
            Field::Status => "status",
            Field::Currency => "currency",
            Field::Price => "price",
        }
    }
}

/// Fields that are not mapped are taken from a column of the same name where there is one; every
/// column that is neither a field nor ignored becomes an attribute.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Columns")]
pub struct MappingArgs {
    /// Takes FIELD from COLUMN: id, title, description, image_url, brand, sku, gtins, categories (a
    /// list, or a text with > between the levels), status or currency; nested columns are a.b
    #[arg(long = "map", value_name = "FIELD=COLUMN", value_parser = parse_map)]
    pub map: Vec<(Field, String)>,
    /// Column with decimal prices, such as 19.99 [default: price]
    #[arg(long, value_name = "COLUMN", conflicts_with = "price_minor")]
    pub price: Option<String>,
    /// Column with prices in minor units, such as 1999 for 19.99 USD
    #[arg(long, value_name = "COLUMN")]
    pub price_minor: Option<String>,
    /// Currency of rows that name none [default: USD]
    #[arg(long, value_name = "CODE")]
    pub currency: Option<Currency>,
    /// Removes PREFIX from the names of attributes
    #[arg(long, value_name = "PREFIX")]
    pub strip_prefix: Vec<String>,
    /// Leaves COLUMN out
    #[arg(long, value_name = "COLUMN")]
    pub ignore: Vec<String>,
    /// Keeps numbers, true and false of a CSV as text
    #[arg(long)]
    pub keep_text: bool,
}

fn parse_map(text: &str) -> Result<(Field, String), String> {
    let (field, column) = text.split_once('=').ok_or("write FIELD=COLUMN")?;
    let known = Field::MAPPED
        .into_iter()
        .find(|known| known.as_str() == field);
    match known {
        _ if column.is_empty() => Err("write FIELD=COLUMN".to_owned()),
        Some(field) => Ok((field, column.to_owned())),
        None if field == "price" => Err("name it with --price or --price-minor".to_owned()),
        None => Err(format!(
            "there is no field {field:?}, only {}",
            Field::MAPPED.map(Field::as_str).join(", ")
        )),
    }
}

/// Reads rows as products.
#[derive(Clone, Debug)]
pub struct Mapping {
    columns: HashMap<String, Vec<Field>>,
    sources: HashMap<Field, String>,
    ignored: HashSet<String>,
    strip: Vec<String>,
    price_is_minor: bool,
    currency: Currency,
    keep_text: bool,
}

impl Mapping {
    /// The error names a field that is mapped twice.
    pub fn new(args: MappingArgs) -> Result<Self, String> {
        let mut sources = HashMap::new();
        for (field, column) in args.map {
            if sources.insert(field, column).is_some() {
                return Err(format!("--map names {} twice", field.as_str()));
            }
        }
        for field in Field::MAPPED {
            sources
                .entry(field)
                .or_insert_with(|| field.as_str().to_owned());
        }
        let price_is_minor = args.price_minor.is_some();
        let price = args.price_minor.or(args.price);
        sources.insert(Field::Price, price.unwrap_or_else(|| "price".to_owned()));
        let mut columns: HashMap<String, Vec<Field>> = HashMap::new();
        for (field, column) in &sources {
            columns.entry(column.clone()).or_default().push(*field);
        }
        Ok(Self {
            columns,
            sources,
            ignored: args.ignore.into_iter().collect(),
            strip: args.strip_prefix,
            price_is_minor,
            currency: args.currency.unwrap_or(Currency::USD),
            keep_text: args.keep_text,
        })
    }

    /// Refuses a header without the columns that every product needs, or with one twice.
    pub(super) fn check_header(&self, header: &[String]) -> Result<(), String> {
        for field in [Field::Id, Field::Title, Field::Price] {
            let column = self.source(field);
            if !header.iter().any(|found| found == column) {
                let option = match field {
                    Field::Price => "--price COLUMN or --price-minor COLUMN".to_owned(),
                    field => format!("--map {}=COLUMN", field.as_str()),
                };
                return Err(format!(
                    "the header has no column {column:?}: use {option}; it has {}",
                    shorten(&header.join(", "))
                ));
            }
        }
        let mut seen = HashSet::new();
        match header
            .iter()
            .find(|column| !column.is_empty() && !seen.insert(*column))
        {
            Some(twice) => Err(format!("the header has the column {twice:?} twice")),
            None => Ok(()),
        }
    }

    pub(super) fn read_json(&self, object: Map<String, Value>) -> Result<ProductInput, Mistake> {
        let mut draft = Draft::new(self);
        draft.object("", object);
        draft.finish()
    }

    pub(super) fn read_text(&self, row: &[(&str, &str)]) -> Result<ProductInput, Mistake> {
        let mut draft = Draft::new(self);
        for (column, text) in row {
            draft.cell(column, text);
        }
        draft.finish()
    }

    fn source(&self, field: Field) -> &str {
        self.sources.get(&field).map_or("", String::as_str)
    }
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
                // As this catalogue itself prints products.
                (None, Value::Object(members)) if column == "attributes" => {
                    for (name, value) in members {
                        self.attribute(&name, value);
                    }
                }
                (None, Value::Object(members)) => self.object(&column, members),
                (None, value) => self.attribute(&column, value),
            }
        }
    }

    fn cell(&mut self, column: &str, text: &str) {
        if column.is_empty() || self.mapping.ignored.contains(column) {
            return;
        }
        match self.mapping.columns.get(column) {
            Some(fields) => self.fields(fields, Value::String(text.to_owned())),
            None if self.mapping.keep_text => {
                self.attribute(column, Value::String(text.to_owned()));
            }
            None => self.attribute(column, values::typed(text)),
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

    /// Columns whose names become the same are told apart by a number.
    fn insert(&mut self, name: String, value: AttributeValue) {
        let attributes = &mut self.product.attributes;
        if !attributes.contains_key(&name) {
            attributes.insert(name, value);
            return;
        }
        let numbered = (2..).map(|number| format!("{name}_{number}"));
        let free = numbered
            .into_iter()
            .find(|name| !attributes.contains_key(name));
        attributes.insert(free.unwrap_or(name), value);
    }

    fn fault(&mut self, field: &str, reason: String) {
        self.mistake.get_or_insert_with(|| Mistake {
            id: String::new(),
            field: field.to_owned(),
            reason,
        });
    }

    /// Checks what the client can know; the write service has the last word.
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
        let price = self.price.take().ok_or_else(|| missing(Field::Price))?;
        let price = if self.mapping.price_is_minor {
            values::minor_units(&price, currency)
        } else {
            Money::parse(&price, currency).map_err(|err| err.to_string())
        };
        let price = price.map_err(|reason| (Field::Price, reason))?;
        self.product.price_minor = price.minor();
        self.product.currency = currency.to_string();
        Ok(())
    }
}

fn shorten(text: &str) -> String {
    const SHOWN_CHARS_MAX: usize = 80;
    text.chars().take(SHOWN_CHARS_MAX).collect()
}
