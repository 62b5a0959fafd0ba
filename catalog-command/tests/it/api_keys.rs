//! API keys: made, rotated, revoked and followed, and that no secret is kept anywhere.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use catalog_proto::v1;
use catalog_proto::v1::api_key_service_client::ApiKeyServiceClient;
use catalog_proto::v1::watch_api_keys_response::Kind;
use prost_types::Timestamp;
use serde_json::Value;
use service_kit::{reason, violations};
use sha2::{Digest as _, Sha256};
use sqlx::{AssertSqlSafe, PgPool};
use tonic::transport::Channel;
use tonic::{Code, Request, Status, Streaming};

use crate::harness::{Catalog, DEADLINE};

type Keys = ApiKeyServiceClient<Channel>;

fn shop(request_id: &str) -> v1::CreateApiKeyRequest {
    v1::CreateApiKeyRequest {
        name: "Shop".to_owned(),
        scopes: vec![v1::ApiScope::Search.into(), v1::ApiScope::Read.into()],
        allowed_origins: vec!["https://shop.example".to_owned()],
        forced_filter: "brand=Acme".to_owned(),
        requests_per_second: Some(20),
        request_id: request_id.to_owned(),
        ..Default::default()
    }
}

async fn create(keys: &mut Keys, request: v1::CreateApiKeyRequest) -> (v1::ApiKey, String) {
    let mut request = Request::new(request);
    let actor = "ann".parse().expect("ASCII");
    request.metadata_mut().insert("catalog-actor", actor);
    let answer = keys.create_api_key(request).await.expect("create");
    let answer = answer.into_inner();
    (answer.key.expect("key"), answer.secret_token)
}

async fn rotate(
    keys: &mut Keys,
    id: &str,
    grace_seconds: i64,
) -> Result<v1::RotateApiKeyResponse, Status> {
    let request = v1::RotateApiKeyRequest {
        id: id.to_owned(),
        grace_seconds,
        ..Default::default()
    };
    Ok(keys.rotate_api_key(request).await?.into_inner())
}

async fn revoke(
    keys: &mut Keys,
    id: &str,
    expected_version: Option<i64>,
) -> Result<v1::ApiKey, Status> {
    let request = v1::RevokeApiKeyRequest {
        id: id.to_owned(),
        expected_version,
        ..Default::default()
    };
    let answer = keys.revoke_api_key(request).await?.into_inner();
    Ok(answer.key.expect("key"))
}

async fn list(keys: &mut Keys, include_ended: bool, limit: i32) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = v1::ListApiKeysRequest {
            limit,
            page_token,
            include_ended,
        };
        let page = keys
            .list_api_keys(request)
            .await
            .expect("list")
            .into_inner();
        pages.push(page.keys.into_iter().map(|key| key.id).collect());
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return pages;
        }
    }
}

