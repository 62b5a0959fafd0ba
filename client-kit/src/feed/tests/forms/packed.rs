//! Packings and encodings.

use std::io::Cursor;

use expect_test::expect;

use super::{check, zipped};
use crate::feed::tests::gzipped;

const CSV: &str = "id,title,price\na,T,1\n";

#[test]
fn a_zip_archive_with_one_feed_is_read() {
    check(
        "",
        "",
        zipped(&[("__MACOSX/x", ""), ("read.me", "x"), ("a/feed.csv", CSV)]),
        expect![[r#"
            2: a "T" 1
        "#]],
    );
    check(
        "",
        "",
        gzipped(CSV),
        expect![[r#"
            2: a "T" 1
        "#]],
    );
    let two = zipped(&[("a.csv", CSV), ("b.csv", CSV)]);
    check(
        "",
        "",
        &two,
        expect!["feed: the zip archive has 2 entries, choose one with --entry NAME: a.csv, b.csv"],
    );
    check(
        "--entry b.csv",
        "",
        &two,
        expect![[r#"
            2: a "T" 1
        "#]],
    );
    check(
        "--entry c.csv",
        "",
        &two,
        expect![[r#"feed: the zip archive has no entry "c.csv"; it has a.csv, b.csv"#]],
    );
    let mut damaged = zipped(&[("a.csv", CSV)]);
    let place = damaged
        .windows(4)
        .position(|part| part == b"PK\x01\x02")
        .unwrap();
    damaged[place + 16] ^= 1;
    check(
        "",
        "",
        damaged,
        expect![[r#"
            2: a "T" 1
            cannot read on after line 2: the zip archive is damaged: its size or checksum differs
        "#]],
    );
}

#[test]
fn zstd_is_unpacked_frame_after_frame() {
    let level = ruzstd::encoding::CompressionLevel::Fastest;
    let mut packed = ruzstd::encoding::compress_to_vec(Cursor::new(CSV), level);
    packed.extend([0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9]);
    packed.extend(ruzstd::encoding::compress_to_vec(
        Cursor::new("b,U,2\n"),
        level,
    ));
    check(
        "",
        "",
        &packed,
        expect![[r#"
            2: a "T" 1
            3: b "U" 2
        "#]],
    );
    check(
        "",
        "",
        &packed[..12],
        expect![
            "feed: the zstd file is damaged, get it again: Failed to parse block header: Error while reading bytes for Raw: failed to fill whole buffer"
        ],
    );
    check(
        "",
        "",
        b"\xfd7zXZ\0",
        expect!["feed is compressed with xz: xzcat FILE | catalogctl import -"],
    );
}

#[test]
fn an_encoding_is_told_found_or_guessed() {
    let text = "id,title,price\na,grün €,1\n";
    let mut utf16: Vec<u8> = vec![0xff, 0xfe];
    utf16.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    check(
        "",
        "",
        &utf16,
        expect![[r#"
            2: a "grün €" 1
        "#]],
    );
    check(
        "",
        "",
        b"id,title,price\na,gr\xfcn \x80,1\n",
        expect![[r#"
            2: a "grün €" 1
            note: the text is no UTF-8 and is taken as windows-1252, in which it has "grün €": --encoding UTF-8 or another says otherwise
        "#]],
    );
    check(
        "--encoding windows-1251",
        "",
        b"id,title,price\na,\xec\xfb,1\n",
        expect![[r#"
            2: a "мы" 1
        "#]],
    );
    check(
        "--encoding utf-8",
        "",
        b"id,title,price\na,gr\xfcn,1\nb,T,1\n",
        expect![[r#"
            2!  : column "title" is not UTF-8: --encoding names another one
            3: b "T" 1
        "#]],
    );
    check(
        "--encoding shift_jis",
        "",
        b"{\"id\":\"a\",\"title\":\"\x81\x01\",\"price\":1}\n",
        expect![[r#"
            1!  : not UTF-8 from byte 20 of the row: --encoding LABEL, such as windows-1252, names another
        "#]],
    );
    check(
        "--item p",
        "",
        b"<?xml version='1.0' encoding='latin1'?><f><p><id>a</id><title>gr\xfcn</title><price>1</price></p></f>",
        expect![[r#"
            1: a "grün" 1
        "#]],
    );
    check(
        "",
        "",
        b"<?xml version='1.0' encoding='klingon'?><f/>",
        expect![[
            r#"feed: there is no encoding "klingon"; some that there are: UTF-8, UTF-16LE, windows-1252, windows-1250, windows-1251, ISO-8859-2, ISO-8859-15, macintosh, Shift_JIS, EUC-KR, GBK, Big5"#
        ]],
    );
}
