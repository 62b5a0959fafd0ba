//! A text whose encoding nothing tells: it is UTF-8 if its first letter that is not ASCII is, else what the text
//! from there on looks like. It does not matter in which pieces the text comes.

use std::io::{self, Read};

use crate::feed::form::encoding::{Decoded, Encoding};
use crate::feed::source::notes::Notes;
use crate::feed::source::peek::{Bytes, put_back};
use crate::feed::values::shorten;

/// The most bytes of a letter in UTF-8.
const LETTER_BYTES_MAX: usize = 4;
/// From how many bytes an encoding is guessed.
const SAMPLE_BYTES: u64 = 64 * 1024;
/// How much of what is read so is shown, so that a wrong guess is seen.
const SHOWN_CHARS_MAX: usize = 20;

/// A reader of a text as UTF-8.
pub(super) struct Guessed {
    undecided: Option<Bytes>,
    decided: Option<Bytes>,
    /// The end of what was read before, to show a word as a whole.
    before: Vec<u8>,
    notes: Notes,
}

impl Guessed {
    pub(super) fn new(inner: Bytes, notes: &Notes) -> Self {
        Self {
            undecided: Some(inner),
            decided: None,
            before: Vec::new(),
            notes: notes.clone(),
        }
    }

    /// Decides by the first letter of `rest`, which goes on in `inner`, or by more of the text.
    fn decide(&mut self, mut rest: Vec<u8>, mut inner: Bytes) -> io::Result<()> {
        fill(&mut rest, &mut inner, LETTER_BYTES_MAX as u64)?;
        let letter = &rest[..rest.len().min(LETTER_BYTES_MAX)];
        let is_utf8 = str::from_utf8(letter).map_or_else(|err| err.valid_up_to() > 0, |_| true);
        if !is_utf8 {
            fill(&mut rest, &mut inner, SAMPLE_BYTES)?;
        }
        let sample = &rest[..rest.len().min(SAMPLE_BYTES as usize)];
        if is_utf8 || is_mostly_utf8(sample) {
            self.decided = Some(put_back(rest, inner));
            return Ok(());
        }
        let encoding = Encoding::guess(sample);
        let read_as = format!("{}{}", self.word_before(), shown(&encoding.decode(sample)));
        self.notes.set_encoding(encoding);
        self.notes.add(format!(
            "the text is no UTF-8 and is taken as {}, in which it has {read_as:?}: --encoding UTF-8 or another \
             says otherwise",
            encoding.name()
        ));
        self.decided = Some(Box::new(Decoded::new(put_back(rest, inner), encoding)));
        Ok(())
    }

    /// Keeps the end of a text that is ASCII.
    fn pass(&mut self, text: &[u8]) {
        let end = text.len().saturating_sub(SHOWN_CHARS_MAX);
        self.before.extend_from_slice(&text[end..]);
        let excess = self.before.len().saturating_sub(SHOWN_CHARS_MAX);
        self.before.drain(..excess);
    }

    /// The letters that stand right before the first one that is not ASCII.
    fn word_before(&self) -> String {
        let letters = self
            .before
            .iter()
            .rev()
            .take_while(|byte| byte.is_ascii_alphanumeric());
        let word = &self.before[self.before.len() - letters.count()..];
        String::from_utf8_lossy(word).into_owned()
    }
}

/// Reads on until `text` has so many bytes, or the input ends.
fn fill(text: &mut Vec<u8>, inner: &mut Bytes, bytes: u64) -> io::Result<()> {
    let lacking = bytes.saturating_sub(text.len() as u64);
    inner.take(lacking).read_to_end(text).map(drop)
}

/// Whether more letters of a text are UTF-8 than bytes are not: some damaged rows are rejected, and the others
/// must not be read as another encoding.
fn is_mostly_utf8(sample: &[u8]) -> bool {
    let (mut letters, mut strange) = (0, 0);
    for chunk in sample.utf8_chunks() {
        letters += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        strange += chunk.invalid().len();
    }
    letters > strange
}

/// The beginning of a text up to where its cell may end.
fn shown(text: &str) -> String {
    let is_end = |c: char| c.is_control() || matches!(c, ',' | ';' | '"' | '<' | '|');
    let cell = text.split(is_end).next().unwrap_or_default();
    let beginning: String = cell.chars().take(SHOWN_CHARS_MAX).collect();
    shorten(beginning.trim())
}

impl Read for Guessed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(mut inner) = self.undecided.take() {
            let bytes = inner.read(buffer);
            let read = &buffer[..*bytes.as_ref().unwrap_or(&0)];
            let letter = read.iter().position(|byte| !byte.is_ascii());
            self.pass(&read[..letter.unwrap_or(read.len())]);
            let Some(letter) = letter else {
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
