//! Sets products to what the log says of them: in the documents and the embeddings, which all
//! replicas share, and in the keyword index of this one.

use catalog_events::ProductId;

use super::forced::{Forced, force};
use super::{VerificationError, Verifier};
use crate::log_client::LogClient;
use crate::read_model::is_refused;

impl Verifier {
    /// How many products were changed in any projection. Sums the running digest anew also when no
    /// product is named.
    pub(crate) async fn repair(&self, ids: &[ProductId]) -> Result<usize, VerificationError> {
        Ok(self.set_to_log(ids).await?.changed.len())
    }

    pub(super) async fn set_to_log(&self, ids: &[ProductId]) -> Result<Forced, VerificationError> {
        let log = self.log.as_ref().ok_or(VerificationError::NoLog)?;
        let mut forced = self.documents(log, ids).await?;
        self.repository.forget(ids).await;
        let indexed = self.index(log, ids).await?;
        forced.changed.extend(indexed);
        for (id, error) in &forced.unreadable {
            tracing::warn!(product = id.as_str(), "cannot be repaired: {error}");
        }
        for id in &forced.changed {
            tracing::warn!(product = id.as_str(), "set to what the log says");
        }
        let parked = self.live.load_full().parked_count().await?;
        self.progress.parked_events.set(parked);
        Ok(forced)
    }

    /// A product whose content Postgres refuses must not keep the others from being repaired.
    async fn documents(
        &self,
        log: &LogClient,
        ids: &[ProductId],
    ) -> Result<Forced, VerificationError> {
        let live = self.live.load_full();
        let mut all = Forced::default();
        let mut parts = vec![ids];
        while let Some(part) = parts.pop() {
            match force(&live, log, part).await {
                Ok(mut forced) => {
                    all.changed.append(&mut forced.changed);
                    all.unreadable.append(&mut forced.unreadable);
                }
                Err(VerificationError::Database(err)) if is_refused(&err) => match part {
                    [] => return Err(err.into()),
                    [id] => {
                        let error = format!("the read model refuses it: {err}");
                        all.unreadable.push((id.clone(), error));
                    }
                    _ => {
                        let (first, second) = part.split_at(part.len() / 2);
                        parts.extend([second, first]);
                    }
                },
                Err(err) => return Err(err),
            }
        }
        Ok(all)
    }
}
