//! Waits until what was written before an export has its position, so that the export has it too.

use std::time::Duration;

use catalog_proto::v1::GetWriteStatusRequest;
use catalog_proto::v1::catalog_command_operations_client::CatalogCommandOperationsClient;
use client_kit::{Target, bounded};
use tokio::time::Instant;

const LOOK_EVERY_MS: u64 = 20;
/// Events get their positions within milliseconds. Longer means that something stops them.
const WAIT_S_MAX: u64 = 5;

/// Returns when all events that are there now have a position, or after a while. A service that does not
/// answer is no obstacle: the export says so itself.
pub(super) async fn wait(target: &Target) -> anyhow::Result<()> {
    let mut client = CatalogCommandOperationsClient::new(target.channel()?);
    let until = Instant::now() + Duration::from_secs(WAIT_S_MAX);
    let mut wanted = None;
    while Instant::now() < until {
        let Ok(status) = client
            .get_write_status(bounded(GetWriteStatusRequest {}))
            .await
        else {
            return Ok(());
        };
        let status = status.into_inner();
        let wanted = *wanted.get_or_insert(status.log_position + status.outbox_pending);
        if status.log_position >= wanted {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(LOOK_EVERY_MS)).await;
    }
    eprintln!("some changes have no position in the log yet: the export is without them");
    Ok(())
}
