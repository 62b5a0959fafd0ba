//! The queries that a snapshot answers: hits, filters, facets, sorted pages and completions.

use catalog_events::{Currency, ProductId};
use tantivy::query::{AllQuery, TermSetQuery};
use tantivy::{DocAddress, Term};

use crate::index::document::columns::{FieldName, text_fact};
use crate::index::document::values::folded;
use crate::index::error::IndexError;
use crate::index::popularity::Popularity;
use crate::index::scoring::hits::KeywordHits;
use crate::index::scoring::nearest_kind::{self, NearestKind};
use crate::index::scoring::product_kind::ProductKind;
use crate::index::scoring::terms::QueryTerms;
use crate::index::scoring::top_hits;
use crate::index::scoring::weights::KeywordWeights;
use crate::index::sets::doc_sets::DocSets;
use crate::index::sets::facet_choice;
use crate::index::sets::facets::{self, FacetCounts, FacetRequest};
use crate::index::sets::filter::{self, Filter};
use crate::index::sets::product_ids;
use crate::index::sets::resolution::Resolution;
use crate::index::sets::sorting::{self, Order, Place};
use crate::index::snapshot::IndexSnapshot;
use crate::index::suggest::complete::{self as suggest, Suggestion};
use crate::index::suggest::table::SuggestionTable;
use crate::index::text::vocabulary::Vocabulary;

impl IndexSnapshot {
    /// Finds the best `limit` products in `filter`, best first. The same snapshot answers the same
    /// query alike.
    pub(crate) fn search(
        &self,
        terms: &QueryTerms,
        weights: &KeywordWeights,
        limit: usize,
        filter: Option<&DocSets>,
    ) -> Result<KeywordHits, IndexError> {
        let kind = self.kind(terms, weights)?;
        let query = top_hits::Query {
            terms,
            weights,
            kind,
            filter,
        };
        top_hits::search(&self.vocabulary(), &self.ids, query, limit)
    }

