//! The words of a query, each with the ways in which products may write it: "wi-fi" is `wifi` or
//! `wi` before `fi`, "müller" is `müller`, `muller` or `mueller`, "ddr4" is `ddr4` or `ddr` before
//! `4`.

use crate::index::text::language::Language;
use crate::index::text::lexer::{Atom, Joint, Kind, atoms};
use crate::index::text::numbers::in_other_form;
use crate::index::text::signs::{folded, spelled_out};
use crate::index::text::stems::Stems;
use crate::index::text::tokens::{chunks, exact_form, joined, words_of};
use crate::index::text::units::in_other_units;

/// The weight of a spelling that is not the one that was typed.
const OTHER_SPELLING: f32 = 0.4;
/// The weight of another meaning of a number.
const OTHER_READING: f32 = 0.6;
/// The most atoms that are looked for in a row as one word.
const ATOMS_MAX: usize = 12;

/// A word of a text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Word {
    /// The word in lower case and without accents, with its parts joined.
    pub(crate) surface: String,
    /// The stem that the index holds of it.
    pub(crate) stem: String,
    /// The place of the word in the text, in bytes.
    pub(crate) from: usize,
    pub(crate) to: usize,
    /// The ways to write it, the typed one first.
    pub(crate) spellings: Vec<Spelling>,
    /// The words to look for where no product has any of the spellings.
    pub(crate) parts: Vec<Word>,
    /// Whether a number with its unit, a dimension or a fraction was typed.
    pub(crate) is_measure: bool,
}

impl Word {
    /// Moves the place of the word by `bytes`.
    pub(crate) fn shift(&mut self, bytes: usize) {
        self.from += bytes;
        self.to += bytes;
        for part in &mut self.parts {
            part.shift(bytes);
        }
    }
}

/// Stems that a product has in a row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Spelling {
    pub(crate) stems: Vec<String>,
    /// The weight of a match, where the word as it was typed weighs 1.
    pub(crate) weight: f32,
}

impl Language {
    /// Returns the words of a query, at most `words_max`.
    pub(crate) fn words(self, text: &str, words_max: usize) -> Vec<Word> {
        let atoms = atoms(text);
        let reader = Reader {
            language: self,
            stems: Stems::of(self),
        };
        let words = words_of(&atoms).into_iter();
        let chunks = words.flat_map(|word| word.chunks(ATOMS_MAX));
        chunks
            .take(words_max)
            .map(|chunk| reader.word(chunk))
            .collect()
    }

    /// Returns the rows of stems that a quoted text may be in a product: with the parts of its words
    /// apart, and joined.
    pub(crate) fn rows(self, text: &str) -> Vec<Vec<String>> {
        let atoms = atoms(text);
        let reader = Reader {
            language: self,
            stems: Stems::of(self),
        };
        let apart = reader.row(&atoms);
        let chunks = chunks(&atoms);
        let whole: Vec<String> = chunks
            .map(|chunk| reader.stem(&folded(&joined(chunk))))
            .collect();
        let has_runs = atoms.iter().any(|atom| atom.kind == Kind::Run);
        let mut rows = vec![apart];
        if !has_runs && whole != rows[0] {
            rows.push(whole);
        }
        rows.retain(|row| !row.is_empty());
        rows
    }
}

struct Reader {
    language: Language,
    stems: Stems,
}

impl Reader {
    fn stem(&self, surface: &str) -> String {
        self.stems.stem(surface)
    }

    /// Reads joined atoms as one word. There is at least one.
    fn word(&self, chunk: &[Atom]) -> Word {
        let (first, last) = (&chunk[0], &chunk[chunk.len() - 1]);
        let exact = joined(chunk);
        let name = format!("{}{exact}{}", first.before, last.behind);
        if name != exact {
            return self.name(&name, chunk);
        }
        let mut spellings = Vec::new();
        if let [only] = chunk {
            self.spell_atom(&mut spellings, only);
        } else {
            let plain = folded(&exact);
            let joined_stem = self.stem(&plain);
            add(&mut spellings, vec![joined_stem], 1.0);
            let row = self.row(chunk);
            add(&mut spellings, row, 1.0);
            // "4B0-831" is "4B0831" where nobody writes the dash.
            let without_signs = self.row(&atoms(&exact));
            add(&mut spellings, without_signs, 1.0);
            if let Some(spelled) = spelled_out(&exact) {
                let stem = self.stem(&spelled);
                add(&mut spellings, vec![stem], OTHER_SPELLING);
            }
        }
        let surface = folded(&exact);
        Word {
            stem: self.stem(&surface),
            surface,
            from: first.from,
            to: last.to,
            spellings,
            parts: self.parts(chunk),
            is_measure: chunk
                .iter()
                .all(|atom| matches!(atom.kind, Kind::Measure | Kind::Number)),
        }
    }

