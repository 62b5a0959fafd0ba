//! What every command is told beside its arguments: who calls.

use crate::domain::RequestKey;
use crate::store::Origin;

/// Who calls, and under which request id.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) origin: Origin,
    pub(crate) request: Option<RequestKey>,
}
