//! Answers an export page by page, as fast as the caller takes it; no page is read before the one before
//! it was taken.

use std::pin::Pin;

use catalog_events::{Position, Status as ProductStatus};
use catalog_proto::v1;
use futures_util::{Stream, StreamExt as _, TryStreamExt as _, stream};
use prost::Message as _;
use tonic::Status;

use crate::commands::{Commands, Export, ExportFilter, ExportPage, ExportQuery, Listed};
use crate::domain::Violation;
use crate::grpc::convert::product_id;
use crate::grpc::error::{export_status, invalid_export};

/// The bytes of products at which an answer ends: callers take 4 MiB unless they are told otherwise, and
/// one product may be large.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;
const CATEGORIES_MAX: usize = 20;

pub(super) type Answers =
    Pin<Box<dyn Stream<Item = Result<v1::ExportProductsResponse, Status>> + Send>>;

/// Answers one call.
pub(super) async fn export(
    commands: &Commands,
    request: v1::ExportProductsRequest,
) -> Result<Answers, Status> {
    let query = query(request).map_err(invalid_export)?;
    let export = commands.export_products(query).await;
    let export = export.map_err(export_status)?;
    // The first answer comes at once and names the position, also where there are no products.
    let head = v1::ExportProductsResponse {
        position: export.position.to_i64(),
        total: export.total,
        event_id: export.event_id.clone(),
        ..Default::default()
    };
    let first = stream::iter([Ok(head.clone())]);
    let pages = stream::try_unfold(export, async |mut export: Export| {
        let page = export.next_page().await.map_err(export_status)?;
        Ok::<_, Status>(page.map(|page| (page, export)))
    });
    let answers = pages.map_ok(move |page| stream::iter(answers(page, &head)).map(Ok));
    Ok(first.chain(answers.try_flatten()).boxed())
}

fn query(request: v1::ExportProductsRequest) -> Result<ExportQuery, Vec<Violation>> {
    let mut bad = Vec::new();
    let position = match u64::try_from(request.position) {
        Ok(0) => None,
        Ok(position) => Some(Position(position)),
        Err(_) => {
            let reason = "is negative: positions count from 1, and 0 is the end of the log";
            bad.push(Violation::new("position", reason));
            None
        }
    };
    let after = match request.after_id.as_str() {
        "" => None,
        id => product_id(id)
            .map_err(|err| {
                let reasons = err.into_iter().map(|one| one.reason);
                bad.extend(reasons.map(|reason| Violation::new("after_id", reason)));
            })
            .ok(),
    };
    let status = match v1::ProductStatus::try_from(request.status) {
        Ok(v1::ProductStatus::Unspecified) => None,
        Ok(status) => Some(ProductStatus::from_message(status)),
        Err(_) => {
            bad.push(Violation::new("status", "is none that this service knows"));
            None
        }
    };
    if request.categories.len() > CATEGORIES_MAX {
        let reason = format!("has more than {CATEGORIES_MAX} levels");
        bad.push(Violation::new("categories", reason));
    }
    if !bad.is_empty() {
        return Err(bad);
    }
    let filter = ExportFilter {
        brand: Some(request.brand).filter(|brand| !brand.is_empty()),
        categories: request.categories,
        status,
    };
    Ok(ExportQuery {
        position,
        after,
        ids_only: request.ids_only,
        filter,
    })
}

/// A page cut into answers of bounded size. The last of them tells what the page has reached; those
/// before reach their last product.
fn answers(page: ExportPage, head: &v1::ExportProductsResponse) -> Vec<v1::ExportProductsResponse> {
    let mut answers = vec![head.clone()];
    let (mut bytes, mut told) = (0, 0);
    for listed in page.listed {
        let product = message(listed);
        let length = product.encoded_len();
        let mut last = answers.len() - 1;
        if bytes + length > ANSWER_BYTES_MAX && !answers[last].products.is_empty() {
            answers.push(head.clone());
            (bytes, last) = (0, last + 1);
        }
        bytes += length;
        told += 1;
        let answer = &mut answers[last];
        answer.looked_at += 1;
        answer.reached_id.clone_from(&product.id);
        answer.products.push(product);
    }
    if let Some(last) = answers.last_mut() {
        last.reached_id = page.reached;
        last.looked_at += (page.looked_at - told) as i32;
    }
    answers
}

fn message(listed: Listed) -> v1::Product {
    match listed.product {
        Some(product) => product.to_message(listed.version),
        None => v1::Product {
            id: listed.id,
            version: listed.version.get(),
            ..Default::default()
        },
    }
}
