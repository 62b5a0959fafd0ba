//! The services as roles of Postgres and users of NATS that may do what they do, and nothing else.

use std::path::Path;
use std::time::Duration;

use async_nats::ConnectOptions;
use futures_util::StreamExt as _;
use sqlx::{Connection as _, PgConnection};
use trials::cluster::{Cluster, Part};

use crate::support::{catalogctl, cluster, feed, json, shown, whole_logs};

/// With the characters that break a URL, and a configuration.
const PASSWORD: &str = "pa/ss@wo#rd?%2F:5gb";
const ROLES: [&str; 5] = ["MIGRATOR", "WRITER", "RELAY", "PROJECTOR", "QUERY"];
const ADMINISTRATOR: &str = "postgres";
const PERMISSION_DENIED: &str = "42501";

/// The URL of an administrator for another role, whose password is not in it.
fn url_of(role: &str, url: &str) -> String {
    let (_, rest) = url.split_once('@').expect("a user");
    format!("postgres://{role}@{rest}")
}

async fn migrate(cluster: &Cluster, role: &str, passwords: bool) {
    let mut command = catalogctl(cluster, &["migrate", "--roles"]);
    let urls = [
        ("CATALOG_COMMAND_DATABASE_URL", cluster.command_database()),
        (
            "CATALOG_QUERY_DATABASE_URL",
            cluster.query_database_url().expect("a database"),
        ),
    ];
    for (variable, url) in urls {
        if role == ADMINISTRATOR {
            command.env(variable, url);
        } else {
            command
                .env(variable, url_of(role, url))
                .env("PGPASSWORD", PASSWORD);
        }
    }
    if passwords {
        for role in ROLES {
            command.env(format!("CATALOG_{role}_ROLE_PASSWORD"), PASSWORD);
        }
    }
    let output = command.output().await.expect("run catalogctl");
    let told = shown(&output);
    assert!(output.status.success(), "{told}");
    assert!(!told.contains(PASSWORD), "{told}");
}

/// Lets the broker know users as the deployed one does.
async fn restrict_broker(cluster: &mut Cluster) {
    let deployed = Path::new("../deploy/nats/nats.conf");
    let deployed = std::fs::read_to_string(deployed).expect("the configuration");
    let begin = deployed.find("authorization {").expect("users");
    let end = deployed.find("\njetstream {").expect("the end of them");
    let users = ["COMMAND", "QUERY", "SUBSCRIBER"].iter().fold(
        deployed[begin..end].to_owned(),
        |text, user| {
            text.replace(
                &format!("$NATS_{user}_PASSWORD"),
                &format!("\"{PASSWORD}\""),
            )
        },
    );
    let nats = cluster.devkit.nats().expect("a broker of our own");
    let restarted = nats
        .restart_with(|config| {
            let own = |line: &&str| !line.starts_with("authorization");
            let others: Vec<&str> = config.lines().filter(own).collect();
            format!("{}\n{users}\n", others.join("\n"))
        })
        .await;
    restarted.expect("a broker with users");
}

/// The address of the broker with this before the host.
fn broker(cluster: &Cluster, credentials: &str) -> String {
    let url = cluster.devkit.nats_url();
    let (_, host) = url.split_once('@').expect("a token");
    format!("nats://{credentials}@{host}")
}

