//! Writes a text in one form: composed letters in lower case, one sign for all quotation marks, all
//! dashes, all digits, without the mark-up of web pages. Documents and queries share it, so that the same word is the same signs
//! whatever keyboard, script or tool it came from.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::{decompose_canonical, is_combining_mark};

use crate::index::text::markup::{Mark, marks};

/// A sign of a text in its one form, and the bytes of the text that it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sign {
    pub(super) c: char,
    pub(super) from: usize,
    pub(super) to: usize,
}

/// Returns the signs of a text. Marks that nobody types, such as soft hyphens, are left out.
pub(super) fn signs(text: &str) -> Vec<Sign> {
    let mut signs = Vec::with_capacity(text.len());
    let mut at = 0;
    for Mark { from, to, plain } in marks(text) {
        add_signs(&mut signs, text, at, from);
        add_composed(&mut signs, &plain, from, to);
        at = to;
    }
    add_signs(&mut signs, text, at, text.len());
    signs
}

/// Adds the signs of a part of a text.
fn add_signs(signs: &mut Vec<Sign>, text: &str, begin: usize, end: usize) {
    let part = text[begin..end].char_indices();
    let mut rest = part.map(|(at, c)| (begin + at, c)).peekable();
    while let Some((from, c)) = rest.next() {
        let mut to = from + c.len_utf8();
        if c == '\\'
            && let Some((at, _)) = rest.next_if(|(_, next)| is_escaped_space(text, from, *next))
        {
            let sign = Sign {
                c: ' ',
                from,
                to: at + 1,
            };
            signs.push(sign);
            continue;
        }
        let mut is_single = true;
        while let Some((at, mark)) = rest.next_if(|(_, next)| belongs_to_the_one_before(*next)) {
            to = at + mark.len_utf8();
            is_single = false;
        }
        let sign = |c| Sign { c, from, to };
        if is_single && c.is_ascii() {
            signs.push(sign(c.to_ascii_lowercase()));
        } else if is_unseen(c) {
        } else if let Some(plain) = plain(c) {
            signs.push(sign(plain));
        } else {
            add_composed(signs, &text[from..to], from, to);
        }
    }
}

/// Returns the letters and digits of a text as signs.
pub(super) fn plain_signs(text: &str) -> String {
    let signs = signs(text).into_iter().map(|sign| sign.c);
    signs.filter(|c| c.is_alphanumeric()).collect()
}

/// Adds the composed form of some characters, which all stand at one place.
fn add_composed(signs: &mut Vec<Sign>, cluster: &str, from: usize, to: usize) {
    let composed: String = cluster.nfkc().collect();
    let is_fraction = composed.contains('\u{2044}');
    if is_fraction && signs.last().is_some_and(|last| last.c.is_ascii_digit()) {
        // "1½" is "1 1/2" and not "11/2".
        signs.push(Sign {
            c: ' ',
            from,
            to: from,
        });
    }
    for c in composed.chars().filter(|c| !is_unseen(*c)) {
        let c = digit(c).or_else(|| plain(c)).unwrap_or(c);
        signs.extend(c.to_lowercase().map(|c| Sign { c, from, to }));
    }
}

/// Whether a backslash at `from` and the next character are a line break or a tab as programs write it
/// (`2.0\nIntel`), and not part of a Windows path: what comes after a path's is no new sentence, and
/// the run that it stands in begins like a path (`C:\new`, `\\srv\tools`).
fn is_escaped_space(text: &str, from: usize, next: char) -> bool {
    if !matches!(next, 'n' | 'r' | 't') || text[..from].ends_with('\\') {
        return false;
    }
    let run = text[..from].rsplit(char::is_whitespace).next();
    let run = run.unwrap_or_default().trim_start_matches(['"', '\'', '(']);
    let has_drive = run.as_bytes().get(1) == Some(&b':');
    !has_drive && !run.starts_with("\\\\")
}

fn belongs_to_the_one_before(c: char) -> bool {
    !c.is_ascii()
        && (is_combining_mark(c)
            // The voice marks of half-width kana, and vowels and finals of decomposed hangul.
            || matches!(c, '\u{ff9e}' | '\u{ff9f}' | '\u{1160}'..='\u{11ff}'))
}

/// Whether a character is not seen: soft hyphens, joiners, directions, variants, tatweel.
fn is_unseen(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}'
        | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{fe00}'..='\u{fe0f}' | '\u{640}'
        | '\u{1f3fb}'..='\u{1f3ff}')
}

/// The plain sign for signs that mean the same.
fn plain(c: char) -> Option<char> {
    Some(match c {
        '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}' | '\u{2b9}' | '\u{2bc}' | '\u{b4}'
        | '\u{2032}' | '\u{ff07}' | '\u{2bb}' => '\'',
        '\u{2033}' => '"',
        c if is_quotation_mark(c) => '"',
        '\u{2010}' | '\u{2011}' | '\u{2012}' | '\u{2013}' => '-',
        c if is_minus(c) => '-',
        '\u{2014}' | '\u{2015}' | '\u{2122}' | '\u{ae}' | '\u{a9}' | '\u{2120}' | '\u{a0}'
        | '\u{202f}' | '\u{2009}' | '\u{200a}' | '\u{2007}' | '\u{3000}' => ' ',
        '\u{2715}' | '\u{2716}' | '\u{2a2f}' => '×',
        '\u{2044}' => '/',
        _ => return None,
    })
}

/// Whether a character quotes as `"` does. A double prime means inches.
pub(crate) fn is_quotation_mark(c: char) -> bool {
    matches!(c, '\u{201c}'..='\u{201f}' | '«' | '»' | '\u{ff02}')
}

