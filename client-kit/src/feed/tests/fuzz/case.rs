//! An input of the fuzzer: a valid feed, damaged, written in an encoding, packed, and damaged again.

use std::io::{Cursor, Write as _};

use clap::ValueEnum as _;
use fastrand::Rng;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::super::forms::archive;
use super::mutation::mutate;
use super::seeds::{Content, Seed};
use crate::feed::{FormArgs, Format, Mapping};

/// A feed as it is stored, and the options that it is read with.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) form: FormArgs,
    pub(super) mapping: Mapping,
    pub(super) bytes: Vec<u8>,
}

impl Case {
    pub(super) fn valid(seed: &Seed) -> Self {
        let bytes = match &seed.content {
            Content::Text(bytes) | Content::Binary(bytes) => bytes.clone(),
            Content::Entries(entries) => zipped(entries),
        };
        Self {
            name: seed.name,
            form: seed.form.clone(),
            mapping: seed.mapping.clone(),
            bytes,
        }
    }

    /// The input that is made from a number.
    pub(super) fn new(number: u64, seeds: &[Seed]) -> Self {
        let mut rng = Rng::with_seed(number);
        let rng = &mut rng;
        let seed = &seeds[rng.usize(..seeds.len())];
        let other = Self::valid(&seeds[rng.usize(..seeds.len())]);
        let mut case = Self::valid(seed);
        // People name the wrong format, or the options of another feed.
        if rng.u8(..16) == 0 {
            case.form.format = rng.choice(Format::value_variants()).copied();
        }
        if rng.u8(..16) == 0 {
            case.mapping = other.mapping.clone();
        }
        let other = other.bytes;
        match &seed.content {
            Content::Text(text) => {
                let mut text = text.clone();
                damage(rng, &mut text, &other);
                case.bytes = encoded(rng, text, &mut case.form);
            }
            Content::Binary(_) => damage(rng, &mut case.bytes, &other),
            Content::Entries(entries) => {
                let mut entries = entries.clone();
                // Not each of them: what is wrong with one hides the others.
                for _ in 0..rng.usize(..2) + 1 {
                    let index = rng.usize(..entries.len());
                    damage(rng, &mut entries[index].1, &other);
                }
                if rng.u8(..16) == 0 {
                    entries.remove(rng.usize(..entries.len()));
                }
                case.bytes = zipped(&entries);
            }
        }
        while rng.u8(..4) == 0 {
            case.bytes = packed(rng, &case.bytes);
            if rng.u8(..3) == 0 {
                damage(rng, &mut case.bytes, &other);
            }
        }
        if rng.u8(..32) == 0 {
            damage(rng, &mut case.bytes, &other);
        }
        case
    }
}

/// Damages bytes a few times, or not at all.
fn damage(rng: &mut Rng, bytes: &mut Vec<u8>, other: &[u8]) {
    let most = rng.usize(..8);
    for _ in 0..rng.usize(..=most) {
        mutate(rng, bytes, other);
    }
}

fn zipped(entries: &[(&'static str, Vec<u8>)]) -> Vec<u8> {
    let entries: Vec<(&str, &[u8])> = entries.iter().map(|(name, it)| (*name, &**it)).collect();
    archive(&entries)
}

/// Writes a text in another encoding, if it is one.
fn encoded(rng: &mut Rng, bytes: Vec<u8>, form: &mut FormArgs) -> Vec<u8> {
    let Some(text) = str::from_utf8(&bytes).ok().filter(|_| rng.bool()) else {
        return bytes;
    };
    let utf16 = |order: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(order).collect::<Vec<_>>();
    let mark = if rng.bool() { "\u{feff}" } else { "" };
    match rng.u8(..6) {
        0 => [mark.as_bytes(), &bytes].concat(),
        1 => [utf16_mark(mark, u16::to_le_bytes), utf16(u16::to_le_bytes)].concat(),
        2 => [utf16_mark(mark, u16::to_be_bytes), utf16(u16::to_be_bytes)].concat(),
        _ => {
            let labels = [
                "windows-1252",
                "windows-1251",
                "shift_jis",
                "gbk",
                "big5",
                "iso-2022-jp",
                "euc-kr",
                "utf-16le",
            ];
            let label = labels[rng.usize(..labels.len())];
            if rng.u8(..4) > 0 {
                form.encoding = label.parse().ok();
            }
            let encoding = encoding_rs::Encoding::for_label(label.as_bytes()).unwrap();
            encoding.encode(text).0.into_owned()
        }
    }
}

fn utf16_mark(mark: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
    mark.encode_utf16().flat_map(order).collect()
}

fn packed(rng: &mut Rng, bytes: &[u8]) -> Vec<u8> {
    match rng.u8(..3) {
        0 => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        }
        1 => {
            let level = ruzstd::encoding::CompressionLevel::Fastest;
            ruzstd::encoding::compress_to_vec(Cursor::new(bytes), level)
        }
        _ => archive(&[("read.me", b"x"), ("feed.csv", bytes)]),
    }
}
