//! Reads which page of products a query asks for.

use catalog_proto::v1;

use crate::http::products::history::moment;
use crate::http::request::params::{Query, read_limit};
use crate::problem::{FieldErrors, Problem};

const LIMIT_UNLESS_TOLD: i32 = 100;
const LIMIT_MAX: i32 = 500;
const IDENTIFIERS_MAX: usize = 100;

pub(crate) fn read(query: &Query) -> Result<v1::ListProductsRequest, Problem> {
    let mut errors = FieldErrors::default();
    let known = ["ids", "limit", "page_token", "updated_since", "sku", "gtin"];
    query.check_names(&known, &mut errors);
    let page_size = read_limit(query, LIMIT_UNLESS_TOLD, LIMIT_MAX, &mut errors)?;
    let page_token = query.one("page_token")?.unwrap_or_default().to_owned();
    let since = query.one("updated_since")?.map(|time| {
        let time = moment(time).ok_or("must be a time such as 2026-01-31T12:00:00Z");
        errors.take("/updated_since".to_owned(), time)
    });
    let all = |name| query.all(name).map(str::to_owned).collect::<Vec<_>>();
    let (skus, gtins) = (all("sku"), all("gtin"));
    if skus.len() + gtins.len() > IDENTIFIERS_MAX {
        let detail = format!("must be given at most {IDENTIFIERS_MAX} times, `gtin` included");
        errors.push("/sku".to_owned(), detail);
    }
    errors.finish()?;
    Ok(v1::ListProductsRequest {
        page_size,
        page_token,
        updated_since: since.flatten(),
        skus,
        gtins,
        ..v1::ListProductsRequest::default()
    })
}
