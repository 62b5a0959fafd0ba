//! Which column fills which field: by its name, and by what its values are.

use crate::feed::{Field, Mapping, Role};
use crate::feed::{image_address, is_price};
use crate::suggest::column::{
    Column, is_gtin, is_id, is_image, is_markup, is_money, is_number, is_url,
};
use crate::suggest::{names, settings};

/// The score of a column whose name is that of the field.
const OWN_NAME: i32 = 100;
/// The least score of a column that is proposed.
pub(super) const ENOUGH: i32 = 40;
const SURE: i32 = 75;
const LIKELY: i32 = 55;
/// What a column loses that cannot be the field.
const NEVER: i32 = 200;
const FIELDS: [Field; 11] = [
    Field::Id,
    Field::Sku,
    Field::Title,
    Field::Price,
    Field::Currency,
    Field::Gtins,
    Field::Brand,
    Field::Categories,
    Field::ImageUrl,
    Field::Description,
    Field::Status,
];

/// A column that may fill a field.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) field: Field,
    pub(super) column: usize,
    pub(super) score: i32,
    pub(super) why: String,
    /// What its name alone says.
    named: i32,
    /// Whether it fills the field without an option.
    pub(super) is_own: bool,
}

/// The columns of the fields, and those that were the second best.
#[derive(Debug, Default)]
pub(super) struct Choice {
    pub(super) chosen: Vec<Candidate>,
    pub(super) others: Vec<Candidate>,
    /// Columns of images without the address of one.
    pub(super) unfit_images: Vec<usize>,
    /// Columns with the name of a field that cannot fill it.
    pub(super) misnamed: Vec<Candidate>,
}

impl Candidate {
    /// How sure it is, in a word.
    pub(super) fn confidence(&self) -> &'static str {
        match self.score {
            SURE.. => "sure",
            LIKELY.. => "likely",
            _ => "a guess",
        }
    }
}

/// Chooses the best column for each field. A column fills one field, and the id may be the stock keeping
/// unit too.
pub(super) fn choose(columns: &[Column], rows: usize, mapping: &Mapping) -> Choice {
    let mut candidates = Vec::new();
    for (place, column) in columns.iter().enumerate() {
        for field in FIELDS {
            candidates.extend(candidate(field, place, column, rows, mapping));
        }
    }
    let order = |field| FIELDS.iter().position(|one| *one == field);
    candidates.sort_by_key(|one| (-one.score, order(one.field), one.column));
    let mut choice = Choice::default();
    for candidate in candidates {
        let Candidate { field, column, .. } = candidate;
        if candidate.score < ENOUGH {
            let is_image = field == Field::ImageUrl && candidate.named >= LIKELY;
            choice.unfit_images.extend(is_image.then_some(column));
            if candidate.is_own {
                choice.misnamed.push(candidate);
            }
            continue;
        }
        let shares = |one: &Candidate| {
            one.column == column
                && !matches!(
                    (one.field, field),
                    (Field::Id, Field::Sku) | (Field::Sku, Field::Id)
                )
        };
        if choice.chosen.iter().any(|one| one.field == field) {
            choice.others.push(candidate);
        } else if !choice.chosen.iter().any(shares) && !mapping.is_told(field) {
            choice.chosen.push(candidate);
        }
    }
    let Choice { chosen, others, .. } = &mut choice;
    chosen.sort_by_key(|one| order(one.field));
    // A column that fills another field is no second best, nor is a name that merely may mean it.
    others.retain(|other| {
        !chosen.iter().any(|one| one.column == other.column) && other.score >= LIKELY - 5
    });
    choice
}

fn candidate(
    field: Field,
    place: usize,
    column: &Column,
    rows: usize,
    mapping: &Mapping,
) -> Option<Candidate> {
    let is_own = matches!(&column.role, Role::Fields(fields) if fields.contains(&field));
    let is_free = matches!(
        &column.role,
        Role::Attribute(_) | Role::Currency(_) | Role::Fields(_) | Role::Nameless
    );
    if !is_free || (!is_own && column.is_empty()) {
        return None;
    }
    let named = match names::score(field, &column.name) {
        _ if is_own => OWN_NAME,
        score => score,
    };
    let (score, why) = if column.is_empty() {
        // An empty column cannot show that it is another one.
        (named, "its name".to_owned())
    } else if named > 0 {
        let (delta, shown) = evidence(field, column, rows);
        let why = match shown {
            Some(shown) => format!("its name, and {shown}"),
            None => "its name".to_owned(),
        };
        (named + delta, why)
    } else {
        let (score, shown) = by_values(field, place, column, rows)?;
        (score, shown.to_owned())
    };
    let is_list = column.is_list && !matches!(field, Field::Gtins | Field::Categories);
    let is_taken = mapping.is_told(field) && !is_own;
    let score = match () {
        () if column.is_object || column.has_objects || is_list || is_taken => score - NEVER,
        () => score,
    };
    Some(Candidate {
        field,
        column: place,
        score,
        named,
        why,
        is_own,
    })
}

