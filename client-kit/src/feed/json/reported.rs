//! Objects that an earlier import could not read and reported as a text, once the text is mended.

use serde_json::{Map, Value};

use crate::feed::row::{Mistake, Unread};
use crate::feed::values::REPORT_COLUMNS;

/// The members of an object: of the text in it where it has nothing else than what a report adds.
pub(super) fn mended(object: Map<String, Value>) -> Result<Map<String, Value>, Unread> {
    let [_, _, row] = REPORT_COLUMNS;
    let is_of_report = |name: &String| REPORT_COLUMNS.contains(&name.as_str());
    let text = match object.get(row) {
        Some(Value::String(text)) if object.keys().all(is_of_report) => text.trim(),
        _ => return Ok(object),
    };
    let reason = match serde_json::from_str(text) {
        Ok(Value::Object(members)) => return Ok(members),
        Ok(_) => format!("{row} is no object"),
        Err(_) if text.starts_with('<') => {
            format!("{row} is XML, which a report in JSON cannot have: mend it in its feed")
        }
        Err(err) => format!("{row}: {err}"),
    };
    Err(Unread::new(Mistake::row(reason), text.as_bytes()))
}
