//! Computes how far the projections are behind.

use catalog_proto::v1::ProjectionStatus;

use crate::status::answers::Status;

/// The projection that may take long and that nothing else waits for.
const EMBEDDINGS: &str = "embeddings";

impl Status {
    /// How many events and documents every projection together has still to process; none when a
    /// service did not answer.
    pub(super) fn lag(&self) -> Option<u64> {
        self.lag_of(|_| true)
    }

    /// The lag of what reads and keyword searches need.
    pub(crate) fn lag_without_embeddings(&self) -> Option<u64> {
        self.lag_of(|projection| projection != EMBEDDINGS)
    }

    /// How many products have an embedding and how many wait for theirs; none when the read service
    /// did not answer.
    pub(crate) fn embedded(&self) -> Option<(u64, u64)> {
        let projections = &self.read.as_ref().ok()?.projections;
        let embeddings = projections.iter().find(|one| one.name == EMBEDDINGS)?;
        let (done, waiting) = (embeddings.documents, embeddings.lag);
        Some((done.try_into().ok()?, waiting.try_into().ok()?))
    }

    fn lag_of(&self, counts: impl Fn(&str) -> bool) -> Option<u64> {
        let (write, read) = (self.write.as_ref().ok()?, self.read.as_ref().ok()?);
        let end = write.log_position + write.outbox_pending;
        let mut lag = write.outbox_pending + (write.log_position - write.stream_sequence).max(0);
        lag += (write.rule_position - write.rule_stream_sequence).max(0);
        if let Some(rules) = &read.rules {
            lag += (write.rule_position - rules.position).max(0);
        }
        for projection in read.projections.iter().filter(|one| counts(&one.name)) {
            lag += behind(projection, end);
        }
        Some(u64::try_from(lag).unwrap_or(0))
    }
}

/// How much a projection has still to process of a log that ends there.
pub(super) fn behind(projection: &ProjectionStatus, end: i64) -> i64 {
    match projection.name.as_str() {
        // Its lag counts documents, not events.
        EMBEDDINGS => projection.lag,
        // The read service may not have heard of the end of the log.
        _ => projection.lag.max(end - projection.position),
    }
}
