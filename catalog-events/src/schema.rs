//! What outsiders read of the messages on the broker: a JSON Schema of every body and an AsyncAPI document of
//! every subject, made from the types here. `UPDATE_EVENTS=1 cargo test -p catalog-events` writes
//! them to `docs/events`.

use std::borrow::Cow;
use std::path::PathBuf;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use crate::{
    Change, ClickBatch, Currency, Envelope, Product, ProductId, ReadBatch, RuleEvent, RuleId,
    SearchBatch, SearchRule,
};

/// A time as RFC 3339 writes it.
pub(crate) struct Time;

impl JsonSchema for Time {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": "date-time"})
    }
}

/// Describes texts of a form.
macro_rules! text {
    ($($name:ident = $pattern:literal;)*) => {$(
        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({"type": "string", "pattern": $pattern})
            }
        }
    )*};
}

text! {
    ProductId = "^[A-Za-z0-9_-]{1,64}$";
    RuleId = "^[A-Za-z0-9_-]{1,64}$";
    Currency = "^[A-Z]{3}$";
}

const EVOLUTION: &str =
    "Members may be added at any time: readers pass over those that they do not know.";

/// The schema of what is written, under its stable name.
fn schema<T: JsonSchema>(name: &str, title: &str) -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let schema = settings.into_generator().into_root_schema_for::<T>();
    let mut schema = schema.to_value();
    schema["$id"] = json!(format!("urn:catalog:schema:{name}"));
    schema["title"] = json!(title);
    let about = schema["description"].as_str().unwrap_or_default();
    schema["description"] = json!(format!("{about} {EVOLUTION}"));
    schema
}

fn schemas() -> Vec<(&'static str, Value)> {
    vec![
        (
            "product-event.v1",
            schema::<Envelope<Change, Product>>("product-event.v1", "ProductEvent"),
        ),
        (
            "rule-event.v1",
            schema::<RuleEvent<SearchRule>>("rule-event.v1", "RuleEvent"),
        ),
        (
            "product-read.v1",
            schema::<ReadBatch>("product-read.v1", "ReadBatch"),
        ),
        (
            "search.v1",
            schema::<SearchBatch>("search.v1", "SearchBatch"),
        ),
        ("click.v1", schema::<ClickBatch>("click.v1", "ClickBatch")),
    ]
}

/// One subject, or a family of them.
struct Channel {
    name: &'static str,
    address: &'static str,
    about: &'static str,
    schema: &'static str,
    /// The parameters of the address, with what they may be.
    parameters: Value,
    is_cloud_event: bool,
}

fn channels() -> [Channel; 5] {
    let lossy = "Through core NATS, lossy by contract: who does not listen does not get it, and `sent`, `dropped` \
                 and `sequence` tell what was lost.";
    [
        Channel {
            name: "productEvents",
            address: "catalog.evt.v1.product.{event}.{productId}",
            about: "Every change of a product, with the whole product after it. JetStream stream CATALOG, whose \
                    sequences are the positions of the events; delivered at least once, in order.",
            schema: "product-event.v1",
            parameters: json!({
                "event": {"enum": ["created", "updated", "price_changed", "deleted"]},
                "productId": {"description": "The id of the product."},
            }),
            is_cloud_event: true,
        },
        Channel {
            name: "ruleEvents",
            address: "catalog.evt.v1.rule.{event}.{ruleId}",
            about: "Every change of a search rule, with the whole rule after it. JetStream stream CATALOG_RULES.",
            schema: "rule-event.v1",
            parameters: json!({
                "event": {"enum": ["put", "deleted"]},
                "ruleId": {"description": "The id of the rule."},
            }),
            is_cloud_event: true,
        },
        Channel {
            name: "productReads",
            address: crate::READ_SUBJECT,
            about: lossy,
            schema: "product-read.v1",
            parameters: Value::Null,
            is_cloud_event: false,
        },
        Channel {
            name: "searches",
            address: crate::SEARCH_SUBJECT,
            about: lossy,
            schema: "search.v1",
            parameters: Value::Null,
            is_cloud_event: false,
        },
        Channel {
            name: "clicks",
            address: crate::CLICK_SUBJECT,
            about: lossy,
            schema: "click.v1",
            parameters: Value::Null,
            is_cloud_event: false,
        },
    ]
}

