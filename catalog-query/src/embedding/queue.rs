//! The jobs that wait for the model. Queries have a queue of their own, because somebody waits for
//! each, and documents are many.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::embedding::EmbedError;
use crate::embedding::model::Tokens;

/// The most queries that wait: the last of more would wait longer than a search may take.
const QUERIES_MAX: usize = 64;

/// The vectors of a job, one for each text.
pub(crate) type Reply = Result<Vec<Vec<f32>>, EmbedError>;

/// Texts that are embedded together and have the same number of tokens.
pub(crate) struct Job {
    pub(crate) texts: Vec<Tokens>,
    pub(crate) reply: oneshot::Sender<Reply>,
}

#[derive(Default)]
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    query_came: Condvar,
    document_came: Condvar,
}

#[derive(Default)]
struct Waiting {
    queries: VecDeque<Job>,
    documents: VecDeque<Job>,
    closed: bool,
}

impl Queue {
    /// Adds a query, unless too many wait already.
    pub(crate) fn push_query(&self, job: Job) -> Result<(), EmbedError> {
        let mut waiting = self.lock();
        waiting.queries.retain(|job| !job.reply.is_closed());
        if waiting.queries.len() >= QUERIES_MAX {
            return Err(EmbedError::Overloaded);
        }
        waiting.queries.push_back(job);
        self.query_came.notify_one();
        Ok(())
    }

    /// Adds documents. Their number is bounded by the callers: each waits for those that it has
    /// pushed.
    pub(crate) fn push_document(&self, job: Job) {
        self.lock().documents.push_back(job);
        self.document_came.notify_one();
    }

    /// Ends the threads that wait for jobs.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.query_came.notify_all();
        self.document_came.notify_all();
    }

    /// Waits for the next query that somebody still wants; None when the queue is closed.
    pub(crate) fn next_query(&self) -> Option<Job> {
        self.next(&self.query_came, |waiting| waiting.queries.pop_front())
    }

    /// Waits for the next documents that somebody still wants; None when the queue is closed.
    pub(crate) fn next_document(&self) -> Option<Job> {
        self.next(&self.document_came, |waiting| waiting.documents.pop_front())
    }

    fn next(&self, came: &Condvar, take: impl Fn(&mut Waiting) -> Option<Job>) -> Option<Job> {
        let mut waiting = self.lock();
        loop {
            if waiting.closed {
                return None;
            }
            match take(&mut waiting) {
                Some(job) if job.reply.is_closed() => {}
                Some(job) => return Some(job),
                None => {
                    let woken = came.wait(waiting);
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

    fn job(token: u32) -> (Job, oneshot::Receiver<Reply>) {
        let (reply, receiver) = oneshot::channel();
        (
            Job {
                texts: vec![vec![token]],
                reply,
            },
            receiver,
        )
    }

    #[test]
    fn nobody_works_for_those_who_left() {
        let queue = Queue::default();
        let (document, _document) = job(1);
        let (left, receiver) = job(2);
        let (query, _query) = job(3);
        queue.push_document(document);
        queue.push_query(left).expect("room");
        queue.push_query(query).expect("room");
        drop(receiver);
        let token = |job: Option<Job>| job.map(|job| job.texts[0][0]);
        assert_eq!(token(queue.next_query()), Some(3));
        assert_eq!(token(queue.next_document()), Some(1));
        queue.close();
        assert_eq!(token(queue.next_query()), None);
    }

    #[test]
    fn a_full_queue_refuses_until_somebody_leaves() {
        let queue = Queue::default();
        let push = || {
            let (query, waits) = job(3);
            queue.push_query(query).map(|()| waits)
        };
        let mut waiting: Vec<_> = (0..QUERIES_MAX).map(|_| push().expect("room")).collect();
        assert!(matches!(push(), Err(EmbedError::Overloaded)));
        waiting.pop();
        assert!(push().is_ok());
    }
}
