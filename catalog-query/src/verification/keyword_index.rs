//! Checks the keyword index of this replica: what searches see, and the files a restart would open.

use crate::index::LiveIndex;
use crate::verification::checked::{CheckStep, CheckSteps, Checked, Faults, Projection, tell};
use crate::verification::error::VerificationError;

/// Checks the index. Documents and digest come from one commit, whatever is applied meanwhile.
pub(crate) async fn check(
    index: &LiveIndex,
    steps: &CheckSteps,
) -> Result<Checked, VerificationError> {
    let index = index.current().load_full();
    let checking = tokio::task::spawn_blocking(move || {
        let mut faults = Faults::default();
        for file in index.check_files()? {
            faults.add(None, format!("the file {file} is damaged or missing"));
        }
        let snapshot = index.snapshot();
        Ok::<_, VerificationError>(Checked {
            position: snapshot.position(),
            documents: snapshot.documents(),
            digest: Some(snapshot.bucketed_digest()?),
            faults,
            pending: 0,
        })
    });
    let checked = checking.await??;
    let progress = CheckStep::Progress {
        projection: Projection::KeywordIndex,
        done: checked.documents,
        total: checked.documents,
    };
    tell(steps, progress).await?;
    Ok(checked)
}
