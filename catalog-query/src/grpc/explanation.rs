//! Turns explanations of how an answer came about into messages.

use std::sync::Arc;

use catalog_proto::encoded::ProductView;
use catalog_proto::v1;
use catalog_proto::v1::why_not::Reason;

use crate::grpc::convert::count;
use crate::index::FieldMatch;
use crate::search::{Absence, Explanation, Highlighter, LegRank, RankedHit};

pub(crate) fn explanation(explanation: Explanation) -> v1::SearchExplanation {
    let words = explanation
        .words
        .into_iter()
        .map(|explained| v1::WordExplanation {
            typed: explained.word.typed,
            corrected: explained.word.corrected.unwrap_or_default(),
            synonyms: explained.word.synonyms,
            documents: count(explained.documents),
        });
    let hits = explanation.hits.into_iter();
    let micros = explanation.micros.into_iter();
    v1::SearchExplanation {
        words: words.collect(),
        phrases: explanation.phrases,
        exclusions: explanation.exclusions,
        identifiers: explanation.identifiers,
        weights: explanation.weights.into_iter().collect(),
        hits: hits
            .map(|(hit, matches)| explained(&hit, matches))
            .collect(),
        micros: micros
            .map(|(leg, micros)| (leg.to_owned(), count(micros)))
            .collect(),
        rules: texts(&explanation.rules),
    }
}

fn explained(hit: &RankedHit, matches: Vec<FieldMatch>) -> v1::HitExplanation {
    let leg = |name: &str, rank: Option<LegRank>| {
        rank.map(|rank| v1::LegExplanation {
            leg: name.to_owned(),
            rank: i32::try_from(rank.rank).unwrap_or(i32::MAX),
            score: f64::from(rank.score),
            weight: rank.weight,
            contribution: rank.contribution,
        })
    };
    let legs = [leg("keyword", hit.keyword), leg("vector", hit.vector)];
    let matches = matches.into_iter().map(|found| v1::MatchExplanation {
        field: found.field.to_owned(),
        term: found.term,
        score: f64::from(found.score),
    });
    let boost = (hit.boost != 1.0).then_some(("boost", hit.boost));
    let kind = (hit.kind != 1.0).then_some(("kind", hit.kind));
    let factors = [("popularity", hit.popularity)].into_iter();
    let factors = factors.chain(kind).chain(boost);
    let pinned = hit.pinned_place.and_then(|place| i32::try_from(place).ok());
    v1::HitExplanation {
        product_id: hit.product_id.to_string(),
        score: hit.score,
        tier: i32::from(hit.tier),
        legs: legs.into_iter().flatten().collect(),
        factors: factors
            .map(|(name, factor)| (name.to_owned(), factor))
            .collect(),
        matches: matches.collect(),
        pinned_position: pinned.unwrap_or_default(),
        rules: texts(&hit.rules),
    }
}

fn texts(labels: &[Arc<str>]) -> Vec<String> {
    labels.iter().map(ToString::to_string).collect()
}

pub(crate) fn absence(absence: Absence) -> v1::WhyNot {
    let (reason, detail, position) = match absence {
        Absence::Shown { position } => (
            Reason::Shown,
            "it is on this page".to_owned(),
            count(position),
        ),
        Absence::NotIndexed => (
            Reason::NotIndexed,
            "the keyword index has not seen it yet".to_owned(),
            0,
        ),
        Absence::Excluded(words) => (
            Reason::Excluded,
            format!("it has {words:?}, which the query excludes"),
            0,
        ),
        Absence::WithoutPhrase(words) => (
            Reason::NoMatch,
            format!("it does not have the phrase {words:?}"),
            0,
        ),
        Absence::NoMatch { lacked, by_meaning } => {
            (Reason::NoMatch, no_match(&lacked, by_meaning), 0)
        }
        Absence::Filtered => (Reason::Filtered, "the filter leaves it out".to_owned(), 0),
        Absence::Hidden(rule) => (Reason::Hidden, format!("the rule {rule} hides it"), 0),
        Absence::OtherPage {
            position: Some(position),
        } => (
            Reason::OtherPage,
            format!("it is at place {position}"),
            count(position),
        ),
        Absence::OtherPage { position: None } => (
            Reason::OtherPage,
            "it matches, too far down to tell its place".to_owned(),
            0,
        ),
    };
    v1::WhyNot {
        reason: reason.into(),
        detail,
        position,
    }
}

fn no_match(lacked: &[String], by_meaning: bool) -> String {
    let words = if lacked.is_empty() {
        "it has no word of the query".to_owned()
    } else {
        format!("it lacks {}", lacked.join(", "))
    };
    if by_meaning {
        words + " and is not near enough in meaning"
    } else {
        words
    }
}

/// What matches in the texts of a product, in bytes or in UTF-16 units.
pub(crate) fn highlight(
    highlighter: &Highlighter,
    product: &ProductView<'_>,
    in_utf16: bool,
) -> v1::Highlight {
    let texts = [
        ("title", product.title),
        ("brand", product.brand),
        ("description", product.description),
    ];
    let marked = texts.into_iter().filter_map(|(field, text)| {
        let marked = highlighter.mark(text)?;
        let place = |at: usize| {
            let units = if in_utf16 {
                marked.text[..at].encode_utf16().count()
            } else {
                at
            };
            i32::try_from(units).unwrap_or(i32::MAX)
        };
        let spans = marked.spans.iter().map(|(start, end)| v1::HighlightSpan {
            start: place(*start),
            end: place(*end),
        });
        Some(v1::HighlightedField {
            field: field.to_owned(),
            spans: spans.collect(),
            text: marked.text.clone(),
        })
    });
    v1::Highlight {
        fields: marked.collect(),
    }
}
