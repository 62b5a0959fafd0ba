//! Folders that outlive their servers.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use devkit::{Devkit, DevkitError, Nats, NatsOptions, Postgres, PostgresOptions};
use sqlx::{Connection as _, PgConnection};

use crate::{connect_nats, is_alive};

/// A temporary folder that the user who runs PostgreSQL can pass through.
pub(crate) fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

async fn count(devkit: &Devkit, sql: &'static str) -> i64 {
    let url = devkit.database_url("kept").await.unwrap();
    let mut connection = PgConnection::connect(&url).await.unwrap();
    sqlx::raw_sql("CREATE TABLE IF NOT EXISTS t (n int)")
        .execute(&mut connection)
        .await
        .unwrap();
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    sqlx::query_scalar("SELECT count(*) FROM t")
        .fetch_one(&mut connection)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_folder_keeps_its_data_its_secrets_and_one_owner() {
    let root = folder();
    let data = root.path().join("deep/data");
    let first = Devkit::start(&data).await.unwrap();
    assert_eq!(count(&first, "INSERT INTO t VALUES (1)").await, 1);
    let jetstream = async_nats::jetstream::new(connect_nats(&first.nats_url()).await);
    let config = async_nats::jetstream::stream::Config {
        name: "KEPT".into(),
        ..Default::default()
    };
    jetstream.create_stream(config).await.unwrap();
    let ack = jetstream.publish("KEPT", "kept".into()).await.unwrap();
    ack.await.unwrap();

    let refused = Devkit::start(&data).await.unwrap_err();
    assert!(matches!(refused, DevkitError::InUse { .. }), "{refused}");
    assert!(refused.to_string().contains("deep/data"), "{refused}");
    let refused = Postgres::start(&data.join("postgres")).await.unwrap_err();
    assert!(matches!(refused, DevkitError::InUse { .. }), "{refused}");

    first.stop().await;
    let second = Devkit::start(&data).await.unwrap();
    assert_eq!(count(&second, "INSERT INTO t VALUES (2)").await, 2);
    let jetstream = async_nats::jetstream::new(connect_nats(&second.nats_url()).await);
    let stream = jetstream.get_stream("KEPT").await.unwrap();
    assert_eq!(stream.get_info().await.unwrap().state.messages, 1);
    second.stop().await;

    for secret in ["postgres/password", "nats/token", "nats/nats.conf"] {
        let mode = data.join(secret).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{secret}");
    }
}

#[tokio::test]
async fn a_chosen_port_that_is_taken_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let root = folder();
    let (postgres, nats) = tokio::join!(
        start_postgres_on(port, root.path()),
        start_nats_on(port, root.path())
    );
    for refused in [postgres.unwrap_err(), nats.unwrap_err()] {
        assert!(
            matches!(refused, DevkitError::PortTaken { .. }),
            "{refused}"
        );
        assert!(refused.to_string().contains(&port.to_string()), "{refused}");
    }

    drop(taken);
    let postgres = start_postgres_on(port, root.path()).await.unwrap();
    assert!(postgres.url("x").contains(&format!("@127.0.0.1:{port}/x")));
    let pid = postgres.pid();
    postgres.stop().await;
    assert!(!is_alive(pid));
    let nats = start_nats_on(port, root.path()).await.unwrap();
    assert_eq!(nats.port(), port);
    nats.stop().await;
}

async fn start_postgres_on(port: u16, root: &Path) -> devkit::Result<Postgres> {
    let options = PostgresOptions {
        port: Some(port),
        throwaway: true,
    };
    Postgres::start_with(&root.join("postgres"), options).await
}

async fn start_nats_on(port: u16, root: &Path) -> devkit::Result<Nats> {
    let options = NatsOptions {
        port: Some(port),
        throwaway: true,
    };
    Nats::start_with(&root.join("nats"), options).await
}

#[tokio::test]
async fn a_server_that_cannot_start_is_quoted() {
    let root = folder();
    let data = root.path().join("postgres");
    Postgres::start(&data).await.unwrap().stop().await;
    fs::write(data.join("pgdata/PG_VERSION"), "9.6\n").unwrap();
    let refused = Postgres::start(&data).await.unwrap_err().to_string();
    assert!(
        refused.contains("PostgreSQL did not become ready"),
        "{refused}"
    );
    assert!(refused.contains("postgres.log"), "{refused}");
    assert!(
        refused.contains("was initialized by PostgreSQL version 9.6"),
        "{refused}"
    );
}
