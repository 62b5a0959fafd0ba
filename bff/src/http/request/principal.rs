//! Who a request comes from. The guard finds it out, and handlers take it.

use std::sync::Arc;

use axum::http::request::Parts;

use crate::keys::{Key, Limit, SecretHash};
use crate::scope::Scopes;
use crate::tokens::Token;

/// Who asks.
#[derive(Clone)]
pub(crate) enum Principal {
    /// Nobody in particular.
    Public,
    /// The bearer of this secret of a key.
    Key(Arc<Key>, SecretHash),
    /// The bearer of a token of the identity provider.
    Token(Arc<Token>),
}

impl Principal {
    pub(crate) fn scopes(&self) -> Scopes {
        match self {
            Self::Public => Scopes::default(),
            Self::Key(key, _) => key.scopes,
            Self::Token(token) => token.scopes,
        }
    }

    pub(crate) fn limit(&self) -> Option<&Limit> {
        match self {
            Self::Public | Self::Token(_) => None,
            Self::Key(key, _) => key.limit.as_ref(),
        }
    }

    /// The name under which they write; None for nobody in particular.
    pub(crate) fn name(&self) -> Option<String> {
        match self {
            Self::Public => None,
            Self::Key(key, _) => Some(format!("ck_{}", key.prefix)),
            Self::Token(token) => Some(token.actor.clone()),
        }
    }

    /// The filter that their searches are held to; empty for none.
    pub(crate) fn forced_filter(&self) -> &str {
        match self {
            Self::Public | Self::Token(_) => "",
            Self::Key(key, _) => &key.forced_filter,
        }
    }
}

/// Returns who sent a request.
pub(crate) fn principal_of(parts: &Parts) -> &Principal {
    parts.extensions.get().unwrap_or(&Principal::Public)
}
