//! What is said of the body of a feed before any of it is imported.

use serde_json::json;

use crate::bff::{Answer, Bff, send};

const ROUTES: [&str; 2] = ["/api/import", "/api/import/suggestion"];
/// `id;title;price` and a lamp, in the encoding of Russian programs for Windows.
const LAMP: &[u8] = b"id;title;price\n1;\xcb\xe0\xec\xef\xe0;5\n";

async fn post(bff: &Bff, path: &str, kind: &str, body: &[u8]) -> Answer {
    let request = bff.request("POST", path).header("content-type", kind);
    send(request.body(body.to_vec())).await
}

/// The examples of the titles.
async fn titles(bff: &Bff, query: &str, kind: &str, body: &[u8]) -> serde_json::Value {
    let path = format!("/api/import/suggestion{query}");
    let answer = post(bff, &path, kind, body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let columns = answer.json()["columns"].clone();
    let columns = columns.as_array().expect("columns").iter();
    let mut titles = columns.filter(|column| column["column"] == "title");
    titles.next().expect("a title")["examples"].clone()
}

#[tokio::test]
async fn the_content_type_states_the_encoding() {
    let bff = Bff::start().await;
    let lamp = json!(["Лампа"]);
    let kind = "text/csv; charset=windows-1251";
    assert_eq!(titles(&bff, "", kind, LAMP).await, lamp);
    let kind = "text/csv; charset=utf-8";
    assert_eq!(
        titles(&bff, "?encoding=windows-1251", kind, LAMP).await,
        lamp
    );
    // A byte order mark goes before what a header says.
    let marked = "\u{feff}id;title;price\n1;Лампа;5\n".as_bytes();
    assert_eq!(
        titles(&bff, "", "text/csv; charset=windows-1251", marked).await,
        lamp
    );
    for path in ROUTES {
        let detail = post(&bff, path, "text/csv; charset=klingon", LAMP)
            .await
            .problem(415);
        let begin = "Content-Type: there is no encoding \"klingon\"; some that there are: UTF-8, ";
        assert!(detail.starts_with(begin), "{detail}");
    }
}

#[tokio::test]
async fn an_empty_body_is_no_feed() {
    let bff = Bff::start().await;
    for path in ROUTES {
        for kind in ["text/csv", "application/json", "application/x-ndjson"] {
            let detail = post(&bff, path, kind, b"").await.problem(422);
            assert_eq!(
                detail, "The body is empty: it is the feed itself",
                "{path} {kind}"
            );
        }
    }
}

#[tokio::test]
async fn the_beginning_of_an_export_is_checked() {
    let bff = Bff::start().await;
    let levels = vec!["x"; 21].join(">");
    for (query, pointer) in [
        ("position=1&after=no%20id".to_owned(), "/after"),
        (format!("category={levels}"), "/category"),
    ] {
        let answer = bff.get(&format!("/api/export?{query}")).await;
        assert_eq!(answer.pointers(), [pointer], "{query}");
    }
}
