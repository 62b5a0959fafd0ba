//! How texts and numbers are indexed.

use tantivy::schema::{IndexRecordOption, NumericOptions, TextFieldIndexing, TextOptions};

use crate::index::text::analyzer;
use crate::index::text::language::Language;

pub(crate) fn column() -> NumericOptions {
    NumericOptions::default().set_fast()
}

/// Indexes a text as one term.
pub(crate) fn term() -> TextOptions {
    TextOptions::default().set_indexing_options(
        TextFieldIndexing::default()
            .set_tokenizer("raw")
            .set_index_option(IndexRecordOption::Basic)
            .set_fieldnorms(false),
    )
}

pub(crate) fn words(language: Language, option: IndexRecordOption) -> TextOptions {
    TextOptions::default().set_indexing_options(
        TextFieldIndexing::default()
            .set_tokenizer(language.analyzer())
            .set_index_option(option),
    )
}

pub(crate) fn surface() -> TextOptions {
    TextOptions::default().set_indexing_options(
        TextFieldIndexing::default()
            .set_tokenizer(analyzer::SURFACE)
            .set_index_option(IndexRecordOption::Basic)
            .set_fieldnorms(false),
    )
}
