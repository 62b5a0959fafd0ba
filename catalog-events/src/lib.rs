//! What both sides of the catalog and outside subscribers share: the product snapshot, the event
//! envelope, search rules, their form on NATS, and the digest that proves two read models equal.
//!
//! Invariant: an event carries the whole product after the change, so that applying events is
//! "the higher version wins", in any order and any number of times.

#![warn(missing_docs)]

#[cfg(test)]
mod schema;
#[cfg(feature = "nats")]
mod message;
#[cfg(feature = "nats")]
mod stream;
mod subject;
mod digest;
mod consistency;
mod usage;
mod grpc;
mod rule_form;
mod rule;
mod event;
mod product;
mod ids;
mod decimal;
mod money;

pub use crate::consistency::{ConsistencyToken, SecretMissing, TokenError, TokenKey};
pub use crate::decimal::Decimal;
pub use crate::digest::{BucketedDigest, ContentHash, Digest, ParseDigestError};
pub use crate::event::{
    Change, Envelope, EventType, FeedFilter, FeedType, InvalidFeedType, Position, ProductEvent,
    Version,
};
pub use crate::ids::{InvalidProductId, InvalidRuleId, ProductId, RuleId};
#[cfg(feature = "nats")]
pub use crate::message::{
    DecodeError, EncodedMessage, decode, decode_body, decode_rule, encode, encode_rule,
};
pub use crate::money::{Currency, Money, MoneyError};
pub use crate::product::{AttributeScalar, AttributeValue, Product, Status};
pub use crate::rule::{
    Curation, CurationAction, QueryMatch, RuleEvent, RuleKind, RuleTarget, SearchRule,
};
pub use crate::rule_form::{
    ActionForm, InvalidDraft, KindForm, RuleForm, StoredRule, TargetForm, moment,
};
#[cfg(feature = "nats")]
pub use crate::stream::{
    Broker, ConnectError, RULE_STREAM, STREAM, connect, rule_stream_config, stream_config,
};
pub use crate::subject::{
    EVENTS_WILDCARD, PRODUCT_EVENT_SCHEMA, RULE_EVENT_SCHEMA, RULES_WILDCARD, event_subject,
    rule_subject,
};
pub use crate::usage::{
    CLICK_SUBJECT, ClickBatch, Clicked, ProductRead, READ_SUBJECT, ReadBatch, ReadSource,
    SEARCH_SUBJECT, SearchBatch, Searched, SearchedBy,
};
