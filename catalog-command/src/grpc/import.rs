//! Answers the batches of an import, each on its own.

use catalog_events::TokenKey;
use catalog_proto::v1;
use tonic::Status;
use tonic::metadata::MetadataMap;

use crate::commands::{Call, Commands, ImportOutcome, RowResult};
use crate::domain::{Draft, Violation};
use crate::grpc::convert::product_fields;
use crate::grpc::error::{command_status, invalid_request};
use crate::grpc::request_key::request_key;
use crate::store::Origin;

/// The most rows of a batch: more would make its transaction too long for the writers beside it.
const IMPORT_ROWS_MAX: usize = 1_000;

/// Answers the batches of one stream.
pub(super) struct Importer {
    pub(super) commands: Commands,
    pub(super) tokens: TokenKey,
    pub(super) origin: Origin,
}

impl Importer {
    pub(super) async fn import(
        &self,
        mut batch: v1::ImportProductsRequest,
    ) -> Result<v1::ImportProductsResponse, Status> {
        if batch.products.len() > IMPORT_ROWS_MAX {
            let reason = format!("has more than {IMPORT_ROWS_MAX} entries");
            return Err(invalid_request(vec![Violation::new("products", reason)]));
        }
        let call = Call {
            origin: self.origin.clone(),
            request: request_key(&mut batch, &MetadataMap::new()).map_err(invalid_request)?,
        };
        let ids: Vec<String> = batch.products.iter().map(|row| row.id.clone()).collect();
        let inputs = batch.products.into_iter();
        let rows: Vec<_> = inputs
            .map(|input| Draft::parse(product_fields(input)))
            .collect();
        let outcome = self
            .commands
            .import_products(&rows, &call)
            .await
            .map_err(command_status)?;
        let token = outcome.token().map(|token| self.tokens.seal(&token));
        Ok(v1::ImportProductsResponse {
            consistency_token: token.unwrap_or_default(),
            ..import_answer(outcome, &ids)
        })
    }
}

fn import_answer(outcome: ImportOutcome, ids: &[String]) -> v1::ImportProductsResponse {
    let mut answer = v1::ImportProductsResponse::default();
    for (index, (result, id)) in outcome.rows.into_iter().zip(ids).enumerate() {
        match result {
            RowResult::Created => answer.created += 1,
            RowResult::Updated => answer.updated += 1,
            RowResult::Unchanged => answer.unchanged += 1,
            RowResult::Rejected(violations) => {
                let first = violations
                    .into_iter()
                    .next()
                    .unwrap_or_else(|| Violation::new("", "is not valid"));
                answer.rejected.push(v1::ImportRejection {
                    index: index as i32,
                    id: id.clone(),
                    field: first.field,
                    reason: first.reason,
                });
            }
        }
    }
    answer
}
