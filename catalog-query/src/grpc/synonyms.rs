//! Streams suggestions of synonyms.

use catalog_proto::v1;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use crate::grpc::convert::{count, limit};
use crate::grpc::error::mining_status;
use crate::grpc::stream::Answers;
use crate::search::{SynonymMiner, SynonymPair};

const LIMIT_DEFAULT: usize = 50;
const LIMIT_MAX: usize = 1_000;
const PROGRESS_QUEUE_MAX: usize = 16;

/// Looks for synonyms in a task of its own, which stops when the client goes away.
pub(crate) fn suggest(
    miner: SynonymMiner,
    request: v1::SuggestSynonymsRequest,
) -> Result<Answers<v1::SuggestSynonymsResponse>, Status> {
    let limit = limit(request.limit, LIMIT_DEFAULT, LIMIT_MAX)?;
    let (answers, stream) = mpsc::channel(PROGRESS_QUEUE_MAX);
    tokio::spawn(async move {
        let (steps, mut taken) = mpsc::channel(1);
        let forward = async {
            let mut last = (0, 0);
            while let Some(step) = taken.recv().await {
                last = step;
                if answers.send(Ok(progress(step))).await.is_err() {
                    break;
                }
            }
            // The work ends when its receiver is gone.
            drop(taken);
            last
        };
        let (found, last) = tokio::join!(miner.suggest(limit, steps), forward);
        let answer = found
            .map_err(mining_status)
            .map(|pairs| v1::SuggestSynonymsResponse {
                suggestions: pairs.into_iter().map(suggestion).collect(),
                ..progress(last)
            });
        // Fails only when the client has gone.
        let _ = answers.send(answer).await;
    });
    Ok(Box::pin(ReceiverStream::new(stream)))
}

fn progress((done, total): (usize, usize)) -> v1::SuggestSynonymsResponse {
    v1::SuggestSynonymsResponse {
        done: done as i64,
        total: total as i64,
        suggestions: Vec::new(),
    }
}

fn suggestion(pair: SynonymPair) -> v1::SynonymSuggestion {
    v1::SynonymSuggestion {
        term: pair.term,
        synonym: pair.synonym,
        confidence: pair.confidence,
        similarity: pair.similarity,
        term_documents: count(pair.term_documents),
        synonym_documents: count(pair.synonym_documents),
        both_documents: count(pair.both_documents),
        evidence: pair.evidence,
    }
}
