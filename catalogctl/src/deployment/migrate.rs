//! `catalogctl migrate`: applies the schemas of both databases ahead of a deployment, so that
//! services may run as users who cannot change them.

use std::process::ExitCode;

use anyhow::Context as _;
use client_kit::output;
use sqlx::migrate::Migrator;
use sqlx::{Connection as _, PgConnection};

use crate::deployment::roles::Roles;

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

pub(crate) async fn command(args: MigrateArgs) -> anyhow::Result<ExitCode> {
    let roles = args.roles.then(Roles::from_environment).transpose()?;
    for database in &DATABASES {
        let variable = database.variable;
        let url = std::env::var(variable)
            .with_context(|| format!("set {variable} to the database to migrate"))?;
        let mut db = PgConnection::connect(&url)
            .await
            .with_context(|| format!("cannot connect to Postgres ({variable})"))?;
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
