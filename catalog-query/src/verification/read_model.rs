//! Checks the documents and the embeddings of one moment, row by row.

use catalog_events::{BucketedDigest, ContentHash};

use crate::read_model::ReadModel;
use crate::verification::checked::{CheckStep, CheckSteps, Checked, Projection, tell};
use crate::verification::error::VerificationError;
use crate::verification::rows::{Document, Row, Snapshot, expected_text_hash};

/// Checks both; returns what it finds of the documents and of the embeddings.
pub(crate) async fn check(
    live: &ReadModel,
    steps: &CheckSteps,
) -> Result<(Checked, Checked), VerificationError> {
    let mut snapshot = live.snapshot().await?;
    let total = snapshot.count().await?;
    let mut checking = Checking::new(live.model.clone(), &snapshot);
    let mut done = 0;
    loop {
        let rows = snapshot.page().await?;
        done += rows.len() as u64;
        let progress = CheckStep::Progress {
            projection: Projection::ReadModel,
            done,
            total,
        };
        tell(steps, progress).await?;
        if rows.is_empty() {
            break;
        }
        // Hashing keeps a core busy.
        let checked = tokio::task::spawn_blocking(move || {
            rows.iter().for_each(|row| checking.row(row));
            checking
        });
        checking = checked.await?;
    }
    for (id, problem) in snapshot.orphans().await? {
        checking.embeddings.faults.add(Some(&id), problem);
    }
    checking.running_digest(&snapshot);
    Ok((checking.documents, checking.embeddings))
}

struct Checking {
    model: String,
    documents: Checked,
    embeddings: Checked,
    /// The digest of the content as it is.
    digest: BucketedDigest,
    /// The sum of the hashes as they are stored, which the running digest must be.
    stored: BucketedDigest,
    stored_documents: i64,
}

impl Checking {
    fn new(model: String, snapshot: &Snapshot<'_>) -> Self {
        let checked = Checked {
            position: snapshot.position,
            ..Checked::default()
        };
        Self {
            model,
            documents: checked.clone(),
            embeddings: checked,
            digest: BucketedDigest::default(),
            stored: BucketedDigest::default(),
            stored_documents: 0,
        }
    }

    fn row(&mut self, row: &Row) {
        let document = &row.document;
        let stored_hash = self.stored_hash(document);
        let text_hash = match document.content() {
            Ok(Some((product, hash))) => {
                self.documents.documents += 1;
                self.digest.insert(hash);
                if stored_hash != Some(hash) {
                    self.fault(document, "the content is not that of the stored hash");
                }
                let expected = expected_text_hash(&self.model, &product);
                if document.text_hash.as_deref() != Some(&expected) {
                    self.fault(document, "the hash of the text is not that of the document");
                }
                Some(expected)
            }
            Ok(None) => {
                if document.content_hash.is_some() || document.text_hash.is_some() {
                    self.fault(document, "a tombstone has hashes");
                }
                None
            }
            Err(problem) => {
                self.documents.documents += 1;
                self.fault(document, &problem);
                // Without its text the embedding cannot be judged.
                return;
            }
        };
        if document.position > self.documents.position.to_i64() {
            self.fault(document, "the position lies after that of the read model");
        }
        self.embedding(row, text_hash.as_ref().map(<[u8; 16]>::as_slice));
    }

    fn stored_hash(&mut self, document: &Document) -> Option<ContentHash> {
        let bytes = document.content_hash.as_deref()?.try_into().ok()?;
        let hash = ContentHash::from_bytes(bytes);
        self.stored.insert(hash);
        self.stored_documents += 1;
        Some(hash)
    }

    fn embedding(&mut self, row: &Row, text_hash: Option<&[u8]>) {
        let (id, embedding) = (&row.document.product_id, &row.embedding);
        if let Some(problem) = embedding.problem(id, text_hash) {
            self.embeddings.faults.add(Some(id), problem);
        } else if text_hash.is_some() {
            if embedding.text_hash.as_deref() == text_hash {
                self.embeddings.documents += 1;
            } else {
                self.embeddings.pending += 1;
            }
        }
    }

    fn fault(&mut self, document: &Document, problem: &str) {
        let faults = &mut self.documents.faults;
        faults.add(Some(&document.product_id), problem);
    }

    fn running_digest(&mut self, snapshot: &Snapshot<'_>) {
        let faults = &mut self.documents.faults;
        if snapshot.digest != self.stored.to_bytes() {
            faults.add(None, "the running digest is not the sum of the documents");
        }
        if snapshot.documents != self.stored_documents {
            let (counted, found) = (snapshot.documents, self.stored_documents);
            faults.add(
                None,
                format!("{counted} live documents are counted, {found} are there"),
            );
        }
        self.documents.digest = Some(self.digest.clone());
    }
}
