//! What all lines have in common.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A time to the second.
pub(super) fn second(at: OffsetDateTime) -> String {
    let whole = at.replace_nanosecond(0).unwrap_or(at);
    whole.format(&Rfc3339).unwrap_or_default()
}
