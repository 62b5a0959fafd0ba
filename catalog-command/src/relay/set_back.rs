//! Tells a log that was set back from the stream of another catalog. A database that is restored from a
//! backup, or whose replica takes over without its last transactions, has lost events that the stream has
//! told everybody. The log is what counts: the stream is made anew of it, and the read side, which compares
//! digests with the log, builds its documents anew.

use std::time::{Duration, Instant};

use async_nats::jetstream::stream::{RawMessageErrorKind, Stream};
use catalog_events::Position;
use uuid::Uuid;

use crate::relay::error::RelayError;
use crate::relay::memory::{Memory, SetBack};
use crate::relay::stream_care::StreamCare;
use crate::store::{self, Epoch};

/// How long a stream that is not of this log must stand still before it is made anew: another writer, of
/// which this database is a copy, would go on writing to it.
const QUIET: Duration = Duration::from_secs(10);

impl StreamCare {
    /// Makes a stream anew whose log was set back, once it has stood still for a while. Returns `why` where
    /// stream and log never had an event in common: that is for a person to judge.
    pub(super) async fn mend_set_back(
        &self,
        stream: &Stream,
        epoch: Epoch,
        memory: &mut Memory,
        why: RelayError,
    ) -> Result<(), RelayError> {
        let Some(shared) = self.last_shared(stream).await? else {
            return Err(why);
        };
        let last = Position(stream.cached_info().state.last_sequence);
        let seen = memory.set_back.take().filter(|seen| seen.last == last);
        let seen = seen.unwrap_or(SetBack {
            last,
            since: Instant::now(),
        });
        let is_quiet = seen.since.elapsed() >= QUIET;
        memory.set_back = Some(seen);
        if !is_quiet || !store::is_current(&self.pool, epoch).await? {
            let log = self.log;
            return Err(RelayError::SetBack { log, shared, last });
        }
        tracing::error!(
            stream = self.log.stream(),
            %shared,
            %last,
            "the log was set back: creating the stream anew from it; what it held behind that position is lost"
        );
        memory.set_back = None;
        self.make_anew(stream, memory, shared).await?;
        Ok(())
    }

    /// The last position at which stream and log have the same event: what is behind it differs, what is
    /// before does not.
    async fn last_shared(&self, stream: &Stream) -> Result<Option<Position>, RelayError> {
        let state = &stream.cached_info().state;
        if state.messages == 0 {
            return Ok(None);
        }
        let head = self.log.head(&self.pool).await?;
        let (mut low, mut high) = (state.first_sequence, state.last_sequence.min(head.0));
        let mut shared = None;
        while low <= high {
            let middle = low + (high - low) / 2;
            if self.is_shared(stream, Position(middle)).await? {
                shared = Some(Position(middle));
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        Ok(shared)
    }

    async fn is_shared(&self, stream: &Stream, at: Position) -> Result<bool, RelayError> {
        let in_log = self.log.event_id_at(&self.pool, at).await?;
        let in_stream = event_id_in(stream, at).await?;
        Ok(in_log.is_some() && in_stream == in_log)
    }
}

/// The id of the event that a stream has at a position.
async fn event_id_in(stream: &Stream, at: Position) -> Result<Option<Uuid>, RelayError> {
    match stream.get_raw_message(at.0).await {
        Ok(message) => {
            let id = message.headers.get("ce-id");
            Ok(id.and_then(|id| id.as_str().parse().ok()))
        }
        Err(err) if err.kind() == RawMessageErrorKind::NoMessageFound => Ok(None),
        Err(err) => Err(RelayError::Stream(err.to_string())),
    }
}
