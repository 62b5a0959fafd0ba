//! What the columns of a table mean, settled once for all of its rows.

use std::collections::HashSet;
use std::sync::Arc;

use crate::feed::draft::{Draft, Numbers, Role};
use crate::feed::exact::{self, TypedColumn};
use crate::feed::mapping::Mapping;
use crate::feed::row::{Original, Row};
use crate::feed::values;

pub(super) struct Columns {
    names: Vec<String>,
    roles: Vec<Role>,
    /// The attributes that every row states.
    stated: Arc<[String]>,
    mapping: Mapping,
}

impl Columns {
    /// Settles the columns of a header. The error says what it lacks.
    pub(super) fn new(names: Vec<String>, mapping: Mapping) -> Result<Self, String> {
        let mapping = mapping.for_header(&names);
        mapping.check_header(&names)?;
        let mut taken = Taken::default();
        let roles: Vec<Role> = names
            .iter()
            .map(|name| role(name, &mapping, &mut taken))
            .collect();
        let stated = roles.iter().filter_map(|role| match role {
            Role::Attribute(name) => Some(format!("attributes.{name}")),
            Role::Exact(TypedColumn::Attribute { name, .. }) => {
                let name = exact::name(name, &mapping.strip);
                Some(format!("attributes.{name}"))
            }
            Role::Exact(TypedColumn::Categories) => Some("categories".to_owned()),
            _ => None,
        });
        Ok(Self {
            stated: stated.collect(),
            names,
            roles,
            mapping,
        })
    }

    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    pub(super) fn mapping(&self) -> &Mapping {
        &self.mapping
    }

    /// The name of the column at a place.
    pub(super) fn name(&self, place: usize) -> &str {
        self.names.get(place).map_or("", String::as_str)
    }

    /// Whether the column at a place becomes an attribute.
    pub(super) fn is_attribute(&self, place: usize) -> bool {
        matches!(self.roles.get(place), Some(Role::Attribute(_)))
    }

    /// Reads the cells of a row, one for each column.
    pub(super) fn row(&self, line: u64, cells: &[&str]) -> Row {
        let mut draft = Draft::new(&self.mapping);
        for ((name, role), text) in self.names.iter().zip(&self.roles).zip(cells) {
            draft.cell(name, role, text);
        }
        let original = self
            .mapping
            .keeps_originals
            .then(|| Original::Cells(cells.iter().map(|cell| (*cell).to_owned()).collect()));
        Row {
            columns: Arc::clone(&self.stated),
            original,
            ..draft.finish(line)
        }
    }
}

fn role(column: &str, mapping: &Mapping, taken: &mut Taken) -> Role {
    if column.is_empty() || mapping.ignored.contains(column) || values::is_of_report(column) {
        return Role::Nothing;
    }
    if let Some(fields) = mapping.columns.get(column) {
        return Role::Fields(fields.clone());
    }
    if let Some(typed) = TypedColumn::parse(column) {
        return Role::Exact(typed);
    }
    let name = values::attribute_name(column, &mapping.strip);
    if name.is_empty() {
        return Role::Nameless;
    }
    Role::Attribute(taken.free(name))
}

/// The names of attributes that columns have.
#[derive(Default)]
struct Taken {
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
