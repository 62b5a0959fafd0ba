//! Reads the beginning of a feed with what is proposed.

use serde::Serialize;

use crate::feed::{FeedError, FormArgs, Mapping, Mistake, rows};
use crate::suggest::sample::{Input, ROWS_MAX};

const PROBLEMS_MAX: usize = 5;

/// What became of the rows that were read.
#[derive(Debug, Default, Serialize)]
pub struct Trial {
    pub rows: usize,
    /// The rows that are products.
    pub products: usize,
    /// Rows that belong to the product of another one.
    pub left_out: usize,
    pub rejected: usize,
    pub warnings: usize,
    /// The first mistakes and warnings.
    pub problems: Vec<String>,
}

impl Trial {
    pub(super) fn run(input: &Input, form: &FormArgs, mapping: Mapping) -> Self {
        let mut trial = Self::default();
        if let Err(err) = trial.read(input, form, mapping) {
            let cause = std::error::Error::source(&err);
            let cause = cause.map_or(String::new(), |cause| format!(": {cause}"));
            trial.problems.insert(0, format!("{err}{cause}"));
        }
        trial.problems.truncate(PROBLEMS_MAX);
        trial
    }

    fn read(&mut self, input: &Input, form: &FormArgs, mapping: Mapping) -> Result<(), FeedError> {
        let source = input.open_as_it_is(form)?;
        for row in rows(source, form.format, mapping)?.take(ROWS_MAX) {
            let row = row?;
            self.rows += 1;
            match &row.parsed {
                Ok(Some(_)) => self.products += 1,
                Ok(None) => self.left_out += 1,
                Err(mistake) => {
                    self.rejected += 1;
                    self.tell(row.line, "", mistake);
                }
            }
            self.warnings += row.warnings.len();
            for warning in &row.warnings {
                self.tell(row.line, "warning: ", warning);
            }
        }
        Ok(())
    }

    fn tell(&mut self, line: u64, kind: &str, mistake: &Mistake) {
        let Mistake { id, field, reason } = mistake;
        let what = [id, field].into_iter().filter(|text| !text.is_empty());
        let what: String = what.map(|text| format!(", {text}")).collect();
        if self.problems.len() < PROBLEMS_MAX {
            self.problems
                .push(format!("{kind}line {line}{what}: {reason}"));
        }
    }
}