fn asyncapi() -> Value {
    let mut document = json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Catalog events",
            "version": "1.0.0",
            "description": "What the catalog publishes on NATS.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "broker": {"host": "localhost:4222", "protocol": "nats", "description": "NATS with JetStream."},
        },
        "channels": {},
        "operations": {},
        "components": {
            "messages": {},
            "messageTraits": {"cloudEvent": {"headers": cloud_event_headers()}},
        },
    });
    for channel in channels() {
        let name = channel.name;
        let message = format!("#/components/messages/{name}");
        let mut described = json!({
            "address": channel.address,
            "description": channel.about,
            "messages": {name: {"$ref": message}},
        });
        if channel.parameters.is_object() {
            described["parameters"] = channel.parameters;
        }
        document["channels"][name] = described;
        document["operations"][name] = json!({
            "action": "send",
            "channel": {"$ref": format!("#/channels/{name}")},
            "messages": [{"$ref": format!("#/channels/{name}/messages/{name}")}],
        });
        let mut body = json!({
            "name": name,
            "contentType": "application/json",
            "payload": {
                "schemaFormat": "application/schema+json;version=draft-2020-12",
                "schema": {"$ref": format!("./{}.json", channel.schema)},
            },
        });
        if channel.is_cloud_event {
            body["traits"] = json!([{"$ref": "#/components/messageTraits/cloudEvent"}]);
        }
        document["components"]["messages"][name] = body;
    }
    document
}

/// The headers of an event: CloudEvents 1.0 in binary mode.
fn cloud_event_headers() -> Value {
    let text = |about: &str| json!({"type": "string", "description": about});
    json!({
        "type": "object",
        "required": [
            "ce-specversion", "ce-id", "ce-type", "ce-source", "ce-subject", "ce-time", "ce-dataschema",
            "ce-datacontenttype", "content-type", "Nats-Msg-Id",
        ],
        "properties": {
            "ce-specversion": {"const": "1.0"},
            "ce-id": {"type": "string", "format": "uuid"},
            "ce-type": text("Such as catalog.product.price_changed.v1 and catalog.rule.put.v1."),
            "ce-source": {"const": "/catalog-command"},
            "ce-subject": text("The id of the product or rule."),
            "ce-time": {"type": "string", "format": "date-time"},
            "ce-dataschema": text("The $id of the schema of the body."),
            "ce-datacontenttype": {"const": "application/json"},
            "content-type": {"const": "application/json"},
            "traceparent": text("The W3C trace context of the write, where it had one."),
            "Nats-Msg-Id": text("The same as ce-id."),
        },
    })
}

#[test]
fn the_schemas_in_the_tree_are_those_of_the_code() {
    let folder = PathBuf::from("../docs/events");
    let documents = schemas().into_iter().chain([("asyncapi", asyncapi())]);
    for (name, document) in documents {
        let file = folder.join(format!("{name}.json"));
        let text = serde_json::to_string_pretty(&document).expect("JSON") + "\n";
        if std::env::var_os("UPDATE_EVENTS").is_some() {
            std::fs::create_dir_all(&folder).expect("the folder");
            std::fs::write(&file, &text).expect("write");
        }
        let committed = std::fs::read_to_string(&file).unwrap_or_default();
        // The order of members is a matter of how serde_json was built.
        let committed: Option<Value> = serde_json::from_str(&committed).ok();
        assert!(
            committed.as_ref() == Some(&document),
            "docs/events/{name}.json is of another release: UPDATE_EVENTS=1 writes it"
        );
    }
}

#[test]
fn headers_name_the_schemas() {
    let ids: Vec<Value> = schemas()
        .into_iter()
        .map(|(_, schema)| schema["$id"].clone())
        .collect();
    assert_eq!(ids[0], crate::PRODUCT_EVENT_SCHEMA);
    assert_eq!(ids[1], crate::RULE_EVENT_SCHEMA);
}
