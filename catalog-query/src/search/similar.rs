//! Finds products that are like a given one.

use std::sync::Arc;
use std::time::Duration;

use catalog_events::ProductId;
use catalog_proto::encoded::{AttributeView, ProductView};

use crate::index::{Filter, Hit, KeywordIndex, KeywordWeights, QueryTerms};
use crate::search::deadline::{ANSWER_MAX, Deadline};
use crate::search::error::SearchError;
use crate::search::strategy::executor::SearchExecutor;
use crate::search::strategy::scope::Scope;
use crate::search::strategy::vector::{VectorError, VectorSearch};

/// The longest wait for the vectors before the words answer.
const NEAR_MAX: Duration = Duration::from_millis(250);

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SimilarProducts {
    pub(crate) hits: Vec<Hit>,
    /// True when the products share words with the given one rather than a meaning.
    pub(crate) degraded: bool,
}

/// Finds products by the vector of another one, or by its words where it has no vector.
pub(crate) struct SimilarSearch {
    pub(crate) executor: Arc<SearchExecutor>,
    pub(crate) vector: Arc<VectorSearch>,
}

impl SimilarSearch {
    /// The `limit` products that are most like this one and pass `filter`, without the product
    /// itself.
    pub(crate) async fn search(
        &self,
        id: &ProductId,
        product: &ProductView<'_>,
        filter: Option<Filter>,
        limit: usize,
    ) -> Result<SimilarProducts, SearchError> {
        let needed_by = Deadline::after(ANSWER_MAX);
        let scope = Scope::of(&self.executor, filter, needed_by).await?;
        // One more, because the product itself is the most like it.
        let (mut hits, degraded) = match self.vector.near_product(id, limit + 1, &scope).await {
            Ok(hits) => (hits, false),
            Err(_) => (self.by_words(product, limit + 1, scope).await?, true),
        };
        hits.retain(|hit| hit.product_id != *id);
        hits.truncate(limit);
        Ok(SimilarProducts { hits, degraded })
    }

    async fn by_words(
        &self,
        product: &ProductView<'_>,
        limit: usize,
        scope: Scope,
    ) -> Result<Vec<Hit>, SearchError> {
        let terms = QueryTerms::of(&telling_text(product), scope.snapshot.language());
        let search = move |_: &KeywordIndex| {
            let (weights, filter) = (KeywordWeights::default(), scope.filter.as_deref());
            scope.snapshot.search(&terms, &weights, limit, filter)
        };
        let deadline = Deadline::after(ANSWER_MAX);
        let found = self.executor.run_until(deadline, search).await?;
        let hits = found.hits.into_iter().map(|hit| Hit {
            product_id: hit.product_id,
            score: hit.score,
        });
        Ok(hits.collect())
    }
}

impl VectorSearch {
    /// The products nearest to the vector of this one; an error where it has no vector yet.
    async fn near_product(
        &self,
        id: &ProductId,
        limit: usize,
        scope: &Scope,
    ) -> Result<Vec<Hit>, VectorError> {
        let near = async {
            let stored = self.vectors.vector_of(id).await?;
            let vector = stored.ok_or(VectorError::NoVector)?;
            Ok(self.nearest(&vector, limit, scope).await?.hits)
        };
        tokio::time::timeout(NEAR_MAX, near)
            .await
            .unwrap_or(Err(VectorError::Late(NEAR_MAX)))
            .inspect_err(|err| self.log(err))
    }
}

/// The texts that a product may share with others, the most telling ones first: only the beginning
/// is used, because a query has a bound.
fn telling_text(product: &ProductView<'_>) -> String {
    let mut attributes = Vec::new();
    for (_, value) in &product.attributes {
        match value {
            AttributeView::List(values) => attributes.extend(values.iter().filter_map(text)),
            value => attributes.extend(text(value)),
        }
    }
    // Short values name a kind and long ones are prose. The text makes the order definite.
    attributes.sort_by_key(|text| (text.len(), *text));
    let texts: Vec<&str> = [product.title, product.brand]
        .into_iter()
        .chain(product.categories.iter().rev().copied())
        .chain(attributes)
        .collect();
    texts.join(" ")
}

fn text<'a>(value: &AttributeView<'a>) -> Option<&'a str> {
    match value {
        AttributeView::Text(text) => Some(text),
        _ => None,
    }
}
