//! The JSON of many writes at once: each element is one write, and each is answered for itself.

use catalog_events::ProductId;
use catalog_proto::v1;
use catalog_proto::v1::product_write::Write;
use catalog_proto::v1::product_write_result::Result as Outcome;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tonic::{Code, Status};
use utoipa::ToSchema;

use crate::json::draft;
use crate::json::product::ProductJson;
use crate::json::{number, raw};
use crate::openapi::product::Product;
use crate::problem::{FieldErrors, Problem, pointer, with_nearest};

const WRITES_MAX: usize = 500;
const WRITE_MEMBERS: [&str; 5] = ["create", "put", "update", "delete", "expected_version"];

/// The answers to many writes, in their order.
#[derive(Serialize, ToSchema)]
#[schema(as = WriteResults)]
pub(crate) struct ResultsJson<'a> {
    items: Vec<ResultJson<'a>>,
}

/// The answer to one write: what it would have been answered with alone.
#[derive(Serialize, ToSchema)]
#[schema(as = WriteResult)]
pub(crate) struct ResultJson<'a> {
    /// 201, 200 and 204 are successes.
    status: u16,
    /// The product after the write.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Product>)]
    product: Option<ProductJson<'a>>,
    /// The product that was deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted: Option<&'a str>,
    /// Why the write was refused; its pointers lead into the product of the write.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<crate::openapi::problem::Problem>)]
    problem: Option<Value>,
}

/// Reads the body of `POST /api/products:batch`: each write, or why it is none.
pub(crate) fn read(body: &RawValue) -> Result<Vec<Result<v1::ProductWrite, Problem>>, Problem> {
    let writes = raw::only_list(body, "writes", WRITES_MAX)?;
    Ok(writes.into_iter().map(read_write).collect())
}

fn read_write(element: &RawValue) -> Result<v1::ProductWrite, Problem> {
    let mut errors = FieldErrors::default();
    let mut write = None;
    let mut expected_version = None;
    for (name, value) in raw::members(element, &[], &mut errors) {
        let one = match name.as_str() {
            "expected_version" => {
                let version = number::whole(value).filter(|version| *version >= 0);
                let version = version.ok_or("must be a whole number from 0");
                expected_version = errors.take(pointer(&[&name]), version);
                continue;
            }
            "create" => draft::read_creation(value).map(Write::Create)?,
            "put" => {
                let product = draft::read_creation(value)?;
                if product.id.is_empty() {
                    return Err(Problem::invalid_field("/id", "is required"));
                }
                Write::Put(product)
            }
            "update" => {
                let id = stated_id(value)?;
                Write::Update(draft::read_patch(value, &id)?.into_update())
            }
            "delete" => {
                let id = raw::text(value)
                    .ok()
                    .and_then(|id| id.parse::<ProductId>().ok());
                let id = id.ok_or_else(|| Problem::invalid_field("/delete", "must be an id"))?;
                Write::Delete(id.to_string())
            }
            _ => {
                let detail = with_nearest(raw::UNKNOWN, &name, &WRITE_MEMBERS);
                errors.push(pointer(&[&name]), detail);
                continue;
            }
        };
        if write.replace(one).is_some() {
            errors.push(pointer(&[&name]), "is a second write: an element is one");
        }
    }
    if write.is_none() && errors.is_empty() {
        errors.push(
            String::new(),
            "must have one of create, put, update and delete",
        );
    }
    errors.finish()?;
    Ok(v1::ProductWrite {
        write,
        expected_version,
    })
}

/// The id that a change is about.
fn stated_id(change: &RawValue) -> Result<ProductId, Problem> {
    let mut errors = FieldErrors::default();
    let members = raw::members(change, &[], &mut errors);
    errors.finish()?;
    let id = members.into_iter().find(|(name, _)| name == "id");
    let id = id.and_then(|(_, id)| raw::text(id).ok());
    let id = id.and_then(|id| id.parse().ok());
    id.ok_or_else(|| Problem::invalid_field("/id", "must be the id of a product"))
}

impl<'a> ResultsJson<'a> {
    /// Joins what was refused here with what the write service answered, in the order of the request.
    pub(crate) fn of(
        refused: impl IntoIterator<Item = Option<Problem>>,
        answered: &'a [v1::ProductWriteResult],
    ) -> Self {
        let mut answered = answered.iter();
        let items = refused.into_iter().map(|refused| match refused {
            Some(problem) => ResultJson::refused(&problem),
            None => answered
                .next()
                .map_or_else(ResultJson::lost, ResultJson::of),
        });
        Self {
            items: items.collect(),
        }
    }
}

impl<'a> ResultJson<'a> {
    fn of(result: &'a v1::ProductWriteResult) -> Self {
        match &result.result {
            Some(Outcome::Product(product)) => Self {
                status: if result.created { 201 } else { 200 },
                product: Some(product.into()),
                deleted: None,
                problem: None,
            },
            Some(Outcome::Deleted(deleted)) => Self {
                status: 204,
                product: None,
                deleted: Some(&deleted.id),
                problem: None,
            },
            Some(Outcome::Error(error)) => Self::refused(&problem(error)),
            None => Self::lost(),
        }
    }

    fn refused(problem: &Problem) -> Self {
        Self {
            status: problem.status().as_u16(),
            product: None,
            deleted: None,
            problem: Some(problem.to_json()),
        }
    }

    fn lost() -> Self {
        Self::refused(&Problem::internal(
            "the write service did not answer a write",
        ))
    }
}

fn problem(error: &v1::ProductWriteError) -> Problem {
    let violations = error.violations.iter();
    let violations = violations.map(|one| (one.field.clone(), one.description.clone()));
    let code = Code::from(error.code);
    let status: Status =
        service_kit::status(code, &error.reason, error.message.clone(), violations);
    // ABORTED says that the write demanded another version.
    Problem::of_write_status(&status, true)
}
