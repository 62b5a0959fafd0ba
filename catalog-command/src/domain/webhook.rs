//! What becomes of a webhook: it is made, changed, given new secrets and moved to another place of the
//! logs. Whether an address may be called at all is decided in `webhook/address.rs`.

mod address;
mod draft;
mod schedule;

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use catalog_events::{FeedFilter, FeedType, Position, ProductId, Version};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

pub(crate) use self::address::{Reach, is_public};
pub(crate) use self::draft::{WebhookDraft, WebhookFields, WebhookPatch, WebhookState};
pub(crate) use self::schedule::Schedule;
use crate::domain::check::Violation;

/// The most webhooks: each is followed for itself by the one instance that leads.
const WEBHOOKS_MAX: i64 = 100;

/// What requests are signed with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct SigningSecret(pub(crate) [u8; 32]);

impl SigningSecret {
    /// The secret as its owner keeps it.
    pub(crate) fn to_shown(self) -> String {
        format!("whsec_{}", STANDARD.encode(self.0))
    }
}

/// Writes the name of the type, never the secret.
impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret")
    }
}

/// What people see of a webhook.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Webhook {
    pub(crate) id: Uuid,
    pub(crate) version: Version,
    pub(crate) url: String,
    pub(crate) description: String,
    pub(crate) types: Vec<String>,
    pub(crate) product_ids: Vec<String>,
    pub(crate) state: WebhookState,
    pub(crate) disabled_reason: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) created_at: OffsetDateTime,
    pub(crate) created_by: String,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) updated_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    pub(crate) rotated_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub(crate) previous_until: Option<OffsetDateTime>,
}

impl Webhook {
    /// Which events are sent. A type that only a newer release knows is left out.
    pub(crate) fn filter(&self) -> FeedFilter {
        let ids = self.product_ids.iter();
        let ids: Vec<ProductId> = ids.filter_map(|id| id.parse().ok()).collect();
        let types: Vec<FeedType> = self.types.iter().filter_map(|it| it.parse().ok()).collect();
        FeedFilter::new(ids, types)
    }
}

/// A place in both logs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LogPlace {
    pub(crate) products: Position,
    pub(crate) rules: Position,
}

/// A webhook with its secrets and its place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StoredWebhook {
    pub(crate) webhook: Webhook,
    pub(crate) secret: SigningSecret,
    /// The secret before, which is valid until `previous_until` of the webhook.
    pub(crate) previous: Option<SigningSecret>,
    pub(crate) place: LogPlace,
}

/// Why a command on a webhook is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WebhookRejection {
    #[error("no such webhook")]
    NotFound,
    #[error("the webhook is not valid")]
    Invalid(Vec<Violation>),
    #[error("the webhook is at version {found}, not {expected}")]
    VersionMismatch { expected: i64, found: Version },
    #[error("there are {WEBHOOKS_MAX} webhooks, which is the limit: delete one first")]
    TooMany,
    #[error("{log} ends at {head}, before {stated}: state a position up to {head}")]
    Beyond {
        field: &'static str,
        log: &'static str,
        stated: i64,
        head: Position,
    },
}

/// Where a webhook is to begin or to go on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Start {
    pub(crate) products: Option<i64>,
    pub(crate) rules: Option<i64>,
}

impl Start {
    /// The place, which is that of `otherwise` in a log of which nothing is stated.
    pub(crate) fn place(
        self,
        otherwise: LogPlace,
        heads: LogPlace,
    ) -> Result<LogPlace, WebhookRejection> {
        let within = |field, log, stated: Option<i64>, otherwise, head| match stated {
            None => Ok(otherwise),
            Some(..0) => {
                let violation = Violation::new(field, "is negative");
                Err(WebhookRejection::Invalid(vec![violation]))
            }
            Some(stated) if Position::from_i64(stated) > head => Err(WebhookRejection::Beyond {
                field,
                log,
                stated,
                head,
            }),
            Some(stated) => Ok(Position::from_i64(stated)),
        };
        Ok(LogPlace {
            products: within(
                "after_position",
                "the event log",
                self.products,
                otherwise.products,
                heads.products,
            )?,
            rules: within(
                "after_rule_position",
                "the log of rules",
                self.rules,
                otherwise.rules,
                heads.rules,
            )?,
        })
    }
}

