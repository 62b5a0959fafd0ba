//! The answers of both services about their positions.

use catalog_proto::v1::catalog_command_operations_client::CatalogCommandOperationsClient;
use catalog_proto::v1::catalog_query_operations_client::CatalogQueryOperationsClient;
use catalog_proto::v1::{
    GetReadStatusRequest, GetReadStatusResponse, GetWriteStatusRequest, GetWriteStatusResponse,
};
use client_kit::{Target, bounded};

use crate::endpoints::Endpoints;

/// The answers of both services, or why one did not answer.
#[derive(Debug)]
pub(crate) struct Status {
    pub(crate) write: Result<GetWriteStatusResponse, String>,
    pub(crate) read: Result<GetReadStatusResponse, String>,
}

impl Status {
    pub(crate) async fn ask(endpoints: &Endpoints) -> anyhow::Result<Self> {
        let mut write = CatalogCommandOperationsClient::new(endpoints.command.channel()?);
        let mut read = CatalogQueryOperationsClient::new(endpoints.query.channel()?);
        let (write, read) = tokio::join!(
            write.get_write_status(bounded(GetWriteStatusRequest {})),
            read.get_read_status(bounded(GetReadStatusRequest {}))
        );
        Ok(Self {
            write: answer(&endpoints.command, write),
            read: answer(&endpoints.query, read),
        })
    }

    /// The errors that keep something from advancing, one a line.
    pub(crate) fn errors(&self) -> Vec<String> {
        let mut errors = Vec::new();
        match &self.write {
            Ok(write) => errors.extend(some(&write.relay_error).map(str::to_owned)),
            Err(err) => errors.push(err.clone()),
        }
        match &self.read {
            Ok(read) => {
                errors.extend(read.projections.iter().filter_map(|one| {
                    some(&one.error).map(|error| format!("{}: {error}", one.name))
                }));
                let rules = read.rules.as_ref().and_then(|rules| some(&rules.error));
                errors.extend(rules.map(|error| format!("search rules: {error}")));
            }
            Err(err) => errors.push(err.clone()),
        }
        errors
    }
}

fn answer<T>(
    target: &Target,
    answer: Result<tonic::Response<T>, tonic::Status>,
) -> Result<T, String> {
    match answer {
        Ok(answer) => Ok(answer.into_inner()),
        Err(status) => Err(target.explain(&status)),
    }
}

/// The text, unless it is empty.
pub(super) fn some(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}
