//! Chooses the members of products that an answer has.

/// What begins the name of one attribute.
const ATTRIBUTE: &str = "attributes.";

/// The members that were asked for. Invariant: `id` is one of them.
pub(crate) struct Fields {
    names: Vec<String>,
    /// The attributes, where only some were asked for.
    attributes: Option<Vec<String>>,
    /// The names that no product has.
    pub(crate) unknown: Vec<String>,
}

impl Fields {
    /// The members of a product.
    pub(crate) const ALL: [&'static str; 16] = [
        "id",
        "title",
        "description",
        "price",
        "currency",
        "image_url",
        "price_minor",
        "brand",
        "sku",
        "gtins",
        "categories",
        "attributes",
        "status",
        "version",
        "created_at",
        "updated_at",
    ];

    /// Reads names of members, and of attributes as `attributes.NAME`.
    pub(crate) fn read(names: &[&str]) -> Self {
        let (mut members, mut attributes, mut unknown) = (vec!["id"], Vec::new(), Vec::new());
        for name in names {
            match name.strip_prefix(ATTRIBUTE) {
                _ if Self::ALL.contains(name) => members.push(name),
                Some(attribute) if !attribute.is_empty() => attributes.push(attribute),
                _ => unknown.push(*name),
            }
        }
        let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
        let some = !attributes.is_empty() && !members.contains(&"attributes");
        if some {
            members.push("attributes");
        }
        Self {
            names: owned(members),
            attributes: some.then(|| owned(attributes)),
            unknown: owned(unknown),
        }
    }

    pub(crate) fn have(&self, member: &str) -> bool {
        self.names.iter().any(|name| name == member)
    }

    pub(crate) fn have_attribute(&self, attribute: &str) -> bool {
        let some = self.attributes.as_ref();
        some.is_none_or(|some| some.iter().any(|name| name == attribute))
    }
}
