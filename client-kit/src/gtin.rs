//! The check digit of a GTIN: weights 3 and 1 in turn, 3 at the digit before it. (GS1 General Specifications, §7.9.)

/// The check digit of the digits before it.
pub(crate) fn check_digit(digits: &str) -> u32 {
    (10 - weighed(digits, [3, 1]) % 10) % 10
}

/// Whether the last digit is the check digit of the others. Zeros before them change nothing.
pub(crate) fn is_checked(digits: &str) -> bool {
    weighed(digits, [1, 3]).is_multiple_of(10)
}

/// Whether a text is digits of a length that GTINs have, with the right check digit. Zeros alone stand for none.
pub(crate) fn is_valid(text: &str) -> bool {
    let is_long_enough = matches!(text.len(), 8 | 12 | 13 | 14);
    let has_value = text.bytes().any(|byte| byte != b'0');
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    is_long_enough && is_number && has_value && is_checked(text)
}

/// The sum of the digits from the last on, by weights in turn.
fn weighed(digits: &str, weights: [u32; 2]) -> u32 {
    let digits = digits.chars().rev().filter_map(|digit| digit.to_digit(10));
    let weighed = digits.zip(weights.into_iter().cycle());
    weighed.map(|(digit, weight)| digit * weight).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_are_no_gtin() {
        assert!(is_valid("96385074") && is_valid("00000096385074"));
        assert!(!is_valid("00000000") && !is_valid("00000000000000") && !is_valid("9638507"));
    }

    #[test]
    fn one_wrong_digit_is_seen_at_every_place() {
        assert_eq!(check_digit("400638133393"), 1);
        for gtin in [
            "4006381333931",
            "96385074",
            "036000291452",
            "00036000291452",
        ] {
            assert!(is_checked(gtin), "{gtin}");
            for at in 0..gtin.len() {
                let digit = u32::from(gtin.as_bytes()[at] - b'0');
                let mut wrong = gtin.to_owned();
                wrong.replace_range(at..=at, &((digit + 1) % 10).to_string());
                assert!(!is_checked(&wrong), "{wrong}");
            }
        }
    }
}
