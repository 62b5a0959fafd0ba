//! The terms that a document has of a text. A document is found by every way to write what it says,
//! so one place in its text can have several terms: "Wi-Fi" has `wi`, `fi` and `wifi`, "17-inch" has
//! `17`, `inch` and `17inch`, "Müller" has `muller`, `müller` and `mueller`.

use tantivy::tokenizer::{Token, TokenStream, Tokenizer};

use crate::index::text::language::Language;
use crate::index::text::lexer::{Atom, Joint, Kind, atoms};
use crate::index::text::signs::{folded, spelled_out};
use crate::index::text::stems::Stems;

/// The most atoms that are joined into one more word.
const JOINED_ATOMS_MAX: usize = 8;
/// The most atoms of a part number, and the fewest letters and digits of one with dashes.
const PART_NUMBER_ATOMS_MAX: usize = 12;
const PART_NUMBER_BYTES_MIN: usize = 6;
/// The digits of a group of a number.
const GROUP_DIGITS: usize = 3;
/// The most groups of three digits in a number.
const GROUPS_MAX: usize = 4;

/// What a term is to the text that it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// The plain form of the one atom at its position.
    Atom,
    /// Another way to write it.
    Other,
    /// The word as it is written, with its accents and its ending, so that exact matches come first.
    Exact,
}

/// A term of a document at a place of its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) text: String,
    /// The number of the atom in the text, where terms in a row are counted.
    pub(super) position: usize,
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) form: Form,
}

impl Piece {
    /// The term that the index holds.
    pub(super) fn term(&self, stems: &Stems) -> String {
        match self.form {
            Form::Exact => self.text.clone(),
            Form::Atom | Form::Other => stems.stem(&self.text),
        }
    }
}

/// Returns the terms of a document's text, in the order of their positions: in a language, or without
/// exact forms.
pub(super) fn pieces(text: &str, language: Option<Language>) -> Vec<Piece> {
    let atoms = atoms(text);
    let mut pieces = Pieces {
        language,
        all: Vec::with_capacity(atoms.len() * 2),
        starts: Vec::with_capacity(atoms.len()),
        position: 0,
    };
    for chunk in chunks(&atoms) {
        pieces.add_chunk(chunk);
    }
    pieces.add_spaced_thousands(&atoms);
    pieces.add_part_numbers(&atoms);
    pieces.all.sort_by_key(|piece| piece.position);
    pieces.all
}

/// Whether a word has an exact form beside its plain one: it has accents, or what may stand for them.
pub(super) fn exact_form(text: &str, language: Language) -> Option<&str> {
    let is_spelled_out = || ["ae", "oe", "ue"].iter().any(|two| text.contains(two));
    let has_exact_form = folded(text) != text || language.spells_umlauts() && is_spelled_out();
    has_exact_form.then_some(text)
}

/// Splits atoms where they are not joined.
pub(super) fn chunks(atoms: &[Atom]) -> impl Iterator<Item = &[Atom]> {
    atoms.chunk_by(joins)
}

/// Splits the atoms of a query into its words. Part numbers stay whole, and so do numbers in three groups of
/// digits and more; two of them may be two numbers.
pub(super) fn words_of(atoms: &[Atom]) -> Vec<&[Atom]> {
    let (mut words, mut rest) = (Vec::new(), atoms);
    while !rest.is_empty() {
        let mut lengths = (3..=GROUPS_MAX.min(rest.len())).rev();
        let length = lengths.find(|length| are_groups(&rest[..*length]));
        let run = match length {
            Some(length) => &rest[..length],
            None => dashed(rest).next().unwrap_or(rest),
        };
        if length.is_some() || is_part_number(run) {
            words.push(run);
        } else {
            words.extend(chunks(run));
        }
        rest = &rest[run.len()..];
    }
    words
}

/// The atoms that are joined, if only by a dash between two numbers.
fn dashed(atoms: &[Atom]) -> impl Iterator<Item = &[Atom]> {
    atoms.chunk_by(|left, right| joins(left, right) || right.joint == Joint::Sign('-'))
}

/// Whether numbers with dashes between them are one name, whose dashes may be left out: "978-3-16-148410-0" and
/// "4B0-831", but not "10-20".
fn is_part_number(run: &[Atom]) -> bool {
    let dashes = run.iter().skip(1);
    let dashes = dashes.filter(|atom| atom.joint == Joint::Sign('-')).count();
    let is_split = run.windows(2).any(|pair| !joins(&pair[0], &pair[1]));
    let has_letters = run.iter().any(|atom| atom.kind == Kind::Word);
    let is_plain = |atom: &Atom| {
        let is_number = atom.kind == Kind::Number && !atom.text.contains('.');
        is_number || atom.kind == Kind::Word && atom.behind.is_empty()
    };
    let length: usize = run.iter().map(|atom| atom.text.len()).sum();
    is_split
        && (dashes > 1 || has_letters)
        && run.len() <= PART_NUMBER_ATOMS_MAX
        && length >= PART_NUMBER_BYTES_MIN
        && run.iter().all(is_plain)
}

