//! Lines of a text, of which no more is kept than a row may have.

use std::io::{self, BufRead, Read as _};

use crate::feed::row::ROW_BYTES_MAX;

/// Reads a line with its end into `text`, which is empty at the end of the feed. Of a line that is longer
/// than a row may be, only the beginning is kept, and the answer is true.
pub(super) fn read(reader: &mut impl BufRead, end: u8, text: &mut Vec<u8>) -> io::Result<bool> {
    text.clear();
    let limit = ROW_BYTES_MAX as u64 + 1;
    reader.by_ref().take(limit).read_until(end, text)?;
    let is_cut = text.len() > ROW_BYTES_MAX && !text.ends_with(&[end]);
    if is_cut {
        skip_to_the_end(reader, end)?;
    }
    Ok(is_cut)
}

fn skip_to_the_end(reader: &mut impl BufRead, end: u8) -> io::Result<()> {
    loop {
        let chunk = reader.fill_buf()?;
        if chunk.is_empty() {
            return Ok(());
        }
        let place = chunk.iter().position(|byte| *byte == end);
        let used = place.map_or(chunk.len(), |place| place + 1);
        reader.consume(used);
        if place.is_some() {
            return Ok(());
        }
    }
}
