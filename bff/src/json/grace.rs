//! The JSON of a rotation: for how long an old secret stays good beside the new one.

use serde_json::value::RawValue;

use crate::json::{number, raw};
use crate::problem::{FieldErrors, Problem, pointer, with_nearest};

const GRACE_S_MAX: i64 = 30 * 24 * 3_600;

/// Reads for how many seconds both secrets are good; a body that does not state it means `unless_told`.
pub(super) fn read_grace_seconds(body: &RawValue, unless_told: i64) -> Result<i64, Problem> {
    let mut errors = FieldErrors::default();
    let mut grace = unless_told;
    for (name, value) in raw::members(body, &[], &mut errors) {
        let place = pointer(&[&name]);
        if name == "grace_seconds" {
            let seconds =
                number::whole(value).filter(|seconds| (0..=GRACE_S_MAX).contains(seconds));
            let seconds = seconds.ok_or("must be a whole number from 0 to 2592000");
            grace = errors.take(place, seconds).unwrap_or_default();
        } else {
            let detail = with_nearest(raw::UNKNOWN, &name, &["grace_seconds"]);
            errors.push(place, detail);
        }
    }
    errors.finish()?;
    Ok(grace)
}
