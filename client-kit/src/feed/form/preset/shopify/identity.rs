//! The ids of variants: the handle of the product and the values of the options, which are unique in a shop,
//! as a stock keeping unit need not be.

/// The most characters of an id.
const CHARS_MAX: usize = 64;
/// The digits of the mark behind an id that does not say all of what it stands for.
const MARK_DIGITS: usize = 10;

/// The id of a variant. Different variants have different ones: where letters are left out, the id ends in a
/// mark that is computed from the whole text.
pub(super) fn id_of(handle: &str, values: &[&str]) -> String {
    let mut is_exact = !handle.contains('_');
    let mut id = String::new();
    for (at, part) in std::iter::once(&handle).chain(values).enumerate() {
        if at > 0 {
            id.push('_');
        }
        for char in part.chars() {
            let written = match char {
                ' ' if at > 0 => '-',
                '-' if at == 0 => '-',
                letter if letter.is_ascii_alphanumeric() => letter,
                _ => {
                    is_exact = false;
                    '-'
                }
            };
            if written != '-' || !id.ends_with('-') {
                id.push(written);
            } else {
                is_exact = false;
            }
        }
    }
    if is_exact && id.len() <= CHARS_MAX {
        return id;
    }
    id.truncate(CHARS_MAX - MARK_DIGITS - 1);
    let mark = mark(std::iter::once(&handle).chain(values));
    format!("{id}_{mark:0width$x}", width = MARK_DIGITS)
}

/// FNV-1a over texts: the same in every release.
fn mark<'t>(texts: impl Iterator<Item = &'t &'t str>) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for text in texts {
        // No UTF-8 text has the byte behind it.
        for byte in text.bytes().chain([0xff]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    hash >> (64 - 4 * MARK_DIGITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn different_variants_have_different_ids() {
        let check = |handle: &str, values: &[&str], expected: &str| {
            let id = id_of(handle, values);
            assert!(id.len() <= CHARS_MAX, "{id}");
            assert_eq!(id, expected);
        };
        check("classic-tee", &[], "classic-tee");
        check(
            "classic-tee",
            &["Light Blue", "M"],
            "classic-tee_Light-Blue_M",
        );
        check("tee", &["Red, White"], "tee_Red-White_c9feae4c30");
        check("tee", &["Red-White"], "tee_Red-White_c3e775f3ea");
        check("größe", &["42½"], "gr-e_42-_650b66a7eb");
        check("a_b", &["C"], "a-b_C_76f8ed2084");
        let long = "x".repeat(70);
        let cut = format!("{}_edb8037661", &long[..53]);
        check(&long, &["M"], &cut);
    }
}
