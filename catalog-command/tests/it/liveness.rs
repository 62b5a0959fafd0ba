//! A process that stands still keeps no other from working, and none waits for a silent database for
//! good.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::Stdio;
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use catalog_command::App;
use catalog_proto::v1;
use catalog_proto::v1::catalog_command_service_client::CatalogCommandServiceClient;
use devkit::Pause;
use service_kit::{Service as _, reason};
use sqlx::postgres::PgConnectOptions;
use sqlx::{PgPool, Postgres, Transaction};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

use crate::harness::{Catalog, DEADLINE, TOKEN_SECRET, configuration, input, launch};

/// Starts an instance as a process of its own, which is killed with the test.
fn start_process(catalog: &Catalog) -> Child {
    Command::new(env!("CARGO_BIN_EXE_catalog-command"))
        .env("CATALOG_COMMAND_DATABASE_URL", &catalog.database_url)
        .env("CATALOG_COMMAND_NATS_URL", catalog.nats.url())
        .env("CATALOG_COMMAND_GRPC_ADDR", "127.0.0.1:0")
        .env("CATALOG_COMMAND_OPS_ADDR", "127.0.0.1:0")
        .env("CATALOG_COMMAND_TOKEN_SECRET", TOKEN_SECRET)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("start the service")
}

async fn await_leader(pool: &PgPool) {
    let started = Instant::now();
    loop {
        let led = sqlx::query_scalar("SELECT holder IS NOT NULL FROM log_head");
        if led.fetch_one(pool).await.expect("head") {
            return;
        }
        assert!(started.elapsed() < DEADLINE, "nobody leads");
    }
}

/// Lets the sequencer come as far as the log, with its head locked, and no further.
async fn hold_log_table(pool: &PgPool) -> Transaction<'static, Postgres> {
    let mut held = pool.begin().await.expect("transaction");
    let lock = sqlx::query("LOCK TABLE event_log IN SHARE MODE");
    lock.execute(&mut *held).await.expect("lock");
    held
}

/// The session of the sequencer as soon as it waits for a lock.
async fn waiting_sequencer(pool: &PgPool) -> i32 {
    let started = Instant::now();
    loop {
        let waiting: Option<i32> = sqlx::query_scalar(
            "SELECT pid FROM pg_stat_activity
             WHERE datname = current_database() AND wait_event_type = 'Lock'
                 AND query LIKE '%DELETE FROM outbox%'",
        )
        .fetch_optional(pool)
        .await
        .expect("activity");
        if let Some(pid) = waiting {
            return pid;
        }
        assert!(started.elapsed() < DEADLINE, "it never waits");
    }
}

/// The state of a session once it executes nothing.
async fn state_at_rest(pool: &PgPool, pid: i32) -> String {
    let started = Instant::now();
    loop {
        let query = sqlx::query_scalar("SELECT state FROM pg_stat_activity WHERE pid = $1");
        let state: Option<String> = query
            .bind(pid)
            .fetch_optional(pool)
            .await
            .expect("activity");
        match state {
            Some(state) if state == "active" => {}
            state => return state.unwrap_or_default(),
        }
        assert!(started.elapsed() < DEADLINE, "it never rests");
    }
}

