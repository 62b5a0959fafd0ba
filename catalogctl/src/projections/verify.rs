//! `catalogctl verify`: proves that the read models hold what the event log says, names what does
//! not, and mends it on request.

mod report;

use std::process::ExitCode;

use client_kit::proof::{Proof, Services, Step, prove, prove_and_repair};
use client_kit::{Meter, output};

use crate::endpoints::EndpointArgs;

const DIFFERS: u8 = 1;
const NOT_VERIFIED: u8 = 2;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit code: 0 everything equals the log, 1 something differs, \
                        2 it could not be verified"
)]
pub(crate) struct VerifyArgs {
    /// Sets what differs to what the log says, and verifies again
    #[arg(long)]
    repair: bool,
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) async fn command(
    args: VerifyArgs,
    endpoints: &EndpointArgs,
) -> anyhow::Result<ExitCode> {
    let verified = verify(&args, endpoints).await;
    let (proof, repaired) = match verified {
        Ok(verified) => verified,
        Err(err) => {
            eprintln!("error: not verified: {err:#}");
            return Ok(ExitCode::from(NOT_VERIFIED));
        }
    };
    if args.json {
        output::json(&proof.to_json(repaired))?;
    } else {
        output::text(&report::to_text(&proof, repaired, args.repair))?;
    }
    if proof.is_equal() {
        Ok(ExitCode::SUCCESS)
    } else {
        Ok(ExitCode::from(DIFFERS))
    }
}

/// Verifies, and repairs if asked; returns the number of repaired products too.
async fn verify(args: &VerifyArgs, endpoints: &EndpointArgs) -> anyhow::Result<(Proof, u64)> {
    let endpoints = endpoints.resolve()?;
    let services = Services::new(endpoints.command, endpoints.query)?;
    let mut meter = Meter::new("verifying");
    let mut told = |step: Step<'_>| {
        let Step { of, done, total } = step;
        let text = match total {
            Some(total) => format!("{of}, {done} of {total}"),
            None => format!("{of}, {done}"),
        };
        meter.set(done, total, &text);
    };
    if args.repair {
        prove_and_repair(&services, &mut told).await
    } else {
        Ok((prove(&services, &mut told).await?, 0))
    }
}
