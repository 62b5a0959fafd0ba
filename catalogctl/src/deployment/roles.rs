//! `catalogctl migrate --roles`: makes the roles of Postgres that the services run as, with no more rights
//! than each needs. Safe to run again. Invariant: no password leaves this process, only its SCRAM verifier
//! (RFC 5802) does, so that none gets into a log of Postgres.

mod scram;

use anyhow::Context as _;
use client_kit::output;
use sqlx::PgConnection;

use crate::deployment::roles::scram::{Password, verifier};

/// A role, and the variable with its password.
struct Role {
    name: &'static str,
    variable: &'static str,
}

const ROLES: [Role; 5] = [
    Role {
        name: "catalog_migrator",
        variable: "CATALOG_MIGRATOR_ROLE_PASSWORD",
    },
    Role {
        name: "catalog_writer",
        variable: "CATALOG_WRITER_ROLE_PASSWORD",
    },
    Role {
        name: "catalog_relay",
        variable: "CATALOG_RELAY_ROLE_PASSWORD",
    },
    Role {
        name: "catalog_projector",
        variable: "CATALOG_PROJECTOR_ROLE_PASSWORD",
    },
    Role {
        name: "catalog_query",
        variable: "CATALOG_QUERY_ROLE_PASSWORD",
    },
];

/// What the owner of everything has to be allowed, to change generations too.
const MEMBERSHIPS: &str = "DO $$
BEGIN
    IF NOT pg_has_role(current_user, 'catalog_migrator', 'MEMBER') THEN
        EXECUTE format('GRANT catalog_migrator TO %I', current_user);
    END IF;
    IF NOT pg_has_role('catalog_migrator', 'catalog_projector', 'MEMBER') THEN
        GRANT catalog_projector TO catalog_migrator;
    END IF;
END
$$";

/// The passwords at hand; a role without one keeps what it has.
pub(super) struct Roles(Vec<(&'static Role, Option<Password>)>);

impl Roles {
    /// Reads `…_ROLE_PASSWORD`, or the file that `…_ROLE_PASSWORD_FILE` names.
    pub(super) fn from_environment() -> anyhow::Result<Self> {
        let read = |role: &'static Role| {
            let password = password(role.variable).with_context(|| role.variable)?;
            Ok((role, password))
        };
        ROLES
            .iter()
            .map(read)
            .collect::<anyhow::Result<_>>()
            .map(Self)
    }

    /// Makes the roles that are missing, and sets the passwords at hand.
    pub(super) async fn make(&self, db: &mut PgConnection) -> anyhow::Result<()> {
        let mut missing = Vec::new();
        for (role, password) in &self.0 {
            let exists: bool =
                sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)")
                    .bind(role.name)
                    .fetch_one(&mut *db)
                    .await?;
            match (exists, password) {
                (true, None) => {}
                (false, None) => missing.push(role.variable),
                (_, Some(password)) => set(db, role.name, exists, password).await?,
            }
        }
        anyhow::ensure!(
            missing.is_empty(),
            "set {}: a role that does not exist yet needs a password (…_FILE names a file with it; `openssl rand -hex 24` makes one)",
            missing.join(", ")
        );
        sqlx::raw_sql(MEMBERSHIPS)
            .execute(&mut *db)
            .await
            .context("cannot make catalog_migrator the owner")?;
        Ok(())
    }

    /// Gives the rights in one database.
    pub(super) async fn grant(
        &self,
        db: &mut PgConnection,
        grants: &'static str,
    ) -> anyhow::Result<()> {
        let granted = sqlx::raw_sql(grants).execute(db).await;
        granted.context("cannot give the roles their rights")?;
        Ok(())
    }
}

async fn set(
    db: &mut PgConnection,
    role: &str,
    exists: bool,
    password: &Password,
) -> anyhow::Result<()> {
    let verb = if exists { "ALTER" } else { "CREATE" };
    let attributes = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS";
    // Both are of our own making, without a quote in them.
    let statement = format!(
        "{verb} ROLE {role} {attributes} PASSWORD '{}'",
        verifier(password)?
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement))
        .execute(db)
        .await
        .with_context(|| format!("cannot set up the role {role}"))?;
    output::line(&format!("{role}: its password is set"))?;
    Ok(())
}

fn password(variable: &str) -> anyhow::Result<Option<Password>> {
    let set = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
    if let Some(text) = set(variable) {
        return Ok(Some(text.parse()?));
    }
    let Some(file) = set(&format!("{variable}_FILE")) else {
        return Ok(None);
    };
    let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {file}"))?;
    Ok(Some(text.trim().parse()?))
}
