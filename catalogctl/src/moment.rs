//! Moments as the commands tell them.

use prost_types::Timestamp;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A moment to the second, by RFC 3339; none where none is stated.
pub(crate) fn moment(time: Option<&Timestamp>) -> Option<String> {
    let at = OffsetDateTime::from_unix_timestamp(time?.seconds);
    at.ok()?.format(&Rfc3339).ok()
}
