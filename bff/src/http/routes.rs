//! The routes of the API with their description, from which the OpenAPI document and the policies come.

use std::sync::{Arc, LazyLock};

use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::api::Api;
use crate::http::feeds::{export, import, import_suggestion};
use crate::http::operate::{api_keys, parked, proofs, rebuilds, status, synonyms, webhooks};
use crate::http::pages::docs;
use crate::http::products::{bulk, history, read, writes};
use crate::http::search::{find, instant, posted};
use crate::http::{events, health, rules, usage};
use crate::openapi;

/// The OpenAPI document of this release.
pub(crate) static DOCUMENT: LazyLock<OpenApi> = LazyLock::new(|| {
    let mut document = routes().into_openapi();
    openapi::complete(&mut document);
    document
});

pub(crate) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(health::health))
        .routes(routes!(read::list_products, writes::create_product))
        .routes(routes!(bulk::write_products))
        .routes(routes!(export::export_products))
        .routes(routes!(import::import_products))
        .routes(routes!(import_suggestion::suggest_import))
        .routes(routes!(find::search_products))
        .routes(routes!(posted::search))
        .routes(routes!(posted::multi_search))
        .routes(routes!(instant::queries))
        .routes(routes!(instant::facet_values))
        .routes(routes!(
            read::get_product,
            writes::put_product,
            writes::update_product,
            writes::delete_product
        ))
        .routes(routes!(writes::change_price))
        .routes(routes!(history::get_history))
        .routes(routes!(find::similar_products))
        .routes(routes!(find::autocomplete))
        .routes(routes!(events::follow_events))
        .routes(routes!(usage::record_click))
        .routes(routes!(usage::search_analytics))
        .routes(routes!(rules::list_rules))
        .routes(routes!(
            rules::get_rule,
            rules::put_rule,
            rules::delete_rule
        ))
        .routes(routes!(api_keys::list_keys, api_keys::create_key))
        .routes(routes!(api_keys::revoke_key))
        .routes(routes!(api_keys::rotate_key))
        .routes(routes!(webhooks::list_webhooks, webhooks::create_webhook))
        .routes(routes!(
            webhooks::get_webhook,
            webhooks::update_webhook,
            webhooks::delete_webhook
        ))
        .routes(routes!(webhooks::rotate_secret))
        .routes(routes!(webhooks::replay_webhook))
        .routes(routes!(webhooks::test_webhook))
        .routes(routes!(webhooks::list_waiting))
        .routes(routes!(status::get_status))
        .routes(routes!(status::get_metrics))
        .routes(routes!(status::list_profiles))
        .routes(routes!(proofs::verify))
        .routes(routes!(rebuilds::rebuild))
        .routes(routes!(rebuilds::roll_back))
        .routes(routes!(parked::list_parked))
        .routes(routes!(parked::retry_parked))
        .routes(routes!(synonyms::suggest_synonyms))
        .routes(routes!(docs::openapi))
        .routes(routes!(docs::problem_kind))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// `UPDATE_OPENAPI=1 cargo test -p bff --lib openapi` writes it.
    #[test]
    fn the_openapi_document_in_the_tree_is_that_of_the_code() {
        let file = Path::new("openapi.json");
        let document = serde_json::to_string_pretty(&*DOCUMENT).expect("JSON") + "\n";
        if std::env::var_os("UPDATE_OPENAPI").is_some() {
            std::fs::write(file, &document).expect("write");
        }
        let committed = std::fs::read_to_string(file).expect("bff/openapi.json");
        assert!(
            committed == document,
            "bff/openapi.json is of another release: UPDATE_OPENAPI=1 writes it"
        );
    }

    #[test]
    fn every_reference_in_the_document_leads_to_a_schema() {
        fn references<'v>(value: &'v serde_json::Value, found: &mut Vec<&'v str>) {
            match value {
                serde_json::Value::Object(members) => {
                    found.extend(members.get("$ref").and_then(serde_json::Value::as_str));
                    members
                        .values()
                        .for_each(|member| references(member, found));
                }
                serde_json::Value::Array(items) => {
                    items.iter().for_each(|item| references(item, found));
                }
                _ => {}
            }
        }
        let document = serde_json::to_value(&*DOCUMENT).expect("JSON");
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(found.contains(&"#/components/schemas/Filter"));
        for reference in found {
            let place = reference.strip_prefix('#').expect("in the document");
            assert!(document.pointer(place).is_some(), "{reference}");
        }
    }
}
