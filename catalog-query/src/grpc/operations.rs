//! Answers what operators ask of the read side.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream;
use catalog_events::{Position, STREAM};
use catalog_proto::v1;
use catalog_proto::v1::catalog_query_operations_server::CatalogQueryOperations;
use catalog_proto::v1::rebuild_progress::Phase;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use crate::generations::{RebuildError, RebuildProgress, RebuildStep, Rebuilder};
use crate::grpc::error::{database_status, internal, rebuild_status};
use crate::grpc::stream::Answers;
use crate::grpc::{synonyms, verification};
use crate::index::LiveIndex;
use crate::projectors::{Progress, ProjectionProgress, RuleProgress};
use crate::read_model::{Checkpoint, LiveReadModel, ReadModel};
use crate::search::{ListedProfiles, SynonymMiner};
use crate::verification::Verifier;

/// The most steps that wait for a client that is slow to read.
const PROGRESS_QUEUE_MAX: usize = 16;
/// How long the outcome of a rebuild is kept for a client that does not read it.
const LAST_STEP_WAIT: Duration = Duration::from_secs(60);

pub(crate) struct Operations {
    pub(crate) live: LiveReadModel,
    pub(crate) index: Arc<LiveIndex>,
    pub(crate) jetstream: jetstream::Context,
    pub(crate) progress: Progress,
    pub(crate) rebuilder: Arc<Rebuilder>,
    pub(crate) verifier: Arc<Verifier>,
    pub(crate) synonym_miner: SynonymMiner,
    pub(crate) profiles: ListedProfiles,
}

#[tonic::async_trait]
impl CatalogQueryOperations for Operations {
    async fn get_read_status(
        &self,
        _request: Request<v1::GetReadStatusRequest>,
    ) -> Result<Response<v1::GetReadStatusResponse>, Status> {
        let live = self.live.load_full();
        let checkpoint = live.checkpoint().await.map_err(database_status)?;
        let stream = match self.jetstream.get_stream(STREAM).await {
            Ok(stream) => Position(stream.cached_info().state.last_sequence),
            Err(_) => checkpoint.position,
        };
        let previous = self.rebuilder.generations.previous_id().await;
        Ok(Response::new(v1::GetReadStatusResponse {
            generation: live.generation,
            stream_sequence: stream.to_i64(),
            projections: self.projections(&live, &checkpoint, stream).await?,
            documents: checkpoint.documents,
            digest: checkpoint.digest.total().to_string(),
            previous_generation: previous.map_err(database_status)?.unwrap_or(0),
            parked_events: live.parked_count().await.map_err(database_status)?,
            rules: Some(rule_status(&self.progress.rules)),
        }))
    }

    type CheckProjectionsStream = Answers<v1::CheckProgress>;

    async fn check_projections(
        &self,
        _request: Request<v1::CheckProjectionsRequest>,
    ) -> Result<Response<Self::CheckProjectionsStream>, Status> {
        let checking = verification::check(self.verifier.clone()).await?;
        Ok(Response::new(checking))
    }

    type ListProjectedProductsStream = Answers<v1::ListProjectedProductsResponse>;

    async fn list_projected_products(
        &self,
        request: Request<v1::ListProjectedProductsRequest>,
    ) -> Result<Response<Self::ListProjectedProductsStream>, Status> {
        let verifier = self.verifier.clone();
        let listing = verification::list(verifier, request.into_inner()).await?;
        Ok(Response::new(listing))
    }

    async fn repair_products(
        &self,
        request: Request<v1::RepairProductsRequest>,
    ) -> Result<Response<v1::RepairProductsResponse>, Status> {
        let repaired = verification::repair(&self.verifier, request.into_inner());
        Ok(Response::new(repaired.await?))
    }

    async fn list_parked_events(
        &self,
        _request: Request<v1::ListParkedEventsRequest>,
    ) -> Result<Response<v1::ListParkedEventsResponse>, Status> {
        let parked = verification::parked(&self.verifier).await?;
        Ok(Response::new(parked))
    }

    async fn retry_parked_events(
        &self,
        request: Request<v1::RetryParkedEventsRequest>,
    ) -> Result<Response<v1::RetryParkedEventsResponse>, Status> {
        let retried = verification::retry_parked(&self.verifier, request.into_inner());
        Ok(Response::new(retried.await?))
    }

    type RollbackStream = Answers<v1::RebuildProgress>;

    async fn rollback(
        &self,
        _request: Request<v1::RollbackRequest>,
    ) -> Result<Response<Self::RollbackStream>, Status> {
        let rebuilder = self.rebuilder.clone();
        let work = async move |progress: RebuildProgress| rebuilder.rollback(&progress).await;
        Ok(Response::new(told(work)))
    }

    type RebuildStream = Answers<v1::RebuildProgress>;

    async fn rebuild(
        &self,
        _request: Request<v1::RebuildRequest>,
    ) -> Result<Response<Self::RebuildStream>, Status> {
        let rebuilder = self.rebuilder.clone();
        let work = async move |progress: RebuildProgress| rebuilder.run(&progress).await;
        Ok(Response::new(told(work)))
    }

    type SuggestSynonymsStream = Answers<v1::SuggestSynonymsResponse>;

    async fn suggest_synonyms(
        &self,
        request: Request<v1::SuggestSynonymsRequest>,
    ) -> Result<Response<Self::SuggestSynonymsStream>, Status> {
        let suggesting = synonyms::suggest(self.synonym_miner.clone(), request.into_inner())?;
        Ok(Response::new(suggesting))
    }

