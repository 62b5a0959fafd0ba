//! The whole catalog as it was at one position of the log, page by page. Invariant: an export holds no
//! transaction and no connection between its pages, so that a slow reader costs nobody anything.

use catalog_events::{Position, Product, ProductId, Status, Version};
use sqlx::PgPool;

use crate::commands::Commands;
use crate::store::{self, LogError, Obstacle, SnapshotPage, SnapshotRow};

/// The ids of a page.
const PAGE_IDS_MAX: i64 = 500;
/// The ids of a page whose products are not read.
const PAGE_BARE_IDS_MAX: i64 = 2_000;
/// The bytes of the products of a page as JSON.
const PAGE_BYTES_MAX: i64 = 2 * 1024 * 1024;

/// Why the products of a position cannot be told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExportError {
    #[error(
        "is {asked}, and the log ends at {head}: ask for 0, which is the end of the log, or for a \
         position that an event, a status or an earlier export of this catalog has named"
    )]
    Beyond { asked: Position, head: Position },
    #[error(transparent)]
    Log(#[from] LogError),
}

impl From<sqlx::Error> for ExportError {
    fn from(err: sqlx::Error) -> Self {
        Self::Log(err.into())
    }
}

/// What is asked for.
#[derive(Clone, Debug)]
pub(crate) struct ExportQuery {
    /// The position; none for the end of the log.
    pub(crate) position: Option<Position>,
    /// The id that all products come behind.
    pub(crate) after: Option<ProductId>,
    /// Whether only ids and versions are asked for.
    pub(crate) ids_only: bool,
    pub(crate) filter: ExportFilter,
}

/// Which products an export takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ExportFilter {
    pub(crate) brand: Option<String>,
    /// What the category path begins with, outermost first.
    pub(crate) categories: Vec<String>,
    pub(crate) status: Option<Status>,
}

impl ExportFilter {
    fn takes_all(&self) -> bool {
        *self == Self::default()
    }

    fn takes(&self, product: &Product) -> bool {
        let brand = self.brand.is_none() || self.brand == product.brand;
        let status = self.status.is_none_or(|status| status == product.status);
        brand && status && product.categories.starts_with(&self.categories)
    }
}

/// An export while it is read.
#[derive(Debug)]
pub(crate) struct Export {
    pool: PgPool,
    pub(crate) position: Position,
    /// The id of the event at the position; empty at the start of the log.
    pub(crate) event_id: String,
    /// The live products at the position; 0 while they are not counted yet.
    pub(crate) total: i64,
    ids_only: bool,
    filter: ExportFilter,
    reached: String,
    limit: i64,
}

/// A product of an export.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) id: String,
    pub(crate) version: Version,
    /// The product, unless only ids were asked for.
    pub(crate) product: Option<Product>,
}

/// A part of an export.
#[derive(Debug)]
pub(crate) struct ExportPage {
    pub(crate) listed: Vec<Listed>,
    /// The live products among those that were looked at.
    pub(crate) looked_at: usize,
    /// The id up to which all products have been listed.
    pub(crate) reached: String,
}

impl Commands {
    /// Begins an export. Nothing is read yet but where it stands.
    pub(crate) async fn export_products(&self, query: ExportQuery) -> Result<Export, ExportError> {
        let pool = self.exports.clone();
        let head = store::head(&pool).await?;
        let position = match query.position {
            Some(asked) if asked > head.position => {
                let head = head.position;
                return Err(ExportError::Beyond { asked, head });
            }
            asked => asked.unwrap_or(head.position),
        };
        let event_id = match position {
            Position::START => String::new(),
            position => {
                let id = store::event_id_at(&pool, position).await?;
                id.ok_or(LogError::Corrupt(position))?.to_string()
            }
        };
        let total = store::live_products(&pool, &head, position).await?;
        Ok(Export {
            pool,
            position,
            event_id,
            total: total.unwrap_or(0),
            ids_only: query.ids_only,
            filter: query.filter,
            reached: query.after.map_or(String::new(), |id| id.to_string()),
            limit: PAGE_IDS_MAX,
        })
    }
}

impl Export {
    /// Reads the next page; none after the last one.
    pub(crate) async fn next_page(&mut self) -> Result<Option<ExportPage>, ExportError> {
        let contents = !(self.ids_only && self.filter.takes_all());
        let rows = self.read(contents).await?;
        let Some(last) = rows.last() else {
            return Ok(None);
        };
        self.reached = last.id.clone();
        self.adapt(rows.len() as i64, contents);
        let mut page = ExportPage {
            listed: Vec::new(),
            looked_at: 0,
            reached: self.reached.clone(),
        };
        for row in rows.into_iter().filter(|row| row.live) {
            page.looked_at += 1;
            page.listed.extend(self.listed(row)?);
        }
        Ok(Some(page))
    }

    /// Reads rows, fewer where Postgres finds so many too much work: behind a product may stand more
    /// events that are newer than the position than one statement can pass.
    async fn read(&mut self, contents: bool) -> Result<Vec<SnapshotRow>, ExportError> {
        loop {
            let page = SnapshotPage {
                position: self.position,
                after: &self.reached,
                limit: self.limit,
                bytes_max: PAGE_BYTES_MAX,
                contents,
            };
            match store::snapshot_page(&self.pool, page).await {
                Err(err) if self.limit > 1 && Obstacle::of(&err) == Some(Obstacle::Statement) => {
                    self.limit = (self.limit / 8).max(1);
                }
                rows => return Ok(rows?),
            }
        }
    }

    /// Asks for about as many ids as fitted the last time: Postgres unpacks every product that it is asked
    /// for, those too that do not fit.
    fn adapt(&mut self, found: i64, contents: bool) {
        let max = if contents {
            PAGE_IDS_MAX
        } else {
            PAGE_BARE_IDS_MAX
        };
        self.limit = (found * 2).clamp(1, max);
    }

    fn listed(&self, row: SnapshotRow) -> Result<Option<Listed>, ExportError> {
        let product = row.product.map(|product| product.0);
        if product.as_ref().is_some_and(|it| !self.filter.takes(it)) {
            return Ok(None);
        }
        let version = row.version.and_then(Version::new);
        Ok(Some(Listed {
            id: row.id,
            version: version.ok_or(LogError::Corrupt(self.position))?,
            product: product.filter(|_| !self.ids_only),
        }))
    }
}
