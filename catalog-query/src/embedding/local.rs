//! The model in this process, on threads of its own: no request is held up by it. Queries have a
//! thread for themselves; those of the documents give way to everything else.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::thread;

use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use rten::ThreadPool;
use tokio::sync::oneshot;

use super::model::{LocalModel, ModelError};
use super::queue::{Job, Queue, Reply};
use super::{EmbedError, Embedder};

/// So that a thread never waits for the next text of a batch.
const DOCUMENTS_PER_THREAD: usize = 2;

pub(crate) struct LocalEmbedder {
    model: Arc<LocalModel>,
    queue: Arc<Queue>,
    threads: usize,
}

impl LocalEmbedder {
    /// Loads `model.onnx` and `tokenizer.json` from `folder`. Takes a fraction of a second and 170 MB,
    /// and starts `threads` threads for documents and one for queries.
    pub(crate) fn load(folder: &Path, threads: usize) -> Result<Self, ModelError> {
        let embedder = Self {
            model: Arc::new(LocalModel::load(folder)?),
            queue: Arc::new(Queue::default()),
            threads: threads.max(1),
        };
        embedder.start("query-embedder".to_owned(), || (), Queue::next_query)?;
        for number in 0..embedder.threads {
            let name = format!("embedder-{number}");
            embedder.start(name, service_kit::work_in_background, Queue::next_document)?;
        }
        Ok(embedder)
    }

    /// `prepare` comes first on the thread, whose priority those that it starts inherit.
    fn start(
        &self,
        name: String,
        prepare: fn(),
        next: fn(&Queue) -> Option<Job>,
    ) -> Result<(), ModelError> {
        let (model, queue) = (Arc::clone(&self.model), Arc::clone(&self.queue));
        let started = thread::Builder::new().name(name).spawn(move || {
            prepare();
            work(&model, &queue, next);
        });
        started.map(|_| ()).map_err(ModelError::Thread)
    }

    async fn embed_document(&self, text: String) -> Reply {
        let (reply, vector) = oneshot::channel();
        self.queue.push_document(Job { text, reply });
        vector.await.unwrap_or(Err(EmbedError::Stopped))
    }
}

impl Embedder for LocalEmbedder {
    fn model(&self) -> &str {
        self.model.name()
    }

    fn dimensions(&self) -> usize {
        self.model.dimensions()
    }

    fn embed(&self, texts: Vec<String>) -> BoxFuture<'_, Result<Vec<Vec<f32>>, EmbedError>> {
        stream::iter(texts)
            .map(|text| self.embed_document(text))
            .buffered(self.threads * DOCUMENTS_PER_THREAD)
            .try_collect()
            .boxed()
    }

    fn embed_query<'a>(&'a self, text: &'a str) -> BoxFuture<'a, Reply> {
        async move {
            let (reply, vector) = oneshot::channel();
            let text = text.to_owned();
            self.queue.push_query(Job { text, reply })?;
            vector.await.unwrap_or(Err(EmbedError::Stopped))
        }
        .boxed()
    }
}

impl Drop for LocalEmbedder {
    fn drop(&mut self) {
        self.queue.close();
    }
}

fn work(model: &LocalModel, queue: &Queue, next: fn(&Queue) -> Option<Job>) {
    let one_thread = Arc::new(ThreadPool::with_num_threads(1));
    while let Some(Job { text, reply }) = next(queue) {
        // A text that trips the network must not take the thread with it.
        let vector = catch_unwind(AssertUnwindSafe(|| model.embed(&text, &one_thread)));
        let vector = vector.unwrap_or_else(|_| Err(EmbedError::Model("it panicked".into())));
        // Whoever no longer waits has given up in the meantime.
        let _ = reply.send(vector);
    }
}
