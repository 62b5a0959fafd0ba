//! `catalogctl webhooks`: who is told of events over HTTP, and how that goes.

mod client;
mod shown;

use std::process::ExitCode;

use catalog_proto::v1::{
    CreateWebhookRequest, ReplayWebhookRequest, UpdateWebhookRequest, Webhook, WebhookState,
};
use clap::Subcommand;
use client_kit::output;

use crate::deployment::webhooks::client::{Made, Webhooks};
use crate::deployment::webhooks::shown::{
    test_line, test_to_json, to_json, to_line, waiting_line, waiting_to_json,
};
use crate::endpoints::EndpointArgs;

#[derive(Debug, clap::Args)]
pub(crate) struct WebhooksArgs {
    #[command(subcommand)]
    command: WebhooksCommand,
}

#[derive(Debug, Subcommand)]
enum WebhooksCommand {
    /// Makes a webhook and prints its secret, which is shown this once
    Create(CreateArgs),
    /// Shows the webhooks, the newest first, without their secrets
    List {
        /// Prints one JSON object a webhook
        #[arg(long)]
        json: bool,
    },
    /// Shows a webhook, and how far it is
    Show(One),
    /// Shows the deliveries that failed, and those that wait behind one
    Waiting(One),
    /// Changes where events are sent, or which
    Update(UpdateArgs),
    /// Ends a webhook at once
    Delete {
        /// The id of the webhook
        #[arg(value_name = "WEBHOOK")]
        id: String,
    },
    /// Gives a webhook a new secret and prints it, this once
    Rotate {
        #[command(flatten)]
        one: One,
        /// How long requests are signed with the old secret too, 30 days at most; 0 where it has become known
        #[arg(long, value_name = "SECONDS")]
        grace_seconds: i64,
    },
    /// Sends events again from a position, or goes on from now
    Replay(ReplayArgs),
    /// Sends a test event now, and tells what came of it
    Test(One),
    /// Lets a webhook go on that was paused or disabled: nothing was lost
    Enable(One),
    /// Stops a webhook, which keeps its place
    Pause(One),
}

