//! What a spreadsheet comes to in the memory of its reader.

const CELLS_MAX: u64 = 10_000_000;
/// The most bytes of its texts, counting those that repeat.
const TEXT_BYTES_MAX: u64 = 256 << 20;

/// The size of all tables.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Size {
    /// The cells, counting those that repeat or are between others.
    pub(super) cells: u64,
    /// The bytes of all texts.
    pub(super) bytes: u64,
}

impl Size {
    /// Refuses what is too much. The error says what to do.
    pub(super) fn check(self) -> Result<(), String> {
        if self.cells > CELLS_MAX {
            Err(format!(
                "a spreadsheet with more than {CELLS_MAX} cells, counting those that repeat: save it as CSV"
            ))
        } else if self.bytes > TEXT_BYTES_MAX {
            Err(too_large(TEXT_BYTES_MAX))
        } else {
            Ok(())
        }
    }
}

pub(super) fn too_large(max: u64) -> String {
    format!(
        "a spreadsheet of more than {} MiB: save it as CSV",
        max >> 20
    )
}
