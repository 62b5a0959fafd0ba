//! What operators do about projections: prove them, mend them, build them anew, and apply what could not be applied.

pub(crate) mod verify;
pub(crate) mod rebuild;
pub(crate) mod parked;
