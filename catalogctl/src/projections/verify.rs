//! `catalogctl verify`: proves that the read models hold what the event log says, names what does
//! not, and mends it on request.

mod replicas;
mod report;

use std::process::ExitCode;

use anyhow::Context as _;
use client_kit::proof::{Proof, Services, Step, prove, prove_and_repair};
use client_kit::{Meter, output};
use serde_json::{Value, json};

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

/// What was found out about one replica.
struct Verified {
    replica: String,
    proof: Proof,
    repaired: u64,
}

pub(crate) async fn command(
    args: VerifyArgs,
    endpoints: &EndpointArgs,
) -> anyhow::Result<ExitCode> {
    let verified = match verify(&args, endpoints).await {
        Ok(verified) => verified,
        Err(err) => {
            eprintln!("error: not verified: {err:#}");
            return Ok(ExitCode::from(NOT_VERIFIED));
        }
    };
    let is_equal = verified.iter().all(|one| one.proof.is_equal());
    if args.json {
        output::json(&as_json(&verified, is_equal))?;
    } else {
        for one in &verified {
            if verified.len() > 1 {
                output::line(&format!("replica {}", one.replica))?;
            }
            output::text(&report::to_text(&one.proof, one.repaired, args.repair))?;
        }
    }
    Ok(if is_equal {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(DIFFERS)
    })
}

/// The report of the only replica, or those of all.
fn as_json(verified: &[Verified], is_equal: bool) -> Value {
    if let [one] = verified {
        return one.proof.to_json(one.repaired);
    }
    let report = |one: &Verified| {
        let mut report = one.proof.to_json(one.repaired);
        report["replica"] = json!(one.replica);
        report
    };
    let replicas: Vec<Value> = verified.iter().map(report).collect();
    json!({"equal": is_equal, "replicas": replicas})
}

/// Verifies one replica after the other, and repairs if asked. Each has an index and vectors of its own.
async fn verify(args: &VerifyArgs, endpoints: &EndpointArgs) -> anyhow::Result<Vec<Verified>> {
    let endpoints = endpoints.resolve()?;
    let mut verified = Vec::new();
    for replica in replicas::addresses(&endpoints.replicas).await? {
        let address = replica.address().to_owned();
        let services = Services::new(endpoints.command.clone(), replica)?;
        let mut meter = Meter::new("verifying");
        let mut told = |step: Step<'_>| {
            let Step { of, done, total } = step;
            let text = match total {
                Some(total) => format!("{of}, {done} of {total}"),
                None => format!("{of}, {done}"),
            };
            meter.set(done, total, &text);
        };
        let proved = if args.repair {
            prove_and_repair(&services, &mut told).await
        } else {
            let proved = prove(&services, &mut told).await;
            proved.map(|proof| (proof, 0))
        };
        let (proof, repaired) = proved.with_context(|| address.clone())?;
        verified.push(Verified {
            replica: address,
            proof,
            repaired,
        });
    }
    Ok(verified)
}
