//! Derives the id of a rule that its author has not named.

use std::collections::BTreeSet;

use catalog_events::{ActionForm, KindForm};

use crate::rules::named::products;

/// The longest readable part of an id, which its hash follows.
const SLUG_BYTES_MAX: usize = 40;

/// A readable id that is equal for the same terms in whatever order and letter case.
pub(super) fn derived_id(kind: &KindForm) -> String {
    let normal = |term: &String| term.trim().to_lowercase();
    let (prefix, terms) = match kind {
        KindForm::Synonyms { terms } => {
            let terms: BTreeSet<String> = terms.iter().map(normal).collect();
            ("syn", terms.into_iter().collect())
        }
        KindForm::Distinct { terms } => {
            let terms: BTreeSet<String> = terms.iter().map(normal).collect();
            ("distinct", terms.into_iter().collect())
        }
        KindForm::OneWaySynonyms { from, to } => {
            let to: BTreeSet<String> = to.iter().map(normal).collect();
            let mut terms = vec![normal(from)];
            terms.extend(to);
            ("one-way", terms)
        }
        // Another product is another rule.
        KindForm::Curation {
            queries, actions, ..
        } => {
            let mut terms: Vec<String> = queries.iter().map(normal).collect();
            terms.extend(actions.iter().map(|action| name(action).to_owned()));
            terms.extend(products(kind));
            ("rule", terms)
        }
        KindForm::Unknown => ("rule", Vec::new()),
    };
    let hash = fnv1a(terms.join("\n").as_bytes());
    format!("{prefix}-{}{hash:016x}", slug(&terms.join("-")))
}

fn name(action: &ActionForm) -> &'static str {
    match action {
        ActionForm::Pin { .. } => "pin",
        ActionForm::Hide { .. } => "hide",
        ActionForm::Boost { .. } => "boost",
        ActionForm::Bury { .. } => "bury",
        ActionForm::Redirect { .. } => "redirect",
        ActionForm::Unknown => "",
    }
}

/// The ASCII words of a text with a dash at the end, or nothing where there are none.
fn slug(text: &str) -> String {
    let words: Vec<&str> = text
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let mut slug = words.join("-");
    slug.truncate(SLUG_BYTES_MAX);
    match slug.trim_end_matches('-') {
        "" => String::new(),
        slug => format!("{slug}-"),
    }
}

/// A 64-bit FNV-1a hash, which is the same in every release.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
