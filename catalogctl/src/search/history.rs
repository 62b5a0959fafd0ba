//! `catalogctl history` and `catalogctl restore`: what happened to a product, and the way back.

use std::process::ExitCode;

use anyhow::Context as _;
use catalog_proto::v1::catalog_command_service_client::CatalogCommandServiceClient;
use catalog_proto::v1::get_product_as_of_request::AsOf;
use catalog_proto::v1::{
    ChangeType, GetProductAsOfRequest, GetProductHistoryRequest, Product, ProductChange,
    ProductInput, PutProductRequest,
};
use client_kit::price::amount;
use client_kit::{ProductJson, bounded, output};
use serde_json::json;

use crate::endpoints::{EndpointArgs, signed};
use crate::moment::moment;

#[derive(Debug, clap::Args)]
pub(crate) struct HistoryArgs {
    #[arg(value_name = "ID")]
    id: String,
    /// At most so many changes, the newest first
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(i32).range(1..=100))]
    limit: i32,
    /// Prints one JSON object a change, with the whole product after it
    #[arg(long)]
    json: bool,
}

pub(crate) async fn history(
    args: HistoryArgs,
    endpoints: &EndpointArgs,
) -> anyhow::Result<ExitCode> {
    let target = endpoints.resolve()?.command;
    let mut client = CatalogCommandServiceClient::new(target.channel()?);
    let request = GetProductHistoryRequest {
        id: args.id,
        limit: args.limit,
        before_version: 0,
    };
    let answer = client.get_product_history(bounded(request)).await;
    let answer = answer.map_err(|status| target.error(&status))?.into_inner();
    for change in &answer.changes {
        if args.json {
            output::json(&as_json(change))?;
        } else {
            output::line(&line(change))?;
        }
    }
    if answer.next_before_version > 0 {
        eprintln!("there are older changes: --limit shows up to 100");
    }
    Ok(ExitCode::SUCCESS)
}

/// Makes a product what it was at a version.
pub(crate) async fn restore(
    id: String,
    version: i64,
    as_json: bool,
    endpoints: &EndpointArgs,
) -> anyhow::Result<ExitCode> {
    let target = endpoints.resolve()?.command;
    let mut client = CatalogCommandServiceClient::new(target.channel()?);
    let as_it_was = GetProductAsOfRequest {
        id,
        as_of: Some(AsOf::Version(version)),
    };
    let old = client.get_product_as_of(bounded(as_it_was)).await;
    let old = old.map_err(|status| target.error(&status))?.into_inner();
    let put = PutProductRequest {
        product: Some(stated(old)),
        ..PutProductRequest::default()
    };
    let answer = client.put_product(signed(put)).await;
    let answer = answer.map_err(|status| target.error(&status))?.into_inner();
    let product = answer
        .product
        .context("the write service answered without the product")?;
    if as_json {
        output::json(&ProductJson::from(&product))?;
    } else {
        output::line(&format!(
            "{} is what it was at version {}, as version {}: {}, {}",
            output::plain(&product.id),
            version,
            product.version,
            amount(product.price_minor, &product.currency),
            output::plain(&product.title)
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A product as a client would state it.
fn stated(product: Product) -> ProductInput {
    ProductInput {
        id: product.id,
        title: product.title,
        description: product.description,
        price_minor: product.price_minor,
        currency: product.currency,
        image_url: product.image_url,
        brand: product.brand,
        categories: product.categories,
        attributes: product.attributes,
        status: product.status,
        sku: product.sku,
        gtins: product.gtins,
        price: String::new(),
    }
}

/// When, by whom, and what of the product changed.
fn line(change: &ProductChange) -> String {
    let now = change.product.as_ref();
    let what = match (change.r#type(), now, change.previous_price_minor) {
        (ChangeType::PriceChanged, Some(now), Some(was)) => format!(
            "price {}, was {}",
            amount(now.price_minor, &now.currency),
            amount(was, &change.previous_currency)
        ),
        (ChangeType::Created, Some(now), _) => {
            format!(
                "created: {}, {}",
                amount(now.price_minor, &now.currency),
                now.title
            )
        }
        (ChangeType::Deleted, ..) => "deleted".to_owned(),
        _ => format!("changed {}", change.changed_fields.join(", ")),
    };
    let text = format!(
        "{:>5}  {}  {}  {what}",
        change.version,
        moment(change.occurred_at.as_ref()).unwrap_or_default(),
        change.actor
    );
    output::plain(&text)
}

fn as_json(change: &ProductChange) -> serde_json::Value {
    let kind = change.r#type().as_str_name();
    let kind = kind.strip_prefix("CHANGE_TYPE_").unwrap_or(kind);
    json!({
        "version": change.version,
        "type": kind.to_lowercase(),
        "occurred_at": moment(change.occurred_at.as_ref()),
        "actor": change.actor,
        "changed_fields": change.changed_fields,
        "product": change.product.as_ref().map(ProductJson::from),
        "position": change.position,
    })
}

#[cfg(test)]
mod tests {
    use prost_types::Timestamp;

    use super::*;

    #[test]
    fn a_change_is_one_line() {
        let product = Product {
            title: "Desk lamp".to_owned(),
            price_minor: 4_990,
            currency: "EUR".to_owned(),
            ..Product::default()
        };
        let mut change = ProductChange {
            version: 3,
            r#type: ChangeType::PriceChanged.into(),
            actor: "importer".to_owned(),
            previous_price_minor: Some(5_500),
            previous_currency: "EUR".to_owned(),
            occurred_at: Some(Timestamp::default()),
            product: Some(product),
            ..ProductChange::default()
        };
        let shown = line(&change);
        assert_eq!(
            shown,
            "    3  1970-01-01T00:00:00Z  importer  price 49.90 EUR, was 55.00 EUR"
        );
        change.set_type(ChangeType::Created);
        assert!(line(&change).ends_with("created: 49.90 EUR, Desk lamp"));
        change.set_type(ChangeType::Updated);
        change.changed_fields = vec!["title".to_owned(), "attributes.colour".to_owned()];
        assert!(line(&change).ends_with("changed title, attributes.colour"));
        assert_eq!(as_json(&change)["type"], "updated");
    }
}
