//! Measures what the catalog finds against the judgments of people.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Context as _;

use super::asker::{Asker, Manner};
use super::measures::{Measures, Ratings};
use super::report::{Measured, Run};
use super::typing::Typing;
use crate::search::Strategy;

/// How many products each search returns, so that enough of them are judged.
const LIMIT: i32 = 100;

/// Measures every strategy on every query. The strategies take turns at each query, so that a
/// catalog which changes meanwhile is the same for all.
pub(super) async fn measure(
    asker: &mut Asker,
    strategies: &[Strategy],
    profile: &str,
    judgments: &BTreeMap<String, Ratings>,
    typing: Typing,
) -> anyhow::Result<Run> {
    let mut run = Run::default();
    for (query, ratings) in judgments {
        for strategy in strategies {
            let manner = Manner {
                strategy: *strategy,
                profile: profile.to_owned(),
                limit: LIMIT,
            };
            let measured = measure_query(asker, query, ratings, &manner, typing).await?;
            let of_strategy = run.strategies.entry(strategy.name().to_owned());
            of_strategy.or_default().insert(query.clone(), measured);
        }
    }
    Ok(run)
}

async fn measure_query(
    asker: &mut Asker,
    query: &str,
    ratings: &Ratings,
    manner: &Manner,
    typing: Typing,
) -> anyhow::Result<Measured> {
    let typed = typing.type_out(query);
    let answer = asker.search(&typed, manner).await?;
    let products = answer.products.into_iter();
    let ids: Vec<String> = products.map(|product| product.id).collect();
    Ok(Measured {
        typed: (typed != *query).then_some(typed),
        corrected: Some(answer.corrected_query).filter(|text| !text.is_empty()),
        ..Measured::new(&Measures::of(&ids, ratings))
    })
}

/// Loads a run that was saved.
pub(super) fn load(file: &Path) -> anyhow::Result<Run> {
    let text =
        fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let run = serde_json::from_str(&text);
    run.with_context(|| format!("{} is no saved evaluation", file.display()))
}

pub(super) fn save(run: &Run, file: &Path) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(run)?;
    fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
}
