//! Reads a call of several writes and answers it, write by write.

use catalog_events::TokenKey;
use catalog_proto::v1;
use catalog_proto::v1::product_write::Write;
use catalog_proto::v1::product_write_result::Result as ResultMessage;
use prost::Message as _;
use tonic::{Code, Request, Response, Status};

use crate::commands::{Commands, Stated, WriteOutcome, WriteResult, Written};
use crate::domain::{Draft, ProductWrite, Rejection, Violation};
use crate::grpc::call::call;
use crate::grpc::convert::{
    expected_version, expected_version_or_none, id_or_fresh, patch, product_fields, product_id,
};
use crate::grpc::error::{command_status, invalid_request, rejection_status};

/// The most writes of a call: more would make its transaction too long for the writers beside it.
const WRITES_MAX: usize = 500;
/// The most bytes of a call.
const BYTES_MAX: usize = 8 * 1024 * 1024;

pub(super) async fn write_products(
    commands: &Commands,
    tokens: &TokenKey,
    request: Request<v1::WriteProductsRequest>,
) -> Result<Response<v1::WriteProductsResponse>, Status> {
    check_size(request.get_ref()).map_err(|violation| invalid_request(vec![violation]))?;
    let (call, request) = call(request).map_err(invalid_request)?;
    let writes: Vec<Stated> = request
        .writes
        .into_iter()
        .map(|write| stated(write).map_err(Rejection::Invalid))
        .collect();
    let written = commands.write_products(&writes, &call).await;
    let outcome: WriteOutcome = written.map_err(command_status)?;
    let token = outcome.token().map(|token| tokens.seal(&token));
    Ok(Response::new(v1::WriteProductsResponse {
        results: outcome.results.into_iter().map(result).collect(),
        consistency_token: token.unwrap_or_default(),
    }))
}

fn check_size(request: &v1::WriteProductsRequest) -> Result<(), Violation> {
    let problem = match request.writes.len() {
        0 => "is empty: state 1 to 500 writes".to_owned(),
        1..=WRITES_MAX => match request.encoded_len() {
            ..=BYTES_MAX => return Ok(()),
            bytes => {
                format!("has {bytes} bytes, more than {BYTES_MAX}: send the rest in another call")
            }
        },
        found => {
            format!("has {found} entries, more than {WRITES_MAX}: send the rest in another call")
        }
    };
    Err(Violation::new("writes", problem))
}

fn stated(write: v1::ProductWrite) -> Result<ProductWrite, Vec<Violation>> {
    let expected = write.expected_version;
    let Some(write) = write.write else {
        let reason = "is missing: state one of create, update, put and delete";
        return Err(vec![Violation::new("write", reason)]);
    };
    Ok(match write {
        Write::Create(input) => {
            if expected.is_some_and(|version| version != 0) {
                let reason = "is 0 or unset for a product that is to be created";
                return Err(vec![Violation::new("expected_version", reason)]);
            }
            let mut fields = product_fields(input);
            id_or_fresh(&mut fields.id);
            ProductWrite::Create(Draft::parse(fields)?)
        }
        Write::Update(update) => {
            let input = update
                .product
                .ok_or_else(|| vec![Violation::new("product", "is missing")])?;
            let id = product_id(&input.id)?;
            let expected = expected_version(expected)?;
            ProductWrite::Update(id, patch(input, update.update_mask)?, expected)
        }
        Write::Put(input) => {
            let expected = expected_version_or_none(expected)?;
            ProductWrite::Put(Draft::parse(product_fields(input))?, expected)
        }
        Write::Delete(id) => ProductWrite::Delete(product_id(&id)?, expected_version(expected)?),
    })
}

fn result(result: WriteResult) -> v1::ProductWriteResult {
    let (created, result) = match result {
        WriteResult::Written(written) => (written.created, done(*written)),
        WriteResult::Refused(rejection) => (
            false,
            ResultMessage::Error(error(&rejection_status(rejection))),
        ),
        WriteResult::Full => (false, ResultMessage::Error(full())),
    };
    v1::ProductWriteResult {
        result: Some(result),
        created,
    }
}

fn done(written: Written) -> ResultMessage {
    let version = written.version;
    match written.product {
        Some(product) => ResultMessage::Product(product.to_message(version)),
        None => ResultMessage::Deleted(v1::DeletedProduct {
            id: written.id.to_string(),
            version: version.get(),
        }),
    }
}

/// What the same write alone would have failed with.
fn error(status: &Status) -> v1::ProductWriteError {
    let violations = service_kit::violations(status).into_iter();
    v1::ProductWriteError {
        code: status.code().into(),
        reason: service_kit::reason(status).unwrap_or_default(),
        message: status.message().to_owned(),
        violations: violations
            .map(|(field, description)| v1::FieldViolation { field, description })
            .collect(),
    }
}

fn full() -> v1::ProductWriteError {
    v1::ProductWriteError {
        code: Code::ResourceExhausted.into(),
        reason: "BATCH_FULL".to_owned(),
        message: "the answer to this call is full: send this write again in another one".to_owned(),
        violations: Vec::new(),
    }
}
