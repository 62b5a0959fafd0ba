//! Takes a text apart into atoms: words, numbers, numbers with their unit, dimensions such as
//! `10x15`, runs of scripts without spaces, and pictures. Atoms tell how they are joined, so that
//! "Wi-Fi", "WiFi" and "wi fi" can be told to be one.

use crate::index::text::numbers::{Number, number};
use crate::index::text::scripts::{is_picture, is_unspaced};
use crate::index::text::signs::{Sign, signs};
use crate::index::text::units::{PACK, holds, is_holder, is_length, unit};

/// The most digits before the decimal point of a number with a unit, and of one that counts things. Longer ones are
/// part numbers.
const MEASURED_DIGITS_MAX: usize = 6;
const COUNTED_DIGITS_MAX: usize = 9;
/// The most letters before a dimension, as in "M8x20".
const DIMENSION_LETTERS_MAX: usize = 2;
/// Signs that join the parts of one word when no space is around them.
const JOINERS: &[char] = &['-', '.', '\'', '&', '_'];
/// Signs that are part of a name when they end it, as in "C++".
const ENDINGS: &[char] = &['+', '#'];
/// The sign between the parts of a name in katakana.
const MIDDLE_DOT: char = '\u{30fb}';

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Word,
    Number,
    /// A number with its unit, or a dimension, or a fraction.
    Measure,
    /// A run of a script without spaces.
    Run,
    Picture,
}

/// How an atom follows the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Joint {
    /// A space or a sign that ends words is between them.
    Apart,
    /// Nothing but a space is between them.
    Space,
    /// Nothing is between them.
    Glued,
    /// A sign that joins words is between them.
    Sign(char),
}

/// The smallest part of a text that can be searched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Atom {
    pub(super) kind: Kind,
    pub(super) joint: Joint,
    /// The atom in its one form, with accents.
    pub(super) text: String,
    /// What else it may mean; a query finds either.
    pub(super) also: Vec<String>,
    /// Parts of it that a document is found by too.
    pub(super) parts: Vec<String>,
    /// The signs that begin or end the name, as in ".NET" and "C++".
    pub(super) before: &'static str,
    pub(super) behind: String,
    /// The bytes of the text.
    pub(super) from: usize,
    pub(super) to: usize,
    /// The places of the characters of a run.
    pub(super) places: Vec<(usize, usize)>,
}

pub(super) fn atoms(text: &str) -> Vec<Atom> {
    let signs = signs(text);
    let mut lexer = Lexer {
        signs: &signs,
        at: 0,
        end: 0,
        atoms: Vec::new(),
    };
    while lexer.at < signs.len() {
        lexer.step();
    }
    lexer.atoms
}

struct Lexer<'a> {
    signs: &'a [Sign],
    at: usize,
    /// The sign behind the last atom.
    end: usize,
    atoms: Vec<Atom>,
}

