//! Which of the first rows of a table is its header, where titles, dates and the like stand before it.

use std::collections::HashSet;

use crate::feed::columns::stand_in;

/// The longest name of a column, in characters.
const NAME_CHARS_MAX: usize = 60;
/// The most letters of a number, a date, a price or a code.
const VALUE_LETTERS_MAX: usize = 3;
/// The fewest names that everybody knows in a header without the column of ids.
const KNOWN_MIN: usize = 2;

/// The place of the header: a row with the column of ids or with well-known names, else the first one of names
/// that has values below it and titles before it. None where nothing shows it.
pub(in crate::feed) fn header_at(rows: &[Vec<String>], id: &str) -> Option<usize> {
    let rows: Vec<Vec<&str>> = rows
        .iter()
        .map(|cells| cells.iter().map(|cell| cell.trim()).collect())
        .collect();
    let named = rows.iter().position(|row| is_named(row, id));
    named.or_else(|| (1..rows.len()).find(|place| is_shown(&rows, *place)))
}

/// Whether a row is a title or the like, and no header by any sign.
pub(in crate::feed) fn is_title(row: &[String], id: &str) -> bool {
    let row: Vec<&str> = row.iter().map(|cell| cell.trim()).collect();
    !has_id(&row, id) && (filled(&row) <= 1 || has_value(&row))
}

fn is_named(row: &[&str], id: &str) -> bool {
    let known = row.iter().filter(|cell| stand_in::is_well_known(cell));
    are_names(row) && (has_id(row, id) || known.count() >= KNOWN_MIN)
}

fn has_id(row: &[&str], id: &str) -> bool {
    let id = id.to_lowercase();
    row.iter().any(|cell| cell.to_lowercase() == id)
}

/// Whether the rows around a row show that it is the header.
fn is_shown(rows: &[Vec<&str>], place: usize) -> bool {
    let (before, header, below) = (&rows[..place], &rows[place], &rows[place + 1..]);
    let columns = filled(header);
    let is_before = |row: &Vec<&str>| {
        let cells = filled(row);
        cells <= 1 || cells * 2 <= columns || has_value(row)
    };
    let has_titles = before.iter().any(|row| filled(row) > 0);
    let is_widest = below.iter().all(|row| filled(row) <= columns);
    // A title on a line of its own has no separators, as a header and a row have.
    let is_alone = |row: &Vec<&str>| row.len() <= 1;
    let has_rows = below.iter().any(|row| filled(row) > 1);
    are_names(header)
        && has_titles
        && has_rows
        && is_widest
        && before.iter().all(is_before)
        && (before.iter().all(is_alone) || has_column_of_values(header, below))
}

/// Whether a column has nothing but values below its name.
fn has_column_of_values(header: &[&str], below: &[Vec<&str>]) -> bool {
    (0..header.len()).any(|column| {
        let cells = below.iter().filter_map(|row| row.get(column));
        let mut cells = cells.filter(|cell| !cell.is_empty()).peekable();
        let is_column = !header[column].is_empty() && cells.peek().is_some();
        is_column && cells.all(|cell| is_value(cell))
    })
}

/// Whether a row has names of columns: short, each another one, and none of them a value.
fn are_names(row: &[&str]) -> bool {
    let mut seen = HashSet::new();
    let mut names = row.iter().filter(|cell| !cell.is_empty());
    let is_name = |name: &str| {
        name.chars().count() <= NAME_CHARS_MAX && !name.ends_with(':') && !is_value(name)
    };
    filled(row) > 1 && names.all(|name| is_name(name) && seen.insert(*name))
}

fn has_value(row: &[&str]) -> bool {
    row.iter().any(|cell| is_value(cell) || cell.ends_with(':'))
}

/// Whether a cell is a number, a date, a price, a code or an address.
fn is_value(cell: &str) -> bool {
    let letters = cell.chars().filter(|c| c.is_alphabetic()).count();
    let has_digit = cell.contains(|c: char| c.is_ascii_digit());
    (has_digit && letters <= VALUE_LETTERS_MAX) || cell.contains("://")
}

fn filled(row: &[&str]) -> usize {
    row.iter().filter(|cell| !cell.is_empty()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_known_by_its_names_or_by_the_rows_around_it() {
        let check = |text: &str, expected| {
            let cells = |line: &str| line.split(';').map(str::to_owned).collect();
            let rows: Vec<Vec<String>> = text.lines().map(cells).collect();
            assert_eq!(header_at(&rows, "id"), expected, "{text}");
        };
        check("id;title\na;T", Some(0));
        check("Preise\nID;Farbe\na;rot", Some(1));
        check("Liste;;\nName;Preis;Farbe\nT;1;rot", Some(1));
        check("Liste;;\nKod;Hind;Toon\nT;1;rot", Some(1));
        check("Stand;1.1.2026;x\nKod;Hind;Toon\nT;1;rot", Some(1));
        check("Liste\nKod;Toon\nT;rot", Some(1));
        // Nothing but texts, of which each may be the header.
        check("Kod;Toon;;\nT;rot;x;y\nU;blau;x;y", None);
        check("Kod;Toon\nT;rot\nU;blau", None);
        check("Kod;Toon;\nT;rot;x\nU;blau;5", None);
        check("Kod\nT\nU", None);
    }
}
