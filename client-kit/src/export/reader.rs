//! Reads the products of one position. Invariant: once the position is known, a connection that is lost
//! is opened again at the same position behind the last answer, so that no product comes twice and none is
//! missing.

use std::time::Duration;

use catalog_proto::v1::catalog_command_service_client::CatalogCommandServiceClient;
use catalog_proto::v1::{ExportProductsRequest, ExportProductsResponse};
use service_kit::GrpcChannel;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::metadata::MetadataMap;
use tonic::{Code, Extensions, Request, Status, Streaming};

use crate::target::{Target, is_transient};

/// What is read, and how long without an answer.
#[derive(Clone, Debug)]
pub struct ExportOptions {
    pub request: ExportProductsRequest,
    /// The event at the position of the request, where an earlier export has told it: another one ends the
    /// export.
    pub event_id: Option<String>,
    /// How long to keep trying without an answer.
    pub retry: Duration,
    /// What every call tells of the caller.
    pub metadata: MetadataMap,
}

/// An error that ends an export before its end.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error("interrupted")]
    Interrupted,
    #[error(
        "position {position} is another event than it was when this export began: this is another \
         catalog, or its database was restored; export anew"
    )]
    OtherCatalog { position: i64 },
    #[error(
        "{pending} accepted changes have no position in the log yet, and it stands still at {position}: an \
         export of now would be without them"
    )]
    Behind { position: i64, pending: i64 },
    #[error("{0}")]
    Target(anyhow::Error),
    #[error("{why}")]
    Refused { code: Code, why: String },
    #[error("no answer for {seconds} s: {why}")]
    GaveUp { seconds: u64, why: String },
}

/// A connection was lost, and another try follows.
#[derive(Debug)]
pub struct Retrying {
    pub why: String,
    pub attempt: u32,
}

/// An export that is being read.
pub struct Reader<'t> {
    target: &'t Target,
    options: ExportOptions,
    stop: CancellationToken,
    channel: Option<GrpcChannel>,
    answers: Option<Streaming<ExportProductsResponse>>,
    /// The time of the last answer.
    progress_at: Instant,
    attempts: u32,
}

impl<'t> Reader<'t> {
    /// Nothing is asked yet. `stop` ends the export early.
    pub fn new(target: &'t Target, options: ExportOptions, stop: CancellationToken) -> Self {
        Self {
            target,
            options,
            stop,
            channel: None,
            answers: None,
            progress_at: Instant::now(),
            attempts: 0,
        }
    }

    /// The next answer; none after the last one.
    pub async fn next(
        &mut self,
        retrying: &mut (dyn FnMut(Retrying) + Send),
    ) -> Result<Option<ExportProductsResponse>, ExportError> {
        let stop = self.stop.clone();
        loop {
            let answer = tokio::select! {
                biased;
                () = stop.cancelled() => return Err(ExportError::Interrupted),
                answer = self.ask() => answer?,
            };
            match answer {
                Ok(Some(answer)) => {
                    self.keep(&answer)?;
                    return Ok(Some(answer));
                }
                Ok(None) => return Ok(None),
                Err(lost) => {
                    self.answers = None;
                    let wait = self.recover(&lost, retrying)?;
                    tokio::select! {
                        () = stop.cancelled() => return Err(ExportError::Interrupted),
                        () = tokio::time::sleep(wait) => {}
                    }
                }
            }
        }
    }

    /// Waits for an answer of the stream, which is opened where there is none.
    async fn ask(&mut self) -> Result<Result<Option<ExportProductsResponse>, Status>, ExportError> {
        let silence = self.progress_at + self.options.retry;
        let channel = match &self.channel {
            Some(channel) => channel.clone(),
            None => {
                let channel = self.target.channel().map_err(ExportError::Target)?;
                self.channel.insert(channel).clone()
            }
        };
        let metadata = self.options.metadata.clone();
        let request = self.options.request.clone();
        let request = Request::from_parts(metadata, Extensions::new(), request);
        let answers = &mut self.answers;
        let answer = async {
            let open = match answers {
                Some(open) => open,
                None => {
                    let mut client = CatalogCommandServiceClient::new(channel);
                    let stream = client.export_products(request).await?;
                    answers.insert(stream.into_inner())
                }
            };
            open.message().await
        };
        Ok(tokio::time::timeout_at(silence, answer)
            .await
            .unwrap_or_else(|_| Err(Status::deadline_exceeded("it does not answer"))))
    }

    /// Remembers where to go on.
    fn keep(&mut self, answer: &ExportProductsResponse) -> Result<(), ExportError> {
        let known = self.options.event_id.get_or_insert_default();
        if known.is_empty() {
            known.clone_from(&answer.event_id);
        } else if *known != answer.event_id {
            let position = answer.position;
            return Err(ExportError::OtherCatalog { position });
        }
        self.options.request.position = answer.position;
        if !answer.reached_id.is_empty() {
            self.options.request.after_id.clone_from(&answer.reached_id);
        }
        self.progress_at = Instant::now();
        self.attempts = 0;
        Ok(())
    }

    /// How long to wait before the next try, or why there is none.
    fn recover(
        &mut self,
        lost: &Status,
        retrying: &mut (dyn FnMut(Retrying) + Send),
    ) -> Result<Duration, ExportError> {
        let why = self.target.explain(lost);
        if !is_transient(lost) {
            let code = lost.code();
            return Err(ExportError::Refused { code, why });
        }
        self.attempts += 1;
        let wait = service_kit::backoff(self.attempts);
        if self.progress_at.elapsed() + wait > self.options.retry {
            let seconds = self.options.retry.as_secs();
            return Err(ExportError::GaveUp { seconds, why });
        }
        let attempt = self.attempts;
        retrying(Retrying { why, attempt });
        Ok(wait)
    }
}