    /// Returns the kind of product that a query names.
    pub(crate) fn kind(
        &self,
        terms: &QueryTerms,
        weights: &KeywordWeights,
    ) -> Result<Option<ProductKind<'_>>, IndexError> {
        let fields = &self.fields.kind;
        Ok(ProductKind::of(
            &self.searcher,
            fields,
            &self.kinds,
            terms,
            weights,
        )?)
    }

    /// Learns the kind of the products nearest to a query. None if their features do not tell one.
    pub(crate) fn nearest_kind(
        &self,
        nearest: &[DocAddress],
    ) -> Result<Option<NearestKind<'_>>, IndexError> {
        let (searcher, features) = (&self.searcher, &self.features);
        Ok(NearestKind::of(searcher, features, nearest)?)
    }

    /// Returns the share of these products whose title has the last word of the query, from 0 to 1.
    pub(crate) fn share_called(
        &self,
        products: &[DocAddress],
        terms: &QueryTerms,
    ) -> Result<f32, IndexError> {
        let (searcher, title) = (&self.searcher, self.fields.title);
        Ok(nearest_kind::share_called(
            searcher, title, products, terms,
        )?)
    }

    /// The words of the products.
    pub(crate) fn vocabulary(&self) -> Vocabulary<'_> {
        Vocabulary::new(
            &self.searcher,
            &self.fields,
            &self.long_words,
            &self.learned,
        )
    }

    /// Returns the products that pass the filter.
    pub(crate) fn filtered(&self, filter: &Filter) -> Result<DocSets, IndexError> {
        let filter = self.resolved(filter)?;
        Ok(filter.evaluate(&self.searcher, &self.fields.columns)?)
    }

    /// Returns the filter with its meaning in this snapshot.
    pub(crate) fn resolved(&self, filter: &Filter) -> Result<Filter, IndexError> {
        let resolution = Resolution {
            searcher: &self.searcher,
            fields: &self.fields.columns,
        };
        let currency = if filter.has_prices() {
            self.price_currency(None)?
        } else {
            Currency::USD
        };
        resolution.resolved(filter, currency)
    }

    /// Returns the currency in which a search with this filter compares prices.
    pub(crate) fn price_currency(&self, filter: Option<&Filter>) -> Result<Currency, IndexError> {
        match filter.and_then(Filter::currency) {
            Some(currency) => Ok(currency),
            None => Ok(self
                .currency
                .get(&self.searcher, self.configured_currency)?),
        }
    }

    /// Returns the products that have an identifier or any word of the query.
    pub(crate) fn matching(&self, terms: &QueryTerms) -> Result<DocSets, IndexError> {
        Ok(top_hits::matching(&self.vocabulary(), terms)?)
    }

    /// Returns the products that have any of these identifiers, which are in their canonical form.
    pub(crate) fn with_identifiers(&self, canonical: &[String]) -> Result<DocSets, IndexError> {
        let field = self.fields.identifiers;
        let terms = canonical
            .iter()
            .map(|text| Term::from_field_text(field, text));
        Ok(filter::matching(
            &self.searcher,
            &TermSetQuery::new(terms),
            None,
        )?)
    }

    /// Returns all products, or those in `filter`.
    pub(crate) fn all(&self, filter: Option<&DocSets>) -> Result<DocSets, IndexError> {
        match filter {
            Some(filter) => Ok(filter.clone()),
            None => Ok(filter::matching(&self.searcher, &AllQuery, None)?),
        }
    }

    pub(crate) fn nothing(&self) -> DocSets {
        DocSets::none(&self.searcher)
    }

    /// Counts a facet. Prices are counted in the currency that the filter of the search asks for.
    pub(crate) fn facet(
        &self,
        request: &FacetRequest,
        among: &DocSets,
        filter: Option<&Filter>,
    ) -> Result<FacetCounts, IndexError> {
        let currency = if request.field.is_price() {
            self.price_currency(filter)?
        } else {
            Currency::USD
        };
        let (searcher, columns) = (&self.searcher, &self.columns);
        Ok(facets::count(searcher, columns, request, among, currency)?)
    }

    /// Returns at most `limit` facets that divide a set best, beside those that are known.
    pub(crate) fn choose_facets(
        &self,
        among: &DocSets,
        known: &[FacetRequest],
        filter: Option<&Filter>,
        limit: usize,
    ) -> Result<Vec<FacetRequest>, IndexError> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let currency = self.price_currency(filter)?;
        Ok(facet_choice::choose(
            &self.searcher,
            &self.columns,
            among,
            known,
            currency,
            limit,
        )?)
    }

    /// Returns the first `limit` products of `among` in that order, after the place where the
    /// previous page ended.
    pub(crate) fn page(
        &self,
        among: &DocSets,
        order: &Order,
        after: Option<&Place>,
        limit: usize,
    ) -> Result<Vec<Place>, IndexError> {
        let (searcher, fields) = (&self.searcher, &self.fields.columns);
        if order.by.is_price() && order.currency.is_none() {
            let order = Order {
                currency: Some(self.price_currency(None)?),
                ..order.clone()
            };
            return Ok(sorting::page(
                searcher, fields, among, &order, after, limit,
            )?);
        }
        Ok(sorting::page(searcher, fields, among, order, after, limit)?)
    }

    /// Adds the products that the snapshot has to a set.
    pub(crate) fn add_all<'a>(
        &self,
        to: &mut DocSets,
        ids: impl IntoIterator<Item = &'a ProductId>,
    ) -> Result<(), IndexError> {
        for at in self.locate_all(ids)?.into_iter().flatten() {
            to.insert(at.segment_ord as usize, at.doc_id);
        }
        Ok(())
    }

    /// Returns these documents as a set.
    pub(crate) fn set_of(&self, places: impl IntoIterator<Item = DocAddress>) -> DocSets {
        let mut docs = DocSets::none(&self.searcher);
        for at in places {
            docs.insert(at.segment_ord as usize, at.doc_id);
        }
        docs
    }

    /// Whether the snapshot has the product, and has it within `filter`.
    pub(crate) fn has(&self, id: &ProductId, filter: Option<&DocSets>) -> Result<bool, IndexError> {
        Ok(self.within([id], filter)?.iter().all(Option::is_some))
    }

    /// Tells for each product where the snapshot has it within `filter`.
    pub(crate) fn within<'a>(
        &self,
        ids: impl IntoIterator<Item = &'a ProductId>,
        filter: Option<&DocSets>,
    ) -> Result<Vec<Option<DocAddress>>, IndexError> {
        let passes = |at: &DocAddress| {
            filter.is_none_or(|filter| filter.contains(at.segment_ord as usize, at.doc_id))
        };
        let located = self.locate_all(ids)?.into_iter();
        Ok(located.map(|at| at.filter(passes)).collect())
    }

    /// Whether some product has this brand, letter case aside.
    pub(crate) fn has_brand(&self, name: &str) -> Result<bool, IndexError> {
        let fact = text_fact(&FieldName::Brand, &folded(name));
        let term = Term::from_field_text(self.fields.columns.facts, &fact);
        Ok(self.searcher.doc_freq(&term)? > 0)
    }

    pub(crate) fn locate(&self, id: &ProductId) -> Result<Option<DocAddress>, IndexError> {
        Ok(self.locate_all([id])?.pop().flatten())
    }

    /// Locates each product, in the order of `ids`. One call for many ids is cheaper than one for
    /// each, because the dictionary of a segment is opened once.
    fn locate_all<'a>(
        &self,
        ids: impl IntoIterator<Item = &'a ProductId>,
    ) -> Result<Vec<Option<DocAddress>>, IndexError> {
        let mut missing: Vec<(usize, &ProductId)> = ids.into_iter().enumerate().collect();
        let mut found = vec![None; missing.len()];
        for (segment, ordinal) in self.searcher.segment_readers().iter().zip(0..) {
            if missing.is_empty() {
                break;
            }
            let tell = |place: usize, doc| found[place] = Some(DocAddress::new(ordinal, doc));
            self.ids
                .locate(&self.searcher, segment, &mut missing, tell)?;
        }
        Ok(found)
    }

    /// Completes what was typed with the most viewed and the most common words.
    pub(crate) fn complete(
        &self,
        typed: &str,
        limit: usize,
        table: Option<&SuggestionTable>,
        popularity: &Popularity,
    ) -> Result<Vec<Suggestion>, IndexError> {
        let source = suggest::Source {
            searcher: &self.searcher,
            field: self.fields.suggest,
            table,
            popularity,
        };
        Ok(suggest::complete(source, typed, limit)?)
    }

    /// Builds the table from which a large catalog completes. Takes long.
    pub(crate) fn suggestion_table(
        &self,
        popularity: &Popularity,
    ) -> Result<SuggestionTable, IndexError> {
        let field = self.fields.suggest;
        Ok(SuggestionTable::of(&self.searcher, field, popularity)?)
    }

    /// Returns the product ids of a set.
    pub(crate) fn ids(&self, of: &DocSets) -> Result<Vec<ProductId>, IndexError> {
        Ok(product_ids::ids(&self.searcher, of)?)
    }
}
