//! Creates one product, or replaces it as a whole.

use crate::commands::{Before, Call, CommandError, Commands, Written};
use crate::domain::{self, Draft};

impl Commands {
    /// An expected version of 0 means that there must be no such product.
    pub(crate) async fn put_product(
        &self,
        draft: Draft,
        expected: Option<i64>,
        call: &Call,
    ) -> Result<Written, CommandError> {
        let id = draft.id.clone();
        self.write_one(&id, call, Before::Unknown, move |current, now| {
            domain::put(current, draft.clone(), expected, now)
        })
        .await
    }
}
