//! Everything a machine needs to run the services or their tests, under one owner.
//! Invariant: a server named by a variable of the environment is used as it is and never stopped.

use std::env;
use std::path::Path;

use crate::database::{self, PostgresUrl};
use crate::error::{DevkitError, IoContext as _, Result, blocking};
use crate::folder::{Folder, set_mode};
use crate::nats::{Nats, NatsOptions};
use crate::postgres::{Postgres, PostgresOptions};
use crate::supervisor::Janitor;

const SUFFIX_CHARS: usize = 10;

/// A database server and a broker, started by this crate or given by the environment. Dropping this
/// value stops those that it started, as does the end of this process.
#[derive(Debug)]
pub struct Devkit {
    postgres: Provided<Postgres, PostgresUrl>,
    nats: Provided<Nats, String>,
    _folder: Folder,
    /// The last field to be dropped, since it waits for the servers.
    janitor: Option<Janitor>,
}

#[derive(Debug)]
enum Provided<Server, Url> {
    Ours(Server),
    Given(Url),
}

struct Plan {
    postgres_variable: &'static str,
    nats_variable: &'static str,
    throwaway: bool,
}

impl Devkit {
    /// Starts servers whose data stay in `data_dir`; `CATALOG_POSTGRES_URL` and `CATALOG_NATS_URL`
    /// replace them. A second owner of `data_dir` is refused.
    pub async fn start(data_dir: &Path) -> Result<Self> {
        let plan = Plan {
            postgres_variable: "CATALOG_POSTGRES_URL",
            nats_variable: "CATALOG_NATS_URL",
            throwaway: false,
        };
        plan.carry_out(data_dir, None).await
    }

    /// Starts empty servers for tests, in a temporary folder that is removed when this process
    /// ends; `CATALOG_TEST_POSTGRES_URL` and `CATALOG_TEST_NATS_URL` replace them.
    pub async fn throwaway() -> Result<Self> {
        let plan = Plan {
            postgres_variable: "CATALOG_TEST_POSTGRES_URL",
            nats_variable: "CATALOG_TEST_NATS_URL",
            throwaway: true,
        };
        let janitor = blocking(temporary_folder).await?;
        let folder = janitor.folder().to_owned();
        plan.carry_out(&folder, Some(janitor)).await
    }

    /// The URL of the database `name`, which is created when it is missing.
    pub async fn database_url(&self, name: &str) -> Result<String> {
        let (admin, url) = match &self.postgres {
            Provided::Ours(postgres) => (postgres.url("postgres"), postgres.url(name)),
            Provided::Given(url) => (url.admin(), url.with_database(name)),
        };
        database::create_if_missing(&admin, name).await?;
        Ok(url)
    }

    /// The URL of a new, empty database for one test, named `prefix` with a random suffix.
    pub async fn unique_database(&self, prefix: &str) -> Result<String> {
        let suffix: String = (0..SUFFIX_CHARS).map(|_| fastrand::lowercase()).collect();
        self.database_url(&format!("{prefix}_{suffix}")).await
    }

    /// The URL of the broker; see [`Nats::url`] for how to pass on the token in it.
    pub fn nats_url(&self) -> String {
        match &self.nats {
            Provided::Ours(nats) => nats.url(),
            Provided::Given(url) => url.clone(),
        }
    }

    /// The database server, to kill and restart it; none when it was given by the environment.
    pub fn postgres(&mut self) -> Option<&mut Postgres> {
        match &mut self.postgres {
            Provided::Ours(postgres) => Some(postgres),
            Provided::Given(_) => None,
        }
    }

    /// The broker, to kill and restart it; none when it was given by the environment.
    pub fn nats(&mut self) -> Option<&mut Nats> {
        match &mut self.nats {
            Provided::Ours(nats) => Some(nats),
            Provided::Given(_) => None,
        }
    }

    /// Stops the servers that this value started and waits until they are gone, and their temporary
    /// folder with them.
    pub async fn stop(self) {
        let postgres = async {
            if let Provided::Ours(postgres) = self.postgres {
                postgres.stop().await;
            }
        };
        let nats = async {
            if let Provided::Ours(nats) = self.nats {
                nats.stop().await;
            }
        };
        tokio::join!(postgres, nats);
        if let Some(janitor) = self.janitor {
            janitor.finish().await;
        }
    }
}

impl Plan {
    async fn carry_out(&self, data_dir: &Path, janitor: Option<Janitor>) -> Result<Devkit> {
        let claimed = data_dir.to_owned();
        let folder = blocking(move || Folder::claim(&claimed)).await?;
        let (postgres, nats) = tokio::try_join!(
            self.postgres(&folder, janitor.as_ref()),
            self.nats(&folder, janitor.as_ref())
        )?;
        Ok(Devkit {
            postgres,
            nats,
            _folder: folder,
            janitor,
        })
    }

    async fn postgres(
        &self,
        folder: &Folder,
        janitor: Option<&Janitor>,
    ) -> Result<Provided<Postgres, PostgresUrl>> {
        if let Some(url) = variable(self.postgres_variable) {
            let parsed = PostgresUrl::parse(&url).ok_or(DevkitError::InvalidUrl {
                variable: self.postgres_variable,
                form: "postgres://USER:PASSWORD@HOST:PORT/DATABASE",
            })?;
            return Ok(Provided::Given(parsed));
        }
        let options = PostgresOptions {
            port: None,
            throwaway: self.throwaway,
        };
        let pipe = janitor.map(Janitor::share_pipe).transpose()?;
        Postgres::start_in(&folder.join("postgres"), options, pipe)
            .await
            .map(Provided::Ours)
    }

    async fn nats(
        &self,
        folder: &Folder,
        janitor: Option<&Janitor>,
    ) -> Result<Provided<Nats, String>> {
        if let Some(url) = variable(self.nats_variable) {
            return Ok(Provided::Given(url));
        }
        let options = NatsOptions {
            port: None,
            throwaway: self.throwaway,
        };
        let pipe = janitor.map(Janitor::share_pipe).transpose()?;
        Nats::start_in(&folder.join("nats"), options, pipe)
            .await
            .map(Provided::Ours)
    }
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// Creates a temporary folder that every user can pass through.
fn temporary_folder() -> Result<Janitor> {
    let parent = env::temp_dir();
    let folder = tempfile::Builder::new()
        .prefix("catalog-devkit-")
        .tempdir_in(&parent)
        .doing("create a folder in", &parent)?;
    set_mode(folder.path(), 0o755)?;
    let janitor = Janitor::of(folder.path())?;
    // The janitor removes it from here on.
    let _ = folder.keep();
    Ok(janitor)
}