/// What the values of a column say of what its name says.
fn evidence(field: Field, column: &Column, rows: usize) -> (i32, Option<&'static str>) {
    let numbers = column.share(is_number);
    let urls = column.share(is_url);
    let is_text = numbers < 0.5 && urls < 0.5;
    let only_if = |is_so: bool, shown| {
        if is_so {
            (8, Some(shown))
        } else {
            (-NEVER, None)
        }
    };
    match field {
        Field::Id => {
            let is_everywhere = column.filled == rows;
            let is_valid = column.share(is_id) > 0.9;
            if column.distinct() > 0.98 && is_everywhere {
                if is_valid {
                    (10, Some("every row has another one"))
                } else {
                    (-25, None)
                }
            } else if column.distinct() > 0.9 {
                (0, None)
            } else {
                (-45, None)
            }
        }
        Field::Sku if column.length() > 64.0 => (-NEVER, None),
        Field::Sku if column.distinct() > 0.9 => (3, None),
        Field::Sku => (-10, None),
        Field::Title if !is_text => (-60, None),
        Field::Title if column.length() > 250.0 => (-30, None),
        Field::Title if column.distinct() > 0.5 => (5, None),
        Field::Title => (-15, None),
        Field::Description if !is_text => (-60, None),
        Field::Description if column.share(is_markup) > 0.2 => (8, Some("values with mark-up")),
        Field::Description if column.length() > 60.0 => (8, Some("long texts")),
        Field::Description => (0, None),
        Field::Price => only_if(column.share(is_price) > 0.8, "values that are prices"),
        Field::Currency => only_if(
            column.share(settings::is_currency) > 0.8,
            "values that are codes",
        ),
        Field::Brand if !is_text || column.length() > 60.0 => (-60, None),
        Field::Brand => (3, None),
        Field::Gtins => {
            let valid = column.share(is_gtin);
            match () {
                () if valid > 0.8 => (8, Some("values with the right check digit")),
                () if valid > 0.2 => (0, None),
                () => (-NEVER, None),
            }
        }
        Field::Categories if !is_text || column.length() > 200.0 => (-60, None),
        Field::Categories if settings::separator_of(column).is_some() => {
            (8, Some("values that are paths"))
        }
        Field::Categories => (0, None),
        Field::ImageUrl => {
            let is_one = |text: &str| image_address(text).is_ok();
            only_if(column.share(is_one) > 0.8, "values that are addresses")
        }
        Field::Status => only_if(
            column.share(|text| matches!(text.to_lowercase().as_str(), "active" | "discontinued"))
                > 0.95,
            "values that are known",
        ),
        Field::Version => (-NEVER, None),
    }
}

/// What values alone say of a column whose name says nothing.
fn by_values(
    field: Field,
    place: usize,
    column: &Column,
    rows: usize,
) -> Option<(i32, &'static str)> {
    let is_unique = column.distinct() > 0.98 && column.filled == rows && rows > 2;
    let numbers = column.share(is_number);
    let is_typed = column.is_typed || column.is_list;
    match field {
        Field::Gtins
            if column.share(is_gtin) > 0.95
                && column.texts.len() > 2
                && column.distinct() > 0.5 =>
        {
            Some((50, "values with the right check digit of a GTIN"))
        }
        Field::Id if is_unique && column.share(is_id) > 0.98 && numbers < 0.5 => {
            Some((43, "every row has another code"))
        }
        Field::Id if is_unique && place == 0 && column.share(is_id) > 0.98 => {
            Some((42, "the first column, and every row has another number"))
        }
        Field::ImageUrl if !is_typed && column.share(is_image) > 0.9 => {
            Some((46, "values that are addresses of images"))
        }
        Field::Price if !is_typed && column.share(is_money) > 0.9 && column.texts.len() > 2 => {
            Some((43, "values that look like money"))
        }
        Field::Description
            if !is_typed && (column.share(is_markup) > 0.5 || column.length() > 120.0) =>
        {
            Some((44, "long texts or mark-up"))
        }
        Field::Categories
            if !is_typed
                && column.distinct() < 0.7
                && column.share(|text| text.contains('<')) < 0.1
                && settings::separator_of(column).is_some_and(|found| found.contains('>')) =>
        {
            Some((44, "few different paths"))
        }
        Field::Title
            if !is_typed
                && is_unique
                && (10.0..120.0).contains(&column.length())
                && column.share(|text| text.contains(' ')) > 0.8
                && numbers < 0.1
                && column.share(is_markup) < 0.1 =>
        {
            Some((41, "every row has other words"))
        }
        _ => None,
    }
}
