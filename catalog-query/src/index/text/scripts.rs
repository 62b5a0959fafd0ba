//! The scripts of letters, those that are written without spaces between words, and pictures.

use std::collections::BTreeMap;

/// A script, as far as it matters to a model of meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Script {
    Latin,
    Greek,
    Cyrillic,
    Hebrew,
    Arabic,
    Indic,
    Thai,
    Kana,
    Han,
    Hangul,
    Other,
}

impl Script {
    /// Returns the script of a letter, or None for other signs.
    pub(crate) fn of(c: char) -> Option<Self> {
        if !c.is_alphabetic() {
            return None;
        }
        Some(match u32::from(c) {
            0..=0x24f | 0x1e00..=0x1eff => Self::Latin,
            0x370..=0x3ff | 0x1f00..=0x1fff => Self::Greek,
            0x400..=0x52f => Self::Cyrillic,
            0x590..=0x5ff => Self::Hebrew,
            0x600..=0x77f => Self::Arabic,
            0x900..=0xdff => Self::Indic,
            0xe00..=0xeff => Self::Thai,
            0x3040..=0x30ff => Self::Kana,
            0x3400..=0x9fff | 0x20000..=0x3134f => Self::Han,
            0x1100..=0x11ff | 0xac00..=0xd7af => Self::Hangul,
            _ => Self::Other,
        })
    }

    /// Returns the script of most letters of a text, or None if it has no letters.
    pub(crate) fn of_most(text: &str) -> Option<Self> {
        let mut counts: BTreeMap<Self, usize> = BTreeMap::new();
        for script in text.chars().filter_map(Self::of) {
            *counts.entry(script).or_default() += 1;
        }
        counts
            .into_iter()
            .max_by_key(|(_, count)| *count)
            .map(|(script, _)| script)
    }

    pub(crate) fn is_unspaced(self) -> bool {
        matches!(self, Self::Thai | Self::Kana | Self::Han | Self::Hangul)
    }
}

/// Whether a character belongs to a script without spaces between words, or one whose words carry
/// endings without a space. Such text is searched by pairs of characters.
pub(crate) fn is_unspaced(c: char) -> bool {
    matches!(u32::from(c),
        0x0e00..=0x0eff // Thai, Lao
        | 0x1000..=0x109f | 0x1780..=0x17ff // Burmese, Khmer
        | 0x3005..=0x3007 | 0x3040..=0x30ff | 0x31f0..=0x31ff // kana
        | 0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xf900..=0xfaff | 0x20000..=0x3134f // han
        | 0x1100..=0x11ff | 0x3130..=0x318f | 0xac00..=0xd7af) // hangul
        && c != '\u{30fb}'
}

/// Whether a character is a picture that can be looked for: an emoji or a symbol.
pub(super) fn is_picture(c: char) -> bool {
    matches!(u32::from(c),
        0x231a..=0x231b | 0x2328 | 0x23cf | 0x23e9..=0x23fa // clocks, keyboard, buttons
        | 0x25b6 | 0x25c0 | 0x25fb..=0x25fe | 0x2b05..=0x2b07 | 0x2b1b..=0x2b1c // shapes
        | 0x2b50 | 0x2b55 | 0x2600..=0x27bf | 0x1f000..=0x1faff)
        && !matches!(c, '✕' | '✖' | '✓' | '✔')
}
