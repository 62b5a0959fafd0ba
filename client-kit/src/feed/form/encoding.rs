//! Makes UTF-8 of the encodings that feeds come in.
//! Invariant: what the encoding does not have becomes a byte that UTF-8 does not have either, so
//! that its row is rejected and nothing is replaced in silence.

use std::io::{self, Read};
use std::str::FromStr;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{DecoderResult, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

const BUFFER_BYTES: usize = 64 * 1024;
/// A byte that no UTF-8 text has.
const NO_UTF8: u8 = 0xff;
/// Up to how many bytes that are not ASCII are little to guess from, where all are signs in windows-1252.
const SIGNS_MAX: usize = 8;
/// The most bytes that a decoder writes for a character.
const CHARACTER_BYTES_MAX: usize = 16;

/// The encoding of a text, by a label of the WHATWG standard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoding(&'static encoding_rs::Encoding);

impl FromStr for Encoding {
    type Err = String;

    fn from_str(label: &str) -> Result<Self, Self::Err> {
        let found = encoding_rs::Encoding::for_label(label.as_bytes());
        found.map(Self).ok_or_else(|| {
            format!(
                "there is no encoding {label:?}; some that there are: UTF-8, UTF-16LE, windows-1252, \
                 windows-1250, windows-1251, ISO-8859-2, ISO-8859-15, macintosh, Shift_JIS, EUC-KR, GBK, Big5"
            )
        })
    }
}

/// How the text of a feed is read.
#[derive(Debug)]
pub(in crate::feed) struct Guess {
    /// None where nothing says so: the first letter that is not ASCII shows it.
    pub(in crate::feed) encoding: Option<Encoding>,
    /// How many bytes of mark are before the text.
    pub(in crate::feed) mark: usize,
}

/// Finds the encoding of a text from its beginning: what the user says, its byte order mark, what the transport
/// says (RFC 7303, section 3), or its XML declaration. The error is a label in the declaration that is not known.
pub(in crate::feed) fn find(
    first: &[u8],
    chosen: Option<Encoding>,
    charset: Option<Encoding>,
) -> Result<Guess, String> {
    let (marked, mark) = match encoding_rs::Encoding::for_bom(first) {
        Some((encoding, mark)) => (Some(Encoding(encoding)), mark),
        None => (charset.or_else(|| without_mark(first).map(Encoding)), 0),
    };
    let known = |encoding, mark| Guess {
        encoding: Some(encoding),
        mark,
    };
    if let Some(chosen) = chosen {
        let mark = if marked == Some(chosen) { mark } else { 0 };
        return Ok(known(chosen, mark));
    }
    if let Some(marked) = marked {
        return Ok(known(marked, mark));
    }
    if let Some(label) = declared(first) {
        let declared: Encoding = label.parse()?;
        // Programs that write a text in memory declare UTF-16 and store it as UTF-8.
        if declared.0 != UTF_16LE && declared.0 != UTF_16BE {
            return Ok(known(declared, 0));
        }
    }
    Ok(Guess {
        encoding: None,
        mark: 0,
    })
}

/// UTF-16 without a mark shows in its first two characters, which are ASCII in every feed.
fn without_mark(first: &[u8]) -> Option<&'static encoding_rs::Encoding> {
    match first {
        [1..=0x7f, 0, 1..=0x7f, 0, ..] => Some(UTF_16LE),
        [0, 1..=0x7f, 0, 1..=0x7f, ..] => Some(UTF_16BE),
        _ => None,
    }
}

/// The label in an XML declaration.
fn declared(first: &[u8]) -> Option<String> {
    let text = first.trim_ascii_start().strip_prefix(b"<?xml")?;
    let end = text.windows(2).position(|part| part == b"?>")?;
    let text = String::from_utf8_lossy(&text[..end]).into_owned();
    let value = text.split_once("encoding")?.1.trim_start();
    let value = value.strip_prefix('=')?.trim_start();
    let quote = value
        .chars()
        .next()
        .filter(|char| matches!(char, '"' | '\''))?;
    Some(value[1..].split_once(quote)?.0.to_owned())
}

impl Encoding {
    pub(in crate::feed) const UTF_8: Self = Self(UTF_8);

    /// The encoding that a text looks like which is no UTF-8. A few signs such as ® or £ are what programs of
    /// Windows write in Western Europe and the Americas: elsewhere a text has letters too.
    pub(in crate::feed) fn guess(sample: &[u8]) -> Self {
        if is_of_few_signs(sample) {
            return Self(WINDOWS_1252);
        }
        let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
        detector.feed(sample, true);
        Self(detector.guess(None, Utf8Detection::Deny))
    }

    /// A text that is there as a whole; what the encoding does not have is replaced.
    pub(in crate::feed) fn decode(self, text: &[u8]) -> String {
        self.0.decode_without_bom_handling(text).0.into_owned()
    }

    /// The name of the encoding in the standard.
    pub(crate) fn name(self) -> &'static str {
        self.0.name()
    }

    pub(in crate::feed) fn is_utf8(self) -> bool {
        self.0 == UTF_8
    }
}

