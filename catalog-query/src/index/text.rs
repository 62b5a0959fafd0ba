//! Turns text into words: tokens, their stems by language, and the words that the catalog knows.

pub(super) mod contexts;
pub(super) mod vocabulary;
pub(super) mod long_words;
pub(super) mod analyzer;
pub(super) mod language;
pub(super) mod spellings;
pub(super) mod tokens;
mod stems;
mod letters;
mod lexer;
pub(super) mod numbers;
pub(super) mod units;
pub(super) mod function_words;
pub(super) mod scripts;
pub(super) mod markup;
pub(super) mod signs;
