//! Creates one product.

use crate::commands::{CommandError, Commands, Written, now};
use crate::domain::{self, Draft};
use crate::store::Origin;

impl Commands {
    pub(crate) async fn create_product(
        &self,
        draft: Draft,
        origin: &Origin,
    ) -> Result<Written, CommandError> {
        let id = draft.id.clone();
        let at = now();
        self.write_one(&id, origin, |current| {
            domain::create(current, draft.clone(), at).map(Some)
        })
        .await
    }
}
