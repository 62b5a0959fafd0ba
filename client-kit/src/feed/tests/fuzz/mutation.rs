//! Damages bytes as transfers, programs and people do, and worse.

use fastrand::Rng;

/// What means something to a reader.
const TOKENS: [&[u8]; 92] = [
    b"\"",
    b"\"\"",
    b"'",
    b",",
    b";",
    b"\t",
    b"|",
    b"||",
    b"\n",
    b"\r",
    b"\r\n",
    b"\n\n",
    b"\0",
    b"\x1a",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\xfe\xff",
    b"\xff",
    b"\xc3\x28",
    b"\xed\xa0\x80",
    b"\xc2\xa0",
    b"\xe2\x80\xae",
    b"sep=;\n",
    b"sep=",
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b"{}",
    b"[]",
    b"[{}]",
    b"null",
    b"true",
    b"NaN",
    b"-",
    b"1e400",
    b"-0",
    b"0.1",
    b"1.999",
    b"1.299,00",
    b"99999999999999999999",
    b"18446744073709551616",
    b"4294967295",
    b"65536",
    b"2147483648",
    b"-1",
    b"\\",
    b"\\u0000",
    b"\\ud800",
    b"\\\"",
    b"<",
    b">",
    b"/>",
    b"</",
    b"<!--",
    b"-->",
    b"--",
    b"<![CDATA[",
    b"]]>",
    b"<?",
    b"?>",
    b"<!DOCTYPE x [",
    b"<!ENTITY a \"b\">",
    b"]>",
    b"&",
    b"&amp;",
    b"&amp;amp;",
    b"&#0;",
    b"&#x110000;",
    b"&#xD800;",
    b"&nope;",
    b"&nbsp;",
    b"xmlns:g=\"http://base.google.com/ns/1.0\"",
    b"xml:lang=\"de\"",
    b"encoding=\"utf-16\"",
    b"encoding='klingon'",
    b"<item>",
    b"</item>",
    b"<x>",
    b"</x>",
    b"<x/>",
    b"g:id",
    b"@graph",
    b"attributes",
    b"attributes.a:json",
    b"import_row",
    b"id",
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"\x1f\x8b\x08",
    b"\x28\xb5\x2f\xfd",
];
/// Numbers at the borders of what is counted.
const NUMBERS: [u64; 14] = [
    0,
    1,
    0x7f,
    0x80,
    0xff,
    0x100,
    0x7fff,
    0xffff,
    0x10000,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x7fff_ffff_ffff_ffff,
    u64::MAX,
];
const BYTES_MAX: usize = 64 << 10;
/// The size of the few inputs that are longer than a row may be.
const LARGE_BYTES_MAX: usize = 3 << 20;

/// Damages `bytes` once, perhaps with a part of `other`.
pub(super) fn mutate(rng: &mut Rng, bytes: &mut Vec<u8>, other: &[u8]) {
    match rng.u8(..16) {
        0 => {
            if let Some(byte) = rng.choice(bytes.iter_mut()) {
                *byte ^= 1 << rng.u8(..8);
            }
        }
        1 => {
            if let Some(byte) = rng.choice(bytes.iter_mut()) {
                *byte = rng.u8(..);
            }
        }
        2 => {
            let new: Vec<u8> = (0..length(rng)).map(|_| rng.u8(..)).collect();
            insert(rng, bytes, &new);
        }
        3 | 4 => {
            let (start, end) = range(rng, bytes.len());
            bytes.drain(start..end);
        }
        5 => {
            let (start, end) = range(rng, bytes.len());
            let copy = bytes[start..end].to_vec();
            insert(rng, bytes, &copy);
        }
        6 => splice(rng, bytes, other),
        7 | 8 => {
            let token = rng.choice(TOKENS).unwrap_or_default();
            insert(rng, bytes, token);
        }
        9 => {
            let token = rng.choice(TOKENS).unwrap_or_default();
            let start = place(rng, bytes.len());
            let end = (start + token.len()).min(bytes.len());
            bytes.splice(start..end, token.iter().copied());
        }
        10 => replace_digits(rng, bytes),
        11 => bytes.truncate(place(rng, bytes.len())),
        12 => write_number(rng, bytes),
        13 => swap(rng, bytes),
        14 => remove_sign(rng, bytes),
        _ => repeat(rng, bytes),
    }
}

