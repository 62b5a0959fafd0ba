//! The value of a cell as the text that a spreadsheet shows.

use calamine::{CellErrorType, Data, DataRef, ExcelDateTime};

use crate::feed::row::Cell;

/// The largest number that is shown with all its digits.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// A cell as a text.
#[derive(Clone, Debug, Default)]
pub(in crate::feed) struct SheetCell {
    pub(in crate::feed) text: String,
    /// Whether it is a number, which has no notation.
    pub(in crate::feed) is_number: bool,
}

impl SheetCell {
    pub(in crate::feed) fn borrowed(&self) -> Cell<'_> {
        Cell {
            text: &self.text,
            is_number: self.is_number,
        }
    }
}

/// Reads a cell. The error is the one that the cell holds.
pub(super) fn read(value: &DataRef<'_>) -> Result<SheetCell, CellErrorType> {
    Ok(SheetCell {
        text: text(value)?,
        is_number: matches!(value, DataRef::Int(_) | DataRef::Float(_)),
    })
}

fn text(value: &DataRef<'_>) -> Result<String, CellErrorType> {
    Ok(match value {
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => self::number(*number),
        DataRef::String(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Bool(flag) => flag.to_string(),
        DataRef::DateTime(time) => date(*time),
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::Error(error) => return Err(error.clone()),
        DataRef::Empty => String::new(),
    })
}

/// Reads a cell of a table that was read as a whole.
pub(super) fn read_owned(value: &Data) -> Result<SheetCell, CellErrorType> {
    read(&match value {
        Data::Int(number) => DataRef::Int(*number),
        Data::Float(number) => DataRef::Float(*number),
        Data::String(text) => DataRef::SharedString(text),
        Data::Bool(flag) => DataRef::Bool(*flag),
        Data::DateTime(time) => DataRef::DateTime(*time),
        Data::DateTimeIso(text) | Data::DurationIso(text) => DataRef::SharedString(text),
        Data::Error(error) => DataRef::Error(error.clone()),
        Data::Empty => DataRef::Empty,
    })
}

/// A number with at most 15 digits, as spreadsheets show it: 0.1 + 0.2 is 0.3.
fn number(number: f64) -> String {
    if number.fract() == 0.0 && number.abs() < EXACT_MAX {
        return format!("{number:.0}");
    }
    let shown: f64 = format!("{number:.14e}").parse().unwrap_or(number);
    shown.to_string()
}

fn date(time: ExcelDateTime) -> String {
    let value = time.as_f64();
    if time.is_duration() {
        let seconds = (value * 86_400.0).round().abs();
        let (hours, rest) = ((seconds / 3600.0).floor(), seconds % 3600.0);
        let (minutes, seconds) = ((rest / 60.0).floor(), rest % 60.0);
        return format!("{hours:02}:{minutes:02}:{seconds:02}");
    }
    let (year, month, day, hour, minute, second, _) = time.to_ymd_hms_milli();
    let clock = format!("{hour:02}:{minute:02}:{second:02}");
    if value.abs() < 1.0 {
        clock
    } else if value.fract() == 0.0 {
        format!("{year:04}-{month:02}-{day:02}")
    } else {
        format!("{year:04}-{month:02}-{day:02}T{clock}")
    }
}

#[cfg(test)]
mod tests {
    use calamine::ExcelDateTimeType;

    use super::*;

    #[test]
    fn cells_are_written_as_they_are_shown() {
        let check = |value: DataRef<'_>, expected: &str| {
            assert_eq!(text(&value).unwrap(), expected);
        };
        check(DataRef::Float(4_006_381_333_931.0), "4006381333931");
        check(DataRef::Float(0.1 + 0.2), "0.3");
        check(DataRef::Float(-19.99), "-19.99");
        check(DataRef::Bool(true), "true");
        let time = |value, kind| DataRef::DateTime(ExcelDateTime::new(value, kind, false));
        check(time(45_292.0, ExcelDateTimeType::DateTime), "2024-01-01");
        check(
            time(45_292.5, ExcelDateTimeType::DateTime),
            "2024-01-01T12:00:00",
        );
        check(time(0.25, ExcelDateTimeType::DateTime), "06:00:00");
        check(time(1.5, ExcelDateTimeType::TimeDelta), "36:00:00");
        assert!(text(&DataRef::Error(CellErrorType::NA)).is_err());
    }
}
