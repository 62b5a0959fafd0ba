//! Publishes product-read events without slowing reads down, by a bounded queue, batches and a
//! connection of its own. Events that do not fit are dropped and counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use catalog_events::{ProductId, ProductRead, READ_SUBJECT, ReadBatch, ReadSource};
use time::OffsetDateTime;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

const QUEUE_READS_MAX: usize = 10_000;
const BATCH_READS_MAX: usize = 200;
const BATCH_EVERY_MS: u64 = 200;
/// The longest wait for the client to take a batch: its buffer is full while the broker is away.
const PUBLISH_MS_MAX: u64 = 100;
const FLUSH_MS_MAX: u64 = 500;

/// Records reads for the publisher, without ever waiting.
#[derive(Clone)]
pub(crate) struct ReadRecorder {
    queue: mpsc::Sender<ProductRead>,
    dropped: Arc<AtomicU64>,
}

impl ReadRecorder {
    pub(crate) fn record(&self, product_id: &ProductId, source: ReadSource) {
        let read = ProductRead {
            product_id: product_id.clone(),
            source,
            at: OffsetDateTime::now_utc(),
        };
        if self.queue.try_send(read).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Publishes the recorded reads in batches.
pub(crate) struct ReadPublisher {
    queue: mpsc::Receiver<ProductRead>,
    client: async_nats::Client,
    sender: String,
    sequence: u64,
    sent: u64,
    dropped: Arc<AtomicU64>,
}

/// A recorder and the publisher that it feeds; `sender` names this process in the batches.
pub(crate) fn read_events(
    client: async_nats::Client,
    sender: String,
) -> (ReadRecorder, ReadPublisher) {
    let (queue, receiver) = mpsc::channel(QUEUE_READS_MAX);
    let dropped = Arc::new(AtomicU64::new(0));
    let recorder = ReadRecorder {
        queue,
        dropped: dropped.clone(),
    };
    let publisher = ReadPublisher {
        queue: receiver,
        client,
        sender,
        sequence: 0,
        sent: 0,
        dropped,
    };
    (recorder, publisher)
}

impl ReadPublisher {
    pub(crate) async fn run(mut self, stop: CancellationToken) -> anyhow::Result<()> {
        let mut reads = Vec::with_capacity(BATCH_READS_MAX);
        loop {
            let received = tokio::select! {
                received = self.queue.recv_many(&mut reads, BATCH_READS_MAX) => received,
                () = stop.cancelled() => break,
            };
            if received == 0 {
                break;
            }
            self.fill_up(&mut reads, &stop).await;
            self.publish(std::mem::take(&mut reads)).await;
        }
        let deadline = Duration::from_millis(FLUSH_MS_MAX);
        let _ = tokio::time::timeout(deadline, self.client.flush()).await;
        Ok(())
    }

    /// Waits for more reads, unless the batch is full already.
    async fn fill_up(&mut self, reads: &mut Vec<ProductRead>, stop: &CancellationToken) {
        if reads.len() >= BATCH_READS_MAX {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(BATCH_EVERY_MS)) => {}
            () = stop.cancelled() => {}
        }
        while reads.len() < BATCH_READS_MAX {
            match self.queue.try_recv() {
                Ok(read) => reads.push(read),
                Err(_) => break,
            }
        }
    }

    async fn publish(&mut self, reads: Vec<ProductRead>) {
        let count = reads.len() as u64;
        let batch = ReadBatch {
            sender: self.sender.clone(),
            sequence: self.sequence + 1,
            sent: self.sent + count,
            dropped: self.dropped.load(Ordering::Relaxed),
            reads,
        };
        let Ok(payload) = serde_json::to_vec(&batch) else {
            return;
        };
        let publish = self.client.publish(READ_SUBJECT, payload.into());
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
