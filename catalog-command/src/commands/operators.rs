//! What operators change: API keys and webhooks. Every change leaves an entry in the audit trail, in its
//! transaction; no entry has a secret.

mod api_keys;
mod webhooks;
mod secret;

pub(crate) use self::secret::SecretToken;
pub(crate) use self::webhooks::{Place, ShownWebhook};
