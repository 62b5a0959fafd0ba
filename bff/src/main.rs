//! The `bff` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    service_kit::run::<bff::App>()
}
