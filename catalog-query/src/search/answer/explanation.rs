//! How an answer came about: enough to compute the order of its products again, and why a product is
//! not among them.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use catalog_events::ProductId;

use crate::index::{
    FieldMatch, FieldWeight, IndexError, IndexSnapshot, KeywordWeights, MatchStatus,
};
use crate::search::ranking::profile::RankingProfile;
use crate::search::ranking::ranked_hit::RankedHit;
use crate::search::request::understanding::UnderstoodWord;
use crate::search::strategy::kind::StrategyKind;
use crate::search::strategy::search_strategy::SearchOutcome;

#[derive(Clone, Debug)]
pub(crate) struct Explanation {
    pub(crate) words: Vec<WordExplanation>,
    pub(crate) phrases: Vec<String>,
    pub(crate) exclusions: Vec<String>,
    pub(crate) identifiers: Vec<String>,
    pub(crate) weights: Vec<(String, f64)>,
    /// Those of the page, in their order, each with what of the query it has.
    pub(crate) hits: Vec<(RankedHit, Vec<FieldMatch>)>,
    pub(crate) micros: Vec<(&'static str, u64)>,
    /// That are followed, as `id@version`.
    pub(crate) rules: Vec<Arc<str>>,
}

#[derive(Clone, Debug)]
pub(crate) struct WordExplanation {
    pub(crate) word: UnderstoodWord,
    /// Products that have it, or what counts as it.
    pub(crate) documents: u64,
}

impl Explanation {
    /// Of these hits; blocks.
    pub(crate) fn of(
        snapshot: &IndexSnapshot,
        outcome: &SearchOutcome,
        profile: &RankingProfile,
        kind: StrategyKind,
        page: &[RankedHit],
    ) -> Result<Self, IndexError> {
        let understood = &outcome.understood;
        let (terms, weights) = (&understood.terms, profile.words_of(kind));
        let ids: Vec<ProductId> = page.iter().map(|hit| hit.product_id.clone()).collect();
        let matches = snapshot.matches(terms, weights, &ids)?;
        let words = understood.words.iter().map(|word| {
            Ok(WordExplanation {
                documents: snapshot.count(&word.terms())?,
                word: word.clone(),
            })
        });
        let texts = |parts: &[Vec<String>]| parts.iter().map(|words| words.join(" ")).collect();
        Ok(Self {
            words: words.collect::<Result<_, IndexError>>()?,
            phrases: texts(&terms.phrases),
            exclusions: texts(&terms.exclusions),
            identifiers: (terms.identifiers.iter())
                .map(|identifier| identifier.text.clone())
                .collect(),
            weights: named(profile, weights, outcome.coverage),
            hits: page.iter().cloned().zip(matches).collect(),
            micros: outcome.micros.clone(),
            rules: outcome.curated.rules.clone(),
        })
    }
}

fn named(profile: &RankingProfile, words: &KeywordWeights, coverage: f64) -> Vec<(String, f64)> {
    let mut weights: Vec<(String, f64)> = [
        ("rank_constant", profile.rank_constant),
        ("keyword", profile.keyword_weight),
        ("vector", profile.vector_weight),
        ("vector_coverage", coverage),
        ("popularity", profile.popularity),
        ("tie_breaker", as_written(words.tie_breaker)),
        ("shared_rareness", as_written(words.shared_idf)),
        ("adjacency", as_written(words.adjacency)),
        ("synonym", as_written(words.synonym)),
        ("compound", as_written(words.compound)),
        ("kind", as_written(words.kind)),
        ("kind_of_synonyms", as_written(words.kind_of_synonyms)),
    ]
    .map(|(name, weight)| (name.to_owned(), weight))
    .into();
    let fields = [
        ("title", words.title),
        ("brand", words.brand),
        ("description", words.description),
        ("categories", words.categories),
        ("attributes", words.attributes),
    ];
    for (field, FieldWeight { weight, k1, b }) in fields {
        for (name, value) in [("weight", weight), ("k1", k1), ("b", b)] {
            weights.push((format!("{field}.{name}"), as_written(value)));
        }
    }
    weights
}

/// 0.3 as a profile has it, and not 0.30000001192092896, which is the nearest number of 32 bits.
fn as_written(weight: f32) -> f64 {
    let written = weight.to_string().parse();
    written.unwrap_or(f64::from(weight))
}

/// Why a product is not on the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Absence {
    Shown {
        position: usize,
    },
    /// The index does not have it: it was not seen yet, or there is none.
    NotIndexed,
    /// It has something that the query excludes.
    Excluded(String),
    WithoutPhrase(String),
    /// It has no word of the query and is not near in meaning.
    NoMatch,
    Filtered,
    /// By this rule.
    Hidden(String),
    /// Where it stands; None too far down to tell.
    OtherPage {
        position: Option<usize>,
    },
}

impl Absence {
    /// Of `id`, on this page; blocks.
    pub(crate) fn of(
        snapshot: &IndexSnapshot,
        outcome: &SearchOutcome,
        page: &[ProductId],
        passes_filter: bool,
        id: &ProductId,
    ) -> Result<Self, IndexError> {
        let position = outcome.hits.iter().position(|hit| hit.product_id == *id);
        let position = position.map(|place| place + 1);
        if page.contains(id) {
            return Ok(Self::Shown {
                position: position.unwrap_or_default(),
            });
        }
        let standing = snapshot.match_status(&outcome.understood.terms, id)?;
        Ok(match (standing, outcome.curated.hidden_by(snapshot, id)?) {
            (MatchStatus::NotIndexed, _) => Self::NotIndexed,
            _ if !passes_filter => Self::Filtered,
            (_, Some(rule)) => Self::Hidden(rule.to_string()),
            (MatchStatus::Excluded(words), None) => Self::Excluded(words),
            (MatchStatus::WithoutPhrase(_), None) if position.is_some() => {
                Self::OtherPage { position }
            }
            (MatchStatus::WithoutPhrase(words), None) => Self::WithoutPhrase(words),
            (MatchStatus::Matches, None) => Self::OtherPage { position },
            (MatchStatus::NoWord, None) if position.is_some() => Self::OtherPage { position },
            (MatchStatus::NoWord, None) => Self::NoMatch,
        })
    }
}
