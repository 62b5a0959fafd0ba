//! `If-Match` on writes.

use crate::bff::{Answer, Bff, send};
use crate::peer::product;

const WRITES: [(&str, &str, &str); 5] = [
    ("PATCH", "/api/products/a", r#"{"title":"T"}"#),
    ("PATCH", "/api/products/a", r#"{"price":1}"#),
    ("PUT", "/api/products/a/price", r#"{"price":1}"#),
    ("PUT", "/api/products/a/price", r#"{"price_minor":1}"#),
    ("DELETE", "/api/products/a", ""),
];

async fn write(bff: &Bff, (method, path, body): (&str, &str, &str), if_match: &str) -> Answer {
    bff.peer.put(catalog_proto::v1::Product {
        version: 7,
        ..product("a")
    });
    let request = bff
        .request(method, path)
        .header("content-type", "application/json");
    send(request.header("if-match", if_match).body(body.to_owned())).await
}

#[tokio::test]
async fn the_right_version_and_any_version_pass() {
    let bff = Bff::start().await;
    for case in WRITES {
        for if_match in ["\"7\"", "*"] {
            let answer = write(&bff, case, if_match).await;
            assert!(matches!(answer.status, 200 | 204), "{case:?} {answer:?}");
        }
    }
}

#[tokio::test]
async fn any_other_version_fails() {
    let bff = Bff::start().await;
    for case in WRITES {
        for if_match in ["\"6\"", "\"0\"", "\"8\"", "\"9223372036854775807\""] {
            let answer = write(&bff, case, if_match).await;
            let detail = "Product is not at the version of If-Match";
            assert_eq!(answer.problem(412), detail, "{case:?} {if_match}");
            assert_eq!(bff.peer.product("a").expect("untouched").version, 7);
        }
    }
}

#[tokio::test]
async fn what_is_there_is_not_changed_on_the_condition_that_it_is_not() {
    let bff = Bff::start().await;
    for (method, path, body) in WRITES {
        for (none_match, status) in [("*", 412), ("\"7\"", 400)] {
            bff.peer.put(catalog_proto::v1::Product {
                version: 7,
                ..product("a")
            });
            let request = bff
                .request(method, path)
                .header("if-none-match", none_match);
            let request = request.header("content-type", "application/json");
            send(request.body(body.to_owned())).await.problem(status);
            assert_eq!(bff.peer.product("a").expect("untouched").version, 7);
        }
    }
}

#[tokio::test]
async fn weak_tags_and_those_of_others_never_match() {
    let bff = Bff::start().await;
    for case in WRITES {
        for if_match in ["W/\"7\"", "\"x\"", "\"\"", "W/\"7\", \"6\"", "\"a, b\""] {
            let answer = write(&bff, case, if_match).await;
            let detail = "Product is not at the version of If-Match";
            assert_eq!(answer.problem(412), detail, "{case:?} {if_match}");
            assert_eq!(bff.peer.product("a").expect("untouched").version, 7);
        }
    }
}

#[tokio::test]
async fn of_a_list_any_version_passes() {
    let bff = Bff::start().await;
    bff.peer.tell(vec![catalog_proto::v1::ProductChange {
        version: 7,
        ..Default::default()
    }]);
    for case in WRITES {
        for if_match in ["\"6\", \"7\"", "\"7\",\"8\",W/\"9\""] {
            let answer = write(&bff, case, if_match).await;
            assert!(matches!(answer.status, 200 | 204), "{case:?} {answer:?}");
        }
        let answer = write(&bff, case, "\"5\", \"6\"").await;
        answer.problem(412);
    }
}

#[tokio::test]
async fn what_is_no_list_of_tags_is_a_bad_request() {
    let bff = Bff::start().await;
    for case in WRITES {
        for if_match in ["7", "", "\"7", "\"6\" \"7\"", "*, \"7\""] {
            let answer = write(&bff, case, if_match).await;
            let detail = "If-Match is * or a list of ETags in quotes, such as \"7\"";
            assert_eq!(answer.problem(400), detail, "{case:?} {if_match}");
        }
    }
    assert!(bff.peer.take_calls().is_empty());
}

#[tokio::test]
async fn a_packed_answer_has_a_tag_of_its_own_that_stands_for_the_version() {
    let bff = Bff::start().await;
    bff.peer.put(catalog_proto::v1::Product {
        version: 7,
        description: "A long description. ".repeat(200),
        ..product("a")
    });
    let read = async |encodings: &str, held: &str| {
        let request = bff.request("GET", "/api/products/a");
        let request = request.header("accept-encoding", encodings);
        let answer = request
            .header("if-none-match", held)
            .send()
            .await
            .expect("an answer");
        let header = |name: &str| {
            let value = answer.headers().get(name)?;
            Some(value.to_str().expect("ASCII").to_owned())
        };
        (
            answer.status().as_u16(),
            header("etag").unwrap_or_default(),
            header("content-encoding").unwrap_or_default(),
        )
    };
    for (encoding, tag) in [
        ("", "\"7\""),
        ("gzip", "\"7-gzip\""),
        ("br", "\"7-br\""),
        ("zstd", "\"7-zstd\""),
    ] {
        let found = read(encoding, "\"6-gzip\"").await;
        assert_eq!(found, (200, tag.to_owned(), encoding.to_owned()));
        // The tag of what the client holds comes back, so that a cache knows which form is still good.
        let held = read(encoding, tag).await;
        assert_eq!(held, (304, tag.to_owned(), String::new()));
        for case in WRITES {
            let answer = write(&bff, case, tag).await;
            assert!(matches!(answer.status, 200 | 204), "{case:?} {answer:?}");
        }
        bff.peer.put(catalog_proto::v1::Product {
            version: 7,
            description: "A long description. ".repeat(200),
            ..product("a")
        });
    }
    let answer = write(&bff, WRITES[0], "\"6-gzip\"").await;
    answer.problem(412);
}
