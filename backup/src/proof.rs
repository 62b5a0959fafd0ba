//! What a log comes to, folded from its events: the digest that tells whether two catalogs are equal.

use std::collections::HashMap;

use catalog_events::{ContentHash, Digest, Product, ProductId, Version};
use futures_util::TryStreamExt as _;
use serde_json::value::RawValue;
use sqlx::PgConnection;
use sqlx::types::Json;

use crate::Progress;
use crate::error::BackupError;

/// Events between two reports of the progress.
const REPORT_EVERY: u64 = 1_000;

/// What the products that are live at the head of a log sum up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sum {
    pub(crate) position: i64,
    pub(crate) products: i64,
    pub(crate) digest: Digest,
}

type Row = (i64, String, i64, Option<Json<Box<RawValue>>>);

/// Folds all events from the JSON that they hold; hashes that were kept with them are not looked at.
/// Memory grows with the live products, not with the log.
pub(crate) async fn fold(
    db: &mut PgConnection,
    events: u64,
    progress: &mut impl FnMut(Progress<'_>),
) -> Result<Sum, BackupError> {
    let mut live: HashMap<ProductId, ContentHash> = HashMap::new();
    let mut position = 0;
    let mut rows = sqlx::query_as::<_, Row>(
        "SELECT position, product_id, version, product FROM event_log ORDER BY position",
    )
    .fetch(db);
    while let Some((at, id, version, product)) = rows.try_next().await? {
        let corrupt = |reason: &str| BackupError::Corrupt {
            position: at,
            reason: reason.to_owned(),
        };
        if at != position + 1 {
            return Err(corrupt("the event before it is missing"));
        }
        position = at;
        let id: ProductId = id.parse().map_err(|_| corrupt("its id is none"))?;
        let version = Version::new(version).ok_or_else(|| corrupt("its version is none"))?;
        match product {
            Some(Json(json)) => {
                let product: Product = serde_json::from_str(json.get())
                    .map_err(|err| corrupt(&format!("its product is none: {err}")))?;
                let hash = ContentHash::of(&id, version, &product);
                live.insert(id, hash);
            }
            None => {
                live.remove(&id);
            }
        }
        if (at as u64).is_multiple_of(REPORT_EVERY) {
            progress(Progress {
                what: "events proved",
                done: at as u64,
                total: Some(events),
            });
        }
    }
    Ok(Sum {
        position,
        products: live.len() as i64,
        digest: live.into_values().collect(),
    })
}

/// How many products are at another version than their last event, in the log or on its way there.
pub(crate) async fn strays(db: &mut PgConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "SELECT count(*) FROM (
             SELECT product_id, max(version) AS version FROM (
                 SELECT product_id, version FROM event_log
                 UNION ALL SELECT product_id, version FROM outbox
             ) AS events GROUP BY product_id
         ) AS last FULL JOIN products ON products.id = last.product_id
         WHERE products.version IS DISTINCT FROM last.version",
    )
    .fetch_one(db)
    .await
}
