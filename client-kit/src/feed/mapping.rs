//! The mapping from columns of a feed to fields of a product; every other column becomes an
//! attribute.

mod price_columns;

use std::collections::{HashMap, HashSet};

use catalog_events::Currency;

pub(super) use crate::feed::mapping::price_columns::take_amount;

use crate::feed::prices::DecimalSign;
use crate::feed::values;

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
    /// The version that the product must have, mapped by `--expect-version`.
    Version,
}

impl Field {
    /// The fields that `--map` takes.
    pub(super) const MAPPED: [Field; 10] = [
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

    pub(crate) fn as_str(self) -> &'static str {
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
            Field::Version => "version",
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
    /// Keeps numbers, true and false of a table or of XML as text
    #[arg(long)]
    pub keep_text: bool,
    /// Keeps COLUMN of a table or of XML as text: a version such as 4.10 is no number [columns with codes are
    /// found in a CSV that can be read twice]
    #[arg(long, value_name = "COLUMN")]
    pub text: Vec<String>,
    /// Makes numbers of COLUMN of a table or of XML even if they end in 0, such as 12.50
    #[arg(long, value_name = "COLUMN")]
    pub number: Vec<String>,
    /// Takes yes, no, 1, 0, x, ja, oui and the like in COLUMN for true and false
    #[arg(long, value_name = "COLUMN")]
    pub flag: Vec<String>,
    /// Prices and the numbers of attributes are written as 1.299,00 [default: as the prices of the feed and
    /// the numbers of each column show]
    #[arg(long, conflicts_with = "decimal_point")]
    pub decimal_comma: bool,
    /// Prices and the numbers of attributes are written as 1,299.00 [default: as the prices of the feed and
    /// the numbers of each column show]
    #[arg(long)]
    pub decimal_point: bool,
    /// Cuts categories at SEP; without it at a > with blanks around it where there are any, else at every >
    #[arg(long, value_name = "SEP")]
    pub category_separator: Option<String>,
    /// Column with the version that the product must have: a row for another one is rejected
    #[arg(long, value_name = "COLUMN")]
    pub expect_version: Option<String>,
    /// Empties what a row does not state, instead of leaving it as it is
    #[arg(long)]
    pub replace: bool,
    /// Separates the cells of a CSV [default: as its header or its line sep= shows]
    #[arg(long, value_name = "SEP")]
    pub delimiter: Option<String>,
    /// Skips the lines before the header of a CSV, or the rows before that of a spreadsheet
    #[arg(long, value_name = "LINES", default_value_t = 0)]
    pub skip: u64,
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
    pub(crate) columns: HashMap<String, Vec<Field>>,
    /// The fields that an option maps.
    told: HashSet<Field>,
    pub(super) sources: HashMap<Field, String>,
    pub(super) ignored: HashSet<String>,
    pub(super) strip: Vec<String>,
    /// The names of attributes, for columns whose own names a preset does not take over.
    pub(super) names: HashMap<String, String>,
    /// The separator of each column that is cut into a list.
    pub(crate) splits: HashMap<String, String>,
    pub(crate) price_is_minor: bool,
    /// The currency of rows that name none; None leaves a product its own.
    pub(super) currency: Option<Currency>,
    pub(super) keep_text: bool,
    /// The columns that stay text.
    pub(super) texts: HashSet<String>,
    /// The columns whose decimals may end in 0.
    pub(super) numbers: HashSet<String>,
    /// The columns of words for true and false.
    pub(super) flags: HashSet<String>,
    /// How prices are written.
    pub(super) decimal_sign: DecimalSign,
    /// How an option says that numbers are written.
    pub(super) told_sign: DecimalSign,
    /// How the numbers of single columns are written, as their values show.
    pub(super) signs: HashMap<String, DecimalSign>,
    pub(super) category_separator: Option<String>,
    pub(super) replaces: bool,
    pub(super) delimiter: Option<String>,
    pub(crate) skip: u64,
    /// Whether rows are kept as they stand in the feed.
    pub(super) keeps_originals: bool,
    /// Whether a preset reads the rows, so that no column is open.
    pub(crate) has_preset_of_rows: bool,
    /// Whether the header of a table must have what an import needs.
    pub(super) checks_header: bool,
    /// How many rows of a table are looked through before it is read; None for all.
    pub(super) look_rows: Option<usize>,
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
        let mut told: HashSet<Field> = sources.keys().copied().collect();
        for field in Field::MAPPED {
            sources
                .entry(field)
                .or_insert_with(|| field.as_str().to_owned());
        }
        let price_is_minor = args.price_minor.is_some();
        let price = args.price_minor.or(args.price);
        told.extend(price.is_some().then_some(Field::Price));
        told.extend(args.expect_version.is_some().then_some(Field::Version));
        sources.insert(Field::Price, price.unwrap_or_else(|| "price".to_owned()));
        sources.extend(args.expect_version.map(|column| (Field::Version, column)));
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
        let told_sign = match (args.decimal_comma, args.decimal_point) {
            (true, _) => DecimalSign::Comma,
            (false, true) => DecimalSign::Point,
            (false, false) => DecimalSign::Unknown,
        };
        Ok(Self {
            columns,
            told,
            names: HashMap::new(),
            splits,
            sources,
            ignored: args.ignore.into_iter().collect(),
            strip: args.strip_prefix,
            price_is_minor,
            currency: args.currency,
            keep_text: args.keep_text,
            texts: args.text.into_iter().collect(),
            numbers: args.number.into_iter().collect(),
            flags: args.flag.into_iter().collect(),
            decimal_sign: told_sign,
            told_sign,
            signs: HashMap::new(),
            category_separator: args.category_separator,
            replaces: args.replace,
            delimiter: args.delimiter,
            skip: args.skip,
            keeps_originals: false,
            has_preset_of_rows: false,
            checks_header: true,
            look_rows: None,
        })
    }

