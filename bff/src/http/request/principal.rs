//! Who a request comes from. The guard finds it out, and handlers take it.

use std::sync::Arc;

use axum::http::request::Parts;

use crate::keys::{Key, Limit};
use crate::scope::Scopes;

/// Who asks.
#[derive(Clone)]
pub(crate) enum Principal {
    /// Nobody in particular.
    Public,
    Key(Arc<Key>),
}

impl Principal {
    pub(crate) fn scopes(&self) -> Scopes {
        match self {
            Self::Public => Scopes::default(),
            Self::Key(key) => key.scopes,
        }
    }

    pub(crate) fn limit(&self) -> Option<&Limit> {
        match self {
            Self::Public => None,
            Self::Key(key) => key.limit.as_ref(),
        }
    }
}

/// The key that a request was sent with.
pub(crate) fn key_of(parts: &Parts) -> Option<&Key> {
    match parts.extensions.get::<Principal>()? {
        Principal::Public => None,
        Principal::Key(key) => Some(key),
    }
}
