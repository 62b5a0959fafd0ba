//! Waits until what was written before an export has its position, so that the export has it too.

use std::time::Duration;

use catalog_proto::v1::catalog_command_operations_client::CatalogCommandOperationsClient;
use catalog_proto::v1::{GetWriteStatusRequest, GetWriteStatusResponse};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::export::reader::ExportError;
use crate::target::{Target, bounded};

const LOOK_EVERY_MS: u64 = 20;
/// A thousand events get their positions within milliseconds. None for so long means that something stops them.
const STANDSTILL_S_MAX: u64 = 10;
/// From how many on waiting events are not counted any more.
const PENDING_COUNTED_MAX: i64 = 100_000;

/// Waits until all events that are there now have a position, for as long as the log moves on. A service that
/// does not answer is no obstacle: the export says so itself.
pub async fn latest(target: &Target, stop: &CancellationToken) -> Result<(), ExportError> {
    let channel = target.channel().map_err(ExportError::Target)?;
    let mut client = CatalogCommandOperationsClient::new(channel);
    let mut wait = Wait::default();
    let waiting = async {
        loop {
            let request = bounded(GetWriteStatusRequest {});
            let Ok(status) = client.get_write_status(request).await else {
                return Ok(());
            };
            if let Some(ended) = wait.look(&status.into_inner(), Instant::now()) {
                return ended;
            }
            tokio::time::sleep(Duration::from_millis(LOOK_EVERY_MS)).await;
        }
    };
    let ended = stop.run_until_cancelled(waiting).await;
    ended.unwrap_or(Err(ExportError::Interrupted))
}

/// A wait for the log to reach where it is known to go.
#[derive(Default)]
struct Wait {
    /// None while more events wait than are counted.
    wanted: Option<i64>,
    /// Where the log was, and since when.
    reached: Option<(i64, Instant)>,
}

impl Wait {
    /// How the wait ends; none while it goes on.
    fn look(
        &mut self,
        status: &GetWriteStatusResponse,
        now: Instant,
    ) -> Option<Result<(), ExportError>> {
        let (position, pending) = (status.log_position, status.outbox_pending);
        if pending <= PENDING_COUNTED_MAX {
            self.wanted.get_or_insert(position + pending);
        }
        // Both are not told of the same moment: what is wanted may be more than there will ever be.
        if pending == 0 || self.wanted.is_some_and(|wanted| position >= wanted) {
            return Some(Ok(()));
        }
        match self.reached {
            Some((before, since)) if before == position => {
                let stands = now.duration_since(since).as_secs() >= STANDSTILL_S_MAX;
                stands.then_some(Err(ExportError::Behind { position, pending }))
            }
            _ => {
                self.reached = Some((position, now));
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_waits_while_the_log_moves_on() {
        let status = |log_position, outbox_pending| GetWriteStatusResponse {
            log_position,
            outbox_pending,
            ..Default::default()
        };
        let began = Instant::now();
        let after = |standstills: u64| began + Duration::from_secs(standstills * STANDSTILL_S_MAX);
        let mut wait = Wait::default();
        // More than are counted: where the log goes is not known yet.
        assert!(wait.look(&status(0, 100_001), began).is_none());
        assert!(wait.look(&status(50_000, 60_000), after(1)).is_none());
        // What was written since does not matter.
        assert!(wait.look(&status(109_999, 90_000), after(2)).is_none());
        let ended = wait.look(&status(110_000, 90_000), after(2));
        assert!(matches!(ended, Some(Ok(()))));

        // Three events that got their positions between the two reads are counted twice.
        let mut wait = Wait::default();
        assert!(wait.look(&status(7, 3), began).is_none());
        assert!(matches!(wait.look(&status(7, 0), began), Some(Ok(()))));

        let mut wait = Wait::default();
        assert!(wait.look(&status(7, 3), began).is_none());
        let ended = wait.look(&status(7, 5), after(1));
        let behind = "5 accepted changes have no position in the log yet, and it stands still at 7: an export of now \
                      would be without them";
        assert_eq!(
            ended.map(|ended| ended.unwrap_err().to_string()).as_deref(),
            Some(behind)
        );
    }
}
