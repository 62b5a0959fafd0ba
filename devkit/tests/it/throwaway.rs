//! Instances of a test's own: what a crash does to them, and what is left of them.

use std::time::Duration;

use devkit::Devkit;
use sqlx::{Connection as _, PgConnection};

use crate::{connect_nats, eventually, is_alive};

#[tokio::test]
async fn a_stopped_instance_leaves_no_process_and_no_folder() {
    let mut devkit = Devkit::throwaway().await.unwrap();
    let postgres = devkit.postgres().unwrap();
    let folder = postgres.log_path().ancestors().nth(2).unwrap().to_owned();
    let pids = [postgres.pid(), devkit.nats().unwrap().pid()];
    assert!(pids.iter().all(|&pid| is_alive(pid)));
    assert!(folder.join("postgres").is_dir());
    devkit.stop().await;
    assert!(!pids.iter().any(|&pid| is_alive(pid)));
    assert!(!folder.exists());
}

#[tokio::test]
async fn a_dropped_instance_leaves_no_process_and_no_folder() {
    let mut devkit = Devkit::throwaway().await.unwrap();
    let postgres = devkit.postgres().unwrap();
    let folder = postgres.log_path().ancestors().nth(2).unwrap().to_owned();
    let pids = [postgres.pid(), devkit.nats().unwrap().pid()];
    drop(devkit);
    assert!(!pids.iter().any(|&pid| is_alive(pid)));
    eventually("the folder is removed", async || !folder.exists()).await;
}

#[tokio::test]
async fn killed_servers_come_back_with_their_data_on_the_same_ports() {
    let mut devkit = Devkit::throwaway().await.unwrap();
    let database = devkit.unique_database("crash").await.unwrap();
    let mut connection = PgConnection::connect(&database).await.unwrap();
    sqlx::raw_sql("CREATE TABLE t (n int); INSERT INTO t VALUES (1)")
        .execute(&mut connection)
        .await
        .unwrap();
    let broker = devkit.nats_url();
    let jetstream = async_nats::jetstream::new(connect_nats(&broker).await);
    let config = async_nats::jetstream::stream::Config {
        name: "CRASH".into(),
        ..Default::default()
    };
    jetstream.create_stream(config).await.unwrap();
    let ack = jetstream.publish("CRASH", "kept".into()).await.unwrap();
    ack.await.unwrap();

    let postgres = devkit.postgres().unwrap();
    let old_pid = postgres.pid();
    postgres.kill().await.unwrap();
    assert!(!postgres.is_running() && !is_alive(old_pid));
    postgres.kill().await.unwrap();
    postgres.restart().await.unwrap();
    assert!(postgres.is_running() && postgres.pid() != old_pid);
    let nats = devkit.nats().unwrap();
    let old_pid = nats.pid();
    nats.kill().await.unwrap();
    assert!(!nats.is_running() && !is_alive(old_pid));
    nats.restart().await.unwrap();
    assert!(nats.is_running() && nats.pid() != old_pid);

    let mut connection = PgConnection::connect(&database).await.unwrap();
    let kept: i64 = sqlx::query_scalar("SELECT count(*) FROM t")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(kept, 1);
    assert_eq!(devkit.nats_url(), broker);
    let jetstream = async_nats::jetstream::new(connect_nats(&broker).await);
    let stream = jetstream.get_stream("CRASH").await.unwrap();
    assert_eq!(stream.get_info().await.unwrap().state.messages, 1);
    devkit.stop().await;
}

#[tokio::test]
async fn a_paused_server_answers_nothing_and_then_goes_on() {
    let mut devkit = Devkit::throwaway().await.unwrap();
    let database = devkit.unique_database("pause").await.unwrap();
    let mut connection = PgConnection::connect(&database).await.unwrap();
    let pause = devkit.postgres().unwrap().pause().await.unwrap();
    let mut query =
        std::pin::pin!(sqlx::query_scalar::<_, i32>("SELECT 7").fetch_one(&mut connection));
    let while_paused = tokio::time::timeout(Duration::from_millis(200), &mut query).await;
    assert!(while_paused.is_err(), "the session is a process too");
    drop(pause);
    assert_eq!(query.await.unwrap(), 7);
    devkit.stop().await;
}