impl Lexer<'_> {
    fn sign(&self, at: usize) -> Option<char> {
        self.signs.get(at).map(|sign| sign.c)
    }

    fn step(&mut self) {
        let at = self.at;
        let Some(c) = self.sign(at) else { return };
        if self.begins_anew()
            && let Some((text, parts, end)) = self.dimension(at)
        {
            self.push(Kind::Measure, text, end).parts = parts;
        } else if c.is_ascii_digit() {
            self.number();
        } else if is_unspaced(c) {
            self.run();
        } else if is_picture(c) {
            self.push(Kind::Picture, c.to_string(), at + 1);
        } else if is_letter(c) {
            self.word();
        } else {
            self.at += 1;
        }
    }

    /// Whether no letter or digit stands right before.
    fn begins_anew(&self) -> bool {
        self.atoms.is_empty() || self.end != self.at
    }

    /// Whether a letter or digit that would be part of the same word stands at a place. Scripts without
    /// spaces begin a word anywhere: "500ml瓶".
    fn goes_on(&self, at: usize) -> bool {
        self.sign(at)
            .is_some_and(|c| c.is_alphanumeric() && !is_unspaced(c))
    }

    /// Whether nothing but a number with its unit stands right before, as in "12V7Ah30".
    fn begins_a_measure(&self) -> bool {
        self.begins_anew()
            || self
                .atoms
                .last()
                .is_some_and(|last| last.kind == Kind::Measure)
    }

    /// A run of a script without spaces. A middle dot between parts of a name may be left out:
    /// "ドラゴン・ボール".
    fn run(&mut self) {
        let mut end = self.while_is(self.at, is_unspaced);
        while self.sign(end) == Some(MIDDLE_DOT) && self.sign(end + 1).is_some_and(is_unspaced) {
            end = self.while_is(end + 1, is_unspaced);
        }
        let signs = self.signs[self.at..end].iter();
        let signs = signs.filter(|sign| sign.c != MIDDLE_DOT);
        let (text, places) = signs.map(|sign| (sign.c, (sign.from, sign.to))).unzip();
        self.push(Kind::Run, text, end).places = places;
    }

    fn text(&self, from: usize, to: usize) -> String {
        self.signs[from..to].iter().map(|sign| sign.c).collect()
    }

    fn while_is(&self, from: usize, is: fn(char) -> bool) -> usize {
        let rest = self.signs.get(from..).unwrap_or_default().iter();
        from + rest.take_while(|sign| is(sign.c)).count()
    }

    fn push(&mut self, kind: Kind, text: String, end: usize) -> &mut Atom {
        let (from, to) = (self.signs[self.at].from, self.signs[end - 1].to);
        let atom = Atom {
            kind,
            joint: self.joint(),
            text,
            also: Vec::new(),
            parts: Vec::new(),
            before: "",
            behind: String::new(),
            from,
            to,
            places: Vec::new(),
        };
        (self.at, self.end) = (end, end);
        let last = self.atoms.len();
        self.atoms.push(atom);
        &mut self.atoms[last]
    }

    fn joint(&self) -> Joint {
        if self.atoms.is_empty() {
            return Joint::Apart;
        }
        match &self.signs[self.end..self.at] {
            [] => Joint::Glued,
            [one] if JOINERS.contains(&one.c) => Joint::Sign(one.c),
            [one] if one.c == '/' => Joint::Sign('/'),
            gap if gap.iter().all(|sign| sign.c == ' ') => Joint::Space,
            _ => Joint::Apart,
        }
    }

    /// A word of letters; `'s` at its end counts as an ending.
    fn word(&mut self) {
        let at = self.at;
        let end = self.while_is(at, is_letter);
        let is_name = at > 0
            && self.sign(at - 1) == Some('.')
            && (self.atoms.is_empty() || self.end != at - 1)
            && (at == 1 || self.sign(at - 2) == Some(' '));
        let text = self.text(at, end);
        let has_s = self.sign(end) == Some('\'')
            && self.sign(end + 1) == Some('s')
            && !self.goes_on(end + 2);
        if has_s {
            let whole = format!("{text}s");
            let atom = self.push(Kind::Word, whole, end + 2);
            atom.also.push(text);
        } else {
            self.push(Kind::Word, text, end);
        }
        if is_name && let Some(atom) = self.atoms.last_mut() {
            atom.before = ".";
        }
        self.ending();
    }

    /// Signs that end the name, as in "C++", "C#" and "S20+".
    fn ending(&mut self) {
        let end = self.end;
        let behind = self.while_is(end, |c| ENDINGS.contains(&c));
        let ends = !self.goes_on(behind);
        if behind > end && behind <= end + 3 && ends {
            let signs = self.text(end, behind);
            if let Some(atom) = self.atoms.last_mut() {
                atom.behind = signs;
            }
            (self.at, self.end) = (behind, behind);
        }
    }

    fn number(&mut self) {
        let at = self.at;
        let found = number(self.signs, at);
        if let Some((texts, parts, end)) = self.measure(&found) {
            let mut texts = texts.into_iter();
            let first = texts.next().unwrap_or_default();
            let atom = self.push(Kind::Measure, first, end);
            (atom.also, atom.parts) = (texts.collect(), parts);
            return;
        }
        let kind = if found.is_fraction {
            Kind::Measure
        } else {
            Kind::Number
        };
        let is_even = found.text.strip_suffix(".0").map(str::to_owned);
        let pack = self.is_held().then(|| format!("{}{PACK}", found.text));
        let atom = self.push(kind, found.text, found.end);
        atom.parts.extend(pack);
        atom.also = found.also.into_iter().chain(is_even).collect();
        atom.parts.extend(found.whole);
        self.ending();
    }

    /// Whether the words right before say that a number counts what a pack holds: "pack of 6".
    fn is_held(&self) -> bool {
        match &self.atoms[..] {
            [.., holder, of] => of.joint == Joint::Space && holds(&holder.text, &of.text),
            _ => false,
        }
    }

    /// The texts of a number with the unit behind it, its parts, and the sign behind it.
    fn measure(&self, found: &Number) -> Option<(Vec<String>, Vec<String>, usize)> {
        let end = found.end;
        let before_point = found.text.split('.').next().unwrap_or_default();
        let is_long = before_point.len() > MEASURED_DIGITS_MAX;
        if before_point.len() > COUNTED_DIGITS_MAX {
            return None;
        }
        let texts = |unit: &str| found.quantities().map(|text| text + unit).collect();
        let parts = || std::iter::once(found.text.clone()).chain(found.whole.clone());
        match (self.sign(end), self.sign(end + 1)) {
            (Some('"'), _) if !is_long => {
                return Some((texts("inch"), parts().collect(), end + 1));
            }
            (Some('\''), Some('\'')) if !is_long => {
                return Some((texts("inch"), parts().collect(), end + 2));
            }
            _ => {}
        }
        let (name, behind, is_glued) = self.unit(end)?;
        if is_long && name != PACK {
            return None;
        }
        if let Some(power @ ('2' | '3')) = self.sign(behind)
            && is_length(name)
            && !self.goes_on(behind + 1)
        {
            let all = texts(&format!("{name}{power}"));
            return Some((all, texts(name), behind + 1));
        }
        // "5W30" is 5 W and 30, as "5W-30" is, but "B5M12" has no metres.
        let is_followed = is_glued && self.is_digit(behind) && self.begins_a_measure();
        if self.goes_on(behind) && !is_followed {
            return None;
        }
        // Whoever asks for "inch" alone finds "17 inch"; nobody asks for the letters of "17in".
        let letters = self.text(end, behind);
        let parts = if !is_glued {
            parts().chain([letters[1..].to_owned()]).collect()
        } else if letters == name {
            Vec::new()
        } else {
            vec![format!("{}{letters}", found.text)]
        };
        Some((texts(name), parts, behind))
    }

    /// The unit at `at` or behind a gap there, the sign behind it, and whether there is no gap.
    fn unit(&self, at: usize) -> Option<(&'static str, usize, bool)> {
        let is_glued = self.sign(at).is_some_and(is_letter);
        let has_gap = matches!(self.sign(at), Some(' ' | '-'));
        if !is_glued && !has_gap {
            return None;
        }
        let from = at + usize::from(has_gap);
        let mut behind = self.while_is(from, is_letter);
        if self.is_digit(behind) && behind > from + 1 && self.sign(behind - 1).is_some_and(is_times)
        {
            // In "44cmx66cm" the last letter is no part of the unit.
            behind -= 1;
        }
        let letters = self.text(from, behind);
        let name = match unit(&letters, is_glued) {
            Some(name) => name,
            None if letters == "in" && self.are_inches(at, behind) => "inch",
            None if letters == "er" && is_glued && self.is_of_a_pack(behind) => PACK,
            None => return None,
        };
        Some((name, behind, is_glued))
    }

    /// Whether the word behind a gap is a pack or the like: "6er Pack", "4er-Set".
    fn is_of_a_pack(&self, at: usize) -> bool {
        matches!(self.sign(at), Some(' ' | '-')) && {
            let end = self.while_is(at + 1, is_letter);
            is_holder(&self.text(at + 1, end))
        }
    }

    /// Whether "in" at a gap behind a number means inches, as in "3/4 in", "24 in.", "24-in" and at the
    /// end of a text, and not "10 in 1".
    fn are_inches(&self, at: usize, behind: usize) -> bool {
        let is_behind_a_fraction = || {
            let begun = self.signs[..at].iter().rev();
            let number = begun.take_while(|sign| sign.c.is_ascii_digit() || sign.c == '/');
            number.filter(|sign| sign.c == '/').count() == 1
        };
        match self.sign(behind) {
            None | Some('.') => true,
            Some('-') => false,
            Some(_) => self.sign(at) == Some('-') || is_behind_a_fraction(),
        }
    }

    /// `10x15`, `10 x 15`, `10×15 cm`, `M8x20`: the text, its parts, and the sign behind it.
    fn dimension(&self, at: usize) -> Option<(String, Vec<String>, usize)> {
        let from = self.while_is(at, is_letter);
        let is_plain = |text: &str| text.is_ascii() && text != "x";
        let letters = self.text(at, from);
        if from - at > DIMENSION_LETTERS_MAX || !is_plain(&letters) || !self.is_digit(from) {
            return None;
        }
        let (first, mut end, measure) = self.side(from);
        let mut sides = Sides {
            text: format!("{letters}{first}"),
            ..Sides::default()
        };
        if letters.is_empty() {
            sides.add(first, measure);
        } else {
            // "M4" of "M4 x 40".
            sides.parts.push(sides.text.clone());
        }
        let mut is_one = true;
        while let Some(next) = self.times(end) {
            let (side, behind, measure) = self.side(next);
            sides.text = format!("{}x{side}", sides.text);
            sides.add(side, measure);
            (end, is_one) = (behind, false);
        }
        (!is_one && !self.goes_on(end)).then(|| {
            let (text, parts) = sides.finished();
            (text, parts, end)
        })
    }
    fn is_digit(&self, at: usize) -> bool {
        self.sign(at).is_some_and(|c| c.is_ascii_digit())
    }

    /// The next side of a dimension, if one follows.
    fn times(&self, end: usize) -> Option<usize> {
        let is_gap = |at| self.sign(at) == Some(' ');
        let (mark, spaced) = (end + usize::from(is_gap(end)), is_gap(end));
        let c = self.sign(mark)?;
        let next = mark + 1 + usize::from(is_gap(mark + 1));
        let is_mark = match c {
            '×' | '*' => true,
            // The letter stands alone, or right behind the number. Before one it may begin a name: "12 X240".
            c if is_times(c) => !spaced || next == mark + 2 || self.has_unit(next),
            _ => false,
        };
        (is_mark && self.is_digit(next)).then_some(next)
    }

    /// Whether a number with its unit begins at a place.
    fn has_unit(&self, at: usize) -> bool {
        let found = self.is_digit(at).then(|| number(self.signs, at));
        let unit = found.and_then(|found| self.unit(found.end));
        unit.is_some_and(|(_, behind, _)| !self.goes_on(behind))
    }

    /// A side of a dimension without its unit, the sign behind the unit, and the side with it.
    fn side(&self, at: usize) -> (String, usize, Option<String>) {
        let found = number(self.signs, at);
        let side = found.quantities().next().unwrap_or_default();
        if self.times(found.end).is_some() {
            return (side, found.end, None);
        }
        match self.unit(found.end) {
            Some((name, behind, _)) if !self.goes_on(behind) || self.times(behind).is_some() => {
                let measure = format!("{side}{name}");
                (side, behind, Some(measure))
            }
            _ if self.sign(found.end) == Some('"') => {
                let measure = format!("{side}inch");
                (side, found.end + 1, Some(measure))
            }
            _ => (side, found.end, None),
        }
    }
}

