//! The formula by which spreadsheets keep digits a text: `="0042"`.

/// The text of a cell. In the exact form of such a formula it is what the quotes have between them, and any
/// other formula is none.
pub(in crate::feed) fn text_of(cell: &str) -> &str {
    let inner = cell.trim().strip_prefix("=\"");
    let inner = inner.and_then(|inner| inner.strip_suffix('"'));
    inner.filter(|inner| !inner.contains('"')).unwrap_or(cell)
}
