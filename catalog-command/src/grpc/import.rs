//! Answers the batches of an import, each on its own.

use catalog_events::{Change, TokenKey};
use catalog_proto::v1;
use tonic::Status;
use tonic::metadata::MetadataMap;

use crate::commands::{Call, Commands, ImportBatch, ImportOutcome, Preview, RowResult};
use crate::domain::{Columns, ImportRow, Violation};
use crate::grpc::convert::product_fields;
use crate::grpc::error::{command_status, invalid_request};
use crate::grpc::request_key::request_key;
use crate::store::Origin;

/// The most rows of a batch: more would make its transaction too long for the writers beside it.
const IMPORT_ROWS_MAX: usize = 1_000;
/// The most fields that all rows of a batch state.
const COLUMNS_MAX: usize = 20_000;

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
        check_size(&batch).map_err(|violation| invalid_request(vec![violation]))?;
        let call = Call {
            origin: self.origin.clone(),
            request: request_key(&mut batch, &MetadataMap::new()).map_err(invalid_request)?,
        };
        let validates = batch.validate_only;
        let batch = import_batch(batch);
        if validates {
            let previewed = self.commands.preview_import(&batch).await;
            let (outcome, previews) = previewed.map_err(command_status)?;
            return Ok(v1::ImportProductsResponse {
                previews: previews.into_iter().map(preview).collect(),
                ..import_answer(outcome, &batch)
            });
        }
        let outcome = self
            .commands
            .import_products(&batch, &call)
            .await
            .map_err(command_status)?;
        let token = outcome.token().map(|token| self.tokens.seal(&token));
        Ok(v1::ImportProductsResponse {
            consistency_token: token.unwrap_or_default(),
            ..import_answer(outcome, &batch)
        })
    }
}

fn check_size(batch: &v1::ImportProductsRequest) -> Result<(), Violation> {
    let too_many = |max| format!("has more than {max} entries");
    if !batch.products.is_empty() && !batch.rows.is_empty() {
        return Err(Violation::new(
            "products",
            "excludes `rows`: state one of them",
        ));
    }
    for (name, entries) in [
        ("products", batch.products.len()),
        ("rows", batch.rows.len()),
    ] {
        if entries > IMPORT_ROWS_MAX {
            return Err(Violation::new(name, too_many(IMPORT_ROWS_MAX)));
        }
    }
    if batch.columns.len() > COLUMNS_MAX {
        return Err(Violation::new("columns", too_many(COLUMNS_MAX)));
    }
    Ok(())
}

fn import_batch(batch: v1::ImportProductsRequest) -> ImportBatch {
    let replaced = batch.products.into_iter();
    let replaced = replaced.map(|input| ImportRow::replacing(product_fields(input)));
    let rows = replaced.chain(batch.rows.into_iter().map(import_row));
    ImportBatch {
        rows: rows.collect(),
        columns: Columns(batch.columns.into_iter().collect()),
    }
}

fn import_row(row: v1::ImportRow) -> ImportRow {
    let input = row.product.unwrap_or_default();
    let states_status = input.status != i32::from(v1::ProductStatus::Unspecified);
    let fields = product_fields(input);
    ImportRow {
        status: states_status.then_some(fields.status),
        fields,
        clears: row.clears,
        replaces: row.replace,
        expected: row.expected_version,
    }
}

fn preview(preview: Preview) -> v1::ImportPreview {
    let Preview {
        index,
        before,
        decision,
    } = preview;
    let before = before.and_then(|before| Some((before.version, before.product?)));
    let (kind, fields) = match decision.change {
        Change::Updated { fields } => (v1::ChangeType::Updated, fields),
        Change::PriceChanged { .. } => (v1::ChangeType::PriceChanged, vec!["price".to_owned()]),
        _ => (v1::ChangeType::Created, Vec::new()),
    };
    let version = decision.version;
    v1::ImportPreview {
        index: index as i32,
        r#type: kind.into(),
        changed_fields: fields,
        before: before.map(|(version, product)| product.to_message(version)),
        after: decision.product.map(|product| product.to_message(version)),
    }
}

fn import_answer(outcome: ImportOutcome, batch: &ImportBatch) -> v1::ImportProductsResponse {
    let mut answer = v1::ImportProductsResponse::default();
    for (index, (result, row)) in outcome.rows.into_iter().zip(&batch.rows).enumerate() {
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
                    id: row.fields.id.clone(),
                    field: first.field,
                    reason: first.reason,
                });
            }
        }
    }
    answer
}
