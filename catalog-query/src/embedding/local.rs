//! Runs the model in this process, on threads of its own, so that no request is held up. One thread
//! is for queries; the threads for documents run at background priority, and all but one of them only
//! where a core is idle.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::thread;

use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use rten::ThreadPool;
use tokio::sync::oneshot;

use crate::embedding::idle_cores::Scheduled;
use crate::embedding::model::{LocalModel, ModelError, Tokens};
use crate::embedding::queue::{Job, Queue, Reply};
use crate::embedding::{EmbedError, Embedder};

/// The most texts in one batch: more gain little and delay the batches behind them.
const BATCH_TEXTS_MAX: usize = 8;
/// The batches under way for each thread, so that no thread waits for the next one.
const BATCHES_PER_THREAD: usize = 2;

/// An embedder whose model runs in this process.
pub(crate) struct LocalEmbedder {
    model: Arc<LocalModel>,
    queue: Arc<Queue>,
    threads: usize,
}

impl LocalEmbedder {
    /// Loads `model.onnx` and `tokenizer.json` from `folder`. Takes a fraction of a second and 170
    /// MB, and starts one thread for queries and at most `threads` for documents.
    pub(crate) fn load(folder: &Path, threads: usize) -> Result<Self, ModelError> {
        let embedder = Self {
            model: Arc::new(LocalModel::load(folder)?),
            queue: Arc::new(Queue::default()),
            threads: threads.max(1),
        };
        embedder.start("query-embedder".to_owned(), Work::Queries)?;
        for number in 0..embedder.threads {
            let work = if number == 0 {
                Work::Documents
            } else {
                Work::DocumentsOnIdleCores
            };
            embedder.start(format!("embedder-{number}"), work)?;
        }
        Ok(embedder)
    }

    fn start(&self, name: String, work: Work) -> Result<(), ModelError> {
        let (model, queue) = (Arc::clone(&self.model), Arc::clone(&self.queue));
        let body = move || work.run(&model, &queue);
        thread::Builder::new()
            .name(name)
            .spawn(body)
            .map(|_| ())
            .map_err(ModelError::Thread)
    }

    async fn embed_documents(&self, texts: Vec<Tokens>) -> Reply {
        let (reply, vectors) = oneshot::channel();
        self.queue.push_document(Job { texts, reply });
        vectors.await.unwrap_or(Err(EmbedError::Stopped))
    }

    /// Splits texts into tokens, on a thread that may block.
    async fn tokens(&self, texts: Vec<String>) -> Result<Vec<Tokens>, EmbedError> {
        let model = Arc::clone(&self.model);
        let split = move || texts.iter().map(|text| model.tokens(text)).collect();
        tokio::task::spawn_blocking(split)
            .await
            .map_err(|err| EmbedError::Model(err.into()))?
    }
}

/// Groups texts, by their places, into batches of equal length: such a batch needs no padding and
/// takes less time than its texts one by one.
fn batches(texts: &[Tokens]) -> Vec<Vec<usize>> {
    let mut places: Vec<usize> = (0..texts.len()).collect();
    places.sort_by_key(|place| texts[*place].len());
    let equal = places.chunk_by(|a, b| texts[*a].len() == texts[*b].len());
    let batches = equal.flat_map(|places| places.chunks(BATCH_TEXTS_MAX));
    batches.map(<[usize]>::to_vec).collect()
}

impl Embedder for LocalEmbedder {
    fn model(&self) -> &str {
        self.model.name()
    }

    fn knows(&self, word: &str) -> bool {
        self.model.knows(word)
    }

    fn dimensions(&self) -> usize {
        self.model.dimensions()
    }

    fn embed(&self, texts: Vec<String>) -> BoxFuture<'_, Result<Vec<Vec<f32>>, EmbedError>> {
        async move {
            let mut tokens = self.tokens(texts).await?;
            let batches = batches(&tokens);
            let jobs: Vec<Vec<Tokens>> = batches
                .iter()
                .map(|batch| {
                    batch
                        .iter()
                        .map(|at| std::mem::take(&mut tokens[*at]))
                        .collect()
                })
                .collect();
            let embedded: Vec<Vec<Vec<f32>>> = stream::iter(jobs)
                .map(|texts| self.embed_documents(texts))
                .buffered(self.threads * BATCHES_PER_THREAD)
                .try_collect()
                .await?;
            let mut vectors = vec![Vec::new(); tokens.len()];
            for (place, vector) in batches
                .into_iter()
                .flatten()
                .zip(embedded.into_iter().flatten())
            {
                vectors[place] = vector;
            }
            Ok(vectors)
        }
        .boxed()
    }

    fn embed_query<'a>(&'a self, text: &'a str) -> BoxFuture<'a, Result<Vec<f32>, EmbedError>> {
        async move {
            let (reply, vectors) = oneshot::channel();
            let texts = vec![self.model.tokens(text)?];
            self.queue.push_query(Job { texts, reply })?;
            let mut vectors = vectors.await.unwrap_or(Err(EmbedError::Stopped))?;
            vectors.pop().ok_or(EmbedError::Stopped)
        }
        .boxed()
    }
}

impl Drop for LocalEmbedder {
    fn drop(&mut self) {
        self.queue.close();
    }
}

/// What a thread is there for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Work {
    Queries,
    Documents,
    /// Rests while others want its core.
    DocumentsOnIdleCores,
}

impl Work {
    /// Does jobs until the queue is closed.
    fn run(self, model: &LocalModel, queue: &Queue) {
        if self != Self::Queries {
            // The thread of the pool inherits it.
            service_kit::work_in_background();
        }
        let one_thread = Arc::new(ThreadPool::with_num_threads(1));
        while let Some(Job { texts, reply }) = self.next(queue) {
            let (vectors, rest) = one_thread.run(|| {
                let before = Scheduled::now();
                // A text that trips the network must not take the thread with it.
                let vectors = catch_unwind(AssertUnwindSafe(|| model.embed(&texts, &one_thread)))
                    .unwrap_or_else(|_| Err(EmbedError::Model("it panicked".into())));
                (vectors, Scheduled::now().rest(before))
            });
            // A caller that has given up in the meantime does not receive them.
            let _ = reply.send(vectors);
            if let Some(rest) = rest.filter(|_| self == Self::DocumentsOnIdleCores) {
                thread::sleep(rest);
            }
        }
    }

    fn next(self, queue: &Queue) -> Option<Job> {
        match self {
            Self::Queries => queue.next_query(),
            Self::Documents | Self::DocumentsOnIdleCores => queue.next_document(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_a_batch_are_equally_long_and_few() {
        let mut texts: Vec<Tokens> = [3, 1, 3, 2, 1].map(|length| vec![0; length]).into();
        texts.extend(vec![vec![0; 3]; BATCH_TEXTS_MAX]);
        let lengths = |batch: &Vec<usize>| batch.iter().map(|at| texts[*at].len()).collect();
        let found: Vec<Vec<usize>> = batches(&texts).iter().map(lengths).collect();
        let full = vec![3; BATCH_TEXTS_MAX];
        assert_eq!(found, [vec![1, 1], vec![2], full, vec![3, 3]]);
        assert!(batches(&[]).is_empty());
    }
}
