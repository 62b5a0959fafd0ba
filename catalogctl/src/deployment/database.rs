//! The database of the write side as its administrator reaches it: the one that is named, or that of
//! `catalogctl up`, which is started for the time where it does not run.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use devkit::{Devkit, DevkitError};

use crate::endpoints::{EndpointArgs, Published};

pub(crate) const NAME: &str = "catalog_command";

#[derive(Debug, clap::Args)]
pub(crate) struct DatabaseArgs {
    /// The database of the write side, as its owner or an administrator [default: that of `catalogctl up`]
    #[arg(
        long,
        value_name = "URL",
        env = "CATALOG_COMMAND_DATABASE_URL",
        hide_env_values = true
    )]
    database_url: Option<String>,
}

/// What is done with the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// It has to be there, and others may use it.
    Read,
    /// Nobody else may use it.
    Replace,
}

/// The database, and the servers that were started for it.
pub(crate) struct Database {
    pub(crate) url: String,
    servers: Option<Devkit>,
}

impl DatabaseArgs {
    pub(crate) async fn open(
        &self,
        used: Use,
        endpoints: &EndpointArgs,
    ) -> anyhow::Result<Database> {
        if let Some(url) = &self.database_url {
            return Ok(Database::at(url.clone()));
        }
        let folder = endpoints.data_dir()?;
        if used == Use::Read && !folder.join("postgres").is_dir() {
            bail!(
                "{} holds no catalog: name its database with --database-url, or the folder of `catalogctl up` \
                 with --data",
                folder.display()
            );
        }
        match Devkit::start(&folder).await {
            Ok(servers) => Ok(Database {
                url: servers.database_url(NAME).await?,
                servers: Some(servers),
            }),
            Err(DevkitError::InUse { .. }) if used == Use::Read => of_running(folder),
            Err(err @ DevkitError::InUse { .. }) => {
                Err(err).context("stop `catalogctl up` before the restore")
            }
            Err(err) => Err(err.into()),
        }
    }
}

/// The database of the `catalogctl up` that runs in a folder.
fn of_running(folder: PathBuf) -> anyhow::Result<Database> {
    let published = Published::load(&folder)?;
    let url = published.and_then(|up| up.command_database);
    let url = url.with_context(|| {
        format!(
            "`catalogctl up` in {} does not say where its database is yet: try again",
            folder.display()
        )
    })?;
    Ok(Database::at(url))
}

impl Database {
    fn at(url: String) -> Self {
        Self { url, servers: None }
    }

    /// Stops what was started.
    pub(crate) async fn close(self) {
        if let Some(servers) = self.servers {
            servers.stop().await;
        }
    }
}
