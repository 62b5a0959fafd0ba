//! The type of answers that come in parts.

use std::pin::Pin;

use futures_util::Stream;
use tonic::Status;

/// The parts of an answer, or the error that ends it.
pub(crate) type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;
