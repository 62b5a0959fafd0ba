//! Shows the figures as a table for people.

use std::fmt;

pub(in crate::bench) struct Table {
    title: String,
    rows: Vec<[String; 5]>,
}

impl Table {
    pub(super) fn new(title: &str) -> Self {
        let head = ["", "ours", "limit", "ratio", "the limit is"].map(str::to_owned);
        Self {
            title: title.to_owned(),
            rows: vec![head],
        }
    }

    pub(super) fn row(&mut self, name: &str, ours: &str, limit: &str, what: &str, ratio: f64) {
        let cells = [name, ours, limit, &format!("{ratio:.2}"), what];
        self.rows.push(cells.map(str::to_owned));
    }

    /// Adds a figure without a limit.
    pub(super) fn note(&mut self, name: &str, ours: &str) {
        self.rows.push([name, ours, "", "", ""].map(str::to_owned));
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |column: usize| {
            let cells = self.rows.iter().map(|row| row[column].chars().count());
            cells.max().unwrap_or(0)
        };
        let widths: [usize; 5] = std::array::from_fn(width);
        writeln!(f, "{}", self.title)?;
        for row in &self.rows {
            let cells: Vec<_> = row
                .iter()
                .zip(widths)
                .map(|(cell, width)| format!("{cell:<width$}"))
                .collect();
            writeln!(f, "{}", cells.join("  ").trim_end())?;
        }
        Ok(())
    }
}