fn joins(left: &Atom, right: &Atom) -> bool {
    let numbers = left.kind == Kind::Number && right.kind == Kind::Number;
    match right.joint {
        Joint::Glued => true,
        // Numbers on both sides of a sign are two numbers, but "24/7" is a name.
        Joint::Sign('/') => numbers,
        Joint::Sign(_) => !numbers,
        Joint::Apart | Joint::Space => false,
    }
}

/// The text of joined atoms as one word.
pub(super) fn joined(atoms: &[Atom]) -> String {
    let mut text = String::new();
    for atom in atoms {
        if !text.is_empty() && atom.joint == Joint::Sign('/') {
            text.push('/');
        }
        text.push_str(&atom.text);
    }
    text
}

struct Pieces {
    language: Option<Language>,
    all: Vec<Piece>,
    /// Where each atom begins.
    starts: Vec<usize>,
    position: usize,
}

impl Pieces {
    fn add_chunk(&mut self, chunk: &[Atom]) {
        let first = self.position;
        let mut positions = Vec::with_capacity(chunk.len());
        for atom in chunk {
            positions.push(self.position);
            self.add_atom(atom);
        }
        let put = |pieces: &mut Self, atoms: std::ops::Range<usize>| {
            let (from, to) = (chunk[atoms.start].from, chunk[atoms.end - 1].to);
            let text = joined(&chunk[atoms.clone()]);
            pieces.put(&text, positions[atoms.start], from, to, Form::Other);
        };
        // Atoms in a row are found however they are joined. Only words that a sign joins become another
        // atom without it. A vocabulary has all names, to be completed.
        let is_needed = pairs(chunk).next().is_some() || self.language.is_none();
        if is_needed && (2..=JOINED_ATOMS_MAX).contains(&chunk.len()) {
            put(self, 0..chunk.len());
            if chunk.len() > 2 {
                for range in runs(chunk).chain(pairs(chunk)) {
                    put(self, range);
                }
            }
        }
        if let (Some(begin), Some(end)) = (chunk.first(), chunk.last())
            && (!begin.before.is_empty() || !end.behind.is_empty())
        {
            let name = format!("{}{}{}", begin.before, joined(chunk), end.behind);
            self.put(&name, first, begin.from, end.to, Form::Other);
        }
    }

    fn add_atom(&mut self, atom: &Atom) {
        self.starts.push(self.position);
        if atom.kind == Kind::Run {
            return self.add_run(atom);
        }
        let place = (self.position, atom.from, atom.to);
        self.put(&atom.text, place.0, place.1, place.2, Form::Atom);
        for text in atom.also.iter().chain(&atom.parts) {
            self.put(text, place.0, place.1, place.2, Form::Other);
        }
        self.position += 1;
    }

    /// Adds each character and each pair of characters of a run.
    fn add_run(&mut self, atom: &Atom) {
        let text = folded(&atom.text);
        let characters: Vec<char> = text.chars().collect();
        let place = |at: usize| atom.places.get(at).copied().unwrap_or((atom.from, atom.to));
        for (at, c) in characters.iter().enumerate() {
            let (from, to) = place(at);
            self.put(&c.to_string(), self.position, from, to, Form::Atom);
            if let Some(next) = characters.get(at + 1) {
                let (_, to) = place(at + 1);
                self.put(&format!("{c}{next}"), self.position, from, to, Form::Other);
            }
            self.position += 1;
        }
    }

    /// Adds "1000" for "1 000", and "9000mah" for "9 000 mAh": the space may be that of a thousand.
    fn add_spaced_thousands(&mut self, atoms: &[Atom]) {
        let numbers = atoms.iter().enumerate();
        for (at, first) in numbers.filter(|(_, atom)| atom.kind == Kind::Number) {
            let mut text = first.text.clone();
            for (last, length) in atoms[at + 1..].iter().zip(2..=GROUPS_MAX) {
                if !are_groups(&atoms[at..at + length]) {
                    break;
                }
                let (group, unit) = last.text.split_at(last.text.len().min(GROUP_DIGITS));
                text.push_str(group);
                self.put(&text, self.starts[at], first.from, last.to, Form::Other);
                if !unit.is_empty() {
                    text.push_str(unit);
                    self.put(&text, self.starts[at], first.from, last.to, Form::Other);
                }
            }
        }
    }

