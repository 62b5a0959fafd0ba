//! Proposes how a feed is imported: looks at its columns and at the beginning of its rows, and reads these
//! rows with what it proposes.

mod command;
mod attributes;
mod fields;
mod settings;
mod names;
mod column;
mod sample;
mod plan;
mod trial;

use std::path::Path;

use serde::Serialize;

use crate::feed::{FeedError, FormArgs, Kind, Mapping, MappingArgs};
use crate::suggest::plan::Plan;
use crate::suggest::sample::{Input, ROWS_MAX, Sample};

pub use crate::suggest::plan::ColumnUse;
pub use crate::suggest::trial::Trial;

/// How a feed can be imported.
#[derive(Debug, Serialize)]
pub struct Suggestion {
    /// The form of the feed in words.
    pub form: String,
    /// How many rows were looked at.
    pub rows: usize,
    /// Whether these are all of them.
    pub is_all: bool,
    pub columns: Vec<ColumnUse>,
    /// What holds for all rows, and what else was found.
    pub remarks: Vec<String>,
    /// What could not be found, and what to do.
    pub missing: Vec<String>,
    /// What these rows are with the suggestion.
    pub trial: Trial,
    /// The options, each word for itself.
    pub options: Vec<String>,
    /// The command to paste into a shell.
    pub command: String,
}

/// Why there is no suggestion.
#[derive(Debug, thiserror::Error)]
pub enum SuggestError {
    #[error(transparent)]
    Feed(#[from] FeedError),
    #[error("cannot keep what comes out of the pipe")]
    Pipe(#[from] std::io::Error),
    #[error("{0}")]
    Options(String),
}

/// Looks at a feed and proposes how it is imported. What the options already say is kept.
pub fn suggest(
    path: &Path,
    form: &FormArgs,
    mapping: &MappingArgs,
) -> Result<Suggestion, SuggestError> {
    let input = Input::new(path)?;
    let told = Mapping::new(mapping.clone()).map_err(SuggestError::Options)?;
    let mut form = form.clone();
    let mut sample = sample::read(&input, &form, told.clone())?;
    if let Some(preset) = sample.preset().filter(|_| form.preset.is_none()) {
        form.preset = Some(preset);
        sample = sample::read(&input, &form, told)?;
        sample.notes.push(preset.note());
    }
    let plan = Plan::of(&sample, mapping, input.is_file());
    let proposed = Mapping::new(plan.mapping.clone()).map_err(SuggestError::Options)?;
    let trial = Trial::run(&input, &form, proposed.looking_at(ROWS_MAX));
    let options = command::options(&form, &plan.mapping);
    let file = match path.display().to_string() {
        name if name.starts_with('-') && name != "-" => format!("./{name}"),
        name => name,
    };
    let program = ["catalogctl", "import"].map(str::to_owned);
    let words: Vec<String> = program
        .into_iter()
        .chain([file])
        .chain(options.iter().cloned())
        .collect();
    Ok(Suggestion {
        form: form_of(&sample),
        rows: sample.rows,
        is_all: sample.is_all,
        columns: plan.columns,
        remarks: sample.notes.into_iter().chain(plan.remarks).collect(),
        missing: plan.missing,
        trial,
        options,
        command: command::quoted(&words),
    })
}

impl Suggestion {
    /// Adds options to the command that no feed tells, such as where the catalog is.
    pub fn add_to_command(&mut self, options: &[String]) {
        if !options.is_empty() {
            self.command += &format!(" {}", command::quoted(options));
        }
    }
}

fn form_of(sample: &Sample) -> String {
    let kind = match sample.kind {
        Kind::Json => "JSON",
        Kind::Csv => "CSV",
        Kind::Xml => "XML",
        Kind::Sheet => "a spreadsheet",
    };
    let encoding = sample.encoding.map(|name| format!(", {name}"));
    let separator = sample
        .separator
        .as_deref()
        .map(|separator| match separator {
            "\t" => ", cells separated by a tab".to_owned(),
            other => format!(", cells separated by {other}"),
        });
    [Some(kind.to_owned()), encoding, separator]
        .into_iter()
        .flatten()
        .collect()
}

#[cfg(test)]
mod tests;
