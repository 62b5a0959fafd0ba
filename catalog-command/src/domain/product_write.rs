//! One of several writes that are sent together: any command on a product that states its new content,
//! or its deletion.

use catalog_events::ProductId;
use time::OffsetDateTime;

use crate::domain::decision::{Current, Decision, Rejection, create, delete, put, update};
use crate::domain::draft::Draft;
use crate::domain::fields::Patch;

/// A write, and the version that the product must have.
#[derive(Clone, Debug)]
pub(crate) enum ProductWrite {
    Create(Draft),
    Update(ProductId, Patch, Option<i64>),
    /// A version of 0 means that there must be no such product.
    Put(Draft, Option<i64>),
    Delete(ProductId, Option<i64>),
}

impl ProductWrite {
    pub(crate) fn id(&self) -> &ProductId {
        match self {
            Self::Create(draft) | Self::Put(draft, _) => &draft.id,
            Self::Update(id, ..) | Self::Delete(id, _) => id,
        }
    }

    /// Decides what the write means for its product. `Ok(None)` leaves it as it is.
    pub(crate) fn decide(
        &self,
        current: Option<&Current>,
        now: OffsetDateTime,
    ) -> Result<Option<Decision>, Rejection> {
        match self {
            Self::Create(draft) => create(current, draft.clone(), now).map(Some),
            Self::Update(_, patch, expected) => update(current, patch.clone(), *expected, now),
            Self::Put(draft, expected) => put(current, draft.clone(), *expected, now),
            Self::Delete(_, expected) => delete(current, *expected, now).map(Some),
        }
    }
}