    /// Adds part numbers without their dashes.
    fn add_part_numbers(&mut self, atoms: &[Atom]) {
        let mut at = 0;
        for run in dashed(atoms) {
            if is_part_number(run) {
                let to = run[run.len() - 1].to;
                // Its end is a name too: "115561B" of "06A-115-561B".
                let begins = |at: &usize| *at == 0 || run[*at].joint == Joint::Sign('-');
                for begin in (0..run.len() - 1).filter(begins) {
                    let (text, from) = (joined(&run[begin..]), run[begin].from);
                    self.put(&text, self.starts[at + begin], from, to, Form::Other);
                }
            }
            at += run.len();
        }
    }

    fn put(&mut self, text: &str, position: usize, from: usize, to: usize, form: Form) {
        if let Some(exact) = self
            .language
            .and_then(|language| exact_form(text, language))
        {
            self.push(exact.to_owned(), position, from, to, Form::Exact);
        }
        if let Some(spelled) = spelled_out(text) {
            self.push(spelled, position, from, to, Form::Other);
        }
        self.push(folded(text), position, from, to, form);
    }

    fn push(&mut self, text: String, position: usize, from: usize, to: usize, form: Form) {
        let is_exact = form == Form::Exact;
        let mut near = self.all.iter().rev().take(16);
        let is_known = near.any(|known| {
            known.position == position
                && known.text == text
                && is_exact == (known.form == Form::Exact)
        });
        if !is_known {
            self.all.push(Piece {
                text,
                position,
                from,
                to,
                form,
            });
        }
    }
}

/// Whether atoms may be the groups of one number, which spaces part.
fn are_groups(atoms: &[Atom]) -> bool {
    let texts: Vec<&str> = atoms.iter().map(|atom| atom.text.as_str()).collect();
    let are_spaced = atoms[1..].iter().all(|atom| atom.joint == Joint::Space);
    are_spaced && are_groups_of_a_number(&texts)
}

/// Whether words may be the groups of one number: digits, then three at a time, the last ones with
/// decimals or a unit behind them where the number has some.
pub(crate) fn are_groups_of_a_number(words: &[&str]) -> bool {
    let [first, middle @ .., last] = words else {
        return false;
    };
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let begins = (1..=3).contains(&first.len()) && is_digits(first) && !first.starts_with('0');
    let is_group = |text: &&str| text.len() == 3 && is_digits(text);
    let ends = last.split_at_checked(3).is_some_and(|(group, rest)| {
        let goes_on = rest.starts_with(|c: char| c == '.' || c.is_alphabetic());
        is_digits(group) && (rest.is_empty() || goes_on)
    });
    begins && middle.iter().all(is_group) && ends
}

/// The runs of atoms without a sign between them, where the whole is not one.
fn runs(chunk: &[Atom]) -> impl Iterator<Item = std::ops::Range<usize>> {
    let mut from = 0;
    let lengths = chunk
        .chunk_by(|_, right| right.joint == Joint::Glued)
        .map(<[Atom]>::len);
    let ranges = lengths.map(move |length| {
        let range = from..from + length;
        from += length;
        range
    });
    let all = chunk.len();
    ranges.filter(move |range| range.len() > 1 && range.len() < all)
}

/// Neighbours of letters with a sign between them.
fn pairs(chunk: &[Atom]) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
    let are_words = |pair: &[Atom]| {
        matches!(pair[1].joint, Joint::Sign(_)) && pair.iter().all(|atom| atom.kind == Kind::Word)
    };
    let pairs = chunk.windows(2).enumerate();
    pairs
        .filter(move |(_, pair)| are_words(pair))
        .map(|(at, _)| at..at + 2)
}

/// Turns texts into the terms of documents: into stems of a language, or into words as they are.
#[derive(Clone)]
pub(super) struct WordTokenizer {
    pub(super) language: Option<Language>,
}

impl Tokenizer for WordTokenizer {
    type TokenStream<'a> = Tokens;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Tokens {
        let stems = Stems::of(self.language.unwrap_or(Language::None));
        let pieces = pieces(text, self.language).into_iter();
        let tokens = pieces.map(|piece| Token {
            offset_from: piece.from,
            offset_to: piece.to,
            position: piece.position,
            text: piece.term(&stems),
            position_length: 1,
        });
        Tokens {
            tokens: tokens.collect(),
            next: 0,
        }
    }
}

pub(super) struct Tokens {
    tokens: Vec<Token>,
    next: usize,
}

impl TokenStream for Tokens {
    fn advance(&mut self) -> bool {
        self.next += 1;
        self.next <= self.tokens.len()
    }

    fn token(&self) -> &Token {
        &self.tokens[self.next - 1]
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.tokens[self.next - 1]
    }
}
