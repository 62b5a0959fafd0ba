//! An object around a list of products that is empty: the answer of a shop that has nothing to tell.

use serde_json::{Map, Value};

use crate::feed::json::tracker::Wrapper;

/// What lists of products are called, in lower case.
const LISTS: &str = "products items offers entries articles data results records rows feed catalog goods nodes hits \
    documents productlist produkte artikel produits articulos prodotti @graph";

/// The path of the list of products in an object, where it is empty and the object is no product.
pub(super) fn empty_list(object: &Map<String, Value>, wrapper: &Wrapper) -> Option<String> {
    let has = |column: &String| object.contains_key(column);
    if wrapper.path.is_some() || wrapper.product.iter().any(has) {
        return None;
    }
    find(object)
}

fn find(object: &Map<String, Value>) -> Option<String> {
    let is_list = |name: &str| {
        let name = name.to_lowercase();
        LISTS.split_whitespace().any(|known| known == name)
    };
    object.iter().find_map(|(name, value)| match value {
        Value::Array(values) => (values.is_empty() && is_list(name)).then(|| name.clone()),
        Value::Object(members) => find(members).map(|inner| format!("{name}/{inner}")),
        _ => None,
    })
}
