//! The words of a title as a person sees them, and as they are compared.

use super::units;

/// Signs that nobody types.
const MARKS: [char; 3] = ['®', '™', '©'];

/// Splits a title into what a person remembers as one: words, and measures such as `4 GB` or
/// `1440 x 900`. Punctuation around words and trade marks are dropped.
pub(super) fn remembered_words(title: &str) -> Vec<String> {
    let tokens = title.split_whitespace().map(bare);
    let spelt = tokens.filter(|token| token.contains(char::is_alphanumeric));
    units::joined(spelt.collect())
}

/// Removes punctuation around a word, but for the inch sign and brackets within the word.
fn bare(token: &str) -> String {
    let token = token.replace(MARKS, "");
    let mut bare = token.as_str();
    loop {
        let before = bare;
        bare = bare.trim_start_matches(|char: char| !char.is_alphanumeric() && char != '.');
        bare = bare.trim_end_matches([',', ';', ':', '*', '!', '?', '.', '-', '–', '/', '&']);
        bare = bare.trim_end_matches(['\'', '’', '”', '“']);
        if !bare.contains('(') {
            bare = bare.trim_end_matches([')', ']', '}']);
        }
        let before_quote = bare.strip_suffix('"');
        if let Some(rest) =
            before_quote.filter(|rest| !rest.ends_with(|c: char| c.is_ascii_digit()))
        {
            bare = rest;
        }
        if bare == before {
            return bare.to_owned();
        }
    }
}

/// The words of a text in lower case without any punctuation: what tells two titles apart.
pub(super) fn terms(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|char: char| !char.is_alphanumeric());
    words.filter(|word| !word.is_empty()).map(str::to_lowercase)
}

/// A title without letter case and punctuation: titles that are alike in this count as the same.
pub(super) fn normalised(title: &str) -> String {
    terms(title).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_falls_into_words_and_measures() {
        let check =
            |title: &str, words: &[&str]| assert_eq!(remembered_words(title), words, "{title}");
        check(
            "HP Pavilion dv7-1211ea Notebook, 43.2 cm (17\") 1440 x 900 pixels Intel® Core™2",
            &[
                "HP",
                "Pavilion",
                "dv7-1211ea",
                "Notebook",
                "43.2 cm",
                "17\"",
                "1440 x 900",
                "pixels",
                "Intel",
                "Core2",
            ],
        );
        check(
            "Canon \"Lens\" - Case (M to 2x F) 1 pc(s) & more",
            &[
                "Canon", "Lens", "Case", "M", "to", "2x", "F", "1", "pc(s)", "more",
            ],
        );
        check(
            "OKI 610 mm x 15.2 m (24 in)",
            &["OKI", "610 mm x 15.2 m", "24", "in"],
        );
        check("(2,000 Pages*) .NET -", &["2,000 Pages", ".NET"]);
    }

    #[test]
    fn titles_that_differ_in_case_and_punctuation_are_the_same() {
        assert_eq!(
            normalised("Canon  LENS-Case (Gray)"),
            normalised("canon lens case gray")
        );
        assert_ne!(normalised("Lens case 2"), normalised("Lens case 3"));
    }
}