/// Whether a character is a minus sign that no keyboard has.
pub(crate) fn is_minus(c: char) -> bool {
    matches!(c, '\u{2212}' | '\u{ff0d}' | '\u{fe63}')
}

/// The ASCII digit for the digits of other scripts.
fn digit(c: char) -> Option<char> {
    const ZEROS: [u32; 8] = [0x660, 0x6f0, 0x966, 0x9e6, 0xa66, 0xae6, 0xe50, 0xed0];
    let zero = ZEROS
        .iter()
        .find(|zero| (**zero..**zero + 10).contains(&u32::from(c)))?;
    char::from_digit(u32::from(c) - zero, 10)
}

/// Returns a word of signs without accents: `müller` is `muller`, `straße` is `strasse`. Letters
/// that only look accented in their script, such as й, stay.
pub(crate) fn folded(word: &str) -> String {
    if word.is_ascii() {
        return word.to_owned();
    }
    let mut plain = String::with_capacity(word.len());
    for c in word.chars() {
        match c {
            'ß' => plain.push_str("ss"),
            'æ' => plain.push_str("ae"),
            'œ' => plain.push_str("oe"),
            'þ' => plain.push_str("th"),
            'ø' => plain.push('o'),
            'đ' | 'ð' => plain.push('d'),
            'ł' => plain.push('l'),
            'ħ' => plain.push('h'),
            'ı' => plain.push('i'),
            'ς' => plain.push('σ'),
            'ё' => plain.push('е'),
            'أ' | 'إ' | 'آ' | 'ٱ' => plain.push('ا'),
            'ى' | 'ی' => plain.push('ي'),
            'ک' => plain.push('ك'),
            // Accents, and the vowels that Hebrew and Arabic may leave out.
            '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5c7}' | '\u{64b}'..='\u{655}' | '\u{670}' => {}
            '\u{c0}'..='\u{3ff}' | '\u{1e00}'..='\u{1fff}' => decompose_canonical(c, |part| {
                if !is_combining_mark(part) {
                    plain.push(part);
                }
            }),
            _ => plain.push(c),
        }
    }
    match plain.strip_prefix('μ') {
        // The micro sign of "μF", which many write as a "u".
        Some(unit) if !unit.is_empty() && unit.is_ascii() => format!("u{unit}"),
        _ => plain,
    }
}

/// Returns a word with its umlauts spelled out, as in `mueller`, or None if it has none.
pub(super) fn spelled_out(word: &str) -> Option<String> {
    if word.is_ascii() {
        return None;
    }
    let mut spelled = String::with_capacity(word.len() + 2);
    for c in word.chars() {
        match c {
            'ä' => spelled.push_str("ae"),
            'ö' | 'ø' => spelled.push_str("oe"),
            'ü' => spelled.push_str("ue"),
            'å' => spelled.push_str("aa"),
            other => spelled.push(other),
        }
    }
    let spelled = folded(&spelled);
    (spelled != folded(word)).then_some(spelled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        let signs = signs(text);
        for sign in &signs {
            assert!(
                text.is_char_boundary(sign.from) && text.is_char_boundary(sign.to),
                "{text}"
            );
        }
        signs.iter().map(|sign| sign.c).collect()
    }

    #[test]
    fn what_looks_alike_is_alike() {
        for (one, other) in [
            ("Mu\u{308}ller", "müller"),
            ("ｶﾞｲﾄﾞ", "ガイド"),
            ("ＡＢＣ１２", "abc12"),
            ("Levi’s", "levi's"),
            ("“power” „bank‟ «x»", "\"power\" \"bank\" \"x\""),
            ("Wi‑Fi – 2", "wi-fi - 2"),
            ("1½ ¾", "1 1/2 3/4"),
            ("20×30 ✕", "20×30 ×"),
            ("Sony™ X®", "sony  x "),
            (r"USB 2.0\nIntel\tCore", "usb 2.0 intel core"),
            (r"C:\new \\nas a\b", r"c:\new \\nas a\b"),
            (
                r"\\srv\tools (D:\x\new) USB:\nx",
                r"\\srv\tools (d:\x\new) usb: x",
            ),
            ("10µF", "10μf"),
            ("so\u{ad}ft\u{200b}", "soft"),
            ("<b>Caf&Eacute;</b>&nbsp;1<br>2", "café 1 2"),
            ("٣٤ ३", "34 3"),
            ("❤\u{fe0f}heart ☀\u{fe0f}", "❤heart ☀"),
            ("\u{1112}\u{1161}\u{11ab}", "한"),
        ] {
            assert_eq!(written(one), other, "{one:?}");
        }
    }

    #[test]
    fn accents_are_folded_where_they_are_accents() {
        for (word, plain) in [
            ("müller", "muller"),
            ("straße", "strasse"),
            ("crème", "creme"),
            ("i\u{307}stanbul", "istanbul"),
            ("ısparta", "isparta"),
            ("ёлка", "елка"),
            ("чайник", "чайник"),
            ("άέ", "αε"),
            ("λόγος", "λογοσ"),
            ("smørrebrød", "smorrebrod"),
            ("ガイド", "ガイド"),
            ("كِتَاب", "كتاب"),
            ("μf", "uf"),
            ("μέτρο", "μετρο"),
        ] {
            assert_eq!(folded(word), plain);
        }
        assert_eq!(spelled_out("müller").as_deref(), Some("mueller"));
        assert_eq!(spelled_out("ålesund").as_deref(), Some("aalesund"));
        assert_eq!(spelled_out("creme"), None);
        assert_eq!(spelled_out("crème"), None);
    }
}
