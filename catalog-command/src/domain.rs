//! Decisions about products: no async, no clock, no database, no wire type. Time comes in as an
//! argument; what goes out is a change to save, or nothing when nothing changed.

mod fields;
mod draft;
mod decision;
mod request;

pub(crate) use decision::{
    Current, Decision, Rejection, change_price, create, delete, put, update,
};
pub(crate) use draft::{Draft, Violation};
pub(crate) use fields::{Patch, ProductFields};
pub(crate) use request::{InvalidRequestId, RequestId, RequestKey};
