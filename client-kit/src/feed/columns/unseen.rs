//! Columns that options name, or new products need, and no object of the feed has. Such a feed has no header, and
//! a product leaves out what it has nothing in, so that this is known at the end of the feed alone, and may be right.

use std::collections::{BTreeSet, HashSet};

use serde_json::{Map, Value};

use crate::feed::columns::stand_in;
use crate::feed::mapping::{Field, Mapping};
use crate::nearest::nearest;

/// From how many objects the names of columns are gathered, and how many of them.
const ROWS_MAX: u64 = 1_000;
const NAMES_MAX: usize = 300;
const NAME_BYTES_MAX: usize = 200;
/// How many names a message lists.
const SHOWN_MAX: usize = 12;

pub(in crate::feed) struct Unseen {
    /// The columns that no object had so far, each with the option that names it.
    wanted: Vec<(String, String)>,
    /// The fields that new products need and no object had so far, each with its column.
    needed: Vec<(Field, String)>,
    /// The fields that no object had a column for so far, each with the attribute of an element that has its name
    /// and whether an object had that.
    open: Vec<(Field, String, bool)>,
    /// The columns that fill a field or are left out.
    used: HashSet<String>,
    names: BTreeSet<String>,
    rows: u64,
}

impl Unseen {
    pub(in crate::feed) fn of(mapping: &Mapping) -> Self {
        let mut wanted = mapping.named_by_options();
        wanted.sort_unstable();
        let is_open = |field: &Field| mapping.checks_header && !mapping.is_told(*field);
        let needed = stand_in::NEEDED.into_iter().filter(is_open);
        let used: HashSet<String> = mapping
            .columns
            .keys()
            .chain(&mapping.ignored)
            .cloned()
            .collect();
        let fields = Field::MAPPED.into_iter().chain([Field::Price]);
        // The reader of XML takes the attribute of the id itself, or has a reason not to.
        let open = fields.filter(|field| *field != Field::Id && is_open(field));
        let open = open.map(|field| (field, format!("@{}", mapping.source(field)), false));
        let open = open
            .filter(|(_, attribute, _)| !used.contains(attribute))
            .collect();
        Self {
            wanted,
            needed: needed
                .map(|field| (field, mapping.source(field).to_owned()))
                .collect(),
            open,
            used,
            names: BTreeSet::new(),
            rows: 0,
        }
    }

    /// Looks at the columns of an object.
    pub(in crate::feed) fn look(&mut self, object: &Map<String, Value>) {
        self.wanted.retain(|(column, _)| !has(object, column));
        self.needed.retain(|(_, column)| !has(object, column));
        self.open
            .retain(|(_, attribute, _)| !has(object, &attribute[1..]));
        for (_, attribute, is_there) in &mut self.open {
            *is_there |= object.contains_key(attribute);
        }
        let is_open = !self.wanted.is_empty() || !self.needed.is_empty();
        if is_open && self.rows < ROWS_MAX {
            self.gather("", object);
        }
        self.rows += 1;
    }

    /// Takes what is to be told at the end of the feed.
    pub(in crate::feed) fn take(&mut self) -> Vec<String> {
        let wanted = std::mem::take(&mut self.wanted);
        // A feed without a product says nothing of columns.
        if self.rows == 0 {
            return Vec::new();
        }
        let unknown = wanted
            .iter()
            .map(|(column, option)| self.told(column, option));
        let needed = self.needed.iter().filter_map(|(field, _)| {
            let names = self.names.iter().filter(|name| !self.used.contains(*name));
            stand_in::hint(*field, names.map(String::as_str))
        });
        let attributes = self.open.iter().filter(|(_, _, is_there)| *is_there);
        let attributes = attributes.map(|(field, attribute, _)| {
            let option = match field {
                Field::Price => format!("--price {attribute}"),
                field => format!("--map {}={attribute}", field.as_str()),
            };
            let field = field.as_str();
            format!("nothing fills the {field}: {option} takes it from an attribute of the element")
        });
        unknown.chain(needed).chain(attributes).collect()
    }

    fn told(&self, column: &str, option: &str) -> String {
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        let hint = match nearest(column, &names) {
            Some(near) => format!("did you mean {near:?}?"),
            None => format!(
                "there are {}",
                names[..names.len().min(SHOWN_MAX)].join(", ")
            ),
        };
        format!("no product of the feed has the column {column:?} that {option} names: {hint}")
    }

    fn gather(&mut self, group: &str, object: &Map<String, Value>) {
        for (name, value) in object {
            let column = match group {
                "" => name.clone(),
                group => format!("{group}.{name}"),
            };
            if self.names.len() >= NAMES_MAX || column.len() > NAME_BYTES_MAX {
                continue;
            }
            if let Value::Object(members) = value {
                self.gather(&column, members);
            }
            self.names.insert(column);
        }
    }
}

/// Whether an object has a column, whose name may be that of a member or of one inside of members.
fn has(object: &Map<String, Value>, column: &str) -> bool {
    let is_inside = |(place, _): (usize, &str)| match object.get(&column[..place]) {
        Some(Value::Object(members)) => has(members, &column[place + 1..]),
        _ => false,
    };
    // The catalog prints attributes in a group of their own.
    let is_attribute = || match object.get("attributes") {
        Some(Value::Object(attributes)) => attributes.contains_key(column),
        _ => false,
    };
    object.contains_key(column) || column.match_indices('.').any(is_inside) || is_attribute()
}
