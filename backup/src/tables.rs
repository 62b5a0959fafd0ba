//! The tables of a catalog, asked of Postgres itself: a table that a later migration adds is in the next
//! backup without a word of code.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{AssertSqlSafe, PgConnection};

/// The table that says which migrations there are; restoring makes it anew.
const MIGRATIONS: &str = "_sqlx_migrations";

/// The event log, which only grows.
pub(crate) const EVENT_LOG: &str = "event_log";

/// A table, quoted where its names need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) columns: Vec<String>,
}

/// The tables in an order in which they can be filled: behind those that they refer to.
pub(crate) async fn tables(db: &mut PgConnection) -> sqlx::Result<Vec<Table>> {
    let found: Vec<(String, Vec<String>)> = sqlx::query_as(
        "SELECT quote_ident(relname), array_agg(quote_ident(attname) ORDER BY attnum)
         FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
         WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
             AND relname <> $1 AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
             AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')
         GROUP BY relname ORDER BY relname",
    )
    .bind(MIGRATIONS)
    .fetch_all(&mut *db)
    .await?;
    let references: Vec<(String, String)> = sqlx::query_as(
        "SELECT quote_ident(referring.relname), quote_ident(referred.relname)
         FROM pg_constraint
             JOIN pg_class AS referring ON referring.oid = conrelid
             JOIN pg_class AS referred ON referred.oid = confrelid
         WHERE contype = 'f' AND conrelid <> confrelid",
    )
    .fetch_all(db)
    .await?;
    let tables = found.into_iter();
    let tables = tables.map(|(name, columns)| Table { name, columns });
    Ok(ordered(tables.collect(), &references))
}

/// The tables behind those that they refer to; otherwise as they came.
fn ordered(mut left: Vec<Table>, references: &[(String, String)]) -> Vec<Table> {
    let mut ordered: Vec<Table> = Vec::new();
    while !left.is_empty() {
        let waiting: BTreeSet<String> = left.iter().map(|table| table.name.clone()).collect();
        let is_free = |table: &Table| {
            let mut own = references.iter().filter(|(from, _)| *from == table.name);
            own.all(|(_, to)| !waiting.contains(to))
        };
        let (free, others): (Vec<_>, Vec<_>) = left.into_iter().partition(is_free);
        if free.is_empty() {
            // Tables that refer to each other cannot be filled one by one: Postgres will say so.
            ordered.extend(others);
            break;
        }
        ordered.extend(free);
        left = others;
    }
    ordered
}

/// The last number that each sequence has given. Sequences do not wait for transactions, so that these are
/// at least those of any snapshot taken before.
pub(crate) async fn sequences(db: &mut PgConnection) -> sqlx::Result<BTreeMap<String, i64>> {
    let found: Vec<(String, i64)> = sqlx::query_as(
        "SELECT quote_ident(sequencename), last_value FROM pg_sequences
         WHERE schemaname = 'public' AND last_value IS NOT NULL",
    )
    .fetch_all(db)
    .await?;
    Ok(found.into_iter().collect())
}

/// Whether there is a table of this name.
pub(crate) async fn is_there(db: &mut PgConnection, name: &str) -> sqlx::Result<bool> {
    let name = format!("public.{name}");
    sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL")
        .bind(name)
        .fetch_one(db)
        .await
}

/// The last migration of the schema; None where there is no catalog.
pub(crate) async fn migration(db: &mut PgConnection) -> sqlx::Result<Option<i64>> {
    if !is_there(db, MIGRATIONS).await? || !is_there(db, EVENT_LOG).await? {
        return Ok(None);
    }
    sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations WHERE success")
        .fetch_one(db)
        .await
}

/// Drops the tables, functions and sequences of a catalog, and nothing of an extension.
pub(crate) async fn drop_all(db: &mut PgConnection) -> sqlx::Result<()> {
    let mut drops: Vec<String> = sqlx::query_scalar(
        "SELECT format('DROP TABLE IF EXISTS %s CASCADE', oid::regclass) FROM pg_class
         WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
             AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')",
    )
    .fetch_all(&mut *db)
    .await?;
    let functions: Vec<String> = sqlx::query_scalar(
        "SELECT format('DROP ROUTINE IF EXISTS %s CASCADE', oid::regprocedure) FROM pg_proc
         WHERE pronamespace = 'public'::regnamespace
             AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')",
    )
    .fetch_all(&mut *db)
    .await?;
    drops.extend(functions);
    for statement in drops {
        sqlx::raw_sql(AssertSqlSafe(statement))
            .execute(&mut *db)
            .await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(tables: &[&str], references: &[(&str, &str)], expected: &[&str]) {
        let table = |name: &&str| Table {
            name: (*name).to_owned(),
            columns: Vec::new(),
        };
        let references: Vec<_> = references
            .iter()
            .map(|(from, to)| ((*from).to_owned(), (*to).to_owned()))
            .collect();
        let ordered = ordered(tables.iter().map(table).collect(), &references);
        let names: Vec<&str> = ordered.iter().map(|table| table.name.as_str()).collect();
        assert_eq!(names, expected);
    }

    #[test]
    fn a_table_comes_behind_those_that_it_refers_to() {
        check(&["a", "b", "c"], &[], &["a", "b", "c"]);
        check(
            &["a", "b", "c"],
            &[("a", "c"), ("c", "b")],
            &["b", "c", "a"],
        );
        check(&["a", "b"], &[("a", "b"), ("b", "a")], &["a", "b"]);
    }
}
