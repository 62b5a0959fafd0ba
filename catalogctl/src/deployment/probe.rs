//! `catalogctl probe URL`: tells whether a health endpoint says yes, for containers without curl.

use std::process::ExitCode;
use std::time::Duration;

const ANSWER_SECONDS_MAX: u64 = 3;

#[derive(Debug, clap::Args)]
pub(crate) struct ProbeArgs {
    /// For instance http://127.0.0.1:9101/health/ready
    url: String,
}

pub(crate) async fn command(args: ProbeArgs) -> anyhow::Result<ExitCode> {
    let client = reqwest::Client::builder()
        .timeout(Duration::from_secs(ANSWER_SECONDS_MAX))
        .build()?;
    let answer = client.get(&args.url).send().await?;
    let status = answer.status();
    if status.is_success() {
        return Ok(ExitCode::SUCCESS);
    }
    anyhow::bail!(
        "{} answers {status}: {}",
        args.url,
        answer.text().await?.trim()
    );
}