async fn create(
    commands: &mut CatalogCommandServiceClient<Channel>,
    id: &str,
) -> Result<(), Status> {
    let mut request = Request::new(v1::CreateProductRequest {
        product: Some(input(id, "Mouse")),
        request_id: format!("create-{id}"),
    });
    request.set_timeout(Duration::from_secs(3));
    commands.create_product(request).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_is_stopped_inside_a_transaction_is_replaced() {
    let mut catalog = Catalog::start().await;
    catalog.stop_service().await;
    let leader = start_process(&catalog);
    await_leader(&catalog.pool).await;
    let (mut other, running) = catalog.start_another().await;
    create(&mut other, "p1").await.expect("create");
    catalog.events(1).await;

    let stopped = loop {
        let held = hold_log_table(&catalog.pool).await;
        let session = waiting_sequencer(&catalog.pool).await;
        let stopped = Pause::of(leader.id().expect("it runs")).expect("SIGSTOP");
        held.rollback().await.expect("let it go on");
        // It may have given up waiting just before.
        if state_at_rest(&catalog.pool, session).await == "idle in transaction" {
            break stopped;
        }
    };
    create(&mut other, "p2").await.expect("writers do not mind");
    assert_eq!(catalog.events(2).await.len(), 2);
    catalog.adopt(running);
    catalog
        .status_where("leads", |status| {
            status.leader && status.outbox_pending == 0
        })
        .await;
    // It wakes up in the middle of a transaction that is over, and with an epoch that is.
    drop(stopped);
    create(&mut other, "p3").await.expect("create");
    assert_eq!(catalog.events(3).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_waits_too_long_is_to_come_again() {
    let mut catalog = Catalog::start().await;
    catalog.create("p1", "Mouse").await;
    let price = |request_id: &str| v1::ChangePriceRequest {
        id: "p1".to_owned(),
        price_minor: 5,
        request_id: request_id.to_owned(),
        ..Default::default()
    };
    for (blocked_by, request_id) in [
        ("SELECT FROM products FOR UPDATE", ""),
        (
            "INSERT INTO idempotency VALUES ('r1', '', 'null', now())",
            "r1",
        ),
    ] {
        let mut held = catalog.pool.begin().await.expect("transaction");
        let blocked = sqlx::query(blocked_by).execute(&mut *held).await;
        blocked.expect("lock");
        let answer = catalog.commands.change_price(price(request_id)).await;
        let late = answer.expect_err("held");
        assert_eq!(late.code(), Code::Unavailable, "{late:?}");
        assert_eq!(reason(&late).as_deref(), Some("LOCK_TIMEOUT"));
        held.rollback().await.expect("let it go on");
        let changed = catalog.commands.change_price(price(request_id)).await;
        changed.expect("change price");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_cannot_migrate_says_why() {
    let catalog = Catalog::start().await;
    let mut held = catalog.pool.begin().await.expect("transaction");
    let migrates = sqlx::query("LOCK TABLE _sqlx_migrations");
    migrates.execute(&mut *held).await.expect("lock");
    let config = configuration(&catalog.database_url, &catalog.nats.url(), 0);
    let refused = App::build(config).await.err().expect("held");
    let reason = "another session, an instance that migrates or a long transaction";
    assert!(format!("{refused:#}").contains(reason), "{refused:#}");
}

/// A proxy between a service and its database, whose connections can fall silent without being closed.
struct Proxy {
    port: u16,
    silence: Arc<watch::Sender<()>>,
}

impl Proxy {
    async fn start(to: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("a free port");
        let port = listener.local_addr().expect("address").port();
        let silence = Arc::new(watch::Sender::new(()));
        let silences = silence.clone();
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let mut silenced = silences.subscribe();
                tokio::spawn(async move {
                    let mut server = TcpStream::connect(to).await.expect("connect");
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
                        _ = silenced.changed() => std::future::pending().await,
                    }
                });
            }
        });
        Self { port, silence }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_fall_silent_are_given_up() {
    let mut catalog = Catalog::start().await;
    catalog.stop_service().await;
    let port = PgConnectOptions::from_str(&catalog.database_url)
        .expect("URL")
        .get_port();
    let proxy = Proxy::start((Ipv4Addr::LOCALHOST, port).into()).await;
    let (from, to) = (format!(":{port}/"), format!(":{}/", proxy.port));
    let through_proxy = catalog.database_url.replace(&from, &to);
    let (mut commands, running) = launch(&through_proxy, &catalog.nats.url(), 0).await;
    create(&mut commands, "p1").await.expect("create");
    catalog.events(1).await;

    proxy.silence.send_replace(());
    let started = Instant::now();
    // A client's deadline passes while its connection is silent; new ones are not.
    while let Err(late) = create(&mut commands, "p2").await {
        assert!(started.elapsed() < DEADLINE, "{late:?}");
    }
    assert_eq!(catalog.events(2).await.len(), 2, "the leader goes on too");
    running.stop().await;
}
