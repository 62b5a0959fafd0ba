//! `catalogctl rebuild`: builds a new generation of the read model from the events, while the old
//! one answers until both were compared; and goes back to the generation before.

use std::process::ExitCode;

use anyhow::Context as _;
use catalog_proto::v1::catalog_query_operations_client::CatalogQueryOperationsClient;
use catalog_proto::v1::rebuild_progress::Phase;
use catalog_proto::v1::{RebuildRequest, RollbackRequest};
use client_kit::{Meter, Target, output};
use serde_json::json;
use tonic::{Code, Status};

use crate::endpoints::EndpointArgs;

#[derive(Debug, clap::Args)]
pub(crate) struct RebuildArgs {
    /// Makes the generation live again that was live before the last switch, once it has caught up. The
    /// other one is kept: once more, and it is back
    #[arg(long)]
    rollback: bool,
    /// Prints the new generation and its digest as one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) async fn command(
    args: RebuildArgs,
    endpoints: &EndpointArgs,
) -> anyhow::Result<ExitCode> {
    let target = endpoints.resolve()?.query;
    let failed = |status: Status| anyhow::anyhow!(explain(&target, &status));
    let mut client = CatalogQueryOperationsClient::new(target.channel()?);
    let (answer, label) = if args.rollback {
        (client.rollback(RollbackRequest {}).await, "rolling back")
    } else {
        (client.rebuild(RebuildRequest {}).await, "rebuilding")
    };
    let mut steps = answer.map_err(failed)?.into_inner();
    let mut meter = Meter::new(label);
    let mut switched = None;
    while let Some(step) = steps.message().await.map_err(failed)? {
        let (done, total) = (step.done.max(0) as u64, step.total.max(0) as u64);
        let text = match step.phase() {
            Phase::Unspecified => "working",
            Phase::Replay => "replaying the events",
            Phase::Embed => "taking over vectors, and computing those that are missing",
            Phase::Compare => "comparing both generations",
            Phase::Switched => "switched",
        };
        let total = (total > 0).then_some(total);
        let text = match total {
            Some(total) => format!("{text}, {done} of {total}"),
            None => text.to_owned(),
        };
        meter.set(done, total, &text);
        if step.phase() == Phase::Switched {
            switched = Some(step);
        }
    }
    meter.clear();
    let step = switched.context(
        "the read service ended before it switched, and the generation in use stays in use: see its \
         log",
    )?;
    if args.json {
        output::json(&json!({ "generation": step.generation, "digest": step.digest }))?;
    } else {
        let (generation, digest) = (step.generation, step.digest);
        output::line(&format!(
            "generation {generation} answers now, digest {digest}"
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn explain(target: &Target, status: &Status) -> String {
    match status.code() {
        Code::FailedPrecondition => {
            format!(
                "not switched, the generation in use stays in use: {}",
                status.message()
            )
        }
        Code::Aborted => format!(
            "another rebuild is under way, wait for it and run this again: {}",
            status.message()
        ),
        _ => target.explain(status),
    }
}
