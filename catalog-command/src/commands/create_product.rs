//! Creates one product.

use crate::commands::{Call, CommandError, Commands, Written, now};
use crate::domain::{self, Draft};

impl Commands {
    pub(crate) async fn create_product(
        &self,
        draft: Draft,
        call: &Call,
    ) -> Result<Written, CommandError> {
        let id = draft.id.clone();
        let at = now();
        self.write_one(&id, call, |current| {
            domain::create(current, draft.clone(), at).map(Some)
        })
        .await
    }
}
