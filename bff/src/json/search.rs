//! The JSON forms of the answers to searches. Members that were not asked for are left out.

use std::collections::BTreeMap;

use catalog_proto::encoded::{self, Malformed};
use catalog_proto::v1;
use serde::Serialize;
use utoipa::ToSchema;

use crate::json::fields::Fields;
use crate::json::product::{ProductJson, products};
use crate::openapi::product::Item;

/// The name of the price in major units upstream.
const PRICE_MAJOR: &str = "price_major";

/// The answer to a search.
#[derive(Serialize, ToSchema)]
#[schema(as = SearchAnswer)]
pub(crate) struct SearchJson<'a> {
    #[schema(value_type = Vec<Item>)]
    items: Vec<ProductJson<'a>>,
    strategy: &'static str,
    degraded: bool,
    /// Left out unless it is true.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    stale: bool,
    total: i64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    facets: Vec<FacetJson<'a>>,
    /// The currency in which prices were compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    price_currency: Option<&'a str>,
    next_page_token: Option<&'a str>,
    /// What clicks name the search by; only the first page of a search that is told as an event has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    search_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    corrected_query: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    did_you_mean: Option<&'a str>,
    /// The words that were dropped.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    relaxed: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    redirect_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ranking_profile: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    highlights: Vec<Vec<HighlightJson<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<ExplanationJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why_not: Option<WhyNotJson<'a>>,
}

/// Why a product is not on the page.
#[derive(Serialize, ToSchema)]
#[schema(as = WhyNot)]
struct WhyNotJson<'a> {
    /// `shown`, `other_page`, `unknown_product`, `not_indexed`, `no_match`, `filtered`, `excluded`, `hidden` or `unknown`.
    reason: &'static str,
    /// The reason in words.
    detail: &'a str,
    /// The place among all that match, from 1; none where it is no match or too far down.
    position: Option<i64>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Facet)]
struct FacetJson<'a> {
    field: &'a str,
    values: Vec<FacetValueJson<'a>>,
    other: i64,
    missing: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    numbers: Option<NumbersJson>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = FacetNumbers)]
struct NumbersJson {
    count: i64,
    min: f64,
    max: f64,
    mean: f64,
}

#[derive(Serialize, ToSchema)]
#[schema(as = FacetValue)]
struct FacetValueJson<'a> {
    value: &'a str,
    count: i64,
    /// The lower bound of a bucket; other values have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<f64>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Highlight)]
struct HighlightJson<'a> {
    field: &'a str,
    text: &'a str,
    /// Begin and end of each, in bytes of `text` or in UTF-16 units, as was asked for.
    spans: Vec<[i32; 2]>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Explanation)]
struct ExplanationJson<'a> {
    words: Vec<WordJson<'a>>,
    phrases: &'a [String],
    exclusions: &'a [String],
    identifiers: &'a [String],
    weights: BTreeMap<&'a str, f64>,
    hits: Vec<HitJson<'a>>,
    micros: BTreeMap<&'a str, i64>,
    /// The curation rules that the answer follows, as `id@version`.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    rules: &'a [String],
}

#[derive(Serialize, ToSchema)]
#[schema(as = ExplainedWord)]
struct WordJson<'a> {
    typed: &'a str,
    corrected: Option<&'a str>,
    synonyms: &'a [String],
    documents: i64,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ExplainedHit)]
struct HitJson<'a> {
    id: &'a str,
    score: f64,
    tier: i32,
    legs: Vec<LegJson<'a>>,
    factors: BTreeMap<&'a str, f64>,
    matches: Vec<MatchJson<'a>>,
    /// The place that a rule pins the product to, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pinned_position: Option<i32>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    rules: &'a [String],
}

#[derive(Serialize, ToSchema)]
#[schema(as = ExplainedLeg)]
struct LegJson<'a> {
    leg: &'a str,
    rank: i32,
    score: f64,
    weight: f64,
    contribution: f64,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ExplainedMatch)]
struct MatchJson<'a> {
    field: &'a str,
    term: &'a str,
    score: f64,
}

/// The products most like another one.
#[derive(Serialize, ToSchema)]
#[schema(as = SimilarProducts)]
pub(crate) struct SimilarJson<'a> {
    #[schema(value_type = Vec<Item>)]
    items: Vec<ProductJson<'a>>,
    degraded: bool,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Suggestions)]
pub(crate) struct SuggestionsJson<'a> {
    items: Vec<SuggestionJson<'a>>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Suggestion)]
struct SuggestionJson<'a> {
    text: &'a str,
    documents: i64,
    views: i64,
    /// Left out unless many searches asked just this.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    popular: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    searches: Option<i64>,
}

impl<'a> SearchJson<'a> {
    /// The answer with the members of products that were asked for; None stands for all.
    pub(crate) fn of(
        answer: &'a encoded::SearchProductsResponse,
        fields: Option<&'a Fields>,
    ) -> Result<Self, Malformed> {
        let some = |text: &'a String| Some(text.as_str()).filter(|text| !text.is_empty());
        Ok(Self {
            items: products(&answer.products, fields)?,
            strategy: strategy(answer.strategy()),
            degraded: answer.degraded,
            stale: answer.stale,
            total: answer.total,
            facets: answer.facets.iter().map(facet).collect(),
            price_currency: some(&answer.price_currency),
            next_page_token: some(&answer.next_page_token),
            search_id: some(&answer.search_id),
            corrected_query: some(&answer.corrected_query),
            did_you_mean: some(&answer.did_you_mean),
            relaxed: &answer.relaxed,
            redirect_url: some(&answer.redirect_url),
            ranking_profile: some(&answer.ranking_profile),
            highlights: answer.highlights.iter().map(highlights).collect(),
            explanation: answer.explanation.as_ref().map(explanation),
            why_not: answer.why_not.as_ref().map(why_not),
        })
    }
}