fn place(rng: &mut Rng, length: usize) -> usize {
    rng.usize(..=length)
}

/// A length that is short more often than long.
fn length(rng: &mut Rng) -> usize {
    let most = 1 << rng.u32(..9);
    rng.usize(1..=most)
}

fn range(rng: &mut Rng, length: usize) -> (usize, usize) {
    let start = place(rng, length);
    let end = (start + self::length(rng)).min(length);
    (start, end)
}

fn insert(rng: &mut Rng, bytes: &mut Vec<u8>, new: &[u8]) {
    let at = place(rng, bytes.len());
    bytes.splice(at..at, new.iter().copied());
}

/// Puts a part of another feed in, or goes on with it.
fn splice(rng: &mut Rng, bytes: &mut Vec<u8>, other: &[u8]) {
    let at = place(rng, bytes.len());
    if rng.bool() {
        let from = place(rng, other.len());
        bytes.truncate(at);
        bytes.extend_from_slice(&other[from..]);
    } else {
        let (start, end) = range(rng, other.len());
        bytes.splice(at..at, other[start..end].iter().copied());
    }
}

/// Writes another number where there is one.
fn replace_digits(rng: &mut Rng, bytes: &mut Vec<u8>) {
    let digits = (0..bytes.len()).filter(|at| bytes[*at].is_ascii_digit());
    let Some(start) = rng.choice(digits.collect::<Vec<_>>()) else {
        return;
    };
    let behind = bytes[start..].iter().take_while(|it| it.is_ascii_digit());
    let end = start + behind.count();
    let number = rng.choice(NUMBERS).unwrap_or_default().to_string();
    bytes.splice(start..end, number.bytes());
}

/// Overwrites bytes with a number as programs store it.
fn write_number(rng: &mut Rng, bytes: &mut [u8]) {
    let number = rng.choice(NUMBERS).unwrap_or_default();
    let width = rng.choice([1, 2, 4, 8]).unwrap_or(1);
    if bytes.len() < width {
        return;
    }
    let start = rng.usize(..=bytes.len() - width);
    let mut stored = number.to_le_bytes();
    if rng.u8(..4) == 0 {
        stored[..width].reverse();
    }
    bytes[start..start + width].copy_from_slice(&stored[..width]);
}

fn swap(rng: &mut Rng, bytes: &mut Vec<u8>) {
    let (start, end) = range(rng, bytes.len());
    let taken: Vec<u8> = bytes.drain(start..end).collect();
    insert(rng, bytes, &taken);
}

/// Removes a sign that a form needs, or all of them.
fn remove_sign(rng: &mut Rng, bytes: &mut Vec<u8>) {
    let sign = rng.choice(*b"\",;\n<>/{}[]:&\0").unwrap_or_default();
    let places: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at] == sign).collect();
    if rng.u8(..8) == 0 {
        bytes.retain(|byte| *byte != sign);
    } else if let Some(at) = rng.choice(places) {
        bytes.remove(at);
    }
}

/// Repeats a part many times.
fn repeat(rng: &mut Rng, bytes: &mut Vec<u8>) {
    let (start, end) = range(rng, bytes.len());
    let part = bytes[start..end].to_vec();
    let max = if rng.u8(..) == 0 {
        LARGE_BYTES_MAX
    } else {
        BYTES_MAX
    };
    let room = max.saturating_sub(bytes.len()) / part.len().max(1);
    let times = if rng.bool() { room } else { room.min(64) };
    bytes.splice(end..end, part.repeat(rng.usize(..=times)));
}
