//! Creates one product.

use crate::commands::{Before, Call, CommandError, Commands, Written};
use crate::domain::{self, Draft};

impl Commands {
    pub(crate) async fn create_product(
        &self,
        draft: Draft,
        call: &Call,
    ) -> Result<Written, CommandError> {
        let id = draft.id.clone();
        self.write_one(&id, call, Before::Absent, move |current, now| {
            domain::create(current, draft.clone(), now).map(Some)
        })
        .await
    }
}
