//! `--suggest`: how a feed can be imported, as a table of its columns and a command to paste.

use std::process::ExitCode;

use client_kit::output;
use client_kit::suggest::{ColumnUse, SuggestError, Suggestion, Trial, suggest};

use crate::endpoints::EndpointArgs;
use crate::import::args::ImportArgs;

/// The most characters of a name in the table.
const NAME_CHARS_MAX: usize = 40;

/// Looks at the feed and prints what it finds. Nothing is written, and no service is asked. `usage` is the code
/// for options that contradict each other.
pub(super) async fn command(
    args: ImportArgs,
    endpoints: &EndpointArgs,
    usage: ExitCode,
) -> anyhow::Result<ExitCode> {
    let is_json = args.json;
    let look = move || suggest(&args.file, &args.form, &args.mapping);
    let mut found = match tokio::task::spawn_blocking(look).await? {
        Ok(found) => found,
        Err(SuggestError::Options(mistake)) => {
            eprintln!("error: {mistake}");
            return Ok(usage);
        }
        Err(err) => return Err(err.into()),
    };
    found.add_to_command(&endpoints.of_the_write_service());
    if is_json {
        output::json(&found)?;
    } else {
        output::text(&text(&found))?;
    }
    Ok(if found.trial.products > 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn text(found: &Suggestion) -> String {
    let which = if found.is_all {
        format!("all {} rows", found.rows)
    } else {
        format!("its first {} rows", found.rows)
    };
    let mut lines = vec![
        format!("{}; {which} were looked at", found.form),
        String::new(),
    ];
    lines.extend(table(&found.columns));
    lines.push(String::new());
    lines.extend(found.remarks.iter().map(|remark| format!("note: {remark}")));
    lines.extend(
        found
            .missing
            .iter()
            .map(|missing| format!("to do: {missing}")),
    );
    lines.push(trial(&found.trial));
    lines.extend(
        found
            .trial
            .problems
            .iter()
            .map(|problem| format!("  {problem}")),
    );
    if found.trial.products == 0 {
        lines.push("to do: the command below imports nothing yet".to_owned());
    }
    lines.push(String::new());
    let mut text: String = lines
        .iter()
        .map(|line| output::plain(line) + "\n")
        .collect();
    text.push_str(&output::plain(&found.command));
    text.push('\n');
    text
}

/// The columns, one a line.
fn table(columns: &[ColumnUse]) -> Vec<String> {
    let cells = columns.iter().map(|column| {
        let ColumnUse {
            column,
            becomes,
            confidence,
            why,
            examples,
        } = column;
        let why = match (confidence.as_str(), why.as_str()) {
            ("", why) => why.to_owned(),
            (confidence, "") => confidence.to_owned(),
            (confidence, why) => format!("{confidence}: {why}"),
        };
        [
            output::shorten(&output::plain(column), NAME_CHARS_MAX),
            output::shorten(&output::plain(becomes), NAME_CHARS_MAX),
            why,
            examples.join(" · "),
        ]
    });
    let head = ["COLUMN", "BECOMES", "WHY", "FOR EXAMPLE"].map(str::to_owned);
    let cells: Vec<[String; 4]> = std::iter::once(head).chain(cells).collect();
    let width = |at: usize| {
        let widths = cells.iter().map(|row| row[at].chars().count());
        widths.max().unwrap_or_default()
    };
    let widths = [width(0), width(1), width(2)];
    let line = |[name, becomes, why, examples]: &[String; 4]| {
        let [first, second, third] = widths;
        let line = format!("{name:first$}  {becomes:second$}  {why:third$}  {examples}");
        line.trim_end().to_owned()
    };
    cells.iter().map(line).collect()
}

fn trial(trial: &Trial) -> String {
    let Trial {
        rows,
        products,
        left_out,
        rejected,
        warnings,
        ..
    } = trial;
    let left_out = match left_out {
        0 => String::new(),
        rows => format!(", {rows} left out"),
    };
    format!(
        "read so, {products} of these {rows} rows are products, {rejected} rejected{left_out}, {warnings} warnings"
    )
}
