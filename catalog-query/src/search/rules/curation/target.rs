//! The products that an action of a rule is about.

use std::collections::HashSet;

use catalog_events::{ProductId, RuleTarget};

use crate::index::{DocSets, FieldName, Filter, IndexError, IndexSnapshot, folded};

#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) ids: HashSet<ProductId>,
    /// Of brand and category, where they matter.
    filter: Option<Filter>,
}

impl Target {
    pub(crate) fn new(target: &RuleTarget) -> Self {
        let brand = target.brand.as_deref().filter(|brand| !brand.is_empty());
        let brand = brand.map(|brand| Filter::Terms {
            field: FieldName::Brand,
            folded: vec![folded(brand)],
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

    /// All products of the snapshot that it is about; blocks.
    pub(crate) fn docs(&self, snapshot: &IndexSnapshot) -> Result<DocSets, IndexError> {
        let mut docs = match &self.filter {
            Some(filter) => snapshot.filtered(filter)?,
            None => snapshot.nothing()?,
        };
        snapshot.add_all(&mut docs, &self.ids)?;
        Ok(docs)
    }

    /// Which of `ids` it is about; blocks.
    pub(crate) fn among<'a>(
        &self,
        snapshot: &IndexSnapshot,
        ids: &'a [ProductId],
    ) -> Result<Vec<&'a ProductId>, IndexError> {
        let filter = self.filter.as_ref();
        let filtered = filter.map(|filter| snapshot.filtered(filter)).transpose()?;
        let filtered = match &filtered {
            Some(filtered) => snapshot.within(ids, Some(filtered))?.0,
            None => vec![false; ids.len()],
        };
        let among = ids.iter().zip(filtered);
        let among = among.filter(|(id, filtered)| *filtered || self.ids.contains(id));
        Ok(among.map(|(id, _)| id).collect())
    }
}
