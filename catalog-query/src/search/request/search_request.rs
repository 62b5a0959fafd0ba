//! A search as a caller states it. The fields are checked, and the query is still a text.

use std::sync::Arc;
use std::time::Duration;

use catalog_events::{ProductId, SearchRule};

use crate::index::{FacetRequest, Filter, MatchMode};
use crate::search::strategy::kind::StrategyKind;

/// The first form of a query: the text with everything else that the caller states.
#[derive(Clone, Debug)]
pub(crate) struct SearchRequest {
    pub(crate) query: String,
    pub(crate) limit: usize,
    pub(crate) strategy: StrategyKind,
    pub(crate) filter: Option<Filter>,
    pub(crate) facets: Vec<FacetRequest>,
    pub(crate) presentation: Presentation,
    pub(crate) sort: Sort,
    pub(crate) page_token: String,
    /// The name of a ranking profile; empty means the default one.
    pub(crate) profile: String,
    /// Which of its words a product must have.
    pub(crate) match_mode: MatchMode,
    /// Whether the last word may be the beginning of a word.
    pub(crate) is_open: bool,
    /// Takes the query as it is: no corrected spelling, no synonyms, no beginnings of words, no
    /// curation.
    pub(crate) verbatim: bool,
    /// Rules that are tried out.
    pub(crate) drafts: Vec<Arc<SearchRule>>,
    /// How long the legs may take together.
    pub(crate) budget: Duration,
    pub(crate) explain: bool,
    /// The product whose absence is to be explained.
    pub(crate) why_not: Option<ProductId>,
    /// Everything else that decides which products come in which order, as bytes: the filter as it
    /// was stated, the ranking profile, how the query is to be read. Page tokens are bound to it.
    pub(crate) identity: Vec<u8>,
}

/// What else the caller wants of the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Presentation {
    /// How many facets the catalog adds by itself.
    pub(crate) auto_facets: usize,
    /// Whether discontinued products come after all others.
    pub(crate) discontinued_last: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Sort {
    /// Best first; newest first when there is no query.
    #[default]
    Relevance,
    PriceAscending,
    PriceDescending,
    Newest,
    Popularity,
}

impl SearchRequest {
    /// Whether prices decide about the answer.
    pub(crate) fn compares_prices(&self) -> bool {
        let by_price = [Sort::PriceAscending, Sort::PriceDescending];
        let of_price = |facet: &FacetRequest| facet.field.is_price();
        by_price.contains(&self.sort)
            || self.filter.as_ref().is_some_and(Filter::has_prices)
            || self.facets.iter().any(of_price)
    }

    /// Whether an empty query lists products: it does so with a filter or in the order of a column.
    pub(crate) fn can_browse(&self) -> bool {
        self.filter.is_some() || self.sort != Sort::Relevance
    }
}
