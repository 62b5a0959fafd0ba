//! `catalogctl migrate`: applies the schemas of both databases ahead of a deployment, so that
//! services may run as users who cannot change them.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use client_kit::output;
use sqlx::migrate::Migrator;
use sqlx::{Connection as _, PgConnection};

use crate::deployment::roles::Roles;

/// How long Postgres may take to start.
const WAIT_MAX: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_secs(1);

#[derive(Debug, clap::Args)]
pub(crate) struct MigrateArgs {
    /// Makes the roles of Postgres that the services run as, and gives each what it needs: catalog_migrator,
    /// catalog_writer, catalog_relay, catalog_projector and catalog_query. A new role takes its password from
    /// CATALOG_WRITER_ROLE_PASSWORD, or from the file that CATALOG_WRITER_ROLE_PASSWORD_FILE names, and so on
    #[arg(long)]
    roles: bool,
}

/// A database, with the variable that the service itself reads its URL from.
struct Database {
    variable: &'static str,
    migrations: &'static Migrator,
    grants: &'static str,
}

static DATABASES: [Database; 2] = [
    Database {
        variable: "CATALOG_COMMAND_DATABASE_URL",
        migrations: &catalog_migrations::COMMAND,
        grants: catalog_migrations::COMMAND_ROLES,
    },
    Database {
        variable: "CATALOG_QUERY_DATABASE_URL",
        migrations: &catalog_migrations::QUERY,
        grants: catalog_migrations::QUERY_ROLES,
    },
];

/// Connects, as soon as Postgres lets it: a deployment starts both at once. What it refuses for good, a
/// password for instance, is told at once.
async fn connect(url: &str, variable: &str) -> anyhow::Result<PgConnection> {
    let failed = || format!("cannot connect to Postgres ({variable})");
    let options = catalog_migrations::connect_options(url).with_context(failed)?;
    let give_up = Instant::now() + WAIT_MAX;
    loop {
        let err = match PgConnection::connect_with(&options).await {
            Ok(db) => return Ok(db),
            Err(err) => err,
        };
        if !may_pass(&err) || Instant::now() > give_up {
            return Err(err).with_context(failed);
        }
        eprintln!("{variable}: waiting for Postgres: {err}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Whether Postgres may be about to start: nobody listens yet, or it says so.
fn may_pass(err: &sqlx::Error) -> bool {
    match err {
        sqlx::Error::Io(_) => true,
        // Of the class of an operator's intervention: starting up, shutting down.
        sqlx::Error::Database(err) => err.code().is_some_and(|code| code.starts_with("57P")),
        _ => false,
    }
}

pub(crate) async fn command(args: MigrateArgs) -> anyhow::Result<ExitCode> {
    let roles = args.roles.then(Roles::from_environment).transpose()?;
    for database in &DATABASES {
        let variable = database.variable;
        let url = std::env::var(variable)
            .with_context(|| format!("set {variable} to the database to migrate"))?;
        let mut db = connect(&url, variable).await?;
        database
            .migrations
            .run(&mut db)
            .await
            .with_context(|| format!("cannot migrate the database of {variable}"))?;
        output::line(&format!(
            "{variable}: at migration {}",
            database.migrations.iter().count()
        ))?;
        if let Some(roles) = &roles {
            // Roles are those of the whole server, which may be another one for each database.
            roles.make(&mut db).await.context(variable)?;
            roles
                .grant(&mut db, database.grants)
                .await
                .context(variable)?;
            output::line(&format!("{variable}: every role has its rights"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
