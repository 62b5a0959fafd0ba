//! The operator's command line of the catalog.

use std::process::ExitCode;

fn main() -> ExitCode {
    catalogctl::cli::main()
}
