//! What is proposed: the options of the mapping, and each column with what it becomes and why.

use serde::Serialize;

use crate::feed::{DecimalSign, Field, Kind, MappingArgs, Role, is_plain_number};
use crate::suggest::attributes::{Treatment, treat};
use crate::suggest::column::{Column, is_id};
use crate::suggest::fields::{Candidate, Choice, choose};
use crate::suggest::sample::Sample;
use crate::suggest::settings::Told;
use crate::suggest::{names, settings};

/// How many columns are named in a remark.
const NAMED_MAX: usize = 3;

/// A column, and what it becomes.
#[derive(Debug, Serialize)]
pub struct ColumnUse {
    pub column: String,
    pub becomes: String,
    /// How sure that is, in a word; empty for an attribute.
    pub confidence: String,
    pub why: String,
    pub examples: Vec<String>,
}

#[derive(Debug)]
pub(super) struct Plan {
    pub(super) mapping: MappingArgs,
    pub(super) columns: Vec<ColumnUse>,
    pub(super) remarks: Vec<String>,
    pub(super) missing: Vec<String>,
}

impl Plan {
    /// `is_file` says that an import looks through a CSV before it reads it.
    pub(super) fn of(sample: &Sample, told: &MappingArgs, is_file: bool) -> Self {
        let mut plan = Self {
            mapping: told.clone(),
            columns: Vec::new(),
            remarks: Vec::new(),
            missing: Vec::new(),
        };
        plan.mapping.skip = sample.mapping.skip;
        let choice = if sample.mapping.has_preset_of_rows {
            plan.remarks
                .push("the columns of this kind of feed are known".to_owned());
            Choice::default()
        } else {
            choose(&sample.columns, sample.rows, &sample.mapping)
        };
        let is_looked_through = is_file && sample.kind == Kind::Csv;
        plan.map(&choice, &sample.columns);
        let chosen = |field| {
            let one = choice.chosen.iter().find(|one| one.field == field)?;
            sample.columns.get(one.column)
        };
        let price = chosen(Field::Price);
        plan.decimals(price, &choice, sample, is_looked_through);
        plan.levels(chosen(Field::Categories));
        let names_currency =
            |column: &Column| matches!(column.role, Role::Currency(_)) && !column.is_empty();
        let has_currency =
            chosen(Field::Currency).is_some() || sample.columns.iter().any(names_currency);
        plan.currency(price, has_currency);
        for (place, column) in sample.columns.iter().enumerate() {
            let fields = choice.chosen.iter().filter(|one| one.column == place);
            let fields: Vec<&Candidate> = fields.collect();
            let is_misnamed = choice.misnamed.iter().any(|one| one.column == place);
            let is_ignored = plan.mapping.ignore.contains(&column.name);
            if column.is_object && fields.is_empty() && !is_ignored {
                continue;
            }
            plan.column(column, &fields, is_misnamed, sample, is_looked_through);
        }
        plan.tell(&choice, sample);
        plan
    }

    fn map(&mut self, choice: &Choice, columns: &[Column]) {
        for one in choice.chosen.iter().filter(|one| !one.is_own) {
            let Some(column) = columns.get(one.column) else {
                continue;
            };
            let name = column.name.clone();
            match one.field {
                Field::Price if names::is_minor(&name) => self.mapping.price_minor = Some(name),
                Field::Price => self.mapping.price = Some(name),
                field => self.mapping.map.push((field, name)),
            }
        }
        // A column of that name is an attribute where another one fills the field.
        for one in &choice.misnamed {
            let is_mapped = choice.chosen.iter().any(|other| other.field == one.field);
            let Some(column) = columns.get(one.column) else {
                continue;
            };
            if !is_mapped {
                self.mapping.ignore.push(column.name.clone());
            }
        }
    }

