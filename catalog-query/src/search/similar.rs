//! Products like one.

use std::sync::Arc;
use std::time::Duration;

use catalog_events::ProductId;
use catalog_proto::v1;
use catalog_proto::v1::attribute_value::Kind;

use crate::index::{Filter, Hit, KeywordWeights, QueryTerms};
use crate::search::deadline::{ANSWER_MAX, Deadline};
use crate::search::error::SearchError;
use crate::search::strategy::executor::SearchExecutor;
use crate::search::strategy::scope::Scope;
use crate::search::strategy::vector::{VectorError, VectorSearch};

/// How long an answer waits for the vectors.
const NEAR_MAX: Duration = Duration::from_millis(250);

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SimilarProducts {
    pub(crate) hits: Vec<Hit>,
    /// They share words rather than a meaning.
    pub(crate) degraded: bool,
}

/// Finds products by the vector of another, or by its words where it has none.
pub(crate) struct SimilarSearch {
    pub(crate) executor: Arc<SearchExecutor>,
    pub(crate) vector: Arc<VectorSearch>,
}

impl SimilarSearch {
    /// The products most like this one that pass, without it.
    pub(crate) async fn search(
        &self,
        id: &ProductId,
        product: &v1::Product,
        filter: Option<Filter>,
        limit: usize,
    ) -> Result<SimilarProducts, SearchError> {
        let needed_by = Deadline::after(ANSWER_MAX);
        let scope = Scope::of(&self.executor, filter, needed_by).await?;
        let near = self.vector.near_product(id, limit + 1, &scope).await;
        let (mut hits, degraded) = match near {
            Ok(hits) => (hits, false),
            Err(_) => {
                let terms = QueryTerms::of(&telling_text(product), scope.snapshot.language());
                let search = move |_: &_| {
                    let (weights, filter) = (KeywordWeights::default(), scope.filter.as_deref());
                    scope.snapshot.search(&terms, &weights, limit + 1, filter)
                };
                let deadline = Deadline::after(ANSWER_MAX);
                let found = self.executor.run_until(deadline, search).await?;
                let found = found.hits.into_iter();
                let hits = found.map(|hit| Hit {
                    product_id: hit.product_id,
                    score: hit.score,
                });
                (hits.collect(), true)
            }
        };
        hits.retain(|hit| hit.product_id != *id);
        hits.truncate(limit);
        Ok(SimilarProducts { hits, degraded })
    }
}

impl VectorSearch {
    /// Fails where the product has no vector yet.
    async fn near_product(
        &self,
        id: &ProductId,
        limit: usize,
        scope: &Scope,
    ) -> Result<Vec<Hit>, VectorError> {
        let near = async {
            let vector = self.vectors.vector_of(id).await?;
            let vector = vector.ok_or(VectorError::NoVector)?;
            Ok(self.nearest(&vector, limit, scope).await?.hits)
        };
        let near = tokio::time::timeout(NEAR_MAX, near).await;
        let near = near.unwrap_or(Err(VectorError::Late(NEAR_MAX)));
        near.inspect_err(|err| self.log(err))
    }
}

/// Of all that a product has in common with others, what says most comes first: a query has a bound.
fn telling_text(product: &v1::Product) -> String {
    let attributes = product.attributes.values();
    let attributes = attributes.filter_map(|value| match &value.kind {
        Some(Kind::Text(text)) => Some(text),
        Some(Kind::Number(_) | Kind::Flag(_)) | None => None,
    });
    let mut attributes: Vec<&String> = attributes.collect();
    // Short values are kinds, long ones are prose; and the order of a map is none.
    attributes.sort_by_key(|text| (text.len(), *text));
    let texts = [&product.title, &product.brand].into_iter();
    let texts = texts
        .chain(product.categories.iter().rev())
        .chain(attributes);
    texts.map(String::as_str).collect::<Vec<_>>().join(" ")
}
