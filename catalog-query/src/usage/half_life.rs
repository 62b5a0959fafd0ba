//! How fast usage is forgotten: after a half-life, a view or a search counts half as much as a new one.

use std::str::FromStr;

const DAYS_MIN: f64 = 0.01;
const DAYS_MAX: f64 = 36_500.0;
const SECONDS_PER_DAY: f64 = 86_400.0;

/// A half-life of usage counts. Invariant: 0.01 to 36,500 days.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HalfLife(f64);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a half-life is a number of days from 0.01 to 36500")]
pub struct InvalidHalfLife;

impl HalfLife {
    pub(crate) fn days(self) -> f64 {
        self.0
    }

    pub(crate) fn seconds(self) -> f64 {
        self.0 * SECONDS_PER_DAY
    }
}

impl FromStr for HalfLife {
    type Err = InvalidHalfLife;

    fn from_str(text: &str) -> Result<Self, InvalidHalfLife> {
        let days = text.parse().map_err(|_| InvalidHalfLife)?;
        if (DAYS_MIN..=DAYS_MAX).contains(&days) {
            Ok(Self(days))
        } else {
            Err(InvalidHalfLife)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_half_life_is_a_positive_number_of_days() {
        assert_eq!("30".parse::<HalfLife>().map(HalfLife::days), Ok(30.0));
        for bad in ["", "0", "-1", "NaN", "inf", "30d", "40000"] {
            assert_eq!(bad.parse::<HalfLife>(), Err(InvalidHalfLife), "{bad}");
        }
    }
}
