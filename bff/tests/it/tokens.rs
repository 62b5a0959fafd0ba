//! Tokens of an identity provider, whose key set is a file here.

use std::path::Path;
use std::time::{Duration, Instant};

use bff::TokenConfig;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use crate::bff::{Answer, Bff, PATIENCE, send};

/// PKCS #8 of an Ed25519 key, up to its seed.
const ED25519: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// A key of the provider; its seed is its id.
fn key(seed: u8) -> EncodingKey {
    EncodingKey::from_ed_der(&[&ED25519[..], &[seed; 32]].concat())
}

fn publish(file: &Path, seeds: &[u8]) {
    let keys = seeds.iter().map(|seed| {
        let jwk = Jwk::from_encoding_key(&key(*seed), Algorithm::EdDSA).expect("a key");
        let mut jwk = serde_json::to_value(jwk).expect("JSON");
        jwk["kid"] = seed.to_string().into();
        jwk
    });
    let document = json!({"keys": keys.collect::<Vec<_>>()});
    std::fs::write(file, document.to_string()).expect("the key set");
}

fn token(seed: u8, claims: &Value) -> String {
    let mut all = json!({"iss": "https://id.example", "aud": "catalog", "sub": "jane",
        "exp": 4_000_000_000_u64});
    for (name, value) in claims.as_object().expect("claims") {
        all[name] = value.clone();
    }
    let mut header = Header::new(Algorithm::EdDSA);
    header.kid = Some(seed.to_string());
    encode(&header, &all, &key(seed)).expect("a token")
}

async fn start(jwks: &Path) -> Bff {
    Bff::start_with(|config| {
        config.public = "".parse().expect("scopes");
        config.tokens = Some(TokenConfig {
            jwks: jwks.display().to_string().parse().expect("a path"),
            issuer: "https://id.example".to_owned(),
            audience: "catalog".to_owned(),
            leeway: Duration::from_secs(60),
        });
    })
    .await
}

async fn ask(bff: &Bff, method: &str, token: &str) -> Answer {
    send(bff.request(method, "/api/products/a").bearer_auth(token)).await
}

#[tokio::test]
async fn a_token_may_do_what_its_scopes_say_and_no_more() {
    let folder = tempfile::tempdir().expect("folder");
    let jwks = folder.path().join("jwks.json");
    publish(&jwks, &[1]);
    let bff = start(&jwks).await;
    let reader = token(1, &json!({"scope": "openid read"}));
    assert_eq!(
        ask(&bff, "GET", &reader).await.problem(404),
        "Product not found"
    );
    ask(&bff, "DELETE", &reader).await.problem(403);
    let writer = token(1, &json!({"scp": ["catalog:write"]}));
    bff.peer.take_calls();
    let deleted = bff.request("DELETE", "/api/products/a").bearer_auth(writer);
    let request = deleted.header("catalog-actor", "mallory");
    send(request.header("idempotency-key", "k"))
        .await
        .problem(404);
    let calls = bff.peer.take_calls();
    assert_eq!(
        calls[0].metadata.get("catalog-actor").expect("an actor"),
        "jwt:jane"
    );

    let expired = token(1, &json!({"exp": 1_000}));
    let answer = ask(&bff, "GET", &expired).await;
    assert_eq!(answer.problem(401), "The token is expired");
    let way = "Bearer realm=\"catalog\", error=\"invalid_token\"";
    assert_eq!(answer.header("www-authenticate"), Some(way));
    ask(&bff, "GET", &token(2, &json!({"scope": "read"})))
        .await
        .problem(401);
}

#[tokio::test]
async fn a_new_key_of_the_provider_is_known_soon_and_an_old_one_no_more() {
    let folder = tempfile::tempdir().expect("folder");
    let jwks = folder.path().join("jwks.json");
    let bff = start(&jwks).await;
    let [old, new] = [1, 2].map(|seed| token(seed, &json!({"scope": "read"})));
    // There is no key set yet.
    ask(&bff, "GET", &old).await.problem(503);
    publish(&jwks, &[1]);
    becomes(&bff, &old, 404).await;
    publish(&jwks, &[2]);
    becomes(&bff, &new, 404).await;
    ask(&bff, "GET", &old).await.problem(401);
}

async fn becomes(bff: &Bff, token: &str, status: u16) {
    let begun = Instant::now();
    while ask(bff, "GET", token).await.status != status {
        assert!(
            begun.elapsed() < PATIENCE * 2,
            "it does not become {status}"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