    /// Keeps rows as they stand in the feed, for a report of those that were rejected.
    pub fn keeping_originals(self) -> Self {
        Self {
            keeps_originals: true,
            ..self
        }
    }

    /// Takes any header, and reads a table without a look through it before.
    pub(super) fn for_a_look(self) -> Self {
        Self {
            checks_header: false,
            ..self
        }
    }

    /// Looks through so many rows of a table at most before it is read.
    pub(crate) fn looking_at(self, rows: usize) -> Self {
        Self {
            look_rows: Some(rows),
            ..self
        }
    }

    /// Takes a field from a column, and no more from the one before.
    pub(super) fn fill(&mut self, field: Field, column: &str) {
        if let Some(before) = self.sources.insert(field, column.to_owned())
            && let Some(fields) = self.columns.get_mut(&before)
        {
            fields.retain(|one| *one != field);
            if fields.is_empty() {
                self.columns.remove(&before);
            }
        }
        let fields = self.columns.entry(column.to_owned()).or_default();
        fields.push(field);
    }

    /// Leaves a column out that fills no field.
    pub(super) fn leave_out(&mut self, column: &str) {
        if !self.columns.contains_key(column) {
            self.ignored.insert(column.to_owned());
        }
    }

    /// The mapping for a table with this header: a column is known by its name in any case where none has
    /// it in the usual one.
    pub(super) fn for_header(mut self, header: &[String]) -> Self {
        for (field, source) in &mut self.sources {
            if source != field.as_str() || header.contains(source) {
                continue;
            }
            let mut alike = header
                .iter()
                .filter(|column| column.to_lowercase() == *source);
            if let (Some(column), None) = (alike.next(), alike.next()) {
                if self.columns.contains_key(column) {
                    continue;
                }
                self.columns.remove(source);
                self.columns.insert(column.clone(), vec![*field]);
                source.clone_from(column);
            }
        }
        self
    }

    /// Refuses a header that lacks the column of the ids or one that an option names, or has a column
    /// twice.
    pub(super) fn check_header(&self, header: &[String]) -> Result<(), String> {
        let shown = || values::listed(header);
        let has = |column: &str| header.iter().any(|found| found == column);
        let id = self.source(Field::Id);
        if !has(id) {
            return Err(format!(
                "the header has no column {id:?}: use --map id=COLUMN; it has {}",
                shown()
            ));
        }
        let lacking = self
            .sources
            .iter()
            .filter(|(field, column)| self.told.contains(field) && !has(column));
        if let Some((field, column)) = lacking.min_by_key(|(field, _)| field.as_str()) {
            return Err(format!(
                "the header has no column {column:?} for the field {}; it has {}",
                field.as_str(),
                shown()
            ));
        }
        for (purpose, columns) in [
            ("split", self.splits.keys().collect::<Vec<_>>()),
            ("keep as text", self.texts.iter().collect()),
            ("take for numbers", self.numbers.iter().collect()),
            ("take for flags", self.flags.iter().collect()),
        ] {
            if let Some(column) = columns.into_iter().filter(|column| !has(column)).min() {
                return Err(format!(
                    "the header has no column {column:?} to {purpose}; it has {}",
                    shown()
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

    /// The columns that options name, each with its option.
    pub(super) fn named_by_options(&self) -> Vec<(String, String)> {
        let of_field = |(field, column): (&Field, &String)| {
            let option = match field {
                Field::Price if self.price_is_minor => "--price-minor".to_owned(),
                Field::Price => "--price".to_owned(),
                Field::Version => "--expect-version".to_owned(),
                field => format!("--map {}", field.as_str()),
            };
            self.told.contains(field).then(|| (column.clone(), option))
        };
        let fields = self.sources.iter().filter_map(of_field);
        let splits = self
            .splits
            .keys()
            .map(|column| (column.clone(), "--split".to_owned()));
        let lists = [
            ("--text", &self.texts),
            ("--number", &self.numbers),
            ("--flag", &self.flags),
        ];
        let listed = lists.into_iter().flat_map(|(option, columns)| {
            let columns = columns.iter();
            columns.map(|column| (column.clone(), option.to_owned()))
        });
        fields.chain(splits).chain(listed).collect()
    }

    /// Whether an option says what the values of a column are.
    pub(super) fn is_typed(&self, column: &str) -> bool {
        self.texts.contains(column) || self.numbers.contains(column) || self.flags.contains(column)
    }

    /// How the numbers of an attribute are written. What prices show is no reason to think so of others.
    pub(super) fn sign_of(&self, column: &str) -> DecimalSign {
        self.signs.get(column).copied().unwrap_or(self.told_sign)
    }

    /// Whether an option names the column of a field.
    pub(crate) fn is_told(&self, field: Field) -> bool {
        self.told.contains(&field)
    }

    pub(crate) fn source(&self, field: Field) -> &str {
        self.sources.get(&field).map_or("", String::as_str)
    }
}