/// What the domain cannot make of a new webhook.
pub(crate) struct NewWebhook<'a> {
    pub(crate) id: Uuid,
    pub(crate) secret: SigningSecret,
    pub(crate) created_by: &'a str,
    pub(crate) place: LogPlace,
}

/// Makes a webhook. `live` is how many there are.
pub(crate) fn create_webhook(
    draft: WebhookDraft,
    new: NewWebhook<'_>,
    live: i64,
    now: OffsetDateTime,
) -> Result<StoredWebhook, WebhookRejection> {
    if live >= WEBHOOKS_MAX {
        return Err(WebhookRejection::TooMany);
    }
    Ok(StoredWebhook {
        webhook: Webhook {
            id: new.id,
            version: Version::FIRST,
            url: draft.url,
            description: draft.description,
            types: draft.types,
            product_ids: draft.product_ids,
            state: WebhookState::Active,
            disabled_reason: None,
            created_at: now,
            created_by: new.created_by.to_owned(),
            updated_at: now,
            rotated_at: None,
            previous_until: None,
        },
        secret: new.secret,
        previous: None,
        place: new.place,
    })
}

/// Changes what is stated. None where nothing changes.
pub(crate) fn update_webhook(
    current: StoredWebhook,
    patch: WebhookPatch,
    reach: Reach,
    now: OffsetDateTime,
) -> Result<Option<StoredWebhook>, WebhookRejection> {
    let old = &current.webhook;
    let state = patch.state;
    let fields = WebhookFields {
        url: patch.url.unwrap_or_else(|| old.url.clone()),
        description: patch.description.unwrap_or_else(|| old.description.clone()),
        types: patch.types.unwrap_or_else(|| old.types.clone()),
        product_ids: patch.product_ids.unwrap_or_else(|| old.product_ids.clone()),
    };
    let draft = WebhookDraft::parse(fields, reach).map_err(WebhookRejection::Invalid)?;
    let state = match state {
        None => old.state,
        Some(WebhookState::Disabled) => {
            let reason = "cannot be stated: the catalog disables what fails; state paused";
            let violation = Violation::new("state", reason);
            return Err(WebhookRejection::Invalid(vec![violation]));
        }
        Some(state) => state,
    };
    let disabled_reason = old
        .disabled_reason
        .clone()
        .filter(|_| state == WebhookState::Disabled);
    let mut webhook = Webhook {
        url: draft.url,
        description: draft.description,
        types: draft.types,
        product_ids: draft.product_ids,
        state,
        disabled_reason,
        ..old.clone()
    };
    if webhook == *old {
        return Ok(None);
    }
    webhook.version = old.version.next();
    webhook.updated_at = now;
    Ok(Some(StoredWebhook { webhook, ..current }))
}

/// Gives a webhook a new secret. Requests are signed with the present one too for the grace period.
pub(crate) fn rotate_webhook(
    current: StoredWebhook,
    secret: SigningSecret,
    grace: Duration,
    now: OffsetDateTime,
) -> StoredWebhook {
    let graced = grace.is_positive();
    StoredWebhook {
        webhook: Webhook {
            version: current.webhook.version.next(),
            updated_at: now,
            rotated_at: Some(now),
            previous_until: graced.then(|| now.saturating_add(grace)),
            ..current.webhook
        },
        secret,
        previous: graced.then_some(current.secret),
        place: current.place,
    }
}

/// Moves a webhook to a place.
pub(crate) fn move_webhook(
    current: StoredWebhook,
    place: LogPlace,
    now: OffsetDateTime,
) -> StoredWebhook {
    StoredWebhook {
        webhook: Webhook {
            version: current.webhook.version.next(),
            updated_at: now,
            ..current.webhook
        },
        place,
        ..current
    }
}

