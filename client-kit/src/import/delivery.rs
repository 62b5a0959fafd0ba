//! Sends batches over one stream, several ahead of the answers. Invariant: a batch is kept until
//! it is answered; after a lost connection exactly those without an answer are sent again.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use catalog_proto::v1::catalog_command_service_client::CatalogCommandServiceClient;
use catalog_proto::v1::{ImportProductsRequest, ImportProductsResponse};
use prost::Message as _;
use service_kit::GrpcChannel;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::metadata::MetadataMap;
use tonic::{Code, Extensions, Request, Status, Streaming};
use uuid::Uuid;

use crate::feed::{FeedError, Mistake};
use crate::import::batches::Batch;
use crate::import::options::ImportOptions;
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
    validate_only: bool,
    metadata: MetadataMap,
    run: Uuid,
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
        options: &ImportOptions,
        stop: CancellationToken,
        notice: &'a mut (dyn FnMut(Notice<'_>) + Send),
    ) -> Self {
        Self {
            target,
            input,
            stop,
            retry: options.retry,
            validate_only: options.validate_only,
            metadata: options.metadata.clone(),
            run: options.run,
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
                self.summary.rows += batch.left_out;
                self.summary.left_out += batch.left_out;
                for warning in batch.warnings.drain(..) {
                    self.summary.warnings += 1;
                    (self.notice)(Notice::Warning(&warning));
                }
                if batch.rows.is_empty() {
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
    async fn converse(&mut self, channel: GrpcChannel) -> Result<(), Status> {
        let (requests, queue) = mpsc::channel(IN_FLIGHT_MAX);
        for batch in &self.unanswered {
            self.send(&requests, batch)?;
        }
        let mut client = CatalogCommandServiceClient::new(channel);
        let give_up = self.progress_at + self.retry;
        let batches = ReceiverStream::new(queue);
        let request = Request::from_parts(self.metadata.clone(), Extensions::new(), batches);
        let call = client.import_products(request);
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
                    Some(answer) => self.answered(answer)?,
                    None => return Err(Status::unavailable("it ended the import early")),
                },
                next = self.input.recv(), if room => {
                    let before = self.unanswered.len();
                    self.take(next);
                    for batch in self.unanswered.range(before..) {
                        self.send(&requests, batch)?;
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

    fn answered(&mut self, answer: ImportProductsResponse) -> Result<(), Status> {
        self.progress_at = Instant::now();
        self.attempts = 0;
        let Some(mut batch) = self.unanswered.pop_front() else {
            return Ok(());
        };
        let mut last = None;
        let rejected_before = self.summary.rejected;
        for rejection in answer.rejected {
            // One product may be refused for several fields.
            if last.replace(rejection.index) != Some(rejection.index) {
                self.summary.rejected += 1;
            }
            let place = batch.place(rejection.index);
            (self.notice)(Notice::Rejected(&Rejection {
                line: place.line,
                original: place.original,
                mistake: Mistake {
                    id: rejection.id,
                    field: rejection.field,
                    reason: rejection.reason,
                },
            }));
        }
        for preview in &answer.previews {
            let line = batch.place(preview.index).line;
            (self.notice)(Notice::Preview(line, preview));
        }
        let count = |count: i32| u64::try_from(count).unwrap_or_default();
        let applied = count(answer.created) + count(answer.updated) + count(answer.unchanged);
        if applied + self.summary.rejected - rejected_before != batch.rows.len() as u64 {
            return Err(Status::unimplemented("rows"));
        }
        self.summary.rows += batch.rows.len() as u64;
        self.summary.created += count(answer.created);
        self.summary.updated += count(answer.updated);
        self.summary.unchanged += count(answer.unchanged);
        if !answer.consistency_token.is_empty() {
            self.summary.consistency_token = answer.consistency_token;
        }
        (self.notice)(Notice::Progress(&self.summary));
        (self.notice)(Notice::Answered(batch.last_line));
        Ok(())
    }

    /// Queues a batch. There is always room: the queue holds as many batches as may wait for an answer.
    fn send(
        &self,
        requests: &mpsc::Sender<ImportProductsRequest>,
        batch: &Batch,
    ) -> Result<(), Status> {
        let request = ImportProductsRequest {
            request_id: if self.validate_only {
                String::new()
            } else {
                request_id(self.run, batch)
            },
            rows: batch.rows.clone(),
            columns: batch.columns.to_vec(),
            validate_only: self.validate_only,
            ..ImportProductsRequest::default()
        };
        let refused = |_| Status::unavailable("the stream takes no more");
        requests.try_send(request).map_err(refused)
    }

    /// Waits before the next attempt, or says why there is none.
    async fn recover(&mut self, lost: Status) -> Result<(), ImportError> {
        let line = self
            .unanswered
            .front()
            .and_then(|batch| batch.places.first())
            .map_or(0, |place| place.line);
        if lost.code() == Code::Unimplemented {
            return Err(ImportError::OldService);
        }
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

/// The name of a batch: where it stands in the feed, and what it holds. An import that goes on with batches of
/// another size, or with another mapping, asks for something else.
fn request_id(run: Uuid, batch: &Batch) -> String {
    let line = batch.places.first().map_or(0, |place| place.line);
    let mut hasher = DefaultHasher::new();
    batch.columns.hash(&mut hasher);
    for row in &batch.rows {
        row.encode_to_vec().hash(&mut hasher);
    }
    format!("import-{run}-{line}-{:016x}", hasher.finish())
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
