//! One commit as searches see it: its documents together with its position.

use std::sync::Arc;

use arc_swap::ArcSwap;
use catalog_events::{BucketedDigest, ContentHash, Currency, Digest, Position, ProductId};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocSet as _, Searcher, SegmentReader, TERMINATED, TantivyError, Term};
use tokio::sync::watch;

use crate::index::document::schema::{Fields, HASH_HIGH, HASH_LOW, ID};
use crate::index::error::IndexError;
use crate::index::scoring::nearest_kind::LazyFeatures;
use crate::index::scoring::product_kind::LazyKinds;
use crate::index::sets::open_columns::OpenColumns;
use crate::index::sets::price::CatalogCurrency;
use crate::index::sets::product_ids::KnownIds;
use crate::index::text::language::Language;
use crate::index::text::long_words::LongWords;
use crate::index::text::vocabulary::Learned;

#[derive(Clone)]
pub(crate) struct IndexSnapshot {
    pub(crate) searcher: Searcher,
    pub(crate) fields: Fields,
    pub(crate) kinds: LazyKinds,
    pub(crate) long_words: LongWords,
    /// What searches have asked of the vocabulary.
    pub(crate) learned: Learned,
    pub(crate) currency: CatalogCurrency,
    /// The currency of the catalog where it was configured.
    pub(crate) configured_currency: Option<Currency>,
    pub(crate) features: LazyFeatures,
    pub(crate) columns: OpenColumns,
    pub(crate) ids: KnownIds,
    position: Position,
}

impl IndexSnapshot {
    pub(crate) fn new(searcher: Searcher, fields: Fields, position: Position) -> Self {
        Self {
            columns: OpenColumns::of(&searcher),
            ids: KnownIds::of(&searcher),
            searcher,
            fields,
            kinds: LazyKinds::default(),
            long_words: LongWords::default(),
            learned: Learned::default(),
            currency: CatalogCurrency::default(),
            configured_currency: None,
            features: LazyFeatures::default(),
            position,
        }
    }

    /// Compares prices in this currency where a search asks for none.
    pub(crate) fn with_currency(self, configured_currency: Option<Currency>) -> Self {
        Self {
            configured_currency,
            ..self
        }
    }

    /// The next snapshot of the same index. It keeps what is known of segments that stay.
    pub(crate) fn next(&self, searcher: Searcher, position: Position) -> Self {
        Self {
            columns: self.columns.next(&searcher),
            ids: self.ids.next(&searcher),
            long_words: self.long_words.clone(),
            configured_currency: self.configured_currency,
            ..Self::new(searcher, self.fields, position)
        }
    }

    pub(crate) fn language(&self) -> Language {
        self.fields.language
    }

    pub(crate) fn position(&self) -> Position {
        self.position
    }

    /// The number of products.
    pub(crate) fn documents(&self) -> u64 {
        self.searcher.num_docs()
    }

    /// The digest of the live products. It equals that of a read model without its tombstones.
    pub(crate) fn digest_of_live(&self) -> Result<Digest, IndexError> {
        Ok(self.bucketed_digest()?.total())
    }

    pub(crate) fn bucketed_digest(&self) -> Result<BucketedDigest, IndexError> {
        let mut digest = BucketedDigest::default();
        for segment in self.searcher.segment_readers() {
            each_hash(segment, |_, hash| digest.insert(hash))?;
        }
        Ok(digest)
    }

    /// Returns the hashes that the index holds of a product: one, or none.
    pub(crate) fn hashes_of(&self, id: &ProductId) -> Result<Vec<ContentHash>, IndexError> {
        let field = self.searcher.schema().get_field(ID)?;
        let term = Term::from_field_text(field, id.as_str());
        let mut hashes = Vec::new();
        for segment in self.searcher.segment_readers() {
            let terms = segment.inverted_index(field)?;
            let postings = terms.read_postings(&term, IndexRecordOption::Basic);
            let Some(mut postings) = postings.map_err(TantivyError::from)? else {
                continue;
            };
            let hash_of = hash_column(segment)?;
            let mut document = postings.doc();
            while document != TERMINATED {
                if !segment.is_deleted(document) {
                    hashes.push(hash_of(document));
                }
                document = postings.advance();
            }
        }
        Ok(hashes)
    }

    /// Lists the products in these buckets of the digest. A product whose id is not valid any more
    /// is left out, and so shows as missing.
    pub(crate) fn list(
        &self,
        buckets: &[usize],
    ) -> Result<Vec<(ProductId, ContentHash)>, IndexError> {
        let mut listed = Vec::new();
        for segment in self.searcher.segment_readers() {
            let mut wanted = Vec::new();
            each_hash(segment, |document, hash| {
                if buckets.contains(&hash.bucket()) {
                    wanted.push((document, hash));
                }
            })?;
            let Some(ids) = segment.fast_fields().str(ID)? else {
                continue;
            };
            for (document, hash) in wanted {
                let mut text = String::new();
                if let Some(ordinal) = ids.term_ords(document).next()
                    && ids
                        .ord_to_str(ordinal, &mut text)
                        .map_err(TantivyError::from)?
                    && let Ok(id) = text.parse()
                {
                    listed.push((id, hash));
                }
            }
        }
        Ok(listed)
    }
}

fn each_hash(
    segment: &SegmentReader,
    mut each: impl FnMut(u32, ContentHash),
) -> tantivy::Result<()> {
    let hash_of = hash_column(segment)?;
    for document in segment.doc_ids_alive() {
        each(document, hash_of(document));
    }
    Ok(())
}

fn hash_column(segment: &SegmentReader) -> tantivy::Result<impl Fn(u32) -> ContentHash> {
    let columns = segment.fast_fields();
    let high = columns.u64(HASH_HIGH)?.first_or_default_col(0);
    let low = columns.u64(HASH_LOW)?.first_or_default_col(0);
    Ok(move |document| {
        let hash = u128::from(high.get_val(document)) << 64 | u128::from(low.get_val(document));
        ContentHash::from_bytes(hash.to_be_bytes())
    })
}

/// The snapshot that answers searches; each one replaces the one before.
pub(crate) struct Published {
    snapshot: ArcSwap<IndexSnapshot>,
    position: watch::Sender<Position>,
}

impl Published {
    pub(crate) fn new(snapshot: IndexSnapshot) -> Self {
        Self {
            position: watch::Sender::new(snapshot.position),
            snapshot: ArcSwap::from_pointee(snapshot),
        }
    }

    pub(crate) fn snapshot(&self) -> Arc<IndexSnapshot> {
        self.snapshot.load_full()
    }

    pub(crate) fn position(&self) -> Position {
        self.snapshot.load().position
    }

    /// Publishes a snapshot. Those who wait for its position are told last, when searches already
    /// see it.
    pub(crate) fn publish(&self, snapshot: IndexSnapshot) {
        let position = snapshot.position;
        self.snapshot.store(Arc::new(snapshot));
        self.position.send_replace(position);
    }

    pub(crate) async fn reached(&self, position: Position) {
        let mut reached = self.position.subscribe();
        // Fails only when the sender is gone, and that is `self`.
        let _ = reached.wait_for(|at| *at >= position).await;
    }
}
