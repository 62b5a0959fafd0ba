//! Two ways into the catalog, HTTP through the BFF and gRPC beside it, and what their answers mean
//! to a client. Invariant: a call ends within the limit of the client, whatever the services do.

mod outcome;
mod grpc;
mod http;

use std::time::Duration;

use crate::chaos::history::{FailureKind, Outcome, Request, speaks_http};
use crate::chaos::wire::outcome::{HANG_MS, unknown};
use crate::cluster::Cluster;

pub(super) use crate::chaos::wire::grpc::Grpc;
pub(super) use crate::chaos::wire::http::Http;

/// The addresses of the services, which stay the same over restarts.
#[derive(Clone, Debug)]
pub(super) struct Addresses {
    http: String,
    command: String,
    query: String,
}

impl Addresses {
    pub(super) fn of(cluster: &Cluster) -> Self {
        Self {
            http: cluster.http(),
            command: cluster.command_grpc(),
            query: cluster.query_grpc(),
        }
    }
}

#[derive(Debug)]
pub(super) enum Wire {
    Http(Http),
    Grpc(Box<Grpc>),
}

impl Wire {
    /// The way that a client of this number takes.
    pub(super) fn of_client(number: u32, addresses: &Addresses) -> anyhow::Result<Self> {
        if speaks_http(number) {
            Ok(Wire::Http(Http::new(&addresses.http)?))
        } else {
            Ok(Wire::grpc(addresses))
        }
    }

    pub(super) fn grpc(addresses: &Addresses) -> Self {
        Wire::Grpc(Box::new(Grpc::new(&addresses.command, &addresses.query)))
    }

    /// Makes one attempt. An import goes over gRPC only, since HTTP has none.
    pub(super) async fn call(&self, request: &Request, request_id: &str) -> Outcome {
        let answer = async {
            match self {
                Wire::Http(http) => http.call(request, request_id).await,
                Wire::Grpc(grpc) => grpc.call(request, request_id).await,
            }
        };
        let limit = Duration::from_millis(HANG_MS);
        match tokio::time::timeout(limit, answer).await {
            Ok(outcome) => outcome,
            Err(_) => unknown(FailureKind::Hang, format!("no answer within {HANG_MS} ms")),
        }
    }

    pub(super) fn is_http(&self) -> bool {
        matches!(self, Wire::Http(_))
    }
}
