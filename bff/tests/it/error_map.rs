//! Every gRPC status becomes its problem, and so does an upstream that gives no answer.

use std::time::Duration;

use catalog_proto::v1::Product;
use tokio::net::TcpListener;
use tonic::{Code, Status};

use crate::bff::{Bff, send};
use crate::peer::{Mode, product};

const UNAVAILABLE: (u16, &str) = (503, "Catalog unavailable");

/// What a write is answered that may have been done.
const UNKNOWN: (u16, &str) = (
    504,
    "The write was not answered in time, and may have been done",
);

const ALL: [(Code, u16, &str); 16] = [
    (Code::Cancelled, 502, "Catalog error (CANCELLED)"),
    (Code::Unknown, 502, "Catalog error (UNKNOWN)"),
    (Code::InvalidArgument, 422, "said the peer"),
    (Code::DeadlineExceeded, UNAVAILABLE.0, UNAVAILABLE.1),
    (Code::NotFound, 404, "Product not found"),
    (Code::AlreadyExists, 409, "Product exists already"),
    (Code::PermissionDenied, 403, "Not allowed"),
    (Code::ResourceExhausted, 429, "Too many requests"),
    (Code::FailedPrecondition, 409, "said the peer"),
    (Code::Aborted, 409, "Product was changed meanwhile"),
    (Code::OutOfRange, 502, "Catalog error (OUT_OF_RANGE)"),
    (Code::Unimplemented, 502, "Catalog error (UNIMPLEMENTED)"),
    (Code::Internal, 502, "Catalog error (INTERNAL)"),
    (Code::Unavailable, UNAVAILABLE.0, UNAVAILABLE.1),
    (Code::DataLoss, 502, "Catalog error (DATA_LOSS)"),
    (
        Code::Unauthenticated,
        401,
        "Credentials are missing or wrong",
    ),
];

/// One request for each RPC.
const REQUESTS: [(&str, &str, &str); 10] = [
    ("GET", "/api/products/a", ""),
    ("GET", "/api/products/a?as_of_version=1", ""),
    ("GET", "/api/products/a/history", ""),
    ("GET", "/api/products?ids=a", ""),
    ("GET", "/api/products/search?q=a", ""),
    ("POST", "/api/products", r#"{"title":"T","price":1}"#),
    ("PATCH", "/api/products/a", r#"{"title":"T"}"#),
    ("PUT", "/api/products/a/price", r#"{"price_minor":1}"#),
    ("PUT", "/api/products/a/price", r#"{"price":1}"#),
    ("DELETE", "/api/products/a", ""),
];

#[tokio::test]
async fn every_code_of_every_rpc_has_its_status() {
    let bff = Bff::start().await;
    for (code, status, detail) in ALL {
        bff.peer.set(Mode::Fail(Status::new(code, "said the peer")));
        for (method, path, body) in REQUESTS {
            let answer = bff.json(method, path, body).await;
            let is_late_write = code == Code::DeadlineExceeded && method != "GET";
            let (status, detail) = if is_late_write {
                UNKNOWN
            } else {
                (status, detail)
            };
            assert_eq!(answer.problem(status), detail, "{code:?} {method} {path}");
            let waits = matches!(status, 429 | 503);
            assert_eq!(
                answer.header("retry-after").is_some(),
                waits,
                "{code:?} {method} {path}"
            );
            assert_eq!(
                answer.header("www-authenticate").is_some(),
                status == 401,
                "{code:?}"
            );
        }
    }
}

#[tokio::test]
async fn aborted_is_a_failed_precondition_where_one_was_sent() {
    let bff = Bff::start().await;
    bff.peer.set(Mode::Fail(Status::aborted("version")));
    for if_match in ["\"1\"", "*"] {
        let request = bff
            .request("DELETE", "/api/products/a")
            .header("if-match", if_match);
        let detail = send(request).await.problem(412);
        assert_eq!(detail, "Product is not at the version of If-Match");
    }
}

#[tokio::test]
async fn violations_become_pointers() {
    let bff = Bff::start().await;
    let violations = [
        ("price_minor", "must be positive"),
        ("attributes.net.weight", "must be a number"),
        ("gtins[1]", "has a wrong check digit"),
    ]
    .map(|(field, reason)| (field.to_owned(), reason.to_owned()));
    let status = service_kit::status(Code::InvalidArgument, "INVALID", "bad", violations);
    bff.peer.set(Mode::Fail(status));
    let answer = bff
        .json("POST", "/api/products", r#"{"title":"T","price":1}"#)
        .await;
    assert_eq!(
        answer.pointers(),
        ["/price", "/attributes/net.weight", "/gtins/1"]
    );
    assert_eq!(answer.json()["errors"][0]["detail"], "must be positive");
}

#[tokio::test]
async fn an_upstream_that_never_answers_is_unavailable() {
    let short = Duration::from_millis(50);
    let bff = Bff::start_with(|config| {
        config.get_deadline = short;
        config.batch_deadline = short;
        config.search_deadline = short;
        config.write_deadline = short;
    })
    .await;
    bff.peer.set(Mode::NeverAnswer);
    for (method, path, body) in REQUESTS {
        let answer = bff.json(method, path, body).await;
        let is_read = method == "GET";
        let (status, detail) = if is_read { UNAVAILABLE } else { UNKNOWN };
        assert_eq!(answer.problem(status), detail, "{method} {path}");
        let waits = is_read.then_some("1");
        assert_eq!(answer.header("retry-after"), waits, "{method} {path}");
    }
    bff.peer.set(Mode::Serve);
    bff.peer.put(product("a"));
    assert_eq!(bff.get("/api/health").await.status, 200);
}

#[tokio::test]
async fn an_upstream_that_is_down_is_unavailable() {
    let closed = TcpListener::bind("127.0.0.1:0").await.expect("port");
    let target = closed.local_addr().expect("address").to_string();
    drop(closed);
    let bff = Bff::start_with(|config| {
        config.catalog_grpc_target = target.parse().expect("target");
        config.command_grpc_target = target.parse().expect("target");
    })
    .await;
    for (method, path, body) in REQUESTS {
        let answer = bff.json(method, path, body).await;
        assert_eq!(
            answer.problem(503),
            "Catalog unavailable",
            "{method} {path}"
        );
        assert_eq!(answer.header("retry-after"), Some("1"), "{method} {path}");
    }
}

#[tokio::test]
async fn an_upstream_that_hangs_up_is_unavailable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("port");
    let target = listener.local_addr().expect("address").to_string();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mut some = [0; 8];
            let _ = stream.readable().await;
            let _ = stream.try_read(&mut some);
        }
    });
    let bff = Bff::start_with(|config| {
        config.catalog_grpc_target = target.parse().expect("target");
    })
    .await;
    for _ in 0..20 {
        assert_eq!(
            bff.get("/api/products/a").await.problem(503),
            "Catalog unavailable"
        );
    }
}

#[tokio::test]
async fn an_upstream_that_accepts_and_says_nothing_is_unavailable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("port");
    let target = listener.local_addr().expect("address").to_string();
    let bff = Bff::start_with(|config| {
        config.catalog_grpc_target = target.parse().expect("target");
        config.get_deadline = Duration::from_millis(50);
    })
    .await;
    assert_eq!(
        bff.get("/api/products/a").await.problem(503),
        "Catalog unavailable"
    );
}

