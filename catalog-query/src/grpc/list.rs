//! Answers pages of products: reads the request and its page token, and writes the answer.

use std::collections::HashSet;

use catalog_events::moment;
use catalog_proto::encoded::{self, ProductView};
use catalog_proto::v1;
use time::OffsetDateTime;
use tonic::Status;

use crate::consistency::Expectation;
use crate::grpc::CatalogGrpc;
use crate::grpc::convert::limit;
use crate::grpc::error::{invalid, repository_status, search_status};
use crate::grpc::list_cursor::ListCursor;
use crate::index::identifier;
use crate::read_model::{Candidates, ProductRepository};

const PAGE_SIZE_DEFAULT: usize = 100;
const PAGE_SIZE_MAX: usize = 500;
const IDENTIFIERS_MAX: usize = 100;
/// The most products that may have the identifiers that are asked for.
const CANDIDATES_MAX: usize = 10_000;

impl<R: ProductRepository> CatalogGrpc<R> {
    pub(super) async fn answer_list(
        &self,
        request: v1::ListProductsRequest,
    ) -> Result<encoded::ListProductsResponse, Status> {
        let size = limit(request.page_size, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX)
            .map_err(|_| invalid("page_size", "is negative"))?;
        let since = since(&request)?;
        let wanted = Wanted::read(&request)?;
        let cursor = ListCursor::of(&request);
        let order = cursor
            .parse(&self.page_key, &request.page_token, since)
            .map_err(|err| invalid("page_token", err.to_string()))?;
        let tokens = &request.consistency_tokens;
        let expected = self.expectation(tokens, request.consistency_wait_ms)?;

        let (candidates, caught_up) = match wanted {
            None => (None, self.documents_caught_up(&expected).await),
            Some(wanted) => {
                let (candidates, caught_up) = self.candidates(wanted, &expected).await?;
                (Some(candidates), caught_up)
            }
        };
        let listed = self.listing.page(order, size, candidates.as_ref());
        let page = listed.await.map_err(repository_status)?;
        let total = match (&candidates, since) {
            (None, None) => {
                let total = self.listing.total().await;
                Some(total.map_err(repository_status)?)
            }
            _ => None,
        };
        let mut listed = page.products.iter();
        let met = listed.all(|(id, held)| expected.is_met(id, held));
        let products = page.products.into_iter();
        Ok(encoded::ListProductsResponse {
            products: products.filter_map(|(_, held)| held.product).collect(),
            next_page_token: page
                .next
                .map_or(String::new(), |next| cursor.token(&self.page_key, &next)),
            stale: self.told_stale(!caught_up || !met),
            total,
        })
    }

    /// The products that have any of the identifiers, and whether the index that told them had caught up.
    async fn candidates(
        &self,
        wanted: Wanted,
        expected: &Expectation,
    ) -> Result<(Candidates, bool), Status> {
        let seen = self.consistency.search(expected, &*self.repository).await;
        let field = if wanted.skus.is_empty() {
            "gtins"
        } else {
            "skus"
        };
        let canonical = wanted.skus.union(&wanted.gtins).cloned().collect();
        let found = self
            .search
            .with_identifiers(canonical, CANDIDATES_MAX)
            .await
            .map_err(search_status)?;
        let Some(ids) = found else {
            let reason = format!(
                "are those of more than {CANDIDATES_MAX} products: ask for fewer at a time"
            );
            return Err(invalid(field, reason));
        };
        let candidates = Candidates {
            ids,
            has: Box::new(move |product| wanted.is_of(product)),
        };
        Ok((candidates, seen.is_some_and(|seen| seen.still_answers())))
    }
}

fn since(request: &v1::ListProductsRequest) -> Result<Option<OffsetDateTime>, Status> {
    let Some(since) = &request.updated_since else {
        return Ok(None);
    };
    let since = moment(since);
    let since = since.ok_or_else(|| invalid("updated_since", "is no time of the calendar"))?;
    Ok(Some(since))
}

/// The identifiers that are asked for, in their canonical form.
struct Wanted {
    skus: HashSet<String>,
    gtins: HashSet<String>,
}

impl Wanted {
    /// None where none are asked for.
    fn read(request: &v1::ListProductsRequest) -> Result<Option<Self>, Status> {
        let stated = request.skus.len() + request.gtins.len();
        if stated == 0 {
            return Ok(None);
        }
        if stated > IDENTIFIERS_MAX {
            let reason = format!("and `gtins` have more than {IDENTIFIERS_MAX} entries");
            return Err(invalid("skus", reason));
        }
        Ok(Some(Self {
            skus: canonical("skus", &request.skus)?,
            gtins: canonical("gtins", &request.gtins)?,
        }))
    }

    fn is_of(&self, product: &ProductView<'_>) -> bool {
        let has = |wanted: &HashSet<String>, text: &str| {
            identifier(text).is_some_and(|canonical| wanted.contains(&canonical))
        };
        has(&self.skus, product.sku) || product.gtins.iter().any(|gtin| has(&self.gtins, gtin))
    }
}

fn canonical(field: &str, stated: &[String]) -> Result<HashSet<String>, Status> {
    let each = stated.iter().map(|text| {
        let reason = || format!("has {text:?}, which is no identifier");
        identifier(text).ok_or_else(|| invalid(field, reason()))
    });
    each.collect()
}