/// The sides of a dimension.
#[derive(Default)]
struct Sides {
    text: String,
    /// What a document is found by too: sides with their units, and fractions.
    parts: Vec<String>,
    /// The sides that state no unit of their own.
    bare: Vec<String>,
    /// The unit that was stated last.
    unit: Option<String>,
}

impl Sides {
    fn add(&mut self, side: String, measure: Option<String>) {
        if side.contains('/') {
            self.parts.push(side.clone());
        }
        match measure {
            Some(measure) => {
                self.unit = Some(measure[side.len()..].to_owned());
                self.parts.push(measure);
            }
            None => self.bare.push(side),
        }
    }

    /// The whole, and its parts. Sides without a unit have that of the last one: "90 x 200 cm" is 90 cm wide.
    fn finished(mut self) -> (String, Vec<String>) {
        if let Some(unit) = self.unit {
            let sides = self.bare.iter().map(|side| format!("{side}{unit}"));
            self.parts.extend(sides);
        }
        (self.text, self.parts)
    }
}

/// Whether a letter stands for a multiplication sign: Russian keyboards have another one that looks alike.
fn is_times(c: char) -> bool {
    matches!(c, 'x' | '\u{445}')
}

fn is_letter(c: char) -> bool {
    (c.is_alphabetic() || unicode_normalization::char::is_combining_mark(c)) && !is_unspaced(c)
}
