//! Keeps what is made of files as new as the files are. Files that cannot be used change nothing: what was
//! made before stays, and the log says why.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::transport::error::TlsError;

/// How often the files are looked at.
const LOOK_EVERY_MS: u64 = 2_000;

/// Something made of files; dropping it ends the looking.
#[derive(Debug)]
pub(super) struct Reloaded<T> {
    current: watch::Receiver<Arc<T>>,
    looking: JoinHandle<()>,
}

/// How it is made, from which files, and what it is called in the log.
pub(super) struct Source<F> {
    pub(super) name: &'static str,
    pub(super) files: Vec<PathBuf>,
    pub(super) load: F,
}

impl<T: Send + Sync + 'static> Reloaded<T> {
    /// Makes it now, and again whenever the files change. Must be called within a Tokio runtime.
    pub(super) fn start<F>(source: Source<F>) -> Result<Self, TlsError>
    where
        F: Fn() -> Result<T, TlsError> + Send + Sync + 'static,
    {
        // What is read after this is not older than what the hash was made of.
        let seen = hash(&source.files);
        let (sender, current) = watch::channel(Arc::new((source.load)()?));
        let looking = tokio::spawn(look(Arc::new(source), seen, sender));
        Ok(Self { current, looking })
    }

    pub(super) fn current(&self) -> Arc<T> {
        self.current.borrow().clone()
    }
}

impl<T> Drop for Reloaded<T> {
    fn drop(&mut self) {
        self.looking.abort();
    }
}

async fn look<T, F>(source: Arc<Source<F>>, mut seen: [u8; 32], sender: watch::Sender<Arc<T>>)
where
    T: Send + Sync + 'static,
    F: Fn() -> Result<T, TlsError> + Send + Sync + 'static,
{
    let name = source.name;
    loop {
        tokio::time::sleep(Duration::from_millis(LOOK_EVERY_MS)).await;
        let source = source.clone();
        let looked = tokio::task::spawn_blocking(move || {
            let now = hash(&source.files);
            (now, (now != seen).then(|| (source.load)()))
        });
        let Ok((now, loaded)) = looked.await else {
            continue;
        };
        seen = now;
        match loaded {
            None => {}
            Some(Ok(new)) => {
                tracing::info!("{name}: the new files are in use");
                sender.send_replace(Arc::new(new));
            }
            Some(Err(err)) => {
                tracing::error!(
                    "{name}: the new files cannot be used, so that the old ones stay: {err}"
                );
            }
        }
    }
}

/// A hash of the contents: the time of a change has too coarse a clock for two of them in a row.
fn hash(files: &[PathBuf]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for file in files {
        let contents = fs::read(file).unwrap_or_default();
        hash.update(contents.len().to_le_bytes());
        hash.update(&contents);
    }
    hash.finalize().into()
}
