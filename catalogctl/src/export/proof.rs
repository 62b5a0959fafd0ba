//! Proves that all products of a position were read: their digest is that which the event log keeps.

use catalog_events::BucketedDigest;
use catalog_proto::v1::GetLogDigestRequest;
use catalog_proto::v1::catalog_command_operations_client::CatalogCommandOperationsClient;
use client_kit::{Target, bounded};
use serde::Serialize;

use crate::export::partial::State;

/// Whether the products are all those of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Proof {
    /// A filter chose: there is nothing to compare with.
    Partial,
    /// The export has not come to its end.
    Incomplete,
    Equal,
    /// The digest of the log is this one.
    Different(String),
    /// The digest of the log is not known, for this reason. One far back takes long.
    Unknown(String),
}

pub(crate) async fn compare(target: &Target, state: &State) -> Proof {
    let ask = async {
        let mut client = CatalogCommandOperationsClient::new(target.channel()?);
        let request = GetLogDigestRequest {
            position: state.position,
            recompute: false,
        };
        let answer = client.get_log_digest(bounded(request)).await;
        let answer = answer.map_err(|status| target.error(&status))?.into_inner();
        anyhow::Ok(
            BucketedDigest::from_message(&answer.buckets)?
                .total()
                .to_string(),
        )
    };
    match ask.await {
        Ok(digest) if digest == state.digest => Proof::Equal,
        Ok(digest) => Proof::Different(digest),
        Err(err) => Proof::Unknown(format!("{err:#}")),
    }
}
