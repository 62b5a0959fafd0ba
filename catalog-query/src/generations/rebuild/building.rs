//! A generation that is being filled: from the first event on, or from where a retired one stopped.

use std::sync::Arc;

use catalog_events::Position;
use tokio::task::JoinHandle;

use crate::generations::rebuild::error::RebuildError;
use crate::index::{IndexError, IndexWriter, KeywordIndex};
use crate::read_model::ReadModel;

pub(crate) struct Building {
    pub(crate) read_model: Arc<ReadModel>,
    /// None in a rollback: the products of the index are the same.
    pub(crate) index: Option<Arc<KeywordIndex>>,
    writer: Option<IndexWriter>,
    /// Work on the index that goes on; it has the writer meanwhile.
    indexing: Option<JoinHandle<(IndexWriter, Result<(), IndexError>)>>,
    /// The position of the documents, which is read when the work begins.
    pub(crate) at: Position,
}

/// A generation that is filled, with its index where one was built.
pub(crate) type Built = (Arc<ReadModel>, Option<(KeywordIndex, IndexWriter)>);

impl Building {
    pub(crate) fn new(read_model: ReadModel) -> Self {
        Self {
            read_model: Arc::new(read_model),
            index: None,
            writer: None,
            indexing: None,
            at: Position::START,
        }
    }

    pub(crate) fn with_index(self, index: KeywordIndex, writer: IndexWriter) -> Self {
        Self {
            index: Some(Arc::new(index)),
            writer: Some(writer),
            ..self
        }
    }

    /// Does `work` on the index and waits for its end. Such work blocks, so it gets a thread that may.
    /// Nothing is done where no index is built.
    pub(crate) async fn with_writer(
        &mut self,
        work: impl FnOnce(&mut IndexWriter) -> Result<(), IndexError> + Send + 'static,
    ) -> Result<(), RebuildError> {
        self.start_indexing(work).await?;
        self.indexed().await
    }

    /// Begins `work` on the index and returns while it goes on, once the work before it has ended.
    pub(crate) async fn start_indexing(
        &mut self,
        work: impl FnOnce(&mut IndexWriter) -> Result<(), IndexError> + Send + 'static,
    ) -> Result<(), RebuildError> {
        self.indexed().await?;
        if self.index.is_none() {
            return Ok(());
        }
        let Some(mut writer) = self.writer.take() else {
            return Err(anyhow::anyhow!("the index writer was lost to an error").into());
        };
        self.indexing = Some(tokio::task::spawn_blocking(move || {
            let result = work(&mut writer);
            (writer, result)
        }));
        Ok(())
    }

    /// Waits until nobody writes to the index.
    pub(crate) async fn indexed(&mut self) -> Result<(), RebuildError> {
        let Some(indexing) = self.indexing.take() else {
            return Ok(());
        };
        let (writer, result) = indexing.await.map_err(anyhow::Error::new)?;
        self.writer = Some(writer);
        Ok(result?)
    }

    /// Hands over what was filled.
    pub(crate) fn finish(self) -> Result<Built, RebuildError> {
        let index = match (self.index.map(Arc::into_inner), self.writer) {
            (None, _) => None,
            (Some(Some(index)), Some(writer)) => Some((index, writer)),
            _ => return Err(anyhow::anyhow!("the new keyword index is still in use").into()),
        };
        Ok((self.read_model, index))
    }
}
