//! Why a backup or a restore failed, each as a line that says what to do.

use std::io;
use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("{}: {source}", path.display())]
    File {
        path: PathBuf,
        #[source]
        source: io::Error,
    },

    #[error("{}: another backup or restore uses this folder", folder.display())]
    Busy { folder: PathBuf },

    #[error("{} holds no backup: a folder that `catalogctl backup` has written has a file backup.json", folder.display())]
    NoBackup { folder: PathBuf },

    #[error("{} cannot be read: {reason}", path.display())]
    Unreadable { path: PathBuf, reason: String },

    #[error(
        "{} is damaged: {reason}; take the folder from where it is kept, or use an older backup",
        path.display()
    )]
    Damaged { path: PathBuf, reason: String },

    #[error(
        "this backup was made by a newer release (migration {theirs}, this one knows {ours}): restore it with \
         that release"
    )]
    Newer { theirs: i64, ours: i64 },

    #[error("the database has no catalog: {0}")]
    NoCatalog(&'static str),

    #[error(
        "the database holds {products} products, with the log at {position}: restore into an empty one, or \
         pass --replace to give up what it holds"
    )]
    NotEmpty { products: i64, position: i64 },

    #[error("{sessions} other sessions go on using the database: stop every catalog-command first")]
    InUse { sessions: i64 },

    #[error("the event at position {position} cannot be read: {reason}")]
    Corrupt { position: i64, reason: String },

    #[error(
        "what was restored is not what was backed up: {0}; nothing was changed in the database. Use an older backup"
    )]
    Differs(String),

    #[error("Postgres: {0}")]
    Postgres(#[from] sqlx::Error),

    #[error("cannot make the schema of the backup: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
}

/// Names the file in an error of the file system.
pub(crate) trait AtPath<T> {
    fn at(self, path: &Path) -> Result<T, BackupError>;
}

impl<T> AtPath<T> for io::Result<T> {
    fn at(self, path: &Path) -> Result<T, BackupError> {
        self.map_err(|source| BackupError::File {
            path: path.to_owned(),
            source,
        })
    }
}
