//! Search by meaning: the products whose vectors are nearest to that of the query.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use catalog_events::ProductId;
use futures_util::future::{BoxFuture, FutureExt as _};

use super::keyword::KeywordSearch;
use super::query::ParsedQuery;
use super::scope::Scope;
use super::{SearchError, SearchOutcome, SearchStrategy, StrategyKind};
use crate::embedding::{EmbedError, QueryEmbedder};
use crate::index::Hit;

/// Where the vectors of the products are.
pub(crate) trait VectorIndex: Send + Sync {
    /// The `limit` products nearest to `vector` by cosine, nearest first.
    fn nearest<'a>(
        &'a self,
        vector: &'a [f32],
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Hit>, VectorIndexError>>;

    /// The vector of a product, if it has one.
    fn vector_of<'a>(
        &'a self,
        id: &'a ProductId,
    ) -> BoxFuture<'a, Result<Option<Vec<f32>>, VectorIndexError>>;

    /// The nearest of these products, found without an approximation.
    fn nearest_of<'a>(
        &'a self,
        vector: &'a [f32],
        ids: &'a [ProductId],
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Hit>, VectorIndexError>>;

    /// The nearest that `pass`, nearest first. Fewer than `limit` when the search was given up.
    fn nearest_passing<'a>(
        &'a self,
        vector: &'a [f32],
        limit: usize,
        pass: &'a Pass,
    ) -> BoxFuture<'a, Result<Vec<Hit>, VectorIndexError>>;
}

/// Keeps those that may be found, in their order.
pub(crate) type Pass =
    dyn Fn(Vec<Hit>) -> BoxFuture<'static, Result<Vec<Hit>, VectorIndexError>> + Send + Sync;

#[derive(Debug, thiserror::Error)]
#[error("the vectors cannot be searched")]
pub(crate) struct VectorIndexError(#[source] pub(crate) Box<dyn Error + Send + Sync>);

pub(super) struct VectorSearch {
    /// None without a model.
    pub(super) embedder: Option<QueryEmbedder>,
    pub(super) vectors: Arc<dyn VectorIndex>,
    /// Knows who passes a filter.
    pub(super) keyword: Arc<KeywordSearch>,
    /// How many are near: of a number without end, all would be.
    pub(super) depth: usize,
    pub(super) deadline: Duration,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum VectorError {
    #[error("there is no embedding model")]
    NoModel,
    #[error("the product has no vector yet")]
    NoVector,
    #[error(transparent)]
    Embed(#[from] EmbedError),
    #[error(transparent)]
    Index(#[from] VectorIndexError),
    #[error("no answer in {0:?}")]
    Late(Duration),
}

impl VectorSearch {
    /// Fails rather than be late: there are other ways to answer.
    pub(super) async fn hits(
        &self,
        query: &ParsedQuery,
        scope: &Scope,
    ) -> Result<Vec<Hit>, VectorError> {
        let found = async {
            let embedder = self.embedder.as_ref().ok_or(VectorError::NoModel)?;
            let vector = embedder.embed(&query.text).await?;
            Ok(self.nearest(&vector, self.depth, scope).await?)
        };
        let found = tokio::time::timeout(self.deadline, found).await;
        let found = found.unwrap_or(Err(VectorError::Late(self.deadline)));
        found.inspect_err(log)
    }
}

/// Every answer says by itself that it is degraded; a service without a model need not say why.
pub(super) fn log(err: &VectorError) {
    match err {
        VectorError::NoModel | VectorError::NoVector => {}
        VectorError::Embed(_) | VectorError::Index(_) | VectorError::Late(_) => {
            let source = err.source().map(ToString::to_string);
            tracing::warn!(source, "vector search: {err}");
        }
    }
}

pub(super) struct VectorStrategy {
    pub(super) keyword: Arc<KeywordSearch>,
    pub(super) vector: Arc<VectorSearch>,
}

impl SearchStrategy for VectorStrategy {
    fn search<'a>(
        &'a self,
        query: &'a str,
        limit: usize,
        scope: &'a Scope,
    ) -> BoxFuture<'a, Result<SearchOutcome, SearchError>> {
        async move {
            let query = ParsedQuery::parse(query)?;
            if query.terms.is_empty() {
                return Ok(SearchOutcome::nothing(StrategyKind::Vector));
            }
            if let Ok(mut hits) = self.vector.hits(&query, scope).await {
                let near = hits.iter().map(|hit| hit.product_id.clone()).collect();
                hits.truncate(limit);
                return Ok(SearchOutcome {
                    hits,
                    strategy: StrategyKind::Vector,
                    degraded: false,
                    terms: query.terms,
                    near,
                });
            }
            Ok(SearchOutcome {
                hits: self.keyword.hits(&query, limit, scope).await?.hits,
                strategy: StrategyKind::Keyword,
                degraded: true,
                terms: query.terms,
                near: Vec::new(),
            })
        }
        .boxed()
    }
}
