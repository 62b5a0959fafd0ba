//! Deletes one product; its tombstone keeps the version.

use catalog_events::ProductId;

use crate::commands::{CommandError, Commands, Written, now};
use crate::domain;
use crate::store::Origin;

impl Commands {
    pub(crate) async fn delete_product(
        &self,
        id: &ProductId,
        expected: Option<i64>,
        origin: &Origin,
    ) -> Result<Written, CommandError> {
        let at = now();
        self.write_one(id, origin, |current| {
            domain::delete(current, expected, at).map(Some)
        })
        .await
    }
}
