//! The mapping from columns of a feed to fields of a product; every other column becomes an
//! attribute.

use std::collections::{HashMap, HashSet};

use catalog_events::Currency;

use crate::feed::values::shorten;

/// A field of a product that a column can be mapped to.
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
    /// This field is mapped by `--price` or `--price-minor`.
    Price,
}

impl Field {
    /// The fields that `--map` takes.
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

    pub(super) fn as_str(self) -> &'static str {
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

/// The options of a mapping. A field that is not mapped is taken from a column of the same name
/// where there is one; every column that is neither a field nor ignored becomes an attribute.
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
    /// Cuts the texts of COLUMN at SEP into a list of values, such as colours=| [an array of a JSON feed is
    /// a list by itself]
    #[arg(long, value_name = "COLUMN=SEP", value_parser = parse_split)]
    pub split: Vec<(String, String)>,
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

fn parse_split(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((column, separator)) if !column.is_empty() && !separator.is_empty() => {
            Ok((column.to_owned(), separator.to_owned()))
        }
        _ => Err("write COLUMN=SEP".to_owned()),
    }
}

/// Which fields each column fills, and how values are read.
#[derive(Clone, Debug)]
pub struct Mapping {
    pub(super) columns: HashMap<String, Vec<Field>>,
    pub(super) sources: HashMap<Field, String>,
    pub(super) ignored: HashSet<String>,
    pub(super) strip: Vec<String>,
    /// The separator of each column that is cut into a list.
    pub(super) splits: HashMap<String, String>,
    pub(super) price_is_minor: bool,
    pub(super) currency: Currency,
    pub(super) keep_text: bool,
}

impl Mapping {
    /// Builds a mapping. The error names a field that is mapped twice, or a column that cannot be split.
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
        let mut splits = HashMap::new();
        for (column, separator) in args.split {
            if let Some(fields) = columns.get(&column) {
                let field = fields.first().map_or("", |field| field.as_str());
                return Err(format!(
                    "--split {column}: the column fills the field {field}, and only attributes are split"
                ));
            }
            if splits.insert(column.clone(), separator).is_some() {
                return Err(format!("--split names {column} twice"));
            }
        }
        Ok(Self {
            columns,
            splits,
            sources,
            ignored: args.ignore.into_iter().collect(),
            strip: args.strip_prefix,
            price_is_minor,
            currency: args.currency.unwrap_or(Currency::USD),
            keep_text: args.keep_text,
        })
    }

    /// Refuses a header that lacks a column that every product needs, or has a column twice.
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
        for column in self.splits.keys() {
            if !header.contains(column) {
                return Err(format!(
                    "the header has no column {column:?} to split; it has {}",
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

    pub(super) fn source(&self, field: Field) -> &str {
        self.sources.get(&field).map_or("", String::as_str)
    }
}
