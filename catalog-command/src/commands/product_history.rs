//! The past of one product, read from its events. It comes from the write side, so that it is never
//! older than a write that was answered.

use catalog_events::{Product, ProductId, Version};
use time::OffsetDateTime;

use crate::commands::Commands;
use crate::domain::Rejection;
use crate::store::{self, PastEvent, Range};

/// The most bytes that the products on one page have as JSON: an answer stays below gRPC's usual 4 MiB.
const PAGE_BYTES_MAX: i64 = 3 * 1024 * 1024;

/// Why the past of a product cannot be told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HistoryError {
    #[error("{}", Rejection::NotFound)]
    NotFound,
    #[error("too many events wait for their position")]
    Backlog,
    #[error("database")]
    Database(#[from] sqlx::Error),
}

/// A moment in the life of a product.
#[derive(Clone, Copy, Debug)]
pub(crate) enum AsOf {
    /// After the change that made this version.
    Version(Version),
    /// After the last change at or before this time.
    Time(OffsetDateTime),
}

impl Commands {
    /// The events of a product, newest first, only versions before `before` when there is one. Fewer than
    /// `limit` do not mean the end; version 1 does.
    pub(crate) async fn product_history(
        &self,
        id: &ProductId,
        before: Option<Version>,
        limit: i64,
    ) -> Result<Vec<PastEvent>, HistoryError> {
        let newest = self.newest_version(id).await?;
        let range = Range {
            before: before.map_or(i64::MAX, Version::get),
            until: None,
            newest,
            limit,
            bytes_max: PAGE_BYTES_MAX,
        };
        self.complete(id, range).await
    }

    /// The product as it was, and its version then.
    pub(crate) async fn product_as_of(
        &self,
        id: &ProductId,
        as_of: AsOf,
    ) -> Result<(Version, Product), HistoryError> {
        let newest = self.newest_version(id).await?;
        let (before, until) = match as_of {
            AsOf::Version(version) if version > newest => return Err(HistoryError::NotFound),
            AsOf::Version(version) => (version.next().get(), None),
            AsOf::Time(time) => (i64::MAX, Some(time)),
        };
        let range = Range {
            before,
            until,
            newest,
            // The event of the newest version, which may be later, and the one before.
            limit: 2,
            bytes_max: i64::MAX,
        };
        let mut events = self.complete(id, range).await?.into_iter();
        let event = events
            .find(|event| until.is_none_or(|until| event.occurred_at <= until))
            .ok_or(HistoryError::NotFound)?;
        let product = event.product.ok_or(HistoryError::NotFound)?;
        Ok((event.version, product))
    }

    async fn newest_version(&self, id: &ProductId) -> Result<Version, HistoryError> {
        let version = store::product_version(&self.pool, id).await?;
        version.ok_or(HistoryError::NotFound)
    }

    /// The events of a range, or an error where the newest of them waits too far back in the outbox
    /// to be found. The outbox has the order of the versions, so that the newest one comes last.
    async fn complete(&self, id: &ProductId, range: Range) -> Result<Vec<PastEvent>, HistoryError> {
        let events = store::product_events(&self.pool, id, range).await?;
        let found = events.first().map_or(0, |event| event.version.get());
        if found < range.newest.get().min(range.before - 1) {
            return Err(HistoryError::Backlog);
        }
        Ok(events)
    }
}