#[tokio::test]
async fn a_restarted_upstream_is_found_again() {
    let bff = Bff::start().await;
    bff.peer.set(Mode::Fail(Status::unavailable("draining")));
    assert_eq!(bff.get("/api/products/a").await.status, 503);
    bff.peer.set(Mode::Serve);
    bff.peer.put(product("a"));
    assert_eq!(bff.get("/api/products/a").await.status, 200);
}

#[tokio::test]
async fn an_upstream_answer_beyond_json_is_still_an_answer() {
    let bff = Bff::start().await;
    bff.peer.put(Product {
        price: f64::NAN,
        version: -1,
        status: 99,
        created_at: None,
        currency: String::new(),
        ..product("a")
    });
    let answer = bff.get("/api/products/a").await;
    assert_eq!(answer.status, 200);
    assert!(answer.json()["price"].is_null());
    // Its currency is no currency: no price can be stated in it.
    let answer = bff
        .json("PUT", "/api/products/a/price", r#"{"price":1}"#)
        .await;
    assert_eq!(answer.pointers(), ["/price"]);
}

#[tokio::test]
async fn what_is_at_fault_upstream_is_named_as_the_client_states_it() {
    let bff = Bff::start().await;
    for (path, field, pointer) in [
        (
            "/api/products/search?q=a&profile=x",
            "ranking_profile",
            "/profile",
        ),
        (
            "/api/products/search?q=a&facets=x",
            "facets[0].field",
            "/facets",
        ),
        (
            "/api/products/search?q=a&attr.w.min=x",
            "parameter.w.min",
            "/attr.w.min",
        ),
        ("/api/products?limit=5", "page_size", "/limit"),
        ("/api/products?gtin=x", "gtins", "/gtin"),
        ("/api/products?gtin=x", "gtins[1]", "/gtin"),
        ("/api/products?sku=x", "skus", "/sku"),
        ("/api/autocomplete?q=x", "prefix", "/q"),
    ] {
        let fields = [(field.to_owned(), "is bad".to_owned())];
        let status = service_kit::status(Code::InvalidArgument, "INVALID_REQUEST", "no", fields);
        bff.peer.set(Mode::Fail(status));
        assert_eq!(bff.get(path).await.pointers(), [pointer], "{field}");
    }
}
