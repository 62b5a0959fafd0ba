//! The kinds of event that outsiders follow, by the names that they know, and the choice of those that
//! somebody wants to be told.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use crate::{EventType, ProductId};

/// A kind of event, of a product or of a search rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FeedType {
    /// A product changed.
    Product(EventType),
    /// A search rule was made or changed.
    RulePut,
    /// A search rule was deleted.
    RuleDeleted,
}

/// The error for a text that names no kind of event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no type of event: there are product.created, product.updated, product.price_changed, \
     product.deleted, rule.put and rule.deleted"
)]
pub struct InvalidFeedType(String);

impl FeedType {
    /// Every kind.
    pub const ALL: [FeedType; 6] = [
        FeedType::Product(EventType::Created),
        FeedType::Product(EventType::Updated),
        FeedType::Product(EventType::PriceChanged),
        FeedType::Product(EventType::Deleted),
        FeedType::RulePut,
        FeedType::RuleDeleted,
    ];

    /// The name, for instance `product.price_changed`.
    pub fn as_str(self) -> &'static str {
        match self {
            FeedType::Product(EventType::Created) => "product.created",
            FeedType::Product(EventType::Updated) => "product.updated",
            FeedType::Product(EventType::PriceChanged) => "product.price_changed",
            FeedType::Product(EventType::Deleted) => "product.deleted",
            FeedType::RulePut => "rule.put",
            FeedType::RuleDeleted => "rule.deleted",
        }
    }

    /// The kinds that a name stands for: one, or with `product.*` and `rule.*` all of a family.
    pub fn named(name: &str) -> Result<Vec<Self>, InvalidFeedType> {
        let family = name
            .strip_suffix('*')
            .filter(|family| family.ends_with('.'));
        let of_family = |kind: &FeedType| match family {
            Some(family) => kind.as_str().starts_with(family),
            None => kind.as_str() == name,
        };
        let kinds: Vec<Self> = Self::ALL.into_iter().filter(of_family).collect();
        if kinds.is_empty() {
            return Err(InvalidFeedType(name.to_owned()));
        }
        Ok(kinds)
    }

    /// Whether events of search rules are of this kind.
    pub fn is_rule(self) -> bool {
        matches!(self, FeedType::RulePut | FeedType::RuleDeleted)
    }
}

impl FromStr for FeedType {
    type Err = InvalidFeedType;

    fn from_str(name: &str) -> Result<Self, InvalidFeedType> {
        let mut all = Self::ALL.into_iter();
        all.find(|kind| kind.as_str() == name)
            .ok_or_else(|| InvalidFeedType(name.to_owned()))
    }
}

impl fmt::Display for FeedType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which events somebody wants to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedFilter {
    ids: BTreeSet<ProductId>,
    types: Vec<FeedType>,
}

impl FeedFilter {
    /// The events of these types, of these products; an empty list leaves it open. Whoever names products
    /// and no types is told nothing of rules.
    pub fn new(ids: impl IntoIterator<Item = ProductId>, types: Vec<FeedType>) -> Self {
        let ids: BTreeSet<ProductId> = ids.into_iter().collect();
        let unless_told = FeedType::ALL.into_iter();
        let unless_told = unless_told.filter(|kind| ids.is_empty() || !kind.is_rule());
        let types = if types.is_empty() {
            unless_told.collect()
        } else {
            types
        };
        Self { ids, types }
    }

    /// The products whose events are wanted; none stands for all.
    pub fn ids(&self) -> impl Iterator<Item = &ProductId> {
        self.ids.iter()
    }

    /// The wanted types.
    pub fn types(&self) -> &[FeedType] {
        &self.types
    }

    /// Whether an event is wanted. `product` is its product, where it is one of a product.
    pub fn wants(&self, kind: FeedType, product: Option<&ProductId>) -> bool {
        let known = |id: &ProductId| self.ids.is_empty() || self.ids.contains(id);
        self.types.contains(&kind) && product.is_none_or(known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> ProductId {
        text.parse().expect("id")
    }

    #[test]
    fn a_name_stands_for_a_kind_or_a_family() {
        for kind in FeedType::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
            assert_eq!(FeedType::named(kind.as_str()), Ok(vec![kind]));
        }
        assert_eq!(FeedType::named("product.*").map(|all| all.len()), Ok(4));
        assert_eq!(FeedType::named("rule.*").map(|all| all.len()), Ok(2));
        for bad in ["", "*", "product", "product.", "prod*", "rule.created"] {
            assert!(FeedType::named(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn who_names_products_is_told_nothing_of_rules_unless_asked() {
        let created = FeedType::Product(EventType::Created);
        let all = FeedFilter::new([], Vec::new());
        assert!(all.wants(created, Some(&id("a"))) && all.wants(FeedType::RulePut, None));
        let some = FeedFilter::new([id("a")], Vec::new());
        assert!(some.wants(created, Some(&id("a"))));
        assert!(!some.wants(created, Some(&id("b"))) && !some.wants(FeedType::RulePut, None));
        let rules = FeedFilter::new([id("a")], vec![FeedType::RulePut]);
        assert!(rules.wants(FeedType::RulePut, None) && !rules.wants(created, Some(&id("a"))));
    }
}
