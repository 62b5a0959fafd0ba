//! Publishes usage events without slowing down what they tell of, by a bounded queue and batches.
//! Events that do not fit are dropped and counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use catalog_events::{
    CLICK_SUBJECT, ClickBatch, Clicked, ProductRead, READ_SUBJECT, ReadBatch, SEARCH_SUBJECT,
    SearchBatch, Searched,
};
use serde::Serialize;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

const QUEUE_EVENTS_MAX: usize = 10_000;
const BATCH_EVENTS_MAX: usize = 200;
const BATCH_EVERY_MS: u64 = 200;
/// The longest wait for the client to take a batch: its buffer is full while the broker is away.
const PUBLISH_MS_MAX: u64 = 100;
const FLUSH_MS_MAX: u64 = 500;

/// The figures that every batch carries.
pub(super) struct Header {
    sender: String,
    sequence: u64,
    sent: u64,
    dropped: u64,
}

/// Events of one kind, and the message that several of them become.
pub(super) trait UsageEvent: Send + Sized + 'static {
    const SUBJECT: &'static str;
    type Batch: Serialize;

    fn batch(header: Header, events: Vec<Self>) -> Self::Batch;
}

/// Records events for the publisher, without ever waiting.
#[derive(Debug)]
pub(super) struct Recorder<E> {
    queue: mpsc::Sender<E>,
    dropped: Arc<AtomicU64>,
}

impl<E> Clone for Recorder<E> {
    fn clone(&self) -> Self {
        Self {
            queue: self.queue.clone(),
            dropped: Arc::clone(&self.dropped),
        }
    }
}

impl<E> Recorder<E> {
    pub(super) fn record(&self, event: E) {
        if self.queue.try_send(event).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Publishes the recorded events in batches.
pub(super) struct Publisher<E> {
    queue: mpsc::Receiver<E>,
    client: async_nats::Client,
    sender: String,
    sequence: u64,
    sent: u64,
    dropped: Arc<AtomicU64>,
}

/// A recorder and the publisher that it feeds; `sender` names this process in the batches.
pub(super) fn usage_events<E: UsageEvent>(
    client: async_nats::Client,
    sender: String,
) -> (Recorder<E>, Publisher<E>) {
    let (queue, receiver) = mpsc::channel(QUEUE_EVENTS_MAX);
    let dropped = Arc::new(AtomicU64::new(0));
    let recorder = Recorder {
        queue,
        dropped: dropped.clone(),
    };
    let publisher = Publisher {
        queue: receiver,
        client,
        sender,
        sequence: 0,
        sent: 0,
        dropped,
    };
    (recorder, publisher)
}

impl<E: UsageEvent> Publisher<E> {
    pub(super) async fn run(mut self, stop: CancellationToken) -> anyhow::Result<()> {
        let mut events = Vec::with_capacity(BATCH_EVENTS_MAX);
        loop {
            let received = tokio::select! {
                received = self.queue.recv_many(&mut events, BATCH_EVENTS_MAX) => received,
                () = stop.cancelled() => break,
            };
            if received == 0 {
                break;
            }
            self.fill_up(&mut events, &stop).await;
            self.publish(std::mem::take(&mut events)).await;
        }
        let deadline = Duration::from_millis(FLUSH_MS_MAX);
        let _ = tokio::time::timeout(deadline, self.client.flush()).await;
        Ok(())
    }

    /// Waits for more events, unless the batch is full already.
    async fn fill_up(&mut self, events: &mut Vec<E>, stop: &CancellationToken) {
        if events.len() >= BATCH_EVENTS_MAX {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(BATCH_EVERY_MS)) => {}
            () = stop.cancelled() => {}
        }
        while events.len() < BATCH_EVENTS_MAX {
            match self.queue.try_recv() {
                Ok(event) => events.push(event),
                Err(_) => break,
            }
        }
    }

    async fn publish(&mut self, events: Vec<E>) {
        let count = events.len() as u64;
        let header = Header {
            sender: self.sender.clone(),
            sequence: self.sequence + 1,
            sent: self.sent + count,
            dropped: self.dropped.load(Ordering::Relaxed),
        };
        let Ok(payload) = serde_json::to_vec(&E::batch(header, events)) else {
            return;
        };
        let publish = self.client.publish(E::SUBJECT, payload.into());
        let deadline = Duration::from_millis(PUBLISH_MS_MAX);
        match tokio::time::timeout(deadline, publish).await {
            Ok(Ok(())) => {
                self.sequence += 1;
                self.sent += count;
            }
            Ok(Err(_)) | Err(_) => {
                self.dropped.fetch_add(count, Ordering::Relaxed);
            }
        }
    }
}

impl UsageEvent for ProductRead {
    const SUBJECT: &'static str = READ_SUBJECT;
    type Batch = ReadBatch;

    fn batch(header: Header, reads: Vec<Self>) -> ReadBatch {
        ReadBatch {
            sender: header.sender,
            sequence: header.sequence,
            sent: header.sent,
            dropped: header.dropped,
            reads,
        }
    }
}

impl UsageEvent for Searched {
    const SUBJECT: &'static str = SEARCH_SUBJECT;
    type Batch = SearchBatch;

    fn batch(header: Header, searches: Vec<Self>) -> SearchBatch {
        SearchBatch {
            sender: header.sender,
            sequence: header.sequence,
            sent: header.sent,
            dropped: header.dropped,
            searches,
        }
    }
}

impl UsageEvent for Clicked {
    const SUBJECT: &'static str = CLICK_SUBJECT;
    type Batch = ClickBatch;

    fn batch(header: Header, clicks: Vec<Self>) -> ClickBatch {
        ClickBatch {
            sender: header.sender,
            sequence: header.sequence,
            sent: header.sent,
            dropped: header.dropped,
            clicks,
        }
    }
}
