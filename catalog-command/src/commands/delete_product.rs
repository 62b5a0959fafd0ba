//! Deletes one product; its tombstone keeps the version.

use catalog_events::ProductId;

use crate::commands::{Call, CommandError, Commands, Written, now};
use crate::domain;

impl Commands {
    pub(crate) async fn delete_product(
        &self,
        id: &ProductId,
        expected: Option<i64>,
        call: &Call,
    ) -> Result<Written, CommandError> {
        let at = now();
        self.write_one(id, call, |current| {
            domain::delete(current, expected, at).map(Some)
        })
        .await
    }
}
