//! Deletes one product; its tombstone keeps the version.

use catalog_events::ProductId;

use crate::commands::{Before, Call, CommandError, Commands, Written};
use crate::domain;

impl Commands {
    pub(crate) async fn delete_product(
        &self,
        id: &ProductId,
        expected: Option<i64>,
        call: &Call,
    ) -> Result<Written, CommandError> {
        self.write_one(id, call, Before::Present, move |current, now| {
            domain::delete(current, expected, now).map(Some)
        })
        .await
    }
}
