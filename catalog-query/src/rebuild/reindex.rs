//! Looks after a rollback whether the keyword index of this replica holds what the documents hold,
//! and makes it anew from the documents when it does not.

use std::time::Duration;

use catalog_events::{Change, Position, Product, ProductEvent, Version};
use futures_util::TryStreamExt as _;
use sqlx::types::Json;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::index::IndexWriter;
use crate::rebuild::Rebuilder;

const LOOKS_MAX: u32 = 100;
const LOOK_EVERY_MS: u64 = 50;
const BATCH_DOCUMENTS_MAX: usize = 1_000;

impl Rebuilder {
    pub(super) async fn check_index(&self) -> anyhow::Result<()> {
        match self.index_agrees().await? {
            Some(true) => Ok(()),
            None => {
                tracing::warn!("the keyword index never was where the documents are: not compared");
                Ok(())
            }
            Some(false) => {
                tracing::warn!("the keyword index differs from the documents: building it anew");
                self.reindex().await
            }
        }
    }

    /// None when both are never seen at one position, as under a steady stream of events.
    async fn index_agrees(&self) -> anyhow::Result<Option<bool>> {
        for _ in 0..LOOKS_MAX {
            let live = self.live.load_full().checkpoint().await?;
            let index = self.index.current().load_full();
            let (position, digest) = tokio::task::spawn_blocking(move || {
                let before = index.position();
                let digest = index.digest_of_live();
                digest.map(|digest| (before.max(index.position()), digest))
            })
            .await??;
            if position == live.position {
                return Ok(Some(digest == live.digest.total()));
            }
            tokio::time::sleep(Duration::from_millis(LOOK_EVERY_MS)).await;
        }
        Ok(None)
    }

    async fn reindex(&self) -> anyhow::Result<()> {
        // Index folders are numbered by generations; this one belongs to none, and no other may be
        // in its place.
        let number = OffsetDateTime::now_utc().unix_timestamp();
        let (index, mut writer) = self.index.create(number)?;
        let live = self.live.load_full();
        let mut tx = live.pool.begin().await?;
        sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            .execute(&mut *tx)
            .await?;
        let position: i64 = sqlx::query_scalar("SELECT position FROM checkpoint")
            .fetch_one(&mut *tx)
            .await?;
        let rows = sqlx::query_as::<_, (i64, i64, Json<Product>)>(
            "SELECT position, version, product FROM documents
             WHERE product IS NOT NULL ORDER BY position",
        );
        let rows = rows.fetch(&mut *tx).map_err(anyhow::Error::new);
        let mut rows = rows.try_chunks(BATCH_DOCUMENTS_MAX);
        while let Some(rows) = rows.try_next().await.map_err(|err| err.1)? {
            let events: Vec<ProductEvent> = rows.into_iter().filter_map(event).collect();
            writer = blocking(writer, move |writer| Ok(writer.apply(&events)?)).await?;
        }
        let position = Position::from_i64(position);
        writer = blocking(writer, move |writer| Ok(writer.commit(position)?)).await?;
        self.switch_index(number, index, writer).await
    }
}

async fn blocking(
    mut writer: IndexWriter,
    work: impl FnOnce(&mut IndexWriter) -> anyhow::Result<()> + Send + 'static,
) -> anyhow::Result<IndexWriter> {
    tokio::task::spawn_blocking(move || work(&mut writer).map(|()| writer)).await?
}

/// As the event that brought the document.
fn event((position, version, product): (i64, i64, Json<Product>)) -> Option<ProductEvent> {
    let product = product.0;
    Some(ProductEvent {
        event_id: Uuid::nil(),
        position: Position::from_i64(position),
        product_id: product.id.clone(),
        version: Version::new(version)?,
        occurred_at: product.updated_at,
        actor: String::new(),
        traceparent: None,
        change: Change::Unknown,
        product: Some(product),
    })
}
