//! Decides where an index has to begin, and copies the documents into a new one: an index that is
//! empty, or cannot go on from its own position, begins at that of the documents.

use std::sync::Arc;

use async_nats::jetstream;
use catalog_events::{Position, Product, STREAM, Version};
use futures_util::TryStreamExt as _;
use tokio::sync::{mpsc, oneshot};

use crate::index::{IndexWriter, LiveIndex};
use crate::projectors::error::ProjectorError;
use crate::read_model::ReadModel;

/// The products of one batch that is copied.
const BATCH_PRODUCTS: usize = 500;
/// The most batches that are read ahead of the index.
const BATCHES_AHEAD: usize = 2;

/// The positions that decide where an index begins. They are read in this order, so that the stream
/// does not end before documents that were made of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outlook {
    index: Position,
    documents: Position,
    stream_first: Position,
    stream_last: Position,
}

/// Where an index begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// The index goes on where it is.
    Here,
    /// The index is empty: the documents save a replay of the whole stream.
    Empty,
    /// The stream does not hold the next event of the index any more.
    Behind,
    /// The index holds what neither the stream nor the documents have: these were restored from a
    /// backup, or the stream is being refilled right now.
    Ahead,
}

impl Outlook {
    pub(crate) async fn take(
        jetstream: &jetstream::Context,
        read_model: &ReadModel,
        index: Position,
    ) -> Result<Self, ProjectorError> {
        let documents: i64 = sqlx::query_scalar("SELECT position FROM checkpoint")
            .fetch_one(&read_model.pool)
            .await?;
        let stream = jetstream
            .get_stream(STREAM)
            .await
            .map_err(|err| ProjectorError::Stream(err.to_string()))?;
        let state = &stream.cached_info().state;
        Ok(Self {
            index,
            documents: Position::from_i64(documents),
            stream_first: Position(state.first_sequence),
            stream_last: Position(state.last_sequence),
        })
    }

    pub(crate) fn start(&self) -> Start {
        let missing = self.index.next() < self.stream_first;
        match self.index {
            index if index > self.documents && index > self.stream_last => Start::Ahead,
            // The documents have nothing newer.
            index if index >= self.documents => Start::Here,
            Position::START => Start::Empty,
            _ if missing => Start::Behind,
            _ => Start::Here,
        }
    }
}

/// Replaces the index of `epoch` by one made of the documents, at their position. None when another
/// index has replaced it meanwhile: then the copy is given up.
pub(crate) async fn copy_documents(
    read_model: &ReadModel,
    index: &Arc<LiveIndex>,
    epoch: u64,
) -> Result<Option<Position>, ProjectorError> {
    let one = index.copying().await;
    let (batches, received) = mpsc::channel(BATCHES_AHEAD);
    let (position_read, position) = oneshot::channel();
    let target = index.clone();
    let filling = tokio::task::spawn_blocking(move || {
        let _one = one;
        let (index, writer) = target.create_copy()?;
        let name = index.name();
        let made = fill(writer, received, position).and_then(|(writer, position)| {
            let answers = target.switch_from(epoch, index, writer)?;
            Ok(answers.then_some(position))
        });
        if !matches!(made, Ok(Some(_))) {
            target.discard_copy(&name);
        }
        made
    });
    let read = match read_documents(read_model, batches).await {
        // The receiver is gone only when filling failed, and that error is returned below.
        Ok(position) => {
            let _ = position_read.send(position);
            Ok(())
        }
        // The thread that fills waits for a position, and must hear that there is none.
        Err(err) => {
            drop(position_read);
            Err(err)
        }
    };
    let filled = filling.await.map_err(|_| ProjectorError::Panicked)?;
    read?;
    filled.map_err(ProjectorError::Copy)
}

/// Loads all batches and commits them at the position that follows them.
fn fill(
    mut writer: IndexWriter,
    mut batches: mpsc::Receiver<Vec<(Version, Product)>>,
    position: oneshot::Receiver<Position>,
) -> anyhow::Result<(IndexWriter, Position)> {
    while let Some(batch) = batches.blocking_recv() {
        writer.load(&batch)?;
    }
    // No position comes when the documents could not be read to their end.
    let position = position.blocking_recv()?;
    writer.commit(position)?;
    Ok((writer, position))
}

/// Sends all live documents and returns the position they are at. A document that cannot be read is
/// left out: a verification finds it, and a repair mends the index as well.
async fn read_documents(
    read_model: &ReadModel,
    batches: mpsc::Sender<Vec<(Version, Product)>>,
) -> Result<Position, ProjectorError> {
    let mut tx = read_model.pool.begin().await?;
    sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        .execute(&mut *tx)
        .await?;
    let position: i64 = sqlx::query_scalar("SELECT position FROM checkpoint")
        .fetch_one(&mut *tx)
        .await?;
    let mut rows = sqlx::query_as::<_, (String, i64, String)>(
        "SELECT product_id, version, product::text FROM documents WHERE product IS NOT NULL",
    )
    .fetch(&mut *tx);
    let mut batch = Vec::new();
    while let Some((id, version, json)) = rows.try_next().await? {
        let Some(document) = document(&id, version, &json) else {
            continue;
        };
        batch.push(document);
        if batch.len() == BATCH_PRODUCTS && batches.send(std::mem::take(&mut batch)).await.is_err()
        {
            break;
        }
    }
    // Sending fails only when filling failed, which returns its own error.
    let _ = batches.send(batch).await;
    Ok(Position::from_i64(position))
}

/// Decodes a document. One that cannot be read is logged and left out.
fn document(id: &str, version: i64, json: &str) -> Option<(Version, Product)> {
    let Some(known) = Version::new(version) else {
        tracing::error!(product = id, version, "a document without a version");
        return None;
    };
    match serde_json::from_str(json) {
        Ok(product) => Some((known, product)),
        Err(err) => {
            tracing::error!(product = id, "a document cannot be read: {err}");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(index: u64, documents: u64, stream: std::ops::RangeInclusive<u64>) -> Start {
        let outlook = Outlook {
            index: Position(index),
            documents: Position(documents),
            stream_first: Position(*stream.start()),
            stream_last: Position(*stream.end()),
        };
        outlook.start()
    }

    #[test]
    fn begins_with_the_documents_only_where_they_help() {
        assert_eq!(start(0, 0, 1..=9), Start::Here, "nothing is there yet");
        assert_eq!(start(0, 5, 1..=9), Start::Empty);
        assert_eq!(start(4, 5, 1..=9), Start::Here);
        assert_eq!(
            start(4, 9, 5..=9),
            Start::Here,
            "the next event is the first"
        );
        assert_eq!(start(3, 9, 5..=9), Start::Behind);
        assert_eq!(
            start(3, 3, 5..=9),
            Start::Here,
            "the documents miss the same"
        );
        assert_eq!(start(7, 5, 1..=9), Start::Here, "the documents are slower");
        assert_eq!(start(7, 8, 1..=6), Start::Here, "the stream is refilled");
        assert_eq!(start(7, 5, 1..=6), Start::Ahead);
    }
}
