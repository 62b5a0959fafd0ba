//! `catalogctl migrate`: applies the schemas of both databases ahead of a deployment, so that
//! services may run as users who cannot change them.

use std::process::ExitCode;

use anyhow::Context as _;
use client_kit::output;
use sqlx::migrate::Migrator;
use sqlx::{Connection as _, PgConnection};

/// The migrations of each database, with the variable that the service itself reads its URL from.
const DATABASES: [(&str, &Migrator); 2] = [
    ("CATALOG_COMMAND_DATABASE_URL", &catalog_migrations::COMMAND),
    ("CATALOG_QUERY_DATABASE_URL", &catalog_migrations::QUERY),
];

pub(crate) async fn command() -> anyhow::Result<ExitCode> {
    for (variable, migrations) in DATABASES {
        let url = std::env::var(variable)
            .with_context(|| format!("set {variable} to the database to migrate"))?;
        let mut db = PgConnection::connect(&url)
            .await
            .with_context(|| format!("cannot connect to Postgres ({variable})"))?;
        migrations
            .run(&mut db)
            .await
            .with_context(|| format!("cannot migrate the database of {variable}"))?;
        output::line(&format!(
            "{variable}: at migration {}",
            migrations.iter().count()
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}
