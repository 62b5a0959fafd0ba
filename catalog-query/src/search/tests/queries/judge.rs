//! Tells what is wrong with an answer.

use std::collections::BTreeSet;

use crate::search::tests::queries::shop::Answer;
use crate::search::tests::queries::table::{Catalog, Query};

/// The most ids that a message names.
const IDS_MAX: usize = 12;

/// What is wrong with an answer; empty if nothing is.
pub(super) fn faults(catalog: &Catalog, query: &Query, answer: &Answer) -> Vec<String> {
    let mut faults = inconsistencies(answer);
    faults.extend(wrong_products(catalog, query, answer));
    faults.extend(wrong_notes(query, answer));
    if !faults.is_empty() {
        let shown: Vec<&str> = answer.ids.iter().map(String::as_str).collect();
        let more = shown.len().saturating_sub(IDS_MAX);
        let shown = shown[..shown.len() - more].join(" ");
        faults.push(format!("finds {} [{shown}]", answer.total));
        if !answer.told.corrected.is_empty() {
            faults.push(format!("searched for {:?}", answer.told.corrected));
        }
    }
    faults
}

/// The total and every order speak of the same products.
fn inconsistencies(answer: &Answer) -> Vec<String> {
    let mut faults = Vec::new();
    let ids: BTreeSet<&String> = answer.ids.iter().collect();
    if ids.len() != answer.ids.len() {
        faults.push("a product is shown twice".to_owned());
    }
    if ids.len() as u64 != answer.total {
        faults.push(format!("shows {} products", ids.len()));
    }
    if ids != answer.by_price.iter().collect() {
        faults.push(format!("by price finds {}", answer.by_price.len()));
    }
    faults
}

fn wrong_products(catalog: &Catalog, query: &Query, answer: &Answer) -> Vec<String> {
    let mut faults = Vec::new();
    let ids: BTreeSet<String> = answer.ids.iter().cloned().collect();
    let mut tell = |what: &str, wrong: Vec<&String>| {
        if !wrong.is_empty() {
            let wrong: Vec<&str> = wrong.iter().map(|id| id.as_str()).take(IDS_MAX).collect();
            faults.push(format!("{what} {}", wrong.join(" ")));
        }
    };
    let first = catalog.meant(&query.first);
    let beginning: BTreeSet<String> = answer.ids.iter().take(first.len()).cloned().collect();
    tell("not first", first.difference(&beginning).collect());
    tell(
        "misses",
        catalog.meant(&query.found).difference(&ids).collect(),
    );
    tell(
        "must not find",
        catalog.meant(&query.not).intersection(&ids).collect(),
    );
    if let Some(only) = &query.only {
        let only = catalog.meant(only);
        tell("misses", only.difference(&ids).collect());
        tell("must not find", ids.difference(&only).collect());
    }
    faults.extend(wrong_majority(&catalog.meant(&query.mostly), answer));
    if query.total.is_some_and(|total| total != answer.total) {
        faults.push(format!(
            "the total is not {}",
            query.total.unwrap_or_default()
        ));
    }
    faults
}

/// Seven in ten of the first products must be of these.
fn wrong_majority(mostly: &BTreeSet<String>, answer: &Answer) -> Option<String> {
    let places = mostly.len().min(10);
    let first = answer.ids.iter().take(places);
    let right = first.filter(|id| mostly.contains(*id)).count();
    let message = format!("only {right} of the first {places} are as expected");
    (right * 10 < places * 7).then_some(message)
}

fn wrong_notes(query: &Query, answer: &Answer) -> Vec<String> {
    let mut faults = Vec::new();
    let told = &answer.told;
    let mut tell = |what: &str, expected: &Option<String>, found: &str| {
        let is_wrong = |expected: &&String| expected.to_lowercase() != found.to_lowercase();
        if let Some(expected) = expected.as_ref().filter(is_wrong) {
            faults.push(format!("{what} is {found:?} and not {expected:?}"));
        }
    };
    tell("corrected", &query.corrected, &told.corrected);
    tell("did_you_mean", &query.did_you_mean, &told.did_you_mean);
    if let Some(relaxed) = &query.relaxed {
        let set = |words: &[String]| -> BTreeSet<String> {
            words.iter().map(|word| word.to_lowercase()).collect()
        };
        if set(relaxed) != set(&told.relaxed) {
            faults.push(format!("relaxed is {:?} and not {relaxed:?}", told.relaxed));
        }
    }
    faults
}
