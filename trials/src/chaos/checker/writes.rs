//! I1 and I4: acknowledged writes are in the log as they were acknowledged, unknown ones wholly or
//! not at all, refused ones never, and nothing is there that nobody wrote.

use std::collections::{BTreeMap, HashMap};

use crate::chaos::history::{Answer, Call, Mark, Outcome, Request, description, title};
use crate::chaos::logged::{Logged, Story};
use crate::chaos::violation::{Counts, Violation};

/// A write with all its attempts.
struct Write<'c> {
    request: &'c Request,
    attempts: Vec<&'c Call>,
}

#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Ok,
    Unknown,
    Failed,
}

impl Write<'_> {
    fn fate(&self) -> Fate {
        let unknown = |call: &&Call| matches!(call.outcome, Outcome::Unknown(_));
        match () {
            () if self.attempts.iter().any(|call| call.is_ok()) => Fate::Ok,
            () if self.attempts.iter().any(unknown) => Fate::Unknown,
            () => Fate::Failed,
        }
    }

    /// The version in the acknowledgement.
    fn version(&self) -> Option<i64> {
        let attempts = self.attempts.iter();
        let mut answers = attempts.filter_map(|call| call.outcome.answer());
        answers.find_map(|answer| match answer {
            Answer::Written { version, .. } => *version,
            _ => None,
        })
    }

    fn violation(&self, invariant: &'static str, text: impl Into<String>) -> Violation {
        let calls = self.attempts.iter().map(|call| call.call);
        Violation::new(invariant, text).of_calls(calls)
    }
}

type Writes<'c> = BTreeMap<Mark, Write<'c>>;

pub(super) fn judge(
    calls: &[Call],
    story: &Story<'_>,
    idempotent: bool,
    violations: &mut Vec<Violation>,
    counts: &mut Counts,
) {
    let mut writes = Writes::new();
    for call in calls {
        if let Some(mark) = call.request.mark() {
            let write = writes.entry(mark).or_insert(Write {
                request: &call.request,
                attempts: Vec::new(),
            });
            write.attempts.push(call);
        }
    }
    let made = Made::of(&writes, story, violations);
    for (mark, write) in &writes {
        match write.fate() {
            Fate::Ok => counts.writes_ok += 1,
            Fate::Unknown => counts.writes_unknown += 1,
            Fate::Failed => counts.writes_failed += 1,
        }
        match write.request {
            Request::Delete { id, .. } => judge_deletion(write, story.product(id), violations),
            Request::Import { ids, .. } => judge_import(*mark, ids, write, &made, violations),
            _ => judge_one(*mark, write, &made, idempotent, violations),
        }
    }
    judge_deletions(&writes, story, violations);
}

/// The events that each write has made.
struct Made<'e>(HashMap<Mark, Vec<&'e Logged>>);

impl<'e> Made<'e> {
    /// Finds the write that made each event; every event with content must be, as a whole, the work
    /// of one write.
    fn of(writes: &Writes<'_>, story: &Story<'e>, violations: &mut Vec<Violation>) -> Self {
        let titles: HashMap<String, Mark> = writes
            .iter()
            .flat_map(|(mark, write)| *mark..mark + write.request.ids().len() as u64)
            .map(|mark| (title(mark), mark))
            .collect();
        let mut made: HashMap<Mark, Vec<&Logged>> = HashMap::new();
        for events in story.0.values() {
            let mut before: Option<&Logged> = None;
            for event in events {
                if event.product.is_some() {
                    match maker(event, before, &titles, writes) {
                        Some(mark) => made.entry(mark).or_default().push(event),
                        None => violations.push(Violation::new(
                            "I4",
                            format!("nobody wrote this, or only part of it: {event:?}"),
                        )),
                    }
                }
                before = Some(event);
            }
        }
        Self(made)
    }

    fn by(&self, mark: Mark) -> &[&'e Logged] {
        self.0.get(&mark).map_or(&[], Vec::as_slice)
    }
}

