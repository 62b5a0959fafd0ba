//! Lists what a projection holds, product by product, so that a difference can be named.

use std::collections::HashSet;

use catalog_events::{BucketedDigest, ContentHash, Position};
use tokio::sync::mpsc;

use crate::verification::Verifier;
use crate::verification::checked::tell;
use crate::verification::error::VerificationError;
use crate::verification::rows::Document;

const PAGE_PRODUCTS: usize = 1_000;

/// A part of a listing; all parts of one listing are of the same position.
#[derive(Clone, Debug, Default)]
pub(crate) struct ListedProducts {
    pub(crate) position: Position,
    pub(crate) products: Vec<ListedProduct>,
}

#[derive(Clone, Debug)]
pub(crate) struct ListedProduct {
    pub(crate) product_id: String,
    /// None where the projection holds no versions.
    pub(crate) version: Option<i64>,
    /// None when the stored product cannot be read.
    pub(crate) content_hash: Option<ContentHash>,
}

pub(crate) type Listing = mpsc::Sender<ListedProducts>;

/// The buckets that are listed.
#[derive(Clone, Debug)]
pub(crate) struct Buckets(HashSet<usize>);

impl Buckets {
    /// Takes the named buckets, or all of them when none is named. None when one of the numbers is no
    /// bucket.
    pub(crate) fn new(named: &[i32]) -> Option<Self> {
        if named.is_empty() {
            return Some(Self((0..BucketedDigest::BUCKETS).collect()));
        }
        let bucket = |number: &i32| {
            let bucket = usize::try_from(*number).ok();
            bucket.filter(|bucket| *bucket < BucketedDigest::BUCKETS)
        };
        named.iter().map(bucket).collect::<Option<_>>().map(Self)
    }
}

impl Verifier {
    /// Lists the live documents. One that cannot be read is in every bucket. Sends at least one part.
    pub(crate) async fn list_documents(
        &self,
        buckets: &Buckets,
        listing: &Listing,
    ) -> Result<(), VerificationError> {
        let live = self.live.load_full();
        let mut snapshot = live.snapshot().await?;
        let position = snapshot.position;
        loop {
            let rows = snapshot.page().await?;
            let end = rows.is_empty();
            let buckets = buckets.clone();
            let products = tokio::task::spawn_blocking(move || {
                let listed = rows
                    .iter()
                    .filter_map(|row| listed(&row.document, &buckets));
                listed.collect()
            });
            let part = ListedProducts {
                position,
                products: products.await?,
            };
            if end || !part.products.is_empty() {
                tell(listing, part).await?;
            }
            if end {
                return Ok(());
            }
        }
    }

    /// Lists what searches of this replica see. Sends at least one part.
    pub(crate) async fn list_index(
        &self,
        buckets: &Buckets,
        listing: &Listing,
    ) -> Result<(), VerificationError> {
        let index = self.index.current().load_full();
        let buckets: Vec<usize> = buckets.0.iter().copied().collect();
        let listed = tokio::task::spawn_blocking(move || {
            let snapshot = index.snapshot();
            Ok::<_, VerificationError>((snapshot.position(), snapshot.list(&buckets)?))
        });
        let (position, products) = listed.await??;
        let products: Vec<ListedProduct> = products
            .into_iter()
            .map(|(id, hash)| ListedProduct {
                product_id: id.to_string(),
                version: None,
                content_hash: Some(hash),
            })
            .collect();
        let parts = products.chunks(PAGE_PRODUCTS).map(<[_]>::to_vec);
        for products in parts.chain([Vec::new()]) {
            let part = ListedProducts { position, products };
            tell(listing, part).await?;
        }
        Ok(())
    }
}

/// A document as it is listed; None for a tombstone or a document of another bucket.
fn listed(document: &Document, buckets: &Buckets) -> Option<ListedProduct> {
    let content_hash = match document.content() {
        Ok(Some((_, hash))) if buckets.0.contains(&hash.bucket()) => Some(hash),
        Ok(_) => return None,
        Err(_) => None,
    };
    Some(ListedProduct {
        product_id: document.product_id.clone(),
        version: Some(document.version),
        content_hash,
    })
}
