//! What every command is told beside its arguments: who calls, and the time.

use time::OffsetDateTime;

use crate::domain::RequestKey;
use crate::store::Origin;

/// Who calls, and under which request id.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) origin: Origin,
    pub(crate) request: Option<RequestKey>,
}

/// The present time to the microsecond, which is what Postgres and JSON both keep.
pub(super) fn now() -> OffsetDateTime {
    let now = OffsetDateTime::now_utc();
    now.replace_nanosecond(now.microsecond() * 1_000)
        .unwrap_or(now)
}
