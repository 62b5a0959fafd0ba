//! The names of columns: what attributes are called after them, and which ones have GTINs.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization as _;

/// Names of columns with GTINs, folded. Their digits are a code and no number.
const GTINS: &str = "gtin gtins gtin8 gtin12 gtin13 gtin14 ean eans ean8 ean13 eancode eannummer eannr upc upca upce \
    upccode isbn isbn10 isbn13 jan itf14 barcode barcodes barcodenumber variantbarcode";

/// Makes an attribute name from a column name: lower case letters, digits, `-`, `.` and single `_`. However
/// the signs of a column are encoded, the name is one (NFKC).
pub(crate) fn attribute_name(column: &str, strip: &[String]) -> String {
    let stripped = strip
        .iter()
        .find_map(|prefix| column.strip_prefix(prefix.as_str()));
    let written = match stripped.unwrap_or(column) {
        plain if plain.is_ascii() => Cow::Borrowed(plain),
        other => Cow::Owned(other.nfkc().collect::<String>()),
    };
    let mut name = String::with_capacity(written.len());
    for char in written.chars().flat_map(char::to_lowercase) {
        if char.is_alphanumeric() || char == '-' || char == '.' {
            name.push(char);
        } else if !name.ends_with('_') {
            name.push('_');
        }
    }
    if name.contains(char::is_alphanumeric) {
        name.trim_matches('_').to_owned()
    } else {
        String::new()
    }
}

/// Whether a column has GTINs by its name, such as `ean`, `g:gtin` or `codes.upc`.
pub(in crate::feed) fn is_of_gtins(column: &str) -> bool {
    let name = column.rsplit(['.', ':', '@']).next().unwrap_or(column);
    let signs = name.chars().filter(|sign| sign.is_alphanumeric());
    let folded = signs.flat_map(char::to_lowercase);
    GTINS
        .split_whitespace()
        .any(|known| folded.clone().eq(known.chars()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_attributes_are_plain() {
        let strip = ["attr_t_".to_owned(), "attr_n_".to_owned()];
        let check = |column, expected| assert_eq!(attribute_name(column, &strip), expected);
        check("attr_t_contrast_ratio__typical_", "contrast_ratio_typical");
        check("attr_b_touchscreen", "attr_b_touchscreen");
        check("Farbe (außen)", "farbe_außen");
        check("dimensions.Width", "dimensions.width");
        check(" -- ", "");
        check("attr_n_", "");
    }

    #[test]
    fn a_name_is_one_however_its_signs_are_encoded() {
        for (columns, expected) in [
            (&["größe", "gro\u{308}ße", "GRO\u{308}ße"][..], "größe"),
            (&["width", "ｗｉｄｔｈ", "ＷＩＤＴＨ"], "width"),
            (&["ｶﾞﾗｽ", "ガラス"], "ガラス"),
            (&["µa", "μa"], "μa"),
            (&["Größe (㎝)", "Größe (cm)", "Größe（ｃｍ）"], "größe_cm"),
            (&["m²", "m2"], "m2"),
            (&["ﬁnish", "finish"], "finish"),
            (
                &["한국", "\u{1112}\u{1161}\u{11ab}\u{1100}\u{116e}\u{11a8}"],
                "한국",
            ),
        ] {
            for column in columns {
                assert_eq!(attribute_name(column, &[]), expected, "{column:?}");
            }
        }
        // What has ASCII signs alone is named as ever.
        for (column, expected) in [
            ("Shoe Size", "shoe_size"),
            ("a.b-C__d", "a.b-c_d"),
            ("_x_", "x"),
            ("9 (V)", "9_v"),
        ] {
            assert_eq!(attribute_name(column, &[]), expected);
        }
    }

    #[test]
    fn columns_of_gtins_are_known_by_their_names() {
        for column in [
            "gtin",
            "EAN",
            "ean-13",
            "g:gtin",
            "codes.UPC",
            "Barcode",
            "@isbn",
        ] {
            assert!(is_of_gtins(column), "{column}");
        }
        for column in ["ean_price", "codes", "mean", "gtin.type", "upc_status"] {
            assert!(!is_of_gtins(column), "{column}");
        }
    }
}
