//! Waits until what was written before an export has its position, so that the export has it too.

use std::time::Duration;

use catalog_proto::v1::GetWriteStatusRequest;
use catalog_proto::v1::catalog_command_operations_client::CatalogCommandOperationsClient;
use tokio::time::Instant;

use crate::target::{Target, bounded};

const LOOK_EVERY_MS: u64 = 20;
/// Events get their positions within milliseconds. Longer means that something stops them.
const WAIT_S_MAX: u64 = 5;

/// Waits until all events that are there now have a position; false where some have none after a while. A
/// service that does not answer is no obstacle: the export says so itself.
pub async fn latest(target: &Target) -> anyhow::Result<bool> {
    let mut client = CatalogCommandOperationsClient::new(target.channel()?);
    let until = Instant::now() + Duration::from_secs(WAIT_S_MAX);
    let mut wanted = None;
    while Instant::now() < until {
        let Ok(status) = client
            .get_write_status(bounded(GetWriteStatusRequest {}))
            .await
        else {
            return Ok(true);
        };
        let status = status.into_inner();
        let wanted = *wanted.get_or_insert(status.log_position + status.outbox_pending);
        if status.log_position >= wanted {
            return Ok(true);
        }
        tokio::time::sleep(Duration::from_millis(LOOK_EVERY_MS)).await;
    }
    Ok(false)
}
