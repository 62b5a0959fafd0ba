//! Sessions of Postgres. Their settings are made after connecting: PgBouncer, which may stand in between, refuses a
//! connection that asks at its start for anything but what it knows.

use std::str::FromStr as _;

use sqlx::PgConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

/// Reads a URL of Postgres, and asks for nothing at the start of a session.
pub fn connect_options(url: &str) -> sqlx::Result<PgConnectOptions> {
    // Numbers come in binary: how many digits their text has is the same to us.
    Ok(PgConnectOptions::from_str(url)?.extra_float_digits(None))
}

/// Parameters that each session of a pool is given.
#[derive(Clone, Debug, Default)]
pub struct SessionSettings {
    names: Vec<String>,
    values: Vec<String>,
}

impl SessionSettings {
    /// Settings as (name, value).
    pub fn of(settings: &[(&str, &str)]) -> Self {
        Self::default().and(settings)
    }

    /// More of them; a later value of one name counts.
    #[must_use]
    pub fn and(&self, settings: &[(&str, &str)]) -> Self {
        let mut all = self.clone();
        for (name, value) in settings {
            all.names.push((*name).to_owned());
            all.values.push((*value).to_owned());
        }
        all
    }

    /// Makes every session of the pool have them.
    pub fn in_pool(self, pool: PgPoolOptions) -> PgPoolOptions {
        pool.after_connect(move |session, _| {
            let settings = self.clone();
            Box::pin(async move { settings.apply(session).await })
        })
    }

    async fn apply(&self, session: &mut PgConnection) -> sqlx::Result<()> {
        if self.names.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "SELECT set_config(name, value, false)
             FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS asked (name, value, number)
             ORDER BY number",
        )
        .bind(&self.names)
        .bind(&self.values)
        .execute(session)
        .await?;
        Ok(())
    }
}
