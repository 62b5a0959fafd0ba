//! How likely one word is typed in place of another: a model of typing mistakes as a noisy channel
//! (Kernighan, Church and Gale 1990). All kinds of mistakes are taken to be equally frequent. A letter
//! can be left out in as many ways as a word has letters, but be replaced in 25 times as many, so that
//! each single one of those is rarer.

/// The share of each kind of mistake: a letter left out, one too many, a wrong one, two swapped.
const KIND: f64 = 0.25;
const LETTERS: f64 = 26.0;
/// How many times as likely a letter is typed twice as any other one is put in.
const TWICE: f64 = 5.0;

/// The likelihood that somebody types `typed` who means `meant`. It is about right for one mistake,
/// and small for more.
pub(super) fn likelihood(typed: &str, meant: &str) -> f64 {
    let (typed, meant): (Vec<char>, Vec<char>) = (typed.chars().collect(), meant.chars().collect());
    let letters = meant.len().max(1) as f64;
    let same = typed.iter().zip(&meant).take_while(|(a, b)| a == b).count();
    let (rest, of_meant) = (&typed[same..], &meant[same..]);
    match (rest, of_meant) {
        ([a, b, rest @ ..], [c, d, others @ ..]) if (a, b) == (d, c) && rest == others => {
            KIND / (letters - 1.0).max(1.0)
        }
        ([_, rest @ ..], [_, others @ ..]) if rest == others => KIND / (letters * (LETTERS - 1.0)),
        (rest, [_, others @ ..]) if rest == others => KIND / letters,
        ([letter, rest @ ..], others) if rest == others => {
            let is_twice = same > 0 && typed[same - 1] == *letter;
            let times = if is_twice { TWICE } else { 1.0 };
            times * KIND / ((letters + 1.0) * LETTERS)
        }
        _ => (KIND / (letters * LETTERS)).powi(2),
    }
}

/// The likelihood that somebody leaves out the space between two words that together have so many
/// letters.
pub(super) fn of_missing_space(letters: usize) -> f64 {
    KIND / (letters + 1) as f64
}

/// Whether `typed` has the letters of `meant`, swapped or but for one.
pub(super) fn is_likely(typed: &str, meant: &str) -> bool {
    let letters = meant.chars().count().max(1);
    likelihood(typed, meant) >= KIND / letters as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_left_out_or_swapped_are_likelier_than_wrong_ones() {
        let in_order = [
            ("adio", "radio"),
            ("radioo", "radio"),
            ("rabio", "radio"),
            ("radixo", "radio"),
            ("bario", "radio"),
        ];
        let likelihoods = in_order.map(|(typed, meant)| likelihood(typed, meant));
        assert!(likelihoods.is_sorted_by(|a, b| a > b), "{likelihoods:?}");
        assert_eq!(likelihood("ardio", "radio"), KIND / 4.0);
        assert_eq!(likelihood("radoi", "radio"), KIND / 4.0);
        assert_eq!(likelihood("radi", "radio"), likelihood("adio", "radio"));
    }

    #[test]
    fn three_letters_are_enough_for_a_likely_mistake() {
        for (typed, meant, likely) in [
            ("iod", "ipod", true),
            ("fna", "fan", true),
            ("fon", "fan", false),
            ("fann", "fan", false),
        ] {
            assert_eq!(is_likely(typed, meant), likely, "{typed} for {meant}");
        }
    }
}
