//! Sends batches over one stream, several ahead of the answers. Invariant: a batch is kept until
//! it is answered; after a lost connection exactly those without an answer are sent again.

use std::collections::VecDeque;
use std::time::Duration;

use catalog_proto::v1::catalog_command_service_client::CatalogCommandServiceClient;
use catalog_proto::v1::{ImportProductsRequest, ImportProductsResponse};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use tonic::{Status, Streaming};

use crate::feed::{FeedError, Mistake};
use crate::import::batches::Batch;
use crate::import::outcome::{ImportError, Notice, Rejection, Summary};
use crate::target::{Target, is_transient};

const IN_FLIGHT_MAX: usize = 4;
/// How long to wait for the end of a stream whose every batch was answered.
const FAREWELL_MS_MAX: u64 = 1_000;

type Input = mpsc::Receiver<Result<Batch, FeedError>>;

pub(super) struct Delivery<'a> {
    target: &'a Target,
    input: Input,
    stop: CancellationToken,
    retry: Duration,
    notice: &'a mut (dyn FnMut(Notice<'_>) + Send),
    /// The batches without an answer, sent or not yet sent, oldest first.
    unanswered: VecDeque<Batch>,
    /// Why no more batches come; none while more may come.
    ended: Option<Result<(), ImportError>>,
    summary: Summary,
    /// The time of the last answer, or of the first batch after a pause of the feed.
    progress_at: Instant,
    attempts: u32,
}

