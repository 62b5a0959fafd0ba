//! Reads the beginning of a source, and puts it back.

use std::io::{self, Cursor, Read};

/// How many bytes at the beginning are examined to tell forms and encodings apart.
const PEEK_BYTES: usize = 64 * 1024;

pub(super) type Bytes = Box<dyn Read + Send>;

/// Reads the first bytes until `enough` is satisfied, or the input ends. A pipe may be slow, so no
/// more is waited for than is needed.
pub(super) fn peek(
    reader: &mut impl Read,
    mut enough: impl FnMut(&[u8]) -> bool,
) -> io::Result<Vec<u8>> {
    let mut first = vec![0; PEEK_BYTES];
    let mut length = 0;
    while length < PEEK_BYTES && !enough(&first[..length]) {
        match reader.read(&mut first[length..]) {
            Ok(0) => break,
            Ok(bytes) => length += bytes,
            Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
            Err(err) => return Err(err),
        }
    }
    first.truncate(length);
    Ok(first)
}

/// A reader of `first` and what is left in `rest`.
pub(super) fn put_back(first: Vec<u8>, rest: impl Read + Send + 'static) -> Bytes {
    Box::new(Cursor::new(first).chain(rest))
}
