//! How text becomes words: tokens, stems by language, and what words the catalog knows.

pub(super) mod contexts;
pub(super) mod vocabulary;
pub(super) mod analyzer;
pub(super) mod language;
pub(super) mod tokens;
