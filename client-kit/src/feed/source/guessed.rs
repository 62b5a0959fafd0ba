//! A text whose encoding nothing tells: it is UTF-8 if its first letter that is not ASCII is, else
//! windows-1252. It does not matter in which pieces the text comes.

use std::io::{self, Read};

use crate::feed::form::encoding::{Decoded, Encoding};
use crate::feed::source::notes::Notes;
use crate::feed::source::peek::{Bytes, put_back};

/// The most bytes of a letter in UTF-8.
const LETTER_BYTES_MAX: usize = 4;

/// A reader of a text as UTF-8.
pub(super) struct Guessed {
    undecided: Option<Bytes>,
    decided: Option<Bytes>,
    notes: Notes,
}

impl Guessed {
    pub(super) fn new(inner: Bytes, notes: &Notes) -> Self {
        Self {
            undecided: Some(inner),
            decided: None,
            notes: notes.clone(),
        }
    }

    /// Decides by the first letter of `rest`, which goes on in `inner`.
    fn decide(&mut self, mut rest: Vec<u8>, mut inner: Bytes) -> io::Result<()> {
        (&mut inner)
            .take(LETTER_BYTES_MAX.saturating_sub(rest.len()) as u64)
            .read_to_end(&mut rest)?;
        let letter = &rest[..rest.len().min(LETTER_BYTES_MAX)];
        let is_utf8 = str::from_utf8(letter).map_or_else(|err| err.valid_up_to() > 0, |_| true);
        let whole = put_back(rest, inner);
        self.decided = Some(if is_utf8 {
            whole
        } else {
            self.notes.set_encoding(Encoding::WINDOWS_1252);
            self.notes.add("the text is no UTF-8 and is taken as windows-1252: --encoding UTF-8 or another says otherwise");
            Box::new(Decoded::new(whole, Encoding::WINDOWS_1252))
        });
        Ok(())
    }
}

impl Read for Guessed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(mut inner) = self.undecided.take() {
            let bytes = inner.read(buffer);
            let read = &buffer[..*bytes.as_ref().unwrap_or(&0)];
            let Some(letter) = read.iter().position(|byte| !byte.is_ascii()) else {
                self.undecided = Some(inner);
                return bytes;
            };
            self.decide(read[letter..].to_vec(), inner)?;
            if letter > 0 {
                return Ok(letter);
            }
        }
        self.decided
            .as_mut()
            .map_or(Ok(0), |text| text.read(buffer))
    }
}