fn configure(cluster: &mut Cluster) {
    let command = cluster.command_database().to_owned();
    let query = cluster.query_database_url().expect("a database").to_owned();
    let password = || PASSWORD.to_owned();
    let encoded: String = PASSWORD
        .bytes()
        .map(|byte| format!("%{byte:02x}"))
        .collect();
    let variables = [
        (
            "CATALOG_COMMAND_DATABASE_URL",
            url_of("catalog_writer", &command),
        ),
        ("CATALOG_COMMAND_DATABASE_PASSWORD", password()),
        (
            "CATALOG_COMMAND_LEADER_DATABASE_URL",
            url_of("catalog_relay", &command),
        ),
        ("CATALOG_COMMAND_LEADER_DATABASE_PASSWORD", password()),
        (
            "CATALOG_COMMAND_NATS_URL",
            broker(cluster, "catalog-command"),
        ),
        ("CATALOG_COMMAND_NATS_PASSWORD", password()),
        (
            "CATALOG_QUERY_DATABASE_URL",
            url_of("catalog_projector", &query),
        ),
        ("CATALOG_QUERY_DATABASE_PASSWORD", password()),
        (
            "CATALOG_QUERY_NATS_URL",
            broker(cluster, &format!("catalog-query:{encoded}")),
        ),
    ];
    for (variable, value) in variables {
        cluster.configure(variable, value);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_services_need_no_more_than_their_roles_give() {
    let mut cluster = cluster().await;
    let folder = tempfile::tempdir().expect("a folder");
    let products = feed(folder.path(), 200).await;
    json(&cluster, &["import", &products, "--json"]).await;
    cluster.caught_up(200, false, 60).await.expect("caught up");
    let (command, query) = (
        cluster.command_database().to_owned(),
        cluster.query_database_url().expect("a database").to_owned(),
    );
    for part in Part::ALL {
        cluster.stop(part).await.expect("stopped");
    }
    migrate(&cluster, ADMINISTRATOR, true).await;
    migrate(&cluster, ADMINISTRATOR, false).await;
    migrate(&cluster, "catalog_migrator", false).await;
    restrict_broker(&mut cluster).await;
    configure(&mut cluster);
    for part in Part::ALL {
        cluster.launch(part).expect("launched");
    }
    cluster.ready().await.expect("ready");

    let more = feed_of(folder.path(), "more.jsonl");
    json(&cluster, &["import", &more, "--json"]).await;
    cluster.caught_up(201, true, 120).await.expect("caught up");
    let found = json(&cluster, &["search", "zweihander", "--json"]).await;
    assert!(found.to_string().contains("more-1"), "{found}");
    for args in [
        ["keys", "create", "Shop", "--scope", "search", "--json"].as_slice(),
        &["rebuild", "--json"],
        &["verify"],
    ] {
        let output = catalogctl(&cluster, args)
            .output()
            .await
            .expect("run catalogctl");
        assert!(
            output.status.success(),
            "{args:?}: {}\n{}",
            shown(&output),
            cluster.logs()
        );
    }
    let logs = whole_logs(&cluster);
    assert!(
        !logs.contains("permission denied") && !logs.contains("ermissions Violation"),
        "{logs}"
    );
    assert!(!logs.contains(PASSWORD), "{logs}");

    nobody_does_more(&command, &query).await;
    users_of_the_broker_do_no_more(&cluster).await;
}

/// One product that no other test has.
fn feed_of(folder: &Path, name: &str) -> String {
    let file = folder.join(name);
    let row = r#"{"id":"more-1","title":"Zweihander","price":"12.50","currency":"USD"}"#;
    std::fs::write(&file, format!("{row}\n")).expect("written");
    file.display().to_string()
}

async fn nobody_does_more(command: &str, query: &str) {
    let event_log = [
        "UPDATE event_log SET actor = 'x'",
        "DELETE FROM event_log",
        "TRUNCATE event_log",
    ];
    for role in ["catalog_migrator", "catalog_writer", "catalog_relay"] {
        for statement in event_log {
            refused(role, command, statement).await;
        }
    }
    for (role, database, statement) in [
        ("catalog_writer", command, "CREATE TABLE x ()"),
        (
            "catalog_writer",
            command,
            "INSERT INTO event_log (position) VALUES (1)",
        ),
        ("catalog_writer", command, "UPDATE log_head SET epoch = 0"),
        ("catalog_writer", command, "DELETE FROM products"),
        ("catalog_writer", command, "DELETE FROM operator_audit"),
        (
            "catalog_writer",
            command,
            "ALTER TABLE event_log DISABLE TRIGGER ALL",
        ),
        ("catalog_relay", command, "CREATE TABLE x ()"),
        ("catalog_relay", command, "UPDATE products SET version = 1"),
        ("catalog_relay", command, "SELECT secret_hash FROM api_keys"),
        ("catalog_relay", command, "DROP TABLE outbox"),
        ("catalog_projector", query, "CREATE TABLE public.x ()"),
        ("catalog_projector", query, "DROP TABLE generations"),
        ("catalog_query", query, "CREATE SCHEMA x"),
        (
            "catalog_query",
            query,
            "UPDATE generations SET state = 'retired'",
        ),
        ("catalog_query", query, "DELETE FROM product_views"),
        ("catalog_query", query, "DELETE FROM generation_1.documents"),
    ] {
        refused(role, database, statement).await;
    }
    for (role, database) in [
        ("catalog_writer", query),
        ("catalog_relay", query),
        ("catalog_projector", command),
        ("catalog_query", command),
    ] {
        let err = PgConnection::connect(&with_password(role, database)).await;
        let err = err.expect_err("another database").to_string();
        assert!(
            err.contains("permission denied for database"),
            "{role}: {err}"
        );
    }
    let mut db = PgConnection::connect(&with_password("catalog_query", query)).await;
    let db = db.as_mut().expect("connected");
    let live: i64 = sqlx::query_scalar("SELECT max(id) FROM generations WHERE state = 'live'")
        .fetch_one(&mut *db)
        .await
        .expect("the registry");
    let count = format!("SELECT count(*) FROM generation_{live}.documents");
    let count: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(count))
        .fetch_one(&mut *db)
        .await
        .expect("a rebuilt generation can be read");
    assert_eq!(count, 201);
}

fn with_password(role: &str, url: &str) -> String {
    let encoded: String = PASSWORD
        .bytes()
        .map(|byte| format!("%{byte:02x}"))
        .collect();
    url_of(&format!("{role}:{encoded}"), url)
}

async fn refused(role: &str, database: &str, statement: &'static str) {
    let mut db = PgConnection::connect(&with_password(role, database))
        .await
        .unwrap_or_else(|err| panic!("{role}: {err}"));
    let err = sqlx::raw_sql(statement).execute(&mut db).await.err();
    let err = err.unwrap_or_else(|| panic!("{role} may: {statement}"));
    let code = err.as_database_error().and_then(|err| err.code());
    assert_eq!(
        code.as_deref(),
        Some(PERMISSION_DENIED),
        "{role}, {statement}: {err}"
    );
}

async fn users_of_the_broker_do_no_more(cluster: &Cluster) {
    let address = broker(cluster, "x");
    let address = address.replace("x@", "");
    let connect = async |user: &str| {
        let options = ConnectOptions::with_user_and_password(user.to_owned(), PASSWORD.to_owned())
            .custom_inbox_prefix(format!("_INBOX.{user}"))
            .request_timeout(Some(Duration::from_secs(1)));
        options.connect(&address).await.expect("known")
    };
    let subscriber = connect("catalog-subscriber").await;
    let mut heard = subscriber.subscribe("catalog.>").await.expect("subscribed");
    subscriber.flush().await.expect("flushed");
    let query = connect("catalog-query").await;
    for (client, subject) in [
        (&subscriber, "catalog.read.v1.product"),
        (&query, "catalog.evt.v1.product.created.x"),
        (&query, "$JS.API.STREAM.DELETE.CATALOG"),
        (&query, "$JS.API.STREAM.PURGE.CATALOG"),
        (&query, "$JS.API.STREAM.CREATE.X"),
        (&subscriber, "$JS.API.STREAM.INFO.CATALOG"),
    ] {
        let answer = client.request(subject, "{}".into()).await;
        assert!(answer.is_err(), "{subject}: {answer:?}");
    }
    let search = format!("{}/api/products/search?q=lamp", cluster.http());
    let answer = reqwest::get(search).await.expect("an answer");
    assert!(answer.status().is_success());
    let event = tokio::time::timeout(Duration::from_secs(20), heard.next()).await;
    let event = event.expect("in time").expect("an event");
    assert!(event.subject.starts_with("catalog.read.v1."), "{event:?}");
}
