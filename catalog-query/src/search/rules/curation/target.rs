//! The products that an action of a rule is about.

use std::collections::HashSet;

use catalog_events::{ProductId, RuleTarget};

use crate::index::{DocSets, FieldName, Filter, IndexError, IndexSnapshot, folded};

/// Products by their ids, their brand or their category.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) ids: HashSet<ProductId>,
    /// The products of the brand and those of the category; None for a target of ids alone.
    filter: Option<Filter>,
}

impl Target {
    pub(crate) fn new(target: &RuleTarget) -> Self {
        let name = target.brand.as_deref().filter(|brand| !brand.is_empty());
        let brand = name.map(|name| Filter::Terms {
            field: FieldName::Brand,
            folded: vec![folded(name)],
        });
        let category = (!target.category.is_empty()).then(|| target.category.clone());
        let parts: Vec<Filter> = brand
            .into_iter()
            .chain(category.map(Filter::Category))
            .collect();
        Self {
            ids: target.product_ids.iter().cloned().collect(),
            filter: (!parts.is_empty()).then_some(Filter::Any(parts)),
        }
    }

    /// All products of the target in the snapshot; blocks.
    pub(crate) fn docs(&self, snapshot: &IndexSnapshot) -> Result<DocSets, IndexError> {
        let mut docs = match &self.filter {
            Some(filter) => snapshot.filtered(filter)?,
            None => snapshot.nothing(),
        };
        snapshot.add_all(&mut docs, &self.ids)?;
        Ok(docs)
    }

    /// Those of `ids` that belong to the target; blocks.
    pub(crate) fn among<'a>(
        &self,
        snapshot: &IndexSnapshot,
        ids: &'a [ProductId],
    ) -> Result<Vec<&'a ProductId>, IndexError> {
        let places = match &self.filter {
            Some(filter) => snapshot.within(ids, Some(&snapshot.filtered(filter)?))?,
            None => vec![None; ids.len()],
        };
        let among = ids
            .iter()
            .zip(places)
            .filter(|(id, place)| place.is_some() || self.ids.contains(id));
        Ok(among.map(|(id, _)| id).collect())
    }
}