/// Whether the few bytes of a text that are not ASCII are signs in windows-1252. What stands between two
/// letters is a letter itself.
fn is_of_few_signs(sample: &[u8]) -> bool {
    const QUOTES_AND_DASHES: [u8; 12] = [
        0x80, 0x82, 0x84, 0x85, 0x91, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x99,
    ];
    const TIMES_AND_DIVIDED: [u8; 2] = [0xd7, 0xf7];
    let is_sign = |byte: &u8| {
        (0xa0..=0xbf).contains(byte)
            || QUOTES_AND_DASHES.contains(byte)
            || TIMES_AND_DIVIDED.contains(byte)
    };
    let mut strange = sample.iter().filter(|byte| !byte.is_ascii());
    let is_letter = |part: &[u8]| {
        let [before, byte, after] = part else {
            return false;
        };
        // An apostrophe stands between letters too.
        let is_apostrophe = *byte == 0x92;
        !byte.is_ascii()
            && !is_apostrophe
            && before.is_ascii_alphabetic()
            && after.is_ascii_alphabetic()
    };
    strange.clone().count() <= SIGNS_MAX
        && strange.all(is_sign)
        && !sample.windows(3).any(is_letter)
}

/// A reader of a text as UTF-8.
pub(in crate::feed) struct Decoded<R> {
    inner: R,
    decoder: encoding_rs::Decoder,
    packed: Vec<u8>,
    /// The bytes of `packed` that are not decoded yet.
    left: std::ops::Range<usize>,
    text: Vec<u8>,
    given: usize,
    is_at_end: bool,
}

impl<R: Read> Decoded<R> {
    pub(in crate::feed) fn new(inner: R, encoding: Encoding) -> Self {
        Self {
            inner,
            decoder: encoding.0.new_decoder_without_bom_handling(),
            packed: vec![0; BUFFER_BYTES],
            left: 0..0,
            text: Vec::new(),
            given: 0,
            is_at_end: false,
        }
    }

    /// Decodes more; false at the end of the text.
    fn advance(&mut self) -> io::Result<bool> {
        if self.is_at_end {
            return Ok(false);
        }
        if self.left.is_empty() {
            let bytes = self.inner.read(&mut self.packed)?;
            self.left = 0..bytes;
            self.is_at_end = bytes == 0;
        }
        self.text.resize(BUFFER_BYTES + CHARACTER_BYTES_MAX, 0);
        self.given = 0;
        let packed = &self.packed[self.left.clone()];
        let (result, read, written) = self.decoder.decode_to_utf8_without_replacement(
            packed,
            &mut self.text[..BUFFER_BYTES],
            self.is_at_end,
        );
        self.left.start += read;
        self.text.truncate(written);
        match result {
            DecoderResult::InputEmpty => {}
            DecoderResult::OutputFull => self.is_at_end = false,
            DecoderResult::Malformed(..) => {
                self.text.push(NO_UTF8);
                self.is_at_end = false;
            }
        }
        Ok(true)
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.text.len() {
            if !self.advance()? {
                return Ok(0);
            }
        }
        let text = &self.text[self.given..];
        let bytes = text.len().min(buffer.len());
        buffer[..bytes].copy_from_slice(&text[..bytes]);
        self.given += bytes;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_that_is_not_known_names_some_that_are() {
        let err = "latin-9".parse::<Encoding>().expect_err("unknown");
        assert!(err.starts_with("there is no encoding \"latin-9\"; some that there are: UTF-8"));
        assert!("latin1".parse::<Encoding>().is_ok());
    }

    #[test]
    fn the_user_goes_before_a_mark_and_a_mark_before_the_transport() {
        let encoding = |label: &str| label.parse::<Encoding>().unwrap();
        let check = |first: &[u8], chosen: &str, charset: &str, expected: &str, mark: usize| {
            let some = |label: &str| (!label.is_empty()).then(|| encoding(label));
            let guess = find(first, some(chosen), some(charset)).unwrap();
            let name = guess.encoding.map_or("", Encoding::name);
            assert_eq!(
                (name, guess.mark),
                (expected, mark),
                "{first:?} {chosen} {charset}"
            );
        };
        check(b"id;title", "", "", "", 0);
        check(b"id;title", "", "windows-1251", "windows-1251", 0);
        check(b"id;title", "koi8-r", "windows-1251", "KOI8-R", 0);
        check(b"\xef\xbb\xbfid", "", "windows-1251", "UTF-8", 3);
        check(b"\xff\xfei\0", "", "utf-8", "UTF-16LE", 2);
        let declared = b"<?xml version=\"1.0\" encoding=\"ISO-8859-2\"?>";
        check(declared, "", "", "ISO-8859-2", 0);
        check(declared, "", "windows-1251", "windows-1251", 0);
        check(b"i\0d\0", "", "utf-16le", "UTF-16LE", 0);
    }

    #[test]
    fn a_text_is_decoded_across_the_borders_of_reads() {
        struct Slow<'t>(&'t [u8]);
        impl Read for Slow<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let one = buffer.len().min(1);
                self.0.read(&mut buffer[..one])
            }
        }
        let text = "grün €\n".repeat(3);
        let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let mut found = String::new();
        let mut decoded = Decoded::new(Slow(&utf16), Encoding(UTF_16LE));
        decoded.read_to_string(&mut found).unwrap();
        assert_eq!(found, text);
        // Half a character at the end is no text.
        let mut bytes = Vec::new();
        let mut cut = Decoded::new(Slow(&utf16[..3]), Encoding(UTF_16LE));
        cut.read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes, b"g\xff");
    }
}