    /// Says how decimals are written.
    fn decimals(
        &mut self,
        price: Option<&Column>,
        choice: &Choice,
        sample: &Sample,
        is_looked_through: bool,
    ) {
        let is_table = matches!(sample.kind, Kind::Csv | Kind::Sheet);
        let is_said = self.mapping.decimal_comma || self.mapping.decimal_point;
        let is_minor = self.mapping.price_minor.is_some() || sample.mapping.price_is_minor;
        let price = price.filter(|_| !is_minor);
        let sign = price.map(settings::decimal_sign);
        match sign {
            Some(Some((DecimalSign::Comma, text))) => {
                self.remarks
                    .push(format!("prices have a decimal comma, such as {text:?}"));
                self.mapping.decimal_comma |= !is_said && !is_looked_through;
            }
            Some(Some((DecimalSign::Point, text))) => {
                self.remarks
                    .push(format!("prices have a decimal point, such as {text:?}"));
            }
            Some(Some((DecimalSign::Unknown, _)))
                if price.is_some_and(|price| price.share(is_plain_number) > 0.99) =>
            {
                self.remarks.push(
                    "prices have no decimals: --price-minor COLUMN says that they are in cents"
                        .to_owned(),
                );
            }
            Some(None) if !is_said => self.missing.push(
                "prices have decimal commas and points: mend the feed, or say what is right with \
                 --decimal-comma or --decimal-point"
                    .to_owned(),
            ),
            _ => {}
        }
        let is_point = matches!(sign, Some(Some((DecimalSign::Point, _)) | None));
        let is_used = |place: usize| choice.chosen.iter().any(|one| one.column == place);
        let columns = sample.columns.iter().enumerate();
        let mut commas = columns.filter(|(place, column)| {
            matches!(column.role, Role::Attribute(_))
                && !is_used(*place)
                && settings::has_commas(column)
        });
        if let Some((_, column)) = commas.next().filter(|_| is_table && !is_said && !is_point) {
            self.remarks.push(format!(
                "{:?} has numbers with a decimal comma",
                column.name
            ));
            self.mapping.decimal_comma = true;
        }
    }

    /// Says what separates the levels of categories.
    fn levels(&mut self, categories: Option<&Column>) {
        let is_said = self.mapping.category_separator.is_some();
        let separator = categories.and_then(settings::separator_of);
        let Some(separator) = separator.filter(|_| !is_said) else {
            return;
        };
        self.remarks.push(format!(
            "levels of categories are separated by {separator:?}"
        ));
        if !matches!(separator, " > " | ">") {
            self.mapping.category_separator = Some(separator.to_owned());
        }
    }

    /// Says in which currency prices are.
    fn currency(&mut self, price: Option<&Column>, has_column: bool) {
        let Some(price) = price.filter(|_| !has_column) else {
            return;
        };
        if self.mapping.currency.is_some() {
            return;
        }
        let named = settings::currency_in(&price.name).and_then(|code| code.parse().ok());
        let (code, who) = match (settings::currency_of_prices(price), named) {
            (Told::All, _) => return,
            (Told::Some(code), _) => (Some(code), "some prices say".to_owned()),
            (_, Some(code)) => (Some(code), format!("the name of {:?} says", price.name)),
            (Told::Nothing | Told::Several, None) => (None, String::new()),
        };
        self.mapping.currency = code;
        self.remarks.push(match code {
            Some(code) => format!("{who} that they are in {code}"),
            None => "nothing tells the currency of all prices: new products get that of the catalog, USD \
                     unless set; --currency EUR says another one"
                .to_owned(),
        });
    }

    /// Says what a column becomes.
    fn column(
        &mut self,
        column: &Column,
        fields: &[&Candidate],
        is_misnamed: bool,
        sample: &Sample,
        is_looked_through: bool,
    ) {
        let mut used = ColumnUse {
            column: column.name.clone(),
            becomes: String::new(),
            confidence: String::new(),
            why: String::new(),
            examples: column.examples(),
        };
        if let Some(first) = fields.first() {
            let names: Vec<&str> = fields.iter().map(|one| one.field.as_str()).collect();
            used.becomes = names.join(", ");
            used.confidence = first.confidence().to_owned();
            used.why.clone_from(&first.why);
            self.columns.push(used);
            return;
        }
        match &column.role {
            _ if self.mapping.ignore.contains(&column.name) && is_misnamed => {
                used.becomes = "left out".to_owned();
                used.why = "it has the name of a field, and other values".to_owned();
            }
            Role::Fields(names) if !is_misnamed => {
                let names: Vec<&str> = names.iter().map(|field| field.as_str()).collect();
                used.becomes = names.join(", ");
                used.why = "as the options say, or the kind of feed".to_owned();
            }
            Role::Currency(_) if !column.is_empty() => {
                used.becomes = Field::Currency.as_str().to_owned();
                used.why = "its name, beside that of the price".to_owned();
            }
            Role::Nothing if sample.mapping.has_preset_of_rows => {
                used.becomes = "no attribute of its own".to_owned();
                used.why = "the preset uses it, or leaves it out".to_owned();
            }
            Role::Nothing => used.becomes = "left out".to_owned(),
            Role::Exact(_) => {
                used.becomes = "as the catalog exported it".to_owned();
            }
            role => {
                let name = match role {
                    Role::Attribute(name) | Role::Currency(name) => name,
                    _ => &column.name,
                };
                let is_told = self.is_told(&column.name, sample);
                let is_split = sample.mapping.splits.contains_key(&column.name);
                let treatment = match treat(column, sample, is_looked_through) {
                    Treatment::Empty => Treatment::Empty,
                    _ if is_told => Treatment::Plain,
                    treatment => treatment,
                };
                let is_list = column.is_list || is_split;
                self.attribute(&mut used, name, is_list, treatment);
            }
        }
        self.columns.push(used);
    }

