//! `catalogctl status`: shows the positions of the log, the stream and every projection.

mod answers;
mod lag;
mod render;
pub(crate) mod top;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use client_kit::{Meter, output};

use crate::endpoints::{EndpointArgs, Endpoints};

pub(crate) use crate::status::answers::Status;

const POLL_MS: u64 = 200;

#[derive(Debug, clap::Args)]
pub(crate) struct StatusArgs {
    /// Waits until nothing lags
    #[arg(long)]
    wait: bool,
    /// Waits no longer than so
    #[arg(long, value_name = "SECONDS", default_value_t = 600, requires = "wait")]
    timeout_seconds: u64,
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) async fn command(
    args: StatusArgs,
    endpoints: &EndpointArgs,
) -> anyhow::Result<ExitCode> {
    let endpoints = endpoints.resolve()?;
    let status = if args.wait {
        let limit = Duration::from_secs(args.timeout_seconds);
        caught_up(&endpoints, limit).await?
    } else {
        Status::ask(&endpoints).await?
    };
    if args.json {
        output::json(&status.to_json(&endpoints))?;
    } else {
        output::text(&status.to_text(&endpoints))?;
    }
    for err in [status.write.as_ref().err(), status.read.as_ref().err()]
        .into_iter()
        .flatten()
    {
        eprintln!("error: {err}");
    }
    let answered = status.write.is_ok() && status.read.is_ok();
    match status.lag() {
        _ if !answered => Ok(ExitCode::FAILURE),
        Some(lag) if args.wait && lag > 0 => {
            let seconds = args.timeout_seconds;
            anyhow::bail!("still behind after {seconds} s: see what lags or stands still above")
        }
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// Waits until nothing lags or the time is over, and returns the last status.
async fn caught_up(endpoints: &Endpoints, limit: Duration) -> anyhow::Result<Status> {
    let started = Instant::now();
    let mut meter = Meter::new("catching up");
    let mut most = 0;
    loop {
        let status = Status::ask(endpoints).await?;
        let lag = status.lag();
        if lag == Some(0) || started.elapsed() > limit {
            return Ok(status);
        }
        match lag {
            Some(lag) => {
                most = most.max(lag);
                meter.set(most - lag, Some(most), &format!("{lag} to go"));
            }
            None => meter.set(0, None, "a service does not answer"),
        }
        tokio::time::sleep(Duration::from_millis(POLL_MS)).await;
    }
}

#[cfg(test)]
mod tests;
