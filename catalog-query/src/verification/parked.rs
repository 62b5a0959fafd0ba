//! Tries parked events again, as the log has them: what was damaged on its way, or by a fault of an
//! older release, applies then.

use catalog_events::{Position, ProductId};

use super::{VerificationError, Verifier};
use crate::consumer::Received;
use crate::log_client::LogClient;
use crate::read_model::ParkedEvent;

const PARKED_MAX: i64 = 1_000;

#[derive(Debug, Default)]
pub(crate) struct Retried {
    pub(crate) applied: Vec<i64>,
    /// With their present error.
    pub(crate) failed: Vec<ParkedEvent>,
}

impl Verifier {
    /// The first of them, and how many there are.
    pub(crate) async fn parked(&self) -> Result<(Vec<ParkedEvent>, i64), VerificationError> {
        let live = self.live.load_full();
        Ok((live.parked(PARKED_MAX).await?, live.parked_count().await?))
    }

    /// Those at `positions` that are parked; all of them when none is named.
    pub(crate) async fn retry_parked(
        &self,
        positions: &[i64],
    ) -> Result<Retried, VerificationError> {
        let log = self.log.as_ref().ok_or(VerificationError::NoLog)?;
        let live = self.live.load_full();
        let mut retried = Retried::default();
        for mut parked in live.parked(PARKED_MAX).await? {
            if !positions.is_empty() && !positions.contains(&parked.position) {
                continue;
            }
            let position = Position::from_i64(parked.position);
            match self.apply_again(log, position).await? {
                Ok(()) => {
                    live.remove_parked(&[position]).await?;
                    retried.applied.push(parked.position);
                }
                Err(error) => {
                    live.retry_failed(position, &error).await?;
                    parked.retries += 1;
                    parked.error = error;
                    retried.failed.push(parked);
                }
            }
        }
        self.progress.parked_events.set(live.parked_count().await?);
        Ok(retried)
    }

    /// By a repair of its product; the inner error says why it still cannot be applied.
    async fn apply_again(
        &self,
        log: &LogClient,
        position: Position,
    ) -> Result<Result<(), String>, VerificationError> {
        let before = Position(position.0.saturating_sub(1));
        let mut reader = log.read(before, Some(position)).await?;
        let received = reader.next().await?.and_then(|mut part| part.pop());
        let id: ProductId = match received {
            Some(Received::Event(event)) => event.product_id,
            Some(Received::Unreadable(unreadable)) => return Ok(Err(unreadable.error)),
            None => return Ok(Err("the log has no event at this position".to_owned())),
        };
        let forced = self.set_to_log(&[id]).await?;
        let error = forced.unreadable.into_iter().next();
        Ok(error.map_or(Ok(()), |(_, error)| Err(error)))
    }
}