#[derive(Debug, clap::Args)]
struct One {
    /// The id of the webhook
    #[arg(value_name = "WEBHOOK")]
    id: String,
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct CreateArgs {
    /// Where events are sent, an https URL
    #[arg(value_name = "URL")]
    url: String,
    /// What it is for, for people
    #[arg(long, value_name = "TEXT", default_value = "")]
    description: String,
    /// Sends events of this type, such as product.price_changed or rule.*; may be given several times
    #[arg(long = "type", value_name = "TYPE")]
    types: Vec<String>,
    /// Sends events of this product; may be given several times
    #[arg(long = "product", value_name = "ID")]
    product_ids: Vec<String>,
    /// Begins after this position of the event log, 0 for the first event; from now on unless told
    #[arg(long, value_name = "POSITION")]
    after_position: Option<i64>,
    /// Begins after this position of the log of search rules
    #[arg(long, value_name = "POSITION")]
    after_rule_position: Option<i64>,
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct UpdateArgs {
    #[command(flatten)]
    one: One,
    /// Where events are sent, an https URL
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// What it is for, for people
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Sends events of this type and those named beside it; may be given several times
    #[arg(long = "type", value_name = "TYPE")]
    types: Vec<String>,
    /// Sends events of all types
    #[arg(long, conflicts_with = "types")]
    all_types: bool,
    /// Sends events of this product and those named beside it; may be given several times
    #[arg(long = "product", value_name = "ID")]
    product_ids: Vec<String>,
    /// Sends events of all products
    #[arg(long, conflicts_with = "product_ids")]
    all_products: bool,
}

#[derive(Debug, clap::Args)]
struct ReplayArgs {
    #[command(flatten)]
    one: One,
    /// Sends again what comes after this position of the event log
    #[arg(long, value_name = "POSITION", required_unless_present_any = ["after_rule_position", "from_now"])]
    after_position: Option<i64>,
    /// Sends again what comes after this position of the log of search rules
    #[arg(long, value_name = "POSITION")]
    after_rule_position: Option<i64>,
    /// Goes on from now, and forgets what is waiting
    #[arg(long, conflicts_with_all = ["after_position", "after_rule_position"])]
    from_now: bool,
}

pub(crate) async fn command(
    args: WebhooksArgs,
    endpoints: &EndpointArgs,
) -> anyhow::Result<ExitCode> {
    let mut hooks = Webhooks::of(endpoints)?;
    match args.command {
        WebhooksCommand::Create(args) => create(&mut hooks, args).await?,
        WebhooksCommand::List { json } => list(&mut hooks, json).await?,
        WebhooksCommand::Show(one) => show(&hooks.get(&one.id).await?, one.json)?,
        WebhooksCommand::Waiting(one) => waiting(&mut hooks, &one).await?,
        WebhooksCommand::Update(args) => update(&mut hooks, args).await?,
        WebhooksCommand::Delete { id } => hooks.delete(&id).await?,
        WebhooksCommand::Rotate { one, grace_seconds } => {
            let rotated = hooks.rotate(&one.id, grace_seconds).await?;
            show_secret(&rotated, one.json)?;
        }
        WebhooksCommand::Replay(args) => replay(&mut hooks, args).await?,
        WebhooksCommand::Test(one) => return test(&mut hooks, &one).await,
        WebhooksCommand::Enable(one) => {
            set_state(&mut hooks, &one, WebhookState::Active).await?;
        }
        WebhooksCommand::Pause(one) => set_state(&mut hooks, &one, WebhookState::Paused).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn create(hooks: &mut Webhooks, args: CreateArgs) -> anyhow::Result<()> {
    let request = CreateWebhookRequest {
        url: args.url,
        description: args.description,
        types: args.types,
        product_ids: args.product_ids,
        after_position: args.after_position,
        after_rule_position: args.after_rule_position,
        ..CreateWebhookRequest::default()
    };
    show_secret(&hooks.create(request).await?, args.json)
}

async fn list(hooks: &mut Webhooks, json: bool) -> anyhow::Result<()> {
    let listed = hooks.list().await?;
    if listed.is_empty() && !json {
        output::line("no webhooks")?;
    }
    for hook in &listed {
        show(hook, json)?;
    }
    Ok(())
}

async fn waiting(hooks: &mut Webhooks, one: &One) -> anyhow::Result<()> {
    let deliveries = hooks.waiting(&one.id).await?;
    if deliveries.is_empty() && !one.json {
        output::line("nothing waits")?;
    }
    for delivery in &deliveries {
        if one.json {
            output::json(&waiting_to_json(delivery))?;
        } else {
            output::line(&waiting_line(delivery))?;
        }
    }
    Ok(())
}

async fn update(hooks: &mut Webhooks, args: UpdateArgs) -> anyhow::Result<()> {
    let mut paths = Vec::new();
    let mut name = |is_given: bool, field: &str| {
        if is_given {
            paths.push(field.to_owned());
        }
    };
    name(args.url.is_some(), "url");
    name(args.description.is_some(), "description");
    name(args.all_types || !args.types.is_empty(), "types");
    name(
        args.all_products || !args.product_ids.is_empty(),
        "product_ids",
    );
    let request = UpdateWebhookRequest {
        id: args.one.id,
        update_mask: Some(prost_types::FieldMask { paths }),
        url: args.url.unwrap_or_default(),
        description: args.description.unwrap_or_default(),
        types: args.types,
        product_ids: args.product_ids,
        ..UpdateWebhookRequest::default()
    };
    show(&hooks.update(request).await?, args.one.json)
}

async fn set_state(hooks: &mut Webhooks, one: &One, state: WebhookState) -> anyhow::Result<()> {
    let request = UpdateWebhookRequest {
        id: one.id.clone(),
        update_mask: Some(prost_types::FieldMask {
            paths: vec!["state".to_owned()],
        }),
        state: state.into(),
        ..UpdateWebhookRequest::default()
    };
    show(&hooks.update(request).await?, one.json)
}

async fn replay(hooks: &mut Webhooks, args: ReplayArgs) -> anyhow::Result<()> {
    let request = ReplayWebhookRequest {
        id: args.one.id,
        after_position: args.after_position,
        after_rule_position: args.after_rule_position,
        from_now: args.from_now,
        ..ReplayWebhookRequest::default()
    };
    show(&hooks.replay(request).await?, args.one.json)
}

/// Fails where the endpoint did not accept the event, so that a script can tell.
async fn test(hooks: &mut Webhooks, one: &One) -> anyhow::Result<ExitCode> {
    let tested = hooks.test(&one.id).await?;
    if one.json {
        output::json(&test_to_json(&tested))?;
    } else {
        output::line(&test_line(&tested))?;
    }
    Ok(if tested.delivered {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn show(hook: &Webhook, json: bool) -> anyhow::Result<()> {
    if json {
        output::json(&to_json(hook))
    } else {
        Ok(output::line(&to_line(hook))?)
    }
}

/// Prints a webhook with its new secret, the secret on a line of its own.
fn show_secret(made: &Made, json: bool) -> anyhow::Result<()> {
    if json {
        let mut object = to_json(&made.webhook);
        object["secret"] = made.secret.clone().into();
        return output::json(&object);
    }
    output::line(&to_line(&made.webhook))?;
    output::line(&made.secret)?;
    eprintln!("the secret is shown this once: keep it now");
    Ok(())
}
