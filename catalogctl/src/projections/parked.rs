//! `catalogctl parked`: shows the events that could not be applied, and tries them again.

use std::process::ExitCode;

use catalog_proto::v1::catalog_query_operations_client::CatalogQueryOperationsClient;
use catalog_proto::v1::{ListParkedEventsRequest, ParkedEvent, RetryParkedEventsRequest};
use clap::Subcommand;
use client_kit::{bounded, output};
use serde_json::{Value, json};

use crate::endpoints::EndpointArgs;
use crate::moment::moment;

#[derive(Debug, clap::Args)]
pub(crate) struct ParkedArgs {
    #[command(subcommand)]
    command: ParkedCommand,
}

#[derive(Debug, Subcommand)]
enum ParkedCommand {
    /// Shows the events that could not be applied, and why
    List {
        /// Prints one JSON object an event
        #[arg(long)]
        json: bool,
    },
    /// Tries to apply them again, as the event log has them
    Retry {
        /// Only the events at these positions [default: all]
        #[arg(value_name = "POSITION")]
        positions: Vec<i64>,
        /// Prints one JSON object
        #[arg(long)]
        json: bool,
    },
}

pub(crate) async fn command(
    args: ParkedArgs,
    endpoints: &EndpointArgs,
) -> anyhow::Result<ExitCode> {
    match args.command {
        ParkedCommand::List { json } => list(json, endpoints).await,
        ParkedCommand::Retry { positions, json } => retry(positions, json, endpoints).await,
    }
}

async fn list(json: bool, endpoints: &EndpointArgs) -> anyhow::Result<ExitCode> {
    let target = endpoints.resolve()?.query;
    let mut client = CatalogQueryOperationsClient::new(target.channel()?);
    let answer = client
        .list_parked_events(bounded(ListParkedEventsRequest {}))
        .await;
    let parked = answer.map_err(|status| target.error(&status))?.into_inner();
    if json {
        for event in &parked.events {
            output::json(&to_json(event))?;
        }
    } else if parked.events.is_empty() {
        output::line("no event is parked")?;
    } else {
        for event in &parked.events {
            output::line(&to_line(event))?;
        }
    }
    let more = parked.total - parked.events.len() as i64;
    if more > 0 {
        eprintln!("and {more} more");
    }
    Ok(ExitCode::SUCCESS)
}

/// Tries to apply parked events again. Fails when one of them still cannot be applied.
async fn retry(
    positions: Vec<i64>,
    json: bool,
    endpoints: &EndpointArgs,
) -> anyhow::Result<ExitCode> {
    let target = endpoints.resolve()?.query;
    let mut client = CatalogQueryOperationsClient::new(target.channel()?);
    let request = RetryParkedEventsRequest { positions };
    let answer = client.retry_parked_events(request).await;
    let retried = answer.map_err(|status| target.error(&status))?.into_inner();
    let (applied, failed) = (&retried.applied, &retried.failed);
    if json {
        let failed: Vec<Value> = failed.iter().map(to_json).collect();
        output::json(&json!({ "applied": applied, "failed": failed }))?;
    } else {
        for event in failed {
            output::line(&to_line(event))?;
        }
        let (applied, failed) = (applied.len(), failed.len());
        output::line(&format!("{applied} applied, {failed} still parked"))?;
    }
    if failed.is_empty() {
        Ok(ExitCode::SUCCESS)
    } else {
        Ok(ExitCode::FAILURE)
    }
}

fn to_line(event: &ParkedEvent) -> String {
    let product = match &*event.product_id {
        "" => "no known product",
        id => id,
    };
    let (position, retries) = (event.position, event.retries);
    let at = moment(event.parked_at.as_ref()).unwrap_or_default();
    let line = format!(
        "{position}  {product}  parked {at}, tried again {retries} times: {}",
        event.error
    );
    output::plain(&line)
}

fn to_json(event: &ParkedEvent) -> Value {
    json!({
        "position": event.position,
        "product_id": Some(&event.product_id).filter(|id| !id.is_empty()),
        "error": event.error,
        "parked_at": moment(event.parked_at.as_ref()),
        "retries": event.retries,
    })
}
