//! The keyword index of one replica: every live product, searchable by its words and identifiers.
//! Invariant: the index and the position of its last event are one commit; both can be rebuilt.

mod live;
mod keyword_index;
mod writer;
mod snapshot;
mod suggest;
mod sets;
mod scoring;
mod sample;
mod document;
mod text;
mod storage;
mod once;
mod options;
mod popularity;
mod error;
#[cfg(test)]
pub(crate) mod tests;

pub(crate) use tantivy::DocAddress;

pub(crate) use self::document::columns::FieldName;
pub(crate) use self::document::values::folded;
pub(crate) use self::error::IndexError;
pub(crate) use self::keyword_index::KeywordIndex;
#[cfg(test)]
pub(crate) use self::keyword_index::Needed;
pub(crate) use self::live::{CurrentIndex, LiveIndex};
pub(crate) use self::options::IndexOptions;
pub(crate) use self::popularity::Popularity;
pub(crate) use self::scoring::bm25::{TIER_ALL_WORDS, TIER_PARTLY};
#[cfg(test)]
pub(crate) use self::scoring::explain::KIND;
pub(crate) use self::scoring::explain::{FieldMatch, MatchStatus};
#[cfg(test)]
pub(crate) use self::scoring::hits::KeywordHit;
pub(crate) use self::scoring::hits::{Hit, KeywordHits, Matched};
pub(crate) use self::scoring::nearest_kind::NearestKind;
pub(crate) use self::scoring::terms::{
    AlternativeKind, Identifier, MatchMode, QueryTerms, QueryWord, Rows, Worth, identifiers,
};
pub(crate) use self::scoring::weights::{FieldWeight, KeywordWeights};
pub(crate) use self::sets::doc_sets::DocSets;
#[cfg(test)]
pub(crate) use self::sets::facets::NumberSummary;
pub(crate) use self::sets::facets::{FacetCounts, FacetRequest, ValueCount};
pub(crate) use self::sets::filter::{Filter, PriceBounds};
pub(crate) use self::sets::sorting::{Order, OrderBy, Place};
pub(crate) use self::snapshot::IndexSnapshot;
pub(crate) use self::suggest::complete::Suggestion;
pub(crate) use self::suggest::table::SuggestionTable;
pub(crate) use self::text::analyzer::{PlacedStem, identifier};
pub(crate) use self::text::contexts::ContextWord;
pub(crate) use self::text::function_words::is_function_word;
pub use self::text::language::{InvalidLanguage, Language};
pub(crate) use self::text::markup::plain as plain_text;
pub(crate) use self::text::numbers::{bare_of_word, by_name};
pub(crate) use self::text::scripts::{Script, is_unspaced};
pub(crate) use self::text::signs::{is_minus, is_quotation_mark};
pub(crate) use self::text::spellings::Word;
pub(crate) use self::text::tokens::are_groups_of_a_number;
pub(crate) use self::text::units::{PACK, holds, is_counter};
pub(crate) use self::text::vocabulary::{KnownWord, Vocabulary};
pub(crate) use self::writer::{Change, IndexWriter};
