//! What waits for the model: queries before documents, whoever came first.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::EmbedError;

/// More than this many would wait longer than a search may take.
const QUERIES_MAX: usize = 64;

pub(super) type Reply = Result<Vec<f32>, EmbedError>;

pub(super) struct Job {
    pub(super) text: String,
    pub(super) reply: oneshot::Sender<Reply>,
}

#[derive(Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    queries: VecDeque<Job>,
    documents: VecDeque<Job>,
    closed: bool,
}

impl Queue {
    pub(super) fn push_query(&self, job: Job) -> Result<(), EmbedError> {
        let mut waiting = self.lock();
        waiting.queries.retain(|job| !job.reply.is_closed());
        if waiting.queries.len() >= QUERIES_MAX {
            return Err(EmbedError::Overloaded);
        }
        waiting.queries.push_back(job);
        self.changed.notify_one();
        Ok(())
    }

    /// Bounded where documents come from: each caller waits for the ones it has pushed.
    pub(super) fn push_document(&self, job: Job) {
        self.lock().documents.push_back(job);
        self.changed.notify_one();
    }

    /// Ends the threads that wait in [`Self::next`].
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// The next job that somebody still waits for; none when the queue is closed.
    pub(super) fn next(&self) -> Option<Job> {
        let mut waiting = self.lock();
        loop {
            if waiting.closed {
                return None;
            }
            let job = waiting.queries.pop_front();
            match job.or_else(|| waiting.documents.pop_front()) {
                Some(job) if job.reply.is_closed() => {}
                Some(job) => return Some(job),
                None => {
                    let woken = self.changed.wait(waiting);
                    waiting = woken.unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(text: &str) -> (Job, oneshot::Receiver<Reply>) {
        let (reply, receiver) = oneshot::channel();
        (
            Job {
                text: text.to_owned(),
                reply,
            },
            receiver,
        )
    }

    fn next(queue: &Queue) -> Option<String> {
        queue.next().map(|job| job.text)
    }

    #[test]
    fn queries_go_first_and_nobody_works_for_those_who_left() {
        let queue = Queue::default();
        let (document, _document) = job("document");
        let (left, receiver) = job("left");
        let (query, _query) = job("query");
        queue.push_document(document);
        queue.push_query(left).expect("room");
        queue.push_query(query).expect("room");
        drop(receiver);
        assert_eq!(next(&queue).as_deref(), Some("query"));
        assert_eq!(next(&queue).as_deref(), Some("document"));
        queue.close();
        assert_eq!(next(&queue), None);
    }

    #[test]
    fn a_full_queue_refuses_until_somebody_leaves() {
        let queue = Queue::default();
        let push = || {
            let (query, waits) = job("query");
            queue.push_query(query).map(|()| waits)
        };
        let mut waiting: Vec<_> = (0..QUERIES_MAX).map(|_| push().expect("room")).collect();
        assert!(matches!(push(), Err(EmbedError::Overloaded)));
        waiting.pop();
        assert!(push().is_ok());
    }
}
