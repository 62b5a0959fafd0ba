//! Explains an answer: says enough to compute the order of its products again, and why a product is
//! not among them.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use catalog_events::ProductId;

use crate::index::{FieldMatch, FieldWeight, IndexError, IndexSnapshot, MatchStatus, Rows};
use crate::search::ranking::profile::RankingProfile;
use crate::search::ranking::ranked_hit::RankedHit;
use crate::search::request::understanding::UnderstoodWord;
use crate::search::strategy::search_strategy::SearchOutcome;

/// How the answer to a query came about.
#[derive(Clone, Debug)]
pub(crate) struct Explanation {
    pub(crate) words: Vec<WordExplanation>,
    pub(crate) phrases: Vec<String>,
    pub(crate) exclusions: Vec<String>,
    pub(crate) identifiers: Vec<String>,
    /// The weights of the ranking profile, by their names.
    pub(crate) weights: Vec<(String, f64)>,
    /// The hits of the page in their order, each with the words of the query that it has.
    pub(crate) hits: Vec<(RankedHit, Vec<FieldMatch>)>,
    /// The microseconds that preparing and each leg took.
    pub(crate) micros: Vec<(&'static str, u64)>,
    /// The rules that are followed, as `id@version`.
    pub(crate) rules: Vec<Arc<str>>,
}

/// What a word of the query was taken to mean, and how common it is.
#[derive(Clone, Debug)]
pub(crate) struct WordExplanation {
    pub(crate) word: UnderstoodWord,
    /// How many products have the word, or another one that counts as it.
    pub(crate) documents: u64,
}

impl Explanation {
    /// Explains the hits of a page; blocks.
    pub(crate) fn of(
        snapshot: &IndexSnapshot,
        outcome: &SearchOutcome,
        profile: &RankingProfile,
        page: &[RankedHit],
    ) -> Result<Self, IndexError> {
        let understood = &outcome.understood;
        let (terms, weights) = (&understood.terms, &*outcome.words);
        let ids: Vec<ProductId> = page.iter().map(|hit| hit.product_id.clone()).collect();
        let matches = snapshot.matches(terms, weights, &ids)?;
        let words = understood.words.iter().map(|word| {
            Ok(WordExplanation {
                documents: snapshot.count(&word.terms())?,
                word: word.clone(),
            })
        });
        let texts = |parts: &[Rows]| {
            let first = parts.iter().filter_map(|rows| rows.first());
            first.map(|row| row.join(" ")).collect()
        };
        Ok(Self {
            words: words.collect::<Result<_, IndexError>>()?,
            phrases: texts(&terms.phrases),
            exclusions: texts(&terms.exclusions),
            identifiers: (terms.identifiers.iter())
                .map(|identifier| identifier.text.clone())
                .collect(),
            weights: named(profile, outcome),
            hits: page.iter().cloned().zip(matches).collect(),
            micros: outcome.micros.clone(),
            rules: outcome.curated.rules.clone(),
        })
    }
}

/// The weights of a profile under the names that the contract has for them.
fn named(profile: &RankingProfile, outcome: &SearchOutcome) -> Vec<(String, f64)> {
    let words = &outcome.words;
    let mut weights: Vec<(String, f64)> = [
        ("rank_constant", profile.rank_constant),
        ("keyword", profile.keyword_weight),
        ("named", profile.named_weight),
        ("partial", profile.partial_share),
        ("vector", outcome.vector_weight),
        ("vector_coverage", outcome.coverage),
        ("similarity_floor", as_written(outcome.similarity_floor)),
        ("popularity", profile.popularity),
        ("tie_breaker", as_written(words.tie_breaker)),
        ("shared_rareness", as_written(words.shared_idf)),
        ("adjacency", as_written(words.adjacency)),
        ("synonym", as_written(words.synonym)),
        ("compound", as_written(words.compound)),
        ("continuation", as_written(words.continuation)),
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

/// A weight as a profile writes it: 0.3, and not 0.30000001192092896, the nearest number of 32
/// bits.
fn as_written(weight: f32) -> f64 {
    weight.to_string().parse().unwrap_or(f64::from(weight))
}

/// Why a product is not on the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Absence {
    /// The product is on the page after all.
    Shown {
        /// Its place in the answer, counted from 1.
        position: usize,
    },
    /// The index does not have the product: it has not seen it yet, or there is none.
    NotIndexed,
    /// The product has these words, which the query excludes.
    Excluded(String),
    /// The product does not have this phrase of the query.
    WithoutPhrase(String),
    /// The product does not match.
    NoMatch {
        /// The words of the query that it lacks.
        lacked: Vec<String>,
        /// Whether it might have matched by its meaning, and is not near enough.
        by_meaning: bool,
    },
    /// The product does not pass the filter.
    Filtered,
    /// This rule, as `id@version`, hides the product.
    Hidden(String),
    /// The product is on another page.
    OtherPage {
        /// Its place in the answer, counted from 1; None where it is too far down to tell.
        position: Option<usize>,
    },
}

impl Absence {
    /// Why the product `id` is not on the page; blocks.
    pub(crate) fn of(
        snapshot: &IndexSnapshot,
        outcome: &SearchOutcome,
        page: &[ProductId],
        passes_filter: bool,
        id: &ProductId,
    ) -> Result<Self, IndexError> {
        let place = outcome.hits.iter().position(|hit| hit.product_id == *id);
        let position = place.map(|place| place + 1);
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
            (MatchStatus::Lacks(_), None) if position.is_some() => Self::OtherPage { position },
            (MatchStatus::Lacks(words), None) => {
                let all = &outcome.understood.words;
                let typed = words
                    .into_iter()
                    .filter_map(|word| Some(all.get(word)?.typed.clone()));
                Self::NoMatch {
                    lacked: typed.collect(),
                    by_meaning: outcome.near.is_some(),
                }
            }
        })
    }
}
