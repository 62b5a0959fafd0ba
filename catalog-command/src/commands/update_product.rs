//! Changes the named fields of one product.

use catalog_events::ProductId;

use crate::commands::{CommandError, Commands, Written, now};
use crate::domain::{self, Patch};
use crate::store::Origin;

impl Commands {
    pub(crate) async fn update_product(
        &self,
        id: &ProductId,
        patch: Patch,
        expected: Option<i64>,
        origin: &Origin,
    ) -> Result<Written, CommandError> {
        let at = now();
        self.write_one(id, origin, |current| {
            domain::update(current, patch.clone(), expected, at)
        })
        .await
    }
}
