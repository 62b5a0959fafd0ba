//! I5 and the content of answers: a read shows only what was once true, and a client with its token
//! never reads anything older than its write, unless the answer says so.

use crate::chaos::history::{After, Answer, Call, Seen};
use crate::chaos::logged::Story;
use crate::chaos::violation::{Counts, Violation};

pub(super) fn judge(
    calls: &[Call],
    story: &Story<'_>,
    violations: &mut Vec<Violation>,
    counts: &mut Counts,
) {
    for call in calls {
        let Some(answer) = call.outcome.answer() else {
            continue;
        };
        let (seen, read) = match answer {
            Answer::Written { .. } | Answer::Imported { .. } => continue,
            Answer::Found { seen, .. } => (Some(seen), "a read"),
            Answer::Missing { .. } => (None, "a read"),
            Answer::Hit { seen, .. } => (seen.as_ref(), "a search"),
        };
        counts.stale_answers += u64::from(answer.is_stale());
        let id = call.request.ids().first().copied().unwrap_or_default();
        if let Some(text) = seen.and_then(|seen| unfounded(id, seen, story)) {
            violations.push(Violation::new("I8", text).of_calls([call.call]));
        }
        let after = call.request.after();
        let promised = |after: &&After| !after.token.is_empty() && !answer.is_stale();
        let Some(after) = after.filter(promised) else {
            continue;
        };
        counts.token_reads += 1;
        if let Some(text) = older(after, seen) {
            let text = format!("{read} of {id} with its token {text}, and did not say stale");
            violations.push(Violation::new("I5", text).of_calls([call.call]));
        }
    }
}

/// Whether an answer is wrong: no version of the product ever looked like it.
fn unfounded(id: &str, seen: &Seen, story: &Story<'_>) -> Option<String> {
    let version = seen.version;
    let event = story.at(id, version);
    let Some(product) = event.and_then(|event| event.product.as_ref()) else {
        return Some(format!(
            "{id} was shown at version {version}, which the log has not"
        ));
    };
    let same = product.title == seen.title && product.price.minor() == seen.price_minor;
    (!same).then(|| format!("{id} was shown as {seen:?}, the log says {product:?}"))
}

/// Why an answer is older than the write that it was to follow, if it is.
pub(in crate::chaos) fn older(after: &After, seen: Option<&Seen>) -> Option<String> {
    let version = after.version;
    match seen {
        None if after.live => Some(format!("found nothing after version {version}")),
        Some(seen) if seen.version < version => Some(format!(
            "found version {} after version {version}",
            seen.version
        )),
        Some(seen) if seen.version == version && !after.live => {
            Some(format!("found version {version}, which is a deletion"))
        }
        None | Some(_) => None,
    }
}