    fn attribute(&mut self, used: &mut ColumnUse, name: &str, is_list: bool, treatment: Treatment) {
        let mapping = &mut self.mapping;
        let own = used.column.clone();
        let (becomes, why) = match treatment {
            Treatment::Plain if is_list => (format!("list attribute {name}"), ""),
            Treatment::Plain => (format!("attribute {name}"), ""),
            Treatment::List(separator) => {
                mapping.split.push((own, separator.to_owned()));
                (format!("list attribute {name}"), "several values in a text")
            }
            Treatment::Flag => {
                mapping.flag.push(own);
                (format!("flag attribute {name}"), "words for yes and no")
            }
            Treatment::Number => {
                mapping.number.push(own);
                (
                    format!("number attribute {name}"),
                    "a measure, even if it ends in 0",
                )
            }
            Treatment::Text => {
                mapping.text.push(own);
                (format!("text attribute {name}"), "codes, and no numbers")
            }
            Treatment::Empty => ("nothing".to_owned(), "it is empty in these rows"),
            Treatment::LeftOut(why) => {
                mapping.ignore.push(own);
                ("left out".to_owned(), why)
            }
        };
        used.becomes = becomes;
        why.clone_into(&mut used.why);
    }

    /// Whether an option or a preset says what the values of a column are.
    fn is_told(&self, column: &str, sample: &Sample) -> bool {
        let mapping = &self.mapping;
        let lists = [&mapping.text, &mapping.number, &mapping.flag];
        mapping.keep_text
            || lists
                .iter()
                .any(|list| list.iter().any(|one| one == column))
            || mapping.split.iter().any(|(one, _)| one == column)
            || sample.mapping.has_preset_of_rows
    }

    /// Names what was the second best, and what is missing.
    fn tell(&mut self, choice: &Choice, sample: &Sample) {
        let name = |place: usize| sample.columns.get(place).map_or("", |column| &column.name);
        for one in &choice.chosen {
            let others = choice
                .others
                .iter()
                .filter(|other| other.field == one.field);
            let others: Vec<String> = others
                .take(NAMED_MAX)
                .map(|other| format!("{:?}", name(other.column)))
                .collect();
            if !others.is_empty() {
                self.remarks.push(format!(
                    "{} could be {} too, and is taken from {:?}",
                    one.field.as_str(),
                    others.join(" or "),
                    name(one.column)
                ));
            }
        }
        if let Some(place) = choice.unfit_images.first() {
            self.remarks.push(format!(
                "{:?} has not one address of http or https in a value, which an image needs",
                name(*place)
            ));
        }
        if sample.unreadable > 0 {
            self.missing.push(format!(
                "{} rows could not be taken apart",
                sample.unreadable
            ));
        }
        if sample.mapping.has_preset_of_rows {
            return;
        }
        let is_filled = |field| {
            sample.mapping.is_told(field) || choice.chosen.iter().any(|one| one.field == field)
        };
        if !is_filled(Field::Id) {
            let best = sample
                .columns
                .iter()
                .find(|column| names::score(Field::Id, &column.name) > 0 && !column.is_empty());
            self.missing.push(match best.map(|column| (column, column.texts.iter().find(|text| !is_id(text)))) {
                Some((column, Some(text))) => format!(
                    "no column has ids: {:?} has {text:?}, and an id has 1 to 64 letters, digits, - and _; add a \
                     column that has such ids for all rows, or name one with --map id=COLUMN",
                    column.name
                ),
                Some((column, None)) => format!(
                    "no column has ids: {:?} is not in every row, or twice; name the right one with --map id=COLUMN",
                    column.name
                ),
                None => "no column has ids: name one with --map id=COLUMN; the catalog knows a product by it, so \
                         that it must be another one in every row and stay the same in the next feed"
                    .to_owned(),
            });
        }
        let id = choice.chosen.iter().find(|one| one.field == Field::Id);
        if let Some(column) = id.and_then(|one| sample.columns.get(one.column))
            && let Some(text) = column.texts.iter().find(|text| !is_id(text))
        {
            self.missing.push(format!(
                "{:?} has ids that cannot be imported, such as {text:?}: an id has 1 to 64 letters, digits, - and _",
                column.name
            ));
        }
        if !is_filled(Field::Title) {
            self.missing.push(
                "no column has titles, which new products need: name one with --map title=COLUMN"
                    .to_owned(),
            );
        }
        if !is_filled(Field::Price) {
            self.missing.push("no column has prices, which new products need: name one with --price COLUMN or --price-minor COLUMN".to_owned());
        }
    }
}
