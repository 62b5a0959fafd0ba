//! Encodings that nothing tells.

use encoding_rs::Encoding;

use super::told;

/// Reads a table whose encoding nothing tells.
fn read(bytes: Vec<u8>) -> String {
    told("", "", std::io::Cursor::new(bytes))
}

#[test]
fn an_encoding_is_known_by_what_the_text_looks_like() {
    for (label, title) in [
        ("windows-1252", "Kühlschrank weiß"),
        ("windows-1252", "Señor, niño"),
        ("windows-1252", "Brand® 5 °C, ½ × 3"),
        ("windows-1252", "£5 cable"),
        ("windows-1252", "“power bank” – it’s 5’ long"),
        ("windows-1250", "Mysz biała, płaska"),
        ("windows-1252", "Smørrebrød på æble"),
        ("windows-1250", "Żółty płaszcz"),
        ("windows-1250", "Příslušenství pro myši"),
        ("windows-1251", "Чайник"),
        ("windows-1251", "Беспроводная мышь Logitech"),
        ("windows-1253", "Ψυγείο λευκό"),
        ("windows-1254", "Çay bardağı"),
        ("windows-1255", "מקלדת אלחוטית"),
        ("windows-1256", "لوحة مفاتيح"),
        ("windows-874", "คีย์บอร์ด"),
        ("IBM866", "Беспроводная мышь"),
        ("Shift_JIS", "ワイヤレスマウス"),
        ("EUC-JP", "電源ケーブル"),
        ("GBK", "无线鼠标"),
        ("Big5", "無線滑鼠"),
        ("EUC-KR", "무선 마우스"),
    ] {
        let encoding = Encoding::for_label(label.as_bytes()).expect(label);
        let text = format!("id;title\na;{title}\n");
        let (bytes, _, has_lost) = encoding.encode(&text);
        assert!(!has_lost, "{label} has no {title:?}");
        let found = read(bytes.into_owned());
        let expected =
            format!("2: a {title:?}\nnote: the text is no UTF-8 and is taken as {label}");
        assert!(found.starts_with(&expected), "{label}: {found}");
    }
}

#[test]
fn a_row_that_is_damaged_does_not_make_another_encoding_of_the_others() {
    let mut feed = b"id;title\na;gr\xfcn\n".to_vec();
    feed.extend("b;Kühlschrank weiß\nc;Чайник\n".as_bytes());
    let found = read(feed);
    let expected = "2!  : column \"title\" is not UTF-8: --encoding names another one\n\
                    3: b \"Kühlschrank weiß\"\n\
                    4: c \"Чайник\"\n";
    assert_eq!(found, expected);
}
