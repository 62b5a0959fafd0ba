//! Answers that come in parts.

use std::pin::Pin;

use futures_util::Stream;
use tonic::Status;

pub(crate) type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;
