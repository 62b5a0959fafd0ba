//! Changes the named fields of one product.

use catalog_events::ProductId;

use crate::commands::{Before, Call, CommandError, Commands, Written};
use crate::domain::{self, Patch};

impl Commands {
    pub(crate) async fn update_product(
        &self,
        id: &ProductId,
        patch: Patch,
        expected: Option<i64>,
        call: &Call,
    ) -> Result<Written, CommandError> {
        self.write_one(id, call, Before::Present, move |current, now| {
            domain::update(current, patch.clone(), expected, now)
        })
        .await
    }
}
