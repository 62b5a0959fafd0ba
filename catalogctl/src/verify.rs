//! `catalogctl verify`: proves that the read models hold what the event log says, names what does
//! not, and mends it on request.

mod ask;
mod proof;
mod report;

use std::process::ExitCode;

use client_kit::{Meter, output};

use self::ask::Services;
use self::proof::Proof;
use crate::endpoints::EndpointArgs;

const DIFFERS: u8 = 1;
const NOT_VERIFIED: u8 = 2;
/// The most rounds of repair; each mends what the verification before it has named.
const REPAIRS_MAX: usize = 10;
/// The most products that the read service repairs in one call.
const REPAIR_PRODUCTS_MAX: usize = 1_000;

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
        output::json(&report::to_json(&proof, repaired))?;
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
    let services = Services::new(endpoints.resolve()?)?;
    let mut meter = Meter::new("verifying");
    let mut proof = proof::prove(&services, &mut meter).await?;
    let mut repaired = 0;
    for _ in 0..REPAIRS_MAX {
        if !args.repair || proof.projections_are_equal() {
            break;
        }
        let before = proof.findings();
        repaired += repair(&services, &proof, &mut meter).await?;
        proof = proof::prove(&services, &mut meter).await?;
        if proof.findings() >= before {
            break;
        }
    }
    Ok((proof, repaired))
}

async fn repair(services: &Services, proof: &Proof, meter: &mut Meter) -> anyhow::Result<u64> {
    let ids = proof.products();
    let total = ids.len() as u64;
    let mut repaired = services.repair(Vec::new()).await?;
    for (done, ids) in ids.chunks(REPAIR_PRODUCTS_MAX).enumerate() {
        let done = (done * REPAIR_PRODUCTS_MAX) as u64;
        meter.set(done, Some(total), &format!("repairing {total} products"));
        repaired += services.repair(ids.to_vec()).await?;
    }
    Ok(repaired)
}