/// The webhook, where it is there and at the version that the caller expects.
pub(crate) fn existing_webhook(
    current: Option<StoredWebhook>,
    expected: Option<i64>,
) -> Result<StoredWebhook, WebhookRejection> {
    let stored = current.ok_or(WebhookRejection::NotFound)?;
    let found = stored.webhook.version;
    match expected {
        Some(expected) if expected != found.get() => {
            Err(WebhookRejection::VersionMismatch { expected, found })
        }
        _ => Ok(stored),
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-01-01 00:00 UTC);
    const LATER: OffsetDateTime = datetime!(2026-01-02 00:00 UTC);
    const OLD: SigningSecret = SigningSecret([1; 32]);
    const NEW: SigningSecret = SigningSecret([2; 32]);

    fn made(live: i64) -> Result<StoredWebhook, WebhookRejection> {
        let fields = WebhookFields {
            url: "https://shop.example/hook".to_owned(),
            ..WebhookFields::default()
        };
        let draft = WebhookDraft::parse(fields, Reach::Public).expect("valid");
        let new = NewWebhook {
            id: Uuid::nil(),
            secret: OLD,
            created_by: "ann",
            place: LogPlace::default(),
        };
        create_webhook(draft, new, live, NOW)
    }

    fn patched(
        hook: StoredWebhook,
        state: Option<WebhookState>,
    ) -> Result<Option<StoredWebhook>, WebhookRejection> {
        let patch = WebhookPatch {
            state,
            ..WebhookPatch::default()
        };
        update_webhook(hook, patch, Reach::Public, LATER)
    }

    #[test]
    fn a_state_is_changed_by_people_but_to_disabled() {
        let hook = made(0).expect("made");
        assert_eq!(made(100), Err(WebhookRejection::TooMany));
        assert_eq!(patched(hook.clone(), None), Ok(None));
        assert_eq!(patched(hook.clone(), Some(WebhookState::Active)), Ok(None));
        let refused = patched(hook.clone(), Some(WebhookState::Disabled));
        assert!(matches!(refused, Err(WebhookRejection::Invalid(_))));
        let paused = patched(hook.clone(), Some(WebhookState::Paused));
        let paused = paused.expect("valid").expect("changed").webhook;
        assert_eq!((paused.version.get(), paused.updated_at), (2, LATER));
        let mut disabled = hook;
        disabled.webhook.state = WebhookState::Disabled;
        disabled.webhook.disabled_reason = Some("gone".to_owned());
        let kept = patched(disabled.clone(), None).expect("valid");
        assert_eq!(kept, None, "a reason stays as long as the state");
        let active = patched(disabled, Some(WebhookState::Active));
        let active = active.expect("valid").expect("changed").webhook;
        assert_eq!(active.disabled_reason, None);
    }

    #[test]
    fn a_rotated_webhook_signs_with_both_for_the_grace_period() {
        let hook = made(0).expect("made");
        let graced = rotate_webhook(hook, NEW, Duration::hours(1), LATER);
        assert_eq!((graced.secret, graced.previous), (NEW, Some(OLD)));
        let until = graced.webhook.previous_until;
        assert_eq!(until, Some(LATER + Duration::hours(1)));
        let at_once = rotate_webhook(graced, OLD, Duration::ZERO, LATER);
        assert_eq!(
            (at_once.previous, at_once.webhook.previous_until),
            (None, None)
        );
    }

    #[test]
    fn a_place_is_within_the_logs() {
        let heads = LogPlace {
            products: Position(9),
            rules: Position(2),
        };
        let start = |products, rules| Start { products, rules }.place(heads, heads);
        assert_eq!(start(None, None), Ok(heads));
        let back = start(Some(0), Some(2)).expect("within");
        assert_eq!((back.products.0, back.rules.0), (0, 2));
        let beyond = start(Some(10), None).expect_err("beyond").to_string();
        let told = "the event log ends at 9, before 10: state a position up to 9";
        assert_eq!(beyond, told);
        assert!(matches!(
            start(None, Some(-1)),
            Err(WebhookRejection::Invalid(_))
        ));
    }

    #[test]
    fn no_secret_is_shown() {
        let shown = format!("{:?}", made(0));
        assert!(shown.contains("secret: SigningSecret,"), "{shown}");
        let secret = OLD.to_shown();
        assert_eq!((secret.len(), &secret[..10]), (6 + 44, "whsec_AQEB"));
    }
}
