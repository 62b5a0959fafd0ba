//! Which element of a feed is the product, by its name, by what repeats and by what has an id: in a feed with a
//! single product, it is the elements inside of it that repeat.

/// Elements that hold products by their name.
const PRODUCTS: [&str; 9] = [
    "product", "item", "offer", "article", "entry", "artikel", "produkt", "produit", "shopitem",
];
/// Names of products that parts of one have too.
const PARTS: [&str; 2] = ["item", "entry"];
/// Elements and attributes that tell one product from another, folded.
const IDS: &str = "id sku gid uid guid productid itemid articleid offerid artikelid produktid productcode itemcode \
    articlenumber artikelnummer artikelnr itemnumber productnumber supplierpid supplieraid ean gtin isbn";
/// The same, of what other things have as well.
const CODES: &str =
    "nr no num number nummer numero code kod ref reference referenz key handle slug mpn";

/// What the beginning of a feed shows of an element.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) order: usize,
    /// Whether it comes twice in the same element.
    pub(super) repeats: bool,
    pub(super) has_children: bool,
    pub(super) has_attributes: bool,
    has_id_child: bool,
    has_id_attribute: bool,
    has_code: bool,
}

impl Known {
    pub(super) fn new(order: usize) -> Self {
        Self {
            order,
            ..Self::default()
        }
    }

    /// Notes the name of an element inside of it. `id` is the one that is told to have ids.
    pub(super) fn add_child(&mut self, name: &str, id: &str) {
        self.has_children = true;
        self.has_id_child |= is_id(name, id);
        self.has_code |= is_listed(CODES, name);
    }

    /// Notes the attributes in its tag.
    pub(super) fn add_attributes(&mut self, tag: &[u8], id: &str) {
        for name in attribute_names(tag) {
            let name = String::from_utf8_lossy(name);
            self.has_attributes = true;
            self.has_id_attribute |= is_id(&name, id);
            self.has_code |= is_listed(CODES, &name);
        }
    }

    fn has_id(&self) -> bool {
        self.has_id_child || self.has_id_attribute
    }
}

/// An element by its path.
type Found<'k> = (&'k Vec<String>, &'k Known);

/// The path of the element of a product, of elements in order, the outer ones first.
pub(super) fn product_of(known: &[Found<'_>]) -> Option<Vec<String>> {
    let repeats = |wanted: fn(&Known) -> bool| {
        let mut known = known.iter().copied();
        known.find(|(_, known)| known.repeats && wanted(known))
    };
    let repeated =
        repeats(|known| known.has_children).or_else(|| repeats(|known| known.has_attributes));
    let found = match (repeated, named(known)) {
        (Some(repeated), Some(named)) if wins(named, repeated) => Some(named),
        (Some(repeated), _) => Some(around(repeated, known).unwrap_or(repeated)),
        (None, Some(named)) => Some(named),
        (None, None) => {
            let mut known = known.iter().copied();
            known.find(|(path, known)| path.len() > 1 && known.has_children && known.has_id())
        }
    };
    found.map(|(path, _)| path.clone())
}

/// The outermost element whose name says that it is a product; one with an id where that has none.
fn named<'k>(known: &[Found<'k>]) -> Option<Found<'k>> {
    let is_named = |(path, known): &Found<'k>| {
        let has_content = known.has_children || known.has_id();
        // The whole feed is a product where it has an id.
        let is_inside = path.len() > 1 || known.has_id();
        has_content && is_inside && has_name(path, &PRODUCTS)
    };
    let mut all = known.iter().copied().filter(is_named);
    let first = all.next()?;
    let has_id = |(path, known): &Found<'k>| known.has_id() && !path.starts_with(first.0);
    let other = if first.1.has_id() {
        None
    } else {
        all.find(has_id)
    };
    Some(other.unwrap_or(first))
}

/// Whether an element with the name of a product is one rather than an element that repeats.
fn wins(named: Found<'_>, repeated: Found<'_>) -> bool {
    if repeated.0.starts_with(named.0) {
        return true;
    }
    let is_part = has_name(named.0, &PARTS);
    if named.0.starts_with(repeated.0) {
        // A group of products has no id but that of the group.
        let is_product =
            repeated.1.has_id_child || (is_part && (repeated.1.has_id() || repeated.1.has_code));
        return named.1.has_id() && !is_product;
    }
    named.1.has_id() || !repeated.1.has_id()
}

/// The product around an element that repeats, where that is a part of it.
fn around<'k>(repeated: Found<'k>, known: &[Found<'k>]) -> Option<Found<'k>> {
    let (path, part) = repeated;
    let is_around = |(outer, _): &Found<'k>| path.len() > outer.len() && path.starts_with(outer);
    let outer: Vec<Found<'k>> = known.iter().copied().filter(is_around).collect();
    let inside = || outer.iter().copied().filter(|(path, _)| path.len() > 1);
    let with_child = inside().find(|(_, known)| known.has_id_child);
    if part.has_id() {
        // A part of texts and attributes may have an id, such as that of a category.
        return with_child.filter(|_| !part.has_children);
    }
    if part.has_code {
        return None;
    }
    let with_attribute = || inside().find(|(_, known)| known.has_id_attribute);
    let whole = || {
        let mut outer = outer.iter().copied();
        outer.find(|(_, known)| known.has_id_child && !part.has_children)
    };
    with_child.or_else(with_attribute).or_else(whole)
}

fn has_name(path: &[String], names: &[&str]) -> bool {
    let name = path.last().map_or("", |name| local(name));
    names.iter().any(|known| name.eq_ignore_ascii_case(known))
}

fn is_id(name: &str, id: &str) -> bool {
    name == id || is_listed(IDS, name)
}

fn is_listed(known: &str, name: &str) -> bool {
    let signs = local(name).chars().filter(|sign| sign.is_alphanumeric());
    let folded = signs.flat_map(char::to_lowercase);
    let mut known = known.split_whitespace();
    known.any(|one| folded.clone().eq(one.chars()))
}

/// A name without its prefix.
fn local(name: &str) -> &str {
    name.split_once(':').map_or(name, |(_, local)| local)
}

/// The names of the attributes in a tag.
fn attribute_names(tag: &[u8]) -> Vec<&[u8]> {
    let mut names = Vec::new();
    let (mut start, mut quote) = (0, None);
    for (place, byte) in tag.iter().enumerate() {
        match (quote, byte) {
            (None, b'=') => {
                let before = tag[start..place].trim_ascii_end();
                let blank = before.iter().rposition(u8::is_ascii_whitespace);
                names.extend(blank.map(|blank| &before[blank + 1..]));
                // No sign is looked at again, however many of these a damaged tag has.
                start = place + 1;
            }
            (None, b'"' | b'\'') => quote = Some(*byte),
            (Some(open), byte) if open == *byte => {
                quote = None;
                start = place + 1;
            }
            _ => {}
        }
    }
    // A namespace is no attribute of an element.
    names.retain(|name| !name.starts_with(b"xmlns") && !name.starts_with(b"xml:"));
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_read_from_a_tag() {
        let tag = b"<a xmlns:x='u=1' x:id = \"a=b c\"\n key='\"=' />";
        assert_eq!(attribute_names(tag), [&b"x:id"[..], b"key"]);
        assert!(attribute_names(b"<a>").is_empty());
        assert_eq!(
            attribute_names(b"<a id==== b=c d=e>"),
            [&b"id"[..], b"b", b"d"]
        );
    }
}
