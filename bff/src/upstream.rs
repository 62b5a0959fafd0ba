//! The two gRPC upstreams, with one shared HTTP/2 channel each.
//!
//! Invariant: every call has a deadline, told to the server and kept here, and ends in a `Status`
//! that says what happened: `DEADLINE_EXCEEDED` when time ran out, `UNAVAILABLE` when the
//! connection gave no answer.

mod caller;
mod call;
mod clients;
mod reads;
mod writes;
mod rules;
mod usage;
mod api_keys;
mod webhooks;
mod operations;

pub(crate) use crate::upstream::call::{CONSISTENCY_WAIT, is_outcome_unknown, is_stale};
pub(crate) use crate::upstream::caller::{Actor, Caller};
pub(crate) use crate::upstream::clients::{EventClient, Upstream};
pub(crate) use crate::upstream::writes::Written;
