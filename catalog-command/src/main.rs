//! The write service. See `--help` for its configuration.

use std::process::ExitCode;

fn main() -> ExitCode {
    service_kit::run::<catalog_command::App>()
}