impl<'a> SimilarJson<'a> {
    /// The answer with the members of products that were asked for; None stands for all.
    pub(crate) fn of(
        answer: &'a encoded::SimilarProductsResponse,
        fields: Option<&'a Fields>,
    ) -> Result<Self, Malformed> {
        Ok(Self {
            items: products(&answer.products, fields)?,
            degraded: answer.degraded,
        })
    }
}

impl<'a> SuggestionsJson<'a> {
    pub(crate) fn of(answer: &'a v1::AutocompleteResponse) -> Self {
        let items = answer.suggestions.iter().map(|one| SuggestionJson {
            text: &one.text,
            documents: one.documents,
            views: one.views,
            popular: one.popular,
            searches: one.popular.then_some(one.searches),
        });
        Self {
            items: items.collect(),
        }
    }
}

fn facet(facet: &v1::Facet) -> FacetJson<'_> {
    let values = facet.values.iter().map(|value| {
        // A bucket has two different bounds; any other value has both at 0.
        let is_bucket = value.from < value.to;
        FacetValueJson {
            value: &value.value,
            count: value.count,
            from: is_bucket.then_some(value.from),
            to: is_bucket.then_some(value.to),
        }
    });
    FacetJson {
        // Prices are in major units here, and a filter calls them so.
        field: match facet.field.as_str() {
            PRICE_MAJOR => "price",
            field => field,
        },
        values: values.collect(),
        other: facet.other,
        missing: facet.missing,
        numbers: facet.numbers.as_ref().map(|numbers| NumbersJson {
            count: numbers.count,
            min: numbers.min,
            max: numbers.max,
            mean: numbers.mean,
        }),
    }
}

fn highlights(highlight: &v1::Highlight) -> Vec<HighlightJson<'_>> {
    let fields = highlight.fields.iter().map(|field| HighlightJson {
        field: &field.field,
        text: &field.text,
        spans: field
            .spans
            .iter()
            .map(|span| [span.start, span.end])
            .collect(),
    });
    fields.collect()
}

fn why_not(why: &v1::WhyNot) -> WhyNotJson<'_> {
    use v1::why_not::Reason;
    WhyNotJson {
        reason: match why.reason() {
            Reason::Unspecified => "unknown",
            Reason::Shown => "shown",
            Reason::UnknownProduct => "unknown_product",
            Reason::NotIndexed => "not_indexed",
            Reason::NoMatch => "no_match",
            Reason::Filtered => "filtered",
            Reason::Excluded => "excluded",
            Reason::OtherPage => "other_page",
            Reason::Hidden => "hidden",
        },
        detail: &why.detail,
        position: Some(why.position).filter(|position| *position > 0),
    }
}

fn explanation(explanation: &v1::SearchExplanation) -> ExplanationJson<'_> {
    let words = explanation.words.iter().map(|word| WordJson {
        typed: &word.typed,
        corrected: Some(word.corrected.as_str()).filter(|text| !text.is_empty()),
        synonyms: &word.synonyms,
        documents: word.documents,
    });
    let micros = explanation.micros.iter();
    ExplanationJson {
        words: words.collect(),
        phrases: &explanation.phrases,
        exclusions: &explanation.exclusions,
        identifiers: &explanation.identifiers,
        weights: sorted(&explanation.weights),
        hits: explanation.hits.iter().map(hit).collect(),
        micros: micros
            .map(|(leg, micros)| (leg.as_str(), *micros))
            .collect(),
        rules: &explanation.rules,
    }
}

fn hit(hit: &v1::HitExplanation) -> HitJson<'_> {
    let legs = hit.legs.iter().map(|leg| LegJson {
        leg: &leg.leg,
        rank: leg.rank,
        score: leg.score,
        weight: leg.weight,
        contribution: leg.contribution,
    });
    let matches = hit.matches.iter().map(|one| MatchJson {
        field: &one.field,
        term: &one.term,
        score: one.score,
    });
    HitJson {
        id: &hit.product_id,
        score: hit.score,
        tier: hit.tier,
        legs: legs.collect(),
        factors: sorted(&hit.factors),
        matches: matches.collect(),
        pinned_position: Some(hit.pinned_position).filter(|place| *place > 0),
        rules: &hit.rules,
    }
}

fn sorted<'a>(weights: impl IntoIterator<Item = (&'a String, &'a f64)>) -> BTreeMap<&'a str, f64> {
    let weights = weights.into_iter();
    weights
        .map(|(name, weight)| (name.as_str(), *weight))
        .collect()
}

/// The name of a strategy; an unset one means hybrid.
pub(crate) fn strategy(strategy: v1::SearchStrategy) -> &'static str {
    match strategy {
        v1::SearchStrategy::Keyword => "keyword",
        v1::SearchStrategy::Vector => "vector",
        v1::SearchStrategy::Unspecified | v1::SearchStrategy::Hybrid => "hybrid",
    }
}