    async fn list_ranking_profiles(
        &self,
        _request: Request<v1::ListRankingProfilesRequest>,
    ) -> Result<Response<v1::ListRankingProfilesResponse>, Status> {
        let ListedProfiles { default, profiles } = &self.profiles;
        let profiles = profiles.iter().map(|profile| {
            let name = profile["name"].as_str().unwrap_or_default();
            v1::RankingProfile {
                name: name.to_owned(),
                version: profile["version"].as_i64().unwrap_or_default(),
                is_default: name == default,
                parameters: profile.to_string(),
            }
        });
        Ok(Response::new(v1::ListRankingProfilesResponse {
            profiles: profiles.collect(),
        }))
    }
}

/// Runs `work` in a task of its own, so that it is not left half done when the client goes away.
/// Streams its steps: the last one always, the others as far as the client reads them.
fn told<F>(work: impl FnOnce(RebuildProgress) -> F + Send + 'static) -> Answers<v1::RebuildProgress>
where
    F: Future<Output = Result<(), RebuildError>> + Send + 'static,
{
    let (progress, mut steps) = mpsc::channel(PROGRESS_QUEUE_MAX);
    let (answers, stream) = mpsc::channel(PROGRESS_QUEUE_MAX);
    let work = work(progress);
    tokio::spawn(async move {
        let forward = async {
            let mut untold = None;
            while let Some(step) = steps.recv().await {
                untold = match answers.try_send(Ok(message(step))) {
                    Err(TrySendError::Full(step)) => Some(step),
                    Ok(()) | Err(TrySendError::Closed(_)) => None,
                };
            }
            untold
        };
        let (result, untold) = tokio::join!(work, forward);
        let failed = result.err().map(|err| Err(rebuild_status(err)));
        // The work has ended: only this task waits for the client.
        for last in untold.into_iter().chain(failed) {
            let _ = answers.send_timeout(last, LAST_STEP_WAIT).await;
        }
    });
    Box::pin(ReceiverStream::new(stream))
}

impl Operations {
    /// How far each projection is, and behind `stream`.
    async fn projections(
        &self,
        live: &ReadModel,
        checkpoint: &Checkpoint,
        stream: Position,
    ) -> Result<Vec<v1::ProjectionStatus>, Status> {
        let embeddings = live.embedding_counts().await.map_err(database_status)?;
        let missing = self.verifier.vectors.missing(live.generation, checkpoint);
        // Position, documents and digest come from one commit, whatever is applied meanwhile.
        let index = self.index.current().load().snapshot();
        let read_index = index.clone();
        let digest = tokio::task::spawn_blocking(move || read_index.digest_of_live())
            .await
            .map_err(|err| internal(&err))?
            .map_err(|err| internal(&err))?;
        let projection = |name: &str, progress: &ProjectionProgress| v1::ProjectionStatus {
            name: name.to_owned(),
            error: progress.error().unwrap_or_default(),
            ..v1::ProjectionStatus::default()
        };
        let lag = |position: Position| position.lag_to(stream) as i64;
        Ok(vec![
            v1::ProjectionStatus {
                position: checkpoint.position.to_i64(),
                lag: lag(checkpoint.position),
                documents: checkpoint.documents,
                digest: checkpoint.digest.total().to_string(),
                ..projection("read_model", &self.progress.read_model)
            },
            v1::ProjectionStatus {
                position: index.position().to_i64(),
                lag: lag(index.position()),
                documents: index.documents() as i64,
                digest: digest.to_string(),
                ..projection("keyword_index", &self.progress.keyword_index)
            },
            v1::ProjectionStatus {
                position: checkpoint.position.to_i64(),
                lag: embeddings.pending.max(missing),
                documents: embeddings.current.min(checkpoint.documents - missing),
                ..projection("embeddings", &self.progress.embeddings)
            },
        ])
    }
}

fn rule_status(rules: &RuleProgress) -> v1::SearchRuleStatus {
    v1::SearchRuleStatus {
        position: rules.projection.position().to_i64(),
        rules: rules.known(),
        active: rules.followed(),
        error: rules.projection.error().unwrap_or_default(),
    }
}

fn message((generation, step): (i64, RebuildStep)) -> v1::RebuildProgress {
    let (phase, done, total, digest) = match step {
        RebuildStep::Replay { done, total } => {
            (Phase::Replay, done as i64, total as i64, String::new())
        }
        RebuildStep::Embed { done, total } => (Phase::Embed, done, total, String::new()),
        RebuildStep::Compare => (Phase::Compare, 0, 1, String::new()),
        RebuildStep::Switched { digest } => (Phase::Switched, 1, 1, digest.to_string()),
    };
    v1::RebuildProgress {
        phase: phase.into(),
        done,
        total,
        generation,
        digest,
    }
}

#[cfg(test)]
mod tests {
    use catalog_events::Digest;
    use futures_util::StreamExt as _;
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn a_client_that_does_not_read_holds_up_no_rebuild_and_hears_of_its_end() {
        let (ended, work_ended) = oneshot::channel();
        let answers = told(async move |progress: RebuildProgress| {
            for done in 0..1_000 {
                let step = RebuildStep::Replay { done, total: 1_000 };
                progress.send((7, step)).await.expect("forwarded");
            }
            let digest = Digest::default();
            let switched = progress.send((7, RebuildStep::Switched { digest })).await;
            switched.expect("forwarded");
            ended.send(()).expect("waited for");
            Ok(())
        });
        let patience = Duration::from_secs(60);
        let waited = tokio::time::timeout(patience, work_ended).await;
        waited.expect("not held up").expect("ended");
        let told: Vec<_> = answers.collect().await;
        let last = told.last().expect("a step").as_ref().expect("no error");
        assert_eq!(last.phase(), Phase::Switched);
    }
}
