//! The errors of this crate, each as one line that says what to install, set or repair.

use std::io;
use std::path::{Path, PathBuf};

pub type Result<T> = std::result::Result<T, DevkitError>;

#[derive(Debug, thiserror::Error)]
pub enum DevkitError {
    #[error("cannot fetch {wanted}: install python3 with pip, or set {instead}")]
    PipMissing {
        wanted: &'static str,
        instead: &'static str,
    },

    #[error(
        "there is no ready-made {wanted} for {platform} (only for {supported}): set {instead} instead"
    )]
    UnsupportedPlatform {
        wanted: &'static str,
        platform: String,
        supported: String,
        instead: &'static str,
    },

    #[error("downloading {package} failed: {reason}; check the network, or set {instead}")]
    DownloadFailed {
        package: String,
        reason: String,
        instead: &'static str,
    },

    #[error("unpacking {file} failed: {reason}", file = file.display())]
    UnpackFailed { file: PathBuf, reason: String },

    #[error(
        "{file} is not the pinned file: its sha256 is {actual}, expected {expected}; nothing of it was used",
        file = file.display()
    )]
    ChecksumMismatch {
        file: PathBuf,
        expected: String,
        actual: String,
    },

    #[error("no cache folder: set CATALOG_DEVKIT_CACHE or HOME")]
    NoCacheFolder,

    #[error(
        "PostgreSQL does not run as root and the user {user} cannot pass through {directory}: \
         allow it (chmod o+x) or choose another folder",
        directory = directory.display()
    )]
    Unreachable { directory: PathBuf, user: String },

    #[error(
        "{folder} is in use by another process: stop that one or choose another folder",
        folder = folder.display()
    )]
    InUse { folder: PathBuf },

    #[error("preparing the database files in {folder} failed: {reason}", folder = folder.display())]
    InitFailed { folder: PathBuf, reason: String },

    #[error("{server} cannot listen on port {port}: another program does")]
    PortTaken { server: &'static str, port: u16 },

    #[error("{server} did not become ready: {reason}; its log {log} ends: {tail}", log = log.display())]
    NotReady {
        server: &'static str,
        reason: String,
        log: PathBuf,
        tail: String,
    },

    #[error("{name:?} is no database name: use 1 to 63 characters of a-z 0-9 _, a letter first")]
    InvalidDatabaseName { name: String },

    #[error("{variable} is no URL of the form {form}")]
    InvalidUrl {
        variable: &'static str,
        form: &'static str,
    },

    #[error("cannot {action}")]
    Database {
        action: String,
        #[source]
        source: sqlx::Error,
    },

    #[error("cannot make a certificate")]
    Certificate(#[from] rcgen::Error),

    #[error("CATALOG_MODEL_DIR is set, but there is no {file}", file = file.display())]
    ModelFileMissing { file: PathBuf },

    #[error("cannot {action} {path}", path = path.display())]
    Io {
        action: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },

    #[error("a background task of devkit panicked or was cancelled")]
    TaskFailed(#[source] tokio::task::JoinError),
}

/// Adds to an input/output error what was being done, and to which file.
pub(crate) trait IoContext<T> {
    fn doing(self, action: &'static str, path: &Path) -> Result<T>;
}

impl<T> IoContext<T> for io::Result<T> {
    fn doing(self, action: &'static str, path: &Path) -> Result<T> {
        self.map_err(|source| DevkitError::Io {
            action,
            path: path.to_owned(),
            source,
        })
    }
}

/// Runs blocking work off the async threads.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(DevkitError::TaskFailed)?
}