impl<'a> Delivery<'a> {
    pub(super) fn new(
        target: &'a Target,
        input: Input,
        retry: Duration,
        stop: CancellationToken,
        notice: &'a mut (dyn FnMut(Notice<'_>) + Send),
    ) -> Self {
        Self {
            target,
            input,
            stop,
            retry,
            notice,
            unanswered: VecDeque::with_capacity(IN_FLIGHT_MAX),
            ended: None,
            summary: Summary::default(),
            progress_at: Instant::now(),
            attempts: 0,
        }
    }

    pub(super) async fn run(mut self) -> (Summary, Result<(), ImportError>) {
        let result = self.deliver().await;
        self.input.close();
        (self.summary, result)
    }

    async fn deliver(&mut self) -> Result<(), ImportError> {
        let channel = self.target.channel().map_err(ImportError::Target)?;
        loop {
            while self.unanswered.is_empty() && self.ended.is_none() {
                self.advance().await;
            }
            if self.unanswered.is_empty() {
                return self.ended.take().unwrap_or(Ok(()));
            }
            if let Err(lost) = self.converse(channel.clone()).await {
                self.recover(lost).await?;
            }
        }
    }

    /// Waits for the next batch, or for the end of them.
    async fn advance(&mut self) {
        let next = tokio::select! {
            () = self.stop.cancelled() => return self.end(Err(ImportError::Interrupted)),
            next = self.input.recv() => next,
        };
        self.take(next);
    }

    fn take(&mut self, next: Option<Result<Batch, FeedError>>) {
        match next {
            None => self.end(Ok(())),
            Some(Err(err)) => self.end(Err(ImportError::Feed(err))),
            Some(Ok(mut batch)) => {
                for rejection in batch.rejected.drain(..) {
                    self.summary.rows += 1;
                    self.summary.rejected += 1;
                    (self.notice)(Notice::Rejected(&rejection));
                }
                if batch.products.is_empty() {
                    (self.notice)(Notice::Progress(&self.summary));
                    return;
                }
                if self.unanswered.is_empty() {
                    self.progress_at = Instant::now();
                }
                self.unanswered.push_back(batch);
            }
        }
    }

    fn end(&mut self, why: Result<(), ImportError>) {
        self.ended = Some(why);
        self.input.close();
    }

    /// Runs one stream until every batch is answered or the stream is lost.
    async fn converse(&mut self, channel: Channel) -> Result<(), Status> {
        let (requests, queue) = mpsc::channel(IN_FLIGHT_MAX);
        for batch in &self.unanswered {
            send(&requests, batch)?;
        }
        let mut client = CatalogCommandServiceClient::new(channel);
        let give_up = self.progress_at + self.retry;
        let call = client.import_products(ReceiverStream::new(queue));
        let mut answers = tokio::time::timeout_at(give_up, call)
            .await
            .map_err(|_| no_answer())??
            .into_inner();
        while !(self.unanswered.is_empty() && self.ended.is_some()) {
            let room = self.ended.is_none() && self.unanswered.len() < IN_FLIGHT_MAX;
            tokio::select! {
                biased;
                () = self.stop.cancelled(), if self.ended.is_none() => {
                    self.end(Err(ImportError::Interrupted));
                }
                answer = answers.message() => match answer? {
                    Some(answer) => self.answered(&answer),
                    None => return Err(Status::unavailable("it ended the import early")),
                },
                next = self.input.recv(), if room => {
                    let before = self.unanswered.len();
                    self.take(next);
                    for batch in self.unanswered.range(before..) {
                        send(&requests, batch)?;
                    }
                }
                () = tokio::time::sleep_until(self.progress_at + self.retry),
                    if !self.unanswered.is_empty() => return Err(no_answer()),
            }
        }
        drop(requests);
        farewell(answers).await;
        Ok(())
    }

    fn answered(&mut self, answer: &ImportProductsResponse) {
        self.progress_at = Instant::now();
        self.attempts = 0;
        let Some(batch) = self.unanswered.pop_front() else {
            return;
        };
        let mut last = None;
        for rejection in &answer.rejected {
            // One product may be refused for several fields.
            if last.replace(rejection.index) != Some(rejection.index) {
                self.summary.rejected += 1;
            }
            let line = usize::try_from(rejection.index)
                .ok()
                .and_then(|index| batch.lines.get(index));
            (self.notice)(Notice::Rejected(&Rejection {
                line: line.copied().unwrap_or_default(),
                mistake: Mistake {
                    id: rejection.id.clone(),
                    field: rejection.field.clone(),
                    reason: rejection.reason.clone(),
                },
            }));
        }
        let count = |count: i32| u64::try_from(count).unwrap_or_default();
        self.summary.rows += batch.products.len() as u64;
        self.summary.created += count(answer.created);
        self.summary.updated += count(answer.updated);
        self.summary.unchanged += count(answer.unchanged);
        (self.notice)(Notice::Progress(&self.summary));
    }

    /// Waits before the next attempt, or says why there is none.
    async fn recover(&mut self, lost: Status) -> Result<(), ImportError> {
        let line = self
            .unanswered
            .front()
            .and_then(|batch| batch.lines.first().copied())
            .unwrap_or_default();
        let why = self.target.explain(&lost);
        // A batch that was applied without an answer counts as unchanged the next time.
        if !is_transient(&lost) {
            return Err(ImportError::Refused { line, why });
        }
        self.attempts += 1;
        let wait = service_kit::backoff(self.attempts);
        if self.progress_at.elapsed() + wait > self.retry {
            let seconds = self.retry.as_secs();
            return Err(ImportError::GaveUp { line, seconds, why });
        }
        (self.notice)(Notice::Retrying {
            why: &why,
            attempt: self.attempts,
        });
        tokio::time::sleep(wait).await;
        Ok(())
    }
}

/// Queues a batch. There is always room: the queue holds as many batches as may wait for an answer.
fn send(requests: &mpsc::Sender<ImportProductsRequest>, batch: &Batch) -> Result<(), Status> {
    let products = batch.products.clone();
    requests
        .try_send(ImportProductsRequest {
            products,
            ..Default::default()
        })
        .map_err(|_| Status::unavailable("the stream takes no more"))
}

fn no_answer() -> Status {
    Status::deadline_exceeded("it does not answer")
}

/// Lets the service end the stream, so that it does not see a broken one.
async fn farewell(mut answers: Streaming<ImportProductsResponse>) {
    let wait = Duration::from_millis(FAREWELL_MS_MAX);
    let _ = tokio::time::timeout(wait, answers.message()).await;
}

#[cfg(test)]
mod tests;
