//! Creates databases on a server that is known by a URL, started by this crate or not. Invariant: a
//! name that was checked needs no quoting.

use std::str::FromStr as _;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};

use crate::error::{DevkitError, Result};

const NAME_BYTES_MAX: usize = 63;
const DUPLICATE_DATABASE: &str = "42P04";
const UNIQUE_VIOLATION: &str = "23505";

/// Creates a database over a session at `admin_url`; two processes may try at once.
pub(crate) async fn create_if_missing(admin_url: &str, name: &str) -> Result<()> {
    check_name(name)?;
    create(admin_url, name)
        .await
        .map_err(|source| DevkitError::Database {
            action: format!("create the database {name}"),
            source,
        })
}

async fn create(admin_url: &str, name: &str) -> sqlx::Result<()> {
    let options = PgConnectOptions::from_str(admin_url)?;
    let mut connection = PgConnection::connect_with(&options).await?;
    let exists: Option<i32> = sqlx::query_scalar("SELECT 1 FROM pg_database WHERE datname = $1")
        .bind(name)
        .fetch_optional(&mut connection)
        .await?;
    if exists.is_none() {
        let statement = AssertSqlSafe(format!("CREATE DATABASE {name}"));
        match connection.execute(statement).await {
            Err(err) if !is_duplicate(&err) => return Err(err),
            _ => {}
        }
    }
    connection.close().await
}

fn is_duplicate(err: &sqlx::Error) -> bool {
    err.as_database_error()
        .and_then(|err| err.code())
        .is_some_and(|code| code == DUPLICATE_DATABASE || code == UNIQUE_VIOLATION)
}

fn check_name(name: &str) -> Result<()> {
    let valid = name.len() <= NAME_BYTES_MAX
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
    if valid {
        return Ok(());
    }
    Err(DevkitError::InvalidDatabaseName {
        name: name.to_owned(),
    })
}

/// The URL of a database server, taken apart.
#[derive(Clone, Debug)]
pub(crate) struct PostgresUrl {
    /// `scheme://user:password@host:port`
    server: String,
    database: String,
    /// The parameters with their `?`, or empty.
    parameters: String,
}

impl PostgresUrl {
    /// Parses a URL; none when it is not one of Postgres.
    pub(crate) fn parse(url: &str) -> Option<Self> {
        let (address, parameters) = url.split_at(url.find('?').unwrap_or(url.len()));
        let (scheme, rest) = address.split_once("://")?;
        let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
        if !matches!(scheme, "postgres" | "postgresql") || authority.is_empty() {
            return None;
        }
        Some(Self {
            server: format!("{scheme}://{authority}"),
            database: database.to_owned(),
            parameters: parameters.to_owned(),
        })
    }

    /// The URL of another database on the same server.
    pub(crate) fn with_database(&self, database: &str) -> String {
        format!("{}/{database}{}", self.server, self.parameters)
    }

    /// The URL of a database to log in to: the one that was given, else `postgres`, which every
    /// server has.
    pub(crate) fn admin(&self) -> String {
        match self.database.as_str() {
            "" => self.with_database("postgres"),
            database => self.with_database(database),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_given_url_keeps_all_but_the_database() {
        let check = |url, new, admin| {
            let parsed = PostgresUrl::parse(url).unwrap();
            assert_eq!(parsed.with_database("new"), new);
            assert_eq!(parsed.admin(), admin);
        };
        check("postgres://h", "postgres://h/new", "postgres://h/postgres");
        check(
            "postgresql://u:p@h:1/old?sslmode=require&options=-c%20a",
            "postgresql://u:p@h:1/new?sslmode=require&options=-c%20a",
            "postgresql://u:p@h:1/old?sslmode=require&options=-c%20a",
        );
        check(
            "postgres://h/?user=u",
            "postgres://h/new?user=u",
            "postgres://h/postgres?user=u",
        );
        for url in ["postgres:///old", "mysql://h/old", "h:5432", ""] {
            assert!(PostgresUrl::parse(url).is_none(), "{url}");
        }
    }

    #[test]
    fn a_name_that_would_need_quoting_is_refused() {
        assert!(check_name("catalog_query2").is_ok());
        for name in ["", "A", "1a", "a-b", "a\"; --", "ä", &"a".repeat(64)] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