fn hash(secret: &str) -> Vec<u8> {
    Sha256::digest(secret).to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_made_rotated_and_revoked() {
    let catalog = Catalog::start().await;
    let mut keys = catalog.keys();
    let (key, secret) = create(&mut keys, shop("")).await;
    assert_eq!((key.version, key.created_by.as_str()), (1, "ann"));
    assert_eq!(key.name, "Shop");
    assert_eq!(key.requests_per_second, Some(20));
    let parts: Vec<&str> = secret.split('_').collect();
    assert_eq!(
        (parts[0], parts[1], parts[2].len()),
        ("ck", &*key.prefix, 43)
    );

    let rotated = rotate(&mut keys, &key.id, 60).await.expect("rotate");
    let new = rotated.key.expect("key");
    assert_eq!((new.version, &new.prefix), (2, &key.prefix));
    assert_ne!(rotated.secret_token, secret);
    assert!(new.rotated_at.is_some());

    let stale = revoke(&mut keys, &key.id, Some(1)).await;
    let stale = stale.expect_err("another version");
    assert_eq!(reason(&stale).as_deref(), Some("VERSION_MISMATCH"));
    let revoked = revoke(&mut keys, &key.id, Some(2)).await.expect("revoke");
    assert_eq!(revoked.version, 3);
    assert!(revoked.revoked_at.is_some());
    let again = revoke(&mut keys, &key.id, None).await.expect("revoke");
    assert_eq!(again, revoked, "it stays as it is");
    let late = rotate(&mut keys, &key.id, 0).await.expect_err("revoked");
    assert_eq!(late.code(), Code::FailedPrecondition);
    assert_eq!(reason(&late).as_deref(), Some("KEY_REVOKED"));
    let unknown = revoke(&mut keys, "0198c5d2-0000-7000-8000-000000000000", None).await;
    assert_eq!(unknown.expect_err("unknown").code(), Code::NotFound);

    let (second, _) = create(&mut keys, shop("")).await;
    let (third, _) = create(&mut keys, shop("")).await;
    let (second, third) = (second.id, third.id);
    assert_eq!(
        list(&mut keys, false, 0).await,
        [[&third, &second].map(Clone::clone)]
    );
    let all = list(&mut keys, true, 2).await;
    assert_eq!(all, [vec![third, second], vec![key.id]]);
}

/// Everything that the database holds, as text.
async fn everything(pool: &PgPool) -> String {
    let tables: Vec<String> =
        sqlx::query_scalar("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'")
            .fetch_all(pool)
            .await
            .expect("tables");
    let mut text = String::new();
    for table in tables {
        let rows = format!("SELECT coalesce(string_agg({table}::text, ' '), '') FROM {table}");
        let rows: String = sqlx::query_scalar(AssertSqlSafe(rows))
            .fetch_one(pool)
            .await
            .expect("rows");
        text.push_str(&rows);
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_kept_and_what_was_done_is_written_down_for_good() {
    let catalog = Catalog::start().await;
    let mut keys = catalog.keys();
    let (key, secret) = create(&mut keys, shop("r1")).await;
    let rotated = rotate(&mut keys, &key.id, 60).await.expect("rotate");
    let new = rotated.secret_token.clone();
    assert!(!format!("{rotated:?}").contains(&new));
    revoke(&mut keys, &key.id, None).await.expect("revoke");
    revoke(&mut keys, &key.id, None).await.expect("revoke");

    let kept = everything(&catalog.pool).await;
    for secret in [&secret, &new] {
        let random = secret.rsplit('_').next().expect("a secret");
        assert!(!kept.contains(random), "a secret is kept");
    }
    let hashes: (Vec<u8>, Option<Vec<u8>>) =
        sqlx::query_as("SELECT secret_hash, previous_hash FROM api_keys")
            .fetch_one(&catalog.pool)
            .await
            .expect("hashes");
    assert_eq!(hashes, (hash(&new), None));

    let trail: Vec<(String, String, String, String)> = sqlx::query_as(
        "SELECT actor, action, subject, details::text FROM operator_audit ORDER BY id",
    )
    .fetch_all(&catalog.pool)
    .await
    .expect("trail");
    let told: Vec<_> = trail.iter().map(|it| (&*it.0, &*it.1)).collect();
    let expected = [
        ("ann", "api_key.created"),
        ("anonymous", "api_key.rotated"),
        ("anonymous", "api_key.revoked"),
    ];
    assert_eq!(told, expected, "and nothing for what changed nothing");
    assert!(trail.iter().all(|entry| entry.2 == key.id));
    let details: Value = serde_json::from_str(&trail[0].3).expect("JSON");
    assert_eq!(details["scopes"], serde_json::json!(["search", "read"]));
    for statement in [
        "UPDATE operator_audit SET actor = 'nobody'",
        "DELETE FROM operator_audit",
        "TRUNCATE operator_audit",
    ] {
        let refused = sqlx::query(statement).execute(&catalog.pool).await;
        let refused = refused.expect_err("append-only").to_string();
        assert!(refused.contains("append-only"), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_makes_one_key_and_tells_its_secret_once() {
    let catalog = Catalog::start().await;
    let (_, running) = catalog.start_another().await;
    let calls = (0..10).map(|n| {
        let mut keys = if n % 2 == 0 {
            catalog.keys()
        } else {
            running.keys()
        };
        tokio::spawn(async move { create(&mut keys, shop("r1")).await })
    });
    let mut secrets = Vec::new();
    let mut ids = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        let (key, secret) = call.await.expect("no panic");
        ids.push(key.id);
        secrets.extend(Some(secret).filter(|secret| !secret.is_empty()));
    }
    ids.dedup();
    assert_eq!((ids.len(), secrets.len()), (1, 1));

    let mut keys = catalog.keys();
    let once = v1::RotateApiKeyRequest {
        id: ids[0].clone(),
        request_id: "r2".to_owned(),
        ..Default::default()
    };
    let first = keys.rotate_api_key(once.clone()).await.expect("rotate");
    assert!(!first.get_ref().secret_token.is_empty());
    let again = keys.rotate_api_key(once).await.expect("again").into_inner();
    assert_eq!(
        (again.key, again.secret_token.as_str()),
        (first.into_inner().key, "")
    );
    let other = v1::CreateApiKeyRequest {
        name: "Other".to_owned(),
        ..shop("r1")
    };
    let reused = keys.create_api_key(other).await.expect_err("another key");
    assert_eq!(reason(&reused).as_deref(), Some("REQUEST_ID_REUSED"));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_keys_are_refused_field_by_field() {
    let catalog = Catalog::start().await;
    let mut keys = catalog.keys();
    let bad = v1::CreateApiKeyRequest {
        name: " ".to_owned(),
        scopes: vec![99],
        expires_at: Some(Timestamp::default()),
        allowed_origins: vec!["shop.example".to_owned()],
        forced_filter: "x".repeat(4_001),
        requests_per_second: Some(0),
        ..Default::default()
    };
    let refused = keys.create_api_key(bad).await.expect_err("all wrong");
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert_eq!(reason(&refused).as_deref(), Some("INVALID_KEY"));
    let fields: Vec<_> = violations(&refused).into_iter().map(|it| it.0).collect();
    for field in [
        "name",
        "scopes[0]",
        "expires_at",
        "allowed_origins[0]",
        "forced_filter",
        "requests_per_second",
    ] {
        assert!(
            fields.iter().any(|found| found == field),
            "{field}: {fields:?}"
        );
    }
    let long = rotate(&mut keys, "x", 0).await.expect_err("no UUID");
    assert_eq!(violations(&long)[0].0, "id");
    let id = "0198c5d2-0000-7000-8000-000000000000";
    for grace in [-1, 30 * 24 * 3_600 + 1] {
        let long = rotate(&mut keys, id, grace).await.expect_err("too long");
        assert_eq!(violations(&long)[0].0, "grace_seconds");
    }
    let request = v1::ListApiKeysRequest {
        page_token: "x".to_owned(),
        ..Default::default()
    };
    let forged = keys.list_api_keys(request).await.expect_err("no token");
    assert_eq!(violations(&forged)[0].0, "page_token");
}

/// What somebody knows who follows the keys.
struct Ring {
    answers: Streaming<v1::WatchApiKeysResponse>,
    keys: HashMap<String, v1::WatchedApiKey>,
}

impl Ring {
    /// Follows the keys and reads all of them.
    async fn of(keys: &mut Keys) -> Self {
        let request = v1::WatchApiKeysRequest {};
        let answers = keys.watch_api_keys(request).await.expect("watch");
        let mut ring = Self {
            answers: answers.into_inner(),
            keys: HashMap::new(),
        };
        loop {
            let Kind::Snapshot(part) = ring.next().await else {
                panic!("all keys come first");
            };
            ring.take(part.keys);
            if part.last {
                return ring;
            }
        }
    }

    async fn next(&mut self) -> Kind {
        let answer = tokio::time::timeout(DEADLINE, self.answers.message()).await;
        let answer = answer.expect("in time").expect("no error");
        answer.expect("no end").kind.expect("a kind")
    }

    fn take(&mut self, keys: Vec<v1::WatchedApiKey>) {
        for watched in keys {
            let id = watched.key.as_ref().expect("key").id.clone();
            self.keys.insert(id, watched);
        }
    }

    /// Reads on until the key has this version, and tells how long that took.
    async fn until(&mut self, id: &str, version: i64) -> Duration {
        let started = Instant::now();
        loop {
            if self.key(id).is_some_and(|key| key.version == version) {
                return started.elapsed();
            }
            if let Kind::Changes(changes) = self.next().await {
                self.take(changes.keys);
            }
        }
    }

    fn key(&self, id: &str) -> Option<&v1::ApiKey> {
        self.keys.get(id)?.key.as_ref()
    }

    fn hashes(&self, id: &str) -> Vec<(Vec<u8>, bool)> {
        let secrets = self.keys[id].secrets.iter();
        secrets
            .map(|secret| (secret.sha256.clone(), secret.valid_until.is_some()))
            .collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_follows_the_keys_learns_of_every_change_whichever_instance_made_it() {
    let catalog = Catalog::start().await;
    let (_, running) = catalog.start_another().await;
    let (mut ours, mut theirs) = (catalog.keys(), running.keys());
    let (key, secret) = create(&mut ours, shop("")).await;
    let (gone, _) = create(&mut ours, shop("")).await;
    revoke(&mut ours, &gone.id, None).await.expect("revoke");
    let mut rings = [Ring::of(&mut ours).await, Ring::of(&mut theirs).await];
    for ring in &rings {
        assert_eq!(ring.keys.len(), 1, "revoked ones are not told");
        assert_eq!(ring.hashes(&key.id), [(hash(&secret), false)]);
    }

    let rotated = rotate(&mut theirs, &key.id, 60).await.expect("rotate");
    let both = [(hash(&rotated.secret_token), false), (hash(&secret), true)];
    for ring in &mut rings {
        let took = ring.until(&key.id, 2).await;
        assert!(took < Duration::from_millis(500), "{took:?}");
        assert_eq!(ring.hashes(&key.id), both);
    }
    let (new, _) = create(&mut theirs, shop("")).await;
    revoke(&mut ours, &key.id, None).await.expect("revoke");
    for ring in &mut rings {
        ring.until(&new.id, 1).await;
        ring.until(&key.id, 3).await;
        assert!(ring.key(&key.id).expect("key").revoked_at.is_some());
        let started = Instant::now();
        while !matches!(ring.next().await, Kind::Heartbeat(_)) {}
        let quiet = started.elapsed();
        assert!(quiet < Duration::from_secs(3), "{quiet:?}");
    }

    // A stop ends the streams instead of waiting for them.
    let [_, mut follower] = rings;
    let started = Instant::now();
    running.stop().await;
    assert!(started.elapsed() < Duration::from_secs(5));
    let ended = loop {
        match follower.answers.message().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("an end without a reason"),
            Err(status) => break status,
        }
    };
    assert_eq!(ended.code(), Code::Unavailable);
}

#[tokio::test(flavor = "multi_thread")]
async fn more_keys_than_fit_into_one_answer_are_all_told() {
    let catalog = Catalog::start().await;
    let mut keys = catalog.keys();
    sqlx::query(
        "INSERT INTO api_keys (id, prefix, version, revision, name, scopes, allowed_origins,
                               created_at, created_by, expires_at, secret_hash)
         SELECT gen_random_uuid(), lpad(n::text, 8, '0'), 1, n, 'Key ' || n, '{search,unheard-of}',
                '{}', now(), 'test', CASE WHEN n > 230 THEN now() - interval '1 s' END,
                sha256(n::text::bytea)
         FROM generate_series(1, 250) AS n",
    )
    .execute(&catalog.pool)
    .await
    .expect("insert");
    sqlx::query("UPDATE api_key_head SET revision = 250")
        .execute(&catalog.pool)
        .await
        .expect("revision");
    let mut ring = Ring::of(&mut keys).await;
    assert_eq!(ring.keys.len(), 230, "expired ones are not told");
    let (key, _) = create(&mut keys, shop("")).await;
    ring.until(&key.id, 1).await;
    assert_eq!(list(&mut keys, false, 0).await.concat().len(), 231);
    assert_eq!(list(&mut keys, true, 7).await.concat().len(), 251);
}

/// The database of the release before, brought up to date while that release runs.
#[tokio::test(flavor = "multi_thread")]
async fn an_existing_database_gets_its_keys() {
    let mut catalog = Catalog::start().await;
    catalog.create("p1", "Mouse").await;
    catalog.stop_service().await;
    for statement in [
        "DROP TABLE webhook_waiting, webhooks, webhook_head",
        "DROP TABLE api_keys, api_key_head, operator_audit",
        "DROP FUNCTION refuse_operator_audit_change",
        "DELETE FROM _sqlx_migrations WHERE version >= 11",
    ] {
        sqlx::query(statement)
            .execute(&catalog.pool)
            .await
            .expect(statement);
    }
    catalog.restart_service(0).await;
    let mut keys = catalog.keys();
    let (key, _) = create(&mut keys, shop("")).await;
    assert_eq!(list(&mut keys, false, 0).await, [[key.id]]);
    catalog.create("p2", "Lamp").await;
    assert_eq!(catalog.events(2).await.len(), 2);
}
