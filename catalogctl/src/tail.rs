//! `catalogctl tail`: shows what happens as it happens, one a line: product events, which are all shown,
//! or product reads and searches, which may be lost by contract.

mod events;
mod usage;
mod line;

use std::process::ExitCode;

use catalog_events::ProductId;

use crate::endpoints::EndpointArgs;
use crate::tail::events::{EventTail, Start, filter, position};
use crate::tail::usage::UsageTail;

#[derive(Debug, clap::Args)]
pub(crate) struct TailArgs {
    /// Starts at POSITION
    #[arg(long, value_name = "POSITION", group = "start")]
    from: Option<u64>,
    /// Starts with the next event (the default)
    #[arg(long, group = "start")]
    new: bool,
    /// Starts with the first event
    #[arg(long, group = "start")]
    all: bool,
    /// Shows products as they are read, instead of their events
    #[arg(long, conflicts_with_all = ["from", "all"])]
    reads: bool,
    /// Shows searches as they are answered and what is opened from them, instead of events
    #[arg(long, conflicts_with_all = ["from", "all"])]
    searches: bool,
    /// Shows what happens to this product only
    #[arg(long, value_name = "ID")]
    product: Option<ProductId>,
    /// Ends after so many lines
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Prints the bodies of the events: one JSON object a line
    #[arg(long)]
    json: bool,
}

pub(crate) async fn command(args: TailArgs, endpoints: &EndpointArgs) -> anyhow::Result<ExitCode> {
    let endpoints = endpoints.resolve()?;
    let client = endpoints.nats.connect("catalogctl").await?;
    let tail = async {
        if args.reads || args.searches {
            let tail = UsageTail {
                client,
                reads: args.reads,
                searches: args.searches,
                product: args.product,
                left: args.limit,
                json: args.json,
            };
            return tail.run(&endpoints).await;
        }
        let start = match args.from {
            Some(position) => Start::Position(position),
            None if args.all => Start::First,
            None => Start::Next,
        };
        let tail = EventTail {
            next: position(start, &client, &endpoints).await?,
            client,
            filter: filter(args.product.as_ref()),
            left: args.limit,
            json: args.json,
        };
        tail.run().await
    };
    tokio::select! {
        result = tail => result?,
        () = service_kit::stop_signal() => {}
    }
    Ok(ExitCode::SUCCESS)
}
