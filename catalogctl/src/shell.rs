//! What makes the program at home in a shell: completions, manual pages, and the pages of a running catalog.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command as Process, ExitCode, Stdio};

use anyhow::Context as _;
use clap::{Command, ValueEnum};
use clap_complete::{Shell, generate};
use client_kit::output;

use crate::endpoints::EndpointArgs;

/// The section of the manual that programs are in.
const SECTION: &str = "1";

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  catalogctl completions bash > ~/.local/share/bash-completion/completions/catalogctl\n  \
    catalogctl completions zsh > ~/.zfunc/_catalogctl\n  catalogctl completions fish > ~/.config/fish/completions/catalogctl.fish"
)]
pub(crate) struct CompletionsArgs {
    #[arg(value_enum)]
    shell: Shell,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  catalogctl man | man -l -\n  catalogctl man --into ~/.local/share/man/man1"
)]
pub(crate) struct ManArgs {
    /// Writes a page for every command into this folder, instead of that of the program to standard output
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct OpenArgs {
    /// Which page
    #[arg(value_enum, default_value = "console")]
    page: OpenedPage,
    /// Prints the address only
    #[arg(long)]
    print: bool,
    /// Where the BFF is [default: that of `catalogctl up`, else http://127.0.0.1:8000]
    #[arg(long, value_name = "URL", env = "CATALOG_HTTP")]
    http: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum OpenedPage {
    /// The console of operators and merchandisers
    Console,
    /// The shop window
    Shop,
    /// The description of the API
    Docs,
}

pub(crate) fn completions(
    args: &CompletionsArgs,
    mut program: Command,
) -> anyhow::Result<ExitCode> {
    let name = program.get_name().to_owned();
    let mut script = Vec::new();
    generate(args.shell, &mut program, name, &mut script);
    output::line(String::from_utf8(script)?.trim_end())?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn man(args: &ManArgs, mut program: Command) -> anyhow::Result<ExitCode> {
    program.build();
    let Some(folder) = &args.into else {
        let mut page = Vec::new();
        clap_mangen::Man::new(program).render(&mut page)?;
        output::line(String::from_utf8(page)?.trim_end())?;
        return Ok(ExitCode::SUCCESS);
    };
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let count = write_pages(&program, program.get_name(), folder)?;
    output::line(&format!("{count} pages in {}", folder.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// Writes the page of a command and those of its own commands; tells how many.
fn write_pages(command: &Command, name: &str, folder: &Path) -> anyhow::Result<usize> {
    let path = folder.join(format!("{name}.{SECTION}"));
    let file = fs::File::create(&path);
    let mut file = file.with_context(|| format!("cannot write {}", path.display()))?;
    // A page has the name that people look for: `catalogctl-rules-put`.
    let named = command
        .clone()
        .name(name.to_owned())
        .display_name(name.to_owned());
    clap_mangen::Man::new(named)
        .section(SECTION)
        .render(&mut file)?;
    let mut count = 1;
    let shown = command
        .get_subcommands()
        .filter(|one| !one.is_hide_set() && one.get_name() != "help");
    for below in shown {
        count += write_pages(below, &format!("{name}-{}", below.get_name()), folder)?;
    }
    Ok(count)
}

pub(crate) fn open(args: &OpenArgs, endpoints: &EndpointArgs) -> anyhow::Result<ExitCode> {
    let base = match &args.http {
        Some(url) => url.trim_end_matches('/').to_owned(),
        None => endpoints.http()?,
    };
    let address = match args.page {
        OpenedPage::Console => format!("{base}/console"),
        OpenedPage::Shop => format!("{base}/"),
        OpenedPage::Docs => format!("{base}/api/docs/"),
    };
    output::line(&address)?;
    if !args.print && !shown(&address) {
        eprintln!("no browser can be opened from here: open the address yourself");
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether the desktop took the address.
fn shown(address: &str) -> bool {
    let opener = if cfg!(target_os = "macos") {
        "open"
    } else {
        "xdg-open"
    };
    let quiet = Process::new(opener)
        .arg(address)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    quiet.is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use clap::Arg;

    use super::*;

    fn program() -> Command {
        let put = Command::new("put")
            .about("Puts rules")
            .arg(Arg::new("FILE"));
        let rules = Command::new("rules").about("Search rules").subcommand(put);
        Command::new("catalogctl")
            .subcommand(rules)
            .subcommand(Command::new("probe").hide(true))
    }

    #[test]
    fn every_command_that_is_shown_has_a_page() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut program = program();
        program.build();
        let count = write_pages(&program, "catalogctl", folder.path()).expect("written");
        let files = fs::read_dir(folder.path()).expect("a folder");
        let mut names: Vec<String> = files
            .map(|file| {
                file.expect("a file")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        names.sort();
        assert_eq!(
            names,
            [
                "catalogctl-rules-put.1",
                "catalogctl-rules.1",
                "catalogctl.1"
            ]
        );
        assert_eq!(count, 3);
        let page =
            fs::read_to_string(folder.path().join("catalogctl-rules-put.1")).expect("a page");
        assert!(page.contains("Puts rules"), "{page}");
    }
}
