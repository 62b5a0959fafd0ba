//! Lists products page by page. Invariant: a page begins behind a place in an order in which a product
//! never moves back, so that no write in between can hide one.

mod indexes;

use catalog_events::{Position, ProductId};
use catalog_proto::encoded::{self, ProductView};
use prost::Message as _;
use sqlx::PgPool;
use time::OffsetDateTime;

pub(crate) use self::indexes::ListingIndexes;
use crate::read_model::documents::{DocumentRow, Held};
use crate::read_model::{LiveReadModel, RepositoryError};

/// The most bytes of the products on a page: callers take 4 MiB unless they are told otherwise.
const PAGE_BYTES_MAX: usize = 2 * 1024 * 1024;
/// The rows that are read at once: the largest products make 25 MiB of them.
const ROWS_MAX: usize = 50;

/// Which products are listed, and in which order.
#[derive(Clone, Debug)]
pub(crate) enum ListOrder {
    /// All, by id, behind this one; an empty id is before all.
    ById { after: String },
    /// Those that were last changed at this time or later, by the position of the change, behind this
    /// one; none is before all.
    ByChange {
        since: OffsetDateTime,
        after: Option<Position>,
    },
}

/// Products that are known by what they have, as the keyword index found them.
pub(crate) struct Candidates {
    pub(crate) ids: Vec<ProductId>,
    /// Whether a product still has it: the index may be a moment behind the documents.
    pub(crate) has: Box<dyn Fn(&ProductView<'_>) -> bool + Send + Sync>,
}

/// A page of products.
#[derive(Debug, Default)]
pub(crate) struct ListPage {
    pub(crate) products: Vec<(ProductId, Held)>,
    /// Where the next page begins; none on the last one.
    pub(crate) next: Option<ListOrder>,
}

/// Lists the products of the live generation.
pub(crate) struct Listing {
    pub(crate) live: LiveReadModel,
}

impl Listing {
    /// The next products in this order, `limit` at most; only those among `candidates` where there are any.
    pub(crate) async fn page(
        &self,
        mut order: ListOrder,
        limit: usize,
        candidates: Option<&Candidates>,
    ) -> Result<ListPage, RepositoryError> {
        let live = self.live.load_full();
        let ids = candidates.map(|candidates| names(&candidates.ids));
        let mut page = ListPage::default();
        let mut bytes = 0;
        if ids.is_none() && !begin(&live.pool, &mut order).await? {
            return Ok(page);
        }
        loop {
            let wanted = ROWS_MAX.min(limit - page.products.len());
            // One more, which tells whether there is a next page.
            let rows = rows(&live.pool, &order, ids.as_deref(), wanted + 1).await?;
            let more = rows.len() > wanted;
            for row in rows.into_iter().take(wanted) {
                let Ok(id) = row.product_id.parse::<ProductId>() else {
                    continue;
                };
                let held = row.into_held();
                let place = order.behind(&id, held.position);
                if let Some(product) = &held.product
                    && candidates.is_none_or(|candidates| candidates.include(product))
                {
                    let size = product.encoded_len();
                    if bytes > 0 && bytes + size > PAGE_BYTES_MAX {
                        page.next = Some(order);
                        return Ok(page);
                    }
                    bytes += size;
                    page.products.push((id, held));
                }
                order = place;
            }
            if !more {
                return Ok(page);
            }
            if page.products.len() == limit {
                page.next = Some(order);
                return Ok(page);
            }
        }
    }

    /// The number of all products.
    pub(crate) async fn total(&self) -> Result<i64, RepositoryError> {
        let live = self.live.load_full();
        let documents = sqlx::query_scalar("SELECT documents FROM checkpoint")
            .fetch_one(&live.pool)
            .await?;
        Ok(documents)
    }
}

impl Candidates {
    /// Whether a product is one of them, as it is now.
    fn include(&self, product: &encoded::Product) -> bool {
        product.view().is_ok_and(|product| (self.has)(&product))
    }
}

impl ListOrder {
    fn behind(&self, id: &ProductId, position: Position) -> Self {
        match self {
            Self::ById { .. } => Self::ById {
                after: id.to_string(),
            },
            Self::ByChange { since, .. } => Self::ByChange {
                since: *since,
                after: Some(position),
            },
        }
    }
}

fn names(ids: &[ProductId]) -> Vec<&str> {
    ids.iter().map(ProductId::as_str).collect()
}

/// Finds the place from which on anything has changed since then, so that the pages do not have to walk
/// past all that is older. False where nothing has.
async fn begin(pool: &PgPool, order: &mut ListOrder) -> sqlx::Result<bool> {
    let ListOrder::ByChange { since, after } = order else {
        return Ok(true);
    };
    if after.is_some() {
        return Ok(true);
    }
    // The product that has not changed for longest: where even it is young enough, all are likely to be.
    let oldest: Option<bool> = sqlx::query_scalar(
        "SELECT product_updated_at(product) >= $1 FROM documents
         WHERE product IS NOT NULL ORDER BY position LIMIT 1",
    )
    .bind(*since)
    .fetch_optional(pool)
    .await?;
    if oldest == Some(true) {
        return Ok(true);
    }
    // The sum keeps Postgres from looking for the least position along the index of positions.
    let first: Option<i64> = sqlx::query_scalar(
        "SELECT min(position + 0) FROM documents WHERE product_updated_at(product) >= $1",
    )
    .bind(*since)
    .fetch_one(pool)
    .await?;
    *after = first.map(|first| Position::from_i64(first - 1));
    Ok(first.is_some())
}

async fn rows(
    pool: &PgPool,
    order: &ListOrder,
    ids: Option<&[&str]>,
    limit: usize,
) -> sqlx::Result<Vec<DocumentRow>> {
    let limit = limit as i64;
    let query = match (order, ids) {
        (ListOrder::ById { after }, None) => sqlx::query_as(
            "SELECT product_id, version, position, product FROM documents
             WHERE product_id > $1 AND product IS NOT NULL
             ORDER BY product_id LIMIT $2",
        )
        .bind(after.as_str())
        .bind(limit),
        (ListOrder::ById { after }, Some(ids)) => sqlx::query_as(
            "SELECT product_id, version, position, product FROM documents
             WHERE product_id > $1 AND product IS NOT NULL AND product_id = ANY($3)
             ORDER BY product_id LIMIT $2",
        )
        .bind(after.as_str())
        .bind(limit)
        .bind(ids),
        // The sum keeps Postgres from collecting all that match: from the place on, nearly everything does.
        (ListOrder::ByChange { since, after }, None) => sqlx::query_as(
            "SELECT product_id, version, position, product FROM documents
             WHERE position > $1 AND product_updated_at(product) + interval '0' >= $2
             ORDER BY position LIMIT $3",
        )
        .bind(after.unwrap_or(Position::START).to_i64())
        .bind(*since)
        .bind(limit),
        (ListOrder::ByChange { since, after }, Some(ids)) => sqlx::query_as(
            "SELECT product_id, version, position, product FROM documents
             WHERE position > $1 AND product_updated_at(product) >= $2 AND product_id = ANY($4)
             ORDER BY position LIMIT $3",
        )
        .bind(after.unwrap_or(Position::START).to_i64())
        .bind(*since)
        .bind(limit)
        .bind(ids),
    };
    query.fetch_all(pool).await
}