    /// A name with its signs, as in "C++"; the bare name is looked for where no product has it.
    fn name(&self, name: &str, chunk: &[Atom]) -> Word {
        let mut bare = chunk.to_vec();
        for atom in &mut bare {
            atom.before = "";
            atom.behind.clear();
        }
        let surface = folded(name);
        let stem = self.stem(&surface);
        Word {
            spellings: vec![Spelling {
                stems: vec![stem.clone()],
                weight: 1.0,
            }],
            surface,
            stem,
            from: chunk[0].from,
            to: chunk[chunk.len() - 1].to,
            parts: vec![self.word(&bare)],
            is_measure: false,
        }
    }

    fn spell_atom(&self, spellings: &mut Vec<Spelling>, atom: &Atom) {
        if atom.kind == Kind::Run {
            let row = self.row(std::slice::from_ref(atom));
            return add(spellings, row, 1.0);
        }
        let exact = exact_form(&atom.text, self.language);
        if let Some(exact) = exact {
            add(spellings, vec![exact.to_owned()], 1.0);
        }
        let weight = if exact.is_some() { OTHER_SPELLING } else { 1.0 };
        let stem = self.stem(&folded(&atom.text));
        add(spellings, vec![stem], weight);
        if let Some(spelled) = spelled_out(&atom.text) {
            let stem = self.stem(&spelled);
            add(spellings, vec![stem], OTHER_SPELLING);
        }
        let weight = match atom.kind {
            Kind::Word => OTHER_SPELLING,
            _ => OTHER_READING,
        };
        for other in &atom.also {
            let stem = self.stem(&folded(other));
            add(spellings, vec![stem], weight);
        }
        if matches!(atom.kind, Kind::Measure | Kind::Number) {
            self.spell_number(spellings, &atom.text);
        }
    }

    /// The other forms of a number and the other units of a measure.
    fn spell_number(&self, spellings: &mut Vec<Spelling>, number: &str) {
        let other_form = in_other_form(number);
        if let Some(other) = &other_form {
            add(spellings, vec![self.stem(&folded(other))], OTHER_READING);
        }
        for form in std::iter::once(number).chain(other_form.as_deref()) {
            for same in in_other_units(form) {
                add(spellings, vec![same], OTHER_READING);
            }
        }
    }

    /// The stems of atoms in a row.
    fn row(&self, atoms: &[Atom]) -> Vec<String> {
        let mut row = Vec::new();
        for (at, atom) in atoms.iter().enumerate() {
            let plain = folded(&atom.text);
            if atom.kind != Kind::Run {
                row.push(self.stem(&plain));
                continue;
            }
            let characters: Vec<char> = plain.chars().collect();
            row.extend(
                characters
                    .windows(2)
                    .map(|pair| pair.iter().collect::<String>()),
            );
            // The last pair has the last character too, unless more follows or it is the only one.
            if at + 1 < atoms.len() || characters.len() == 1 {
                row.extend(characters.last().map(char::to_string));
            }
        }
        row
    }

    /// The pairs of a run of characters, each as a word of its own.
    fn pairs(&self, run: &Atom) -> Vec<Word> {
        let characters: Vec<char> = folded(&run.text).chars().collect();
        if run.kind != Kind::Run || characters.len() < 3 {
            return Vec::new();
        }
        let place = |at: usize| run.places.get(at).copied().unwrap_or((run.from, run.to));
        let pairs = characters.windows(2).enumerate();
        let word = |(at, pair): (usize, &[char])| {
            let surface: String = pair.iter().collect();
            Word {
                stem: surface.clone(),
                spellings: vec![Spelling {
                    stems: vec![surface.clone()],
                    weight: 1.0,
                }],
                surface,
                from: place(at).0,
                to: place(at + 1).1,
                parts: Vec::new(),
                is_measure: false,
            }
        };
        pairs.map(word).collect()
    }

    /// The words that a joined word falls into: at its signs, or else where letters meet digits.
    fn parts(&self, chunk: &[Atom]) -> Vec<Word> {
        if let [run] = chunk {
            return self.pairs(run);
        }
        let runs: Vec<&[Atom]> = chunk
            .chunk_by(|_, right| right.joint == Joint::Glued)
            .collect();
        if runs.len() > 1 {
            return runs.into_iter().map(|run| self.word(run)).collect();
        }
        let single = chunk.iter().map(std::slice::from_ref);
        single.map(|atom| self.word(atom)).collect()
    }
}

fn add(spellings: &mut Vec<Spelling>, stems: Vec<String>, weight: f32) {
    let is_known = spellings.iter().any(|known| known.stems == stems);
    if !is_known && stems.iter().all(|stem| !stem.is_empty()) && !stems.is_empty() {
        spellings.push(Spelling { stems, weight });
    }
}
