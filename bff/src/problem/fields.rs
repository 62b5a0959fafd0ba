//! The members of a request that are at fault, each named by its JSON pointer.

use std::fmt::{Display, Write as _};

use serde::Serialize;

#[derive(Clone, Debug, Serialize)]
pub(super) struct FieldError {
    pointer: String,
    detail: String,
}

/// The members of a request that are at fault, at most [`FieldErrors::COUNT_MAX`] of them.
#[derive(Debug, Default)]
pub(crate) struct FieldErrors {
    list: Vec<FieldError>,
}

impl FieldErrors {
    pub(crate) const COUNT_MAX: usize = 20;

    pub(super) fn of(list: Vec<FieldError>) -> Self {
        Self { list }
    }

    pub(crate) fn push(&mut self, pointer: String, detail: impl Display) {
        if !self.is_full() {
            let detail = detail.to_string();
            self.list.push(FieldError { pointer, detail });
        }
    }

    /// Returns the value, or notes its error and returns None.
    pub(crate) fn take<T, E: Display>(
        &mut self,
        pointer: String,
        result: Result<T, E>,
    ) -> Option<T> {
        result.map_err(|err| self.push(pointer, err)).ok()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.list.len() >= Self::COUNT_MAX
    }

    pub(crate) fn has(&self, pointer: &str) -> bool {
        self.list.iter().any(|error| error.pointer == pointer)
    }

    /// Whether an error is at the pointer or at a member below it.
    pub(crate) fn has_below(&self, pointer: &str) -> bool {
        let is_below = |error: &FieldError| match error.pointer.strip_prefix(pointer) {
            Some(rest) => rest.is_empty() || rest.starts_with('/'),
            None => false,
        };
        self.list.iter().any(is_below)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// An error unless the list is empty.
    pub(crate) fn finish(self) -> Result<(), Self> {
        if self.is_empty() { Ok(()) } else { Err(self) }
    }

    /// Writes what is at one member, or below it, at another one.
    pub(super) fn rename(&mut self, pointer: &str, to: &str) {
        for error in &mut self.list {
            let rest = error.pointer.strip_prefix(pointer);
            if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
                error.pointer = to.to_owned();
            }
        }
    }

    pub(super) fn into_list(self) -> Vec<FieldError> {
        self.list
    }

    #[cfg(test)]
    pub(crate) fn into_pairs(self) -> Vec<(String, String)> {
        let errors = self.list.into_iter();
        errors.map(|error| (error.pointer, error.detail)).collect()
    }
}

/// Makes a JSON pointer (RFC 6901). Without segments it points at the whole document.
pub(crate) fn pointer(segments: &[&str]) -> String {
    let mut pointer = String::new();
    for segment in segments {
        let segment = segment.replace('~', "~0").replace('/', "~1");
        let _ = write!(pointer, "/{segment}");
    }
    pointer
}

/// The fields of a search rule that belong to its kind. No field of a product has such a name.
const RULE_KIND_FIELDS: [&str; 5] = ["terms", "from", "to", "queries", "actions"];

/// Finds the member of our JSON that a field path of an upstream means: `attributes.NAME` is one name
/// whatever dots it has, `gtins[0]` is an element, and a price is stated as `price`. Fields of a
/// search rule that belong to its kind are below `kind`.
pub(super) fn pointer_of_field(field: &str) -> String {
    if let Some(name) = field.strip_prefix("attributes.") {
        return pointer(&["attributes", name]);
    }
    if let Some(name) = field.strip_prefix("parameter.") {
        return pointer(&[&format!("attr.{name}")]);
    }
    if let Some((name, index)) = element_of_attribute(field) {
        return pointer(&["attributes", name, index]);
    }
    let segments: Vec<&str> = match field {
        "" => Vec::new(),
        "ranking_profile" => vec!["profile"],
        "auto_facets" => vec!["facets"],
        "price_minor" => vec!["price"],
        "page_size" => vec!["limit"],
        "query" => vec!["q"],
        path => segments(path),
    };
    pointer(&segments)
}

/// Name and index of `attributes["NAME"][1]`, in which the name may have any sign.
fn element_of_attribute(field: &str) -> Option<(&str, &str)> {
    let rest = field.strip_prefix("attributes[\"")?.strip_suffix(']')?;
    rest.rsplit_once("\"][")
}

/// The parts of a path. Those within a filter or a facet are of the message: a client states them otherwise.
fn segments(path: &str) -> Vec<&str> {
    for (upstream, ours) in [("skus", "sku"), ("filter", "filter"), ("facets", "facets")] {
        let rest = path.strip_prefix(upstream);
        if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '['])) {
            return vec![ours];
        }
    }
    let names = path
        .split(['.', '['])
        .map(|segment| segment.trim_end_matches(']'));
    let parent = names
        .clone()
        .next()
        .filter(|first| RULE_KIND_FIELDS.contains(first))
        .map(|_| "kind");
    parent.into_iter().chain(names).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_at_the_member_a_field_path_means() {
        for (field, expected) in [
            ("", ""),
            ("title", "/title"),
            ("price_minor", "/price"),
            ("query", "/q"),
            ("limit", "/limit"),
            ("page_size", "/limit"),
            ("skus[3]", "/sku"),
            ("ranking_profile", "/profile"),
            ("auto_facets", "/facets"),
            ("facets", "/facets"),
            ("facets[0].field", "/facets"),
            ("filter.all.filters[2].terms.field", "/filter"),
            ("filters[1]", "/filters/1"),
            ("attributes[\"x[0]\"][1]", "/attributes/x[0]/1"),
            ("attributes[\"a\"][0]/b\"][12]", "/attributes/a\"][0]~1b/12"),
            ("sku", "/sku"),
            ("gtins[2]", "/gtins/2"),
            ("gtins.2", "/gtins/2"),
            ("product.title", "/product/title"),
            ("terms[1]", "/kind/terms/1"),
            (
                "actions[3].target.product_ids[0]",
                "/kind/actions/3/target/product_ids/0",
            ),
            ("attributes", "/attributes"),
            (
                "attributes.net.weight~a/b[1]",
                "/attributes/net.weight~0a~1b[1]",
            ),
        ] {
            assert_eq!(pointer_of_field(field), expected, "{field}");
        }
    }
}
