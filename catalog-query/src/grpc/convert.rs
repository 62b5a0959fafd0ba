//! Conversions that several messages share.

use tonic::Status;

use crate::grpc::error::invalid;

/// Reads a limit. 0 means `default`, as older clients leave it unset; more than `max` means `max`.
pub(crate) fn limit(limit: i32, default: usize, max: usize) -> Result<usize, Status> {
    match usize::try_from(limit) {
        Ok(0) => Ok(default),
        Ok(limit) => Ok(limit.min(max)),
        Err(_) => Err(invalid("limit", "is negative")),
    }
}

/// A count as messages have it, whose numbers are signed.
pub(crate) fn count<N>(count: N) -> i64
where
    i64: TryFrom<N>,
{
    i64::try_from(count).unwrap_or(i64::MAX)
}