/// The write whose content, and only whose, the event has; none when there is no such write.
fn maker(
    event: &Logged,
    before: Option<&Logged>,
    titles: &HashMap<String, Mark>,
    writes: &Writes<'_>,
) -> Option<Mark> {
    let product = event.product.as_ref()?;
    let before = before.and_then(|before| before.product.as_ref());
    let mark = match event.event_type.as_str() {
        "price_changed" => Mark::try_from(product.price.minor()).ok()?,
        _ => *titles.get(&product.title)?,
    };
    // Rows of an import have marks above that of their write.
    let (first, write) = writes.range(..=mark).next_back()?;
    let row = usize::try_from(mark - first).ok()?;
    let id = match write.request {
        Request::Import { ids, .. } => ids.get(row).map(String::as_str),
        one => one.ids().first().copied().filter(|_| row == 0),
    };
    let text = product.title == title(mark) && product.description == description(mark);
    let price = product.price.minor() == mark as i64;
    let whole = match (write.request, event.event_type.as_str()) {
        (Request::Create { .. } | Request::Import { .. }, "created") => text && price,
        (Request::Update { .. }, "updated") => {
            text && before.is_some_and(|before| before.price == product.price)
        }
        (Request::Price { .. }, "price_changed") => {
            let same_text = |before: &catalog_events::Product| {
                before.title == product.title && before.description == product.description
            };
            price && before.is_some_and(same_text)
        }
        _ => false,
    };
    (id == Some(event.product_id.as_str()) && whole).then_some(mark)
}

fn judge_one(
    mark: Mark,
    write: &Write<'_>,
    made: &Made<'_>,
    idempotent: bool,
    violations: &mut Vec<Violation>,
) {
    let events = made.by(mark);
    let versions: Vec<i64> = events.iter().map(|event| event.version).collect();
    let told = write.version();
    match write.fate() {
        Fate::Ok if events.is_empty() => {
            violations.push(write.violation("I1", "an acknowledged write is not in the log"));
        }
        Fate::Ok if !told.is_none_or(|version| versions.contains(&version)) => {
            let text = format!("acknowledged as version {told:?}, logged as {versions:?}");
            violations.push(write.violation("I1", text));
        }
        Fate::Failed if !events.is_empty() => {
            let text = format!("a write that was refused happened: versions {versions:?}");
            violations.push(write.violation("I8", text));
        }
        Fate::Ok | Fate::Unknown | Fate::Failed => {}
    }
    if events.len() > 1 && idempotent {
        let text = format!("one request id happened more than once: versions {versions:?}");
        violations.push(write.violation("I4", text));
    }
}

/// An import is one transaction: all rows or none.
fn judge_import(
    mark: Mark,
    ids: &[String],
    write: &Write<'_>,
    made: &Made<'_>,
    violations: &mut Vec<Violation>,
) {
    let rows = ids.len();
    let marks = mark..mark + rows as u64;
    let there = marks.filter(|mark| !made.by(*mark).is_empty()).count();
    let (invariant, text) = match write.fate() {
        Fate::Ok if there < rows => ("I1", "rows of an acknowledged import are missing"),
        Fate::Unknown if there != 0 && there != rows => ("I4", "half an import happened"),
        Fate::Failed if there != 0 => ("I8", "an import that was refused happened"),
        Fate::Ok | Fate::Unknown | Fate::Failed => return,
    };
    violations.push(write.violation(invariant, format!("{text}: {there} of {rows}")));
}

fn judge_deletion(write: &Write<'_>, events: &[&Logged], violations: &mut Vec<Violation>) {
    let mut deletions = events.iter().filter(|event| event.product.is_none());
    let found = match write.version() {
        Some(version) => deletions.any(|event| event.version == version),
        None => deletions.next().is_some(),
    };
    if write.fate() == Fate::Ok && !found {
        violations.push(write.violation("I1", "an acknowledged deletion is not in the log"));
    }
}

/// Judges deletions by their number: they have no content to know them by, so there must be no more
/// of them than clients may have caused.
fn judge_deletions(writes: &Writes<'_>, story: &Story<'_>, violations: &mut Vec<Violation>) {
    let mut asked: HashMap<&str, usize> = HashMap::new();
    for write in writes.values() {
        if let Request::Delete { id, .. } = write.request
            && write.fate() != Fate::Failed
        {
            *asked.entry(id).or_default() += 1;
        }
    }
    for (id, events) in &story.0 {
        let deletions = events.iter().filter(|event| event.product.is_none());
        let (deleted, asked) = (deletions.count(), asked.get(id).copied().unwrap_or(0));
        if deleted > asked {
            let text = format!("{id} was deleted {deleted} times, asked for {asked} times");
            violations.push(Violation::new("I4", text));
        }
    }
}
