//! Input that nobody should send, against all services: each line is refused with a typed 4xx or gRPC code, or is
//! taken for what it is, and the catalog goes on.

use std::time::Duration;

use bytes::{Buf, BufMut, Bytes};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::{Code, Request, Status};
use trials::cluster::{Cluster, channel};

use crate::support::cluster;

const PATIENCE: Duration = Duration::from_secs(20);
const GET: &str = "/catalog.v1.CatalogService/GetProduct";
const SEARCH: &str = "/catalog.v1.CatalogService/SearchProducts";
const CREATE: &str = "/catalog.v1.CatalogCommandService/CreateProduct";

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_sent_breaks_anything() {
    let cluster = cluster().await;
    let mut odd = Odd::default();
    members_of_products(&cluster, &mut odd).await;
    ids_in_addresses(&cluster, &mut odd).await;
    searches(&cluster, &mut odd).await;
    many_at_once(&cluster, &mut odd).await;
    messages(&cluster, &mut odd).await;
    assert!(odd.0.is_empty(), "{}", odd.0.join("\n"));
    // It all goes on.
    let lamp = json!({"id": "lamp", "title": "Walnut lamp", "price": 1});
    assert_eq!(post(&cluster, "products", &lamp).await.0, 201);
    cluster.caught_up(4, false, 30).await.expect("documents");
    let (status, found) = get(&cluster, "products/search?q=walnut").await;
    assert_eq!((status, &found["total"]), (200, &json!(1)), "{found}");
}

/// Answers that should be others: all are told, not only the first.
#[derive(Default)]
struct Odd(Vec<String>);

impl Odd {
    fn unless(&mut self, is_right: bool, answer: String) {
        if !is_right {
            self.0.push(answer.chars().take(400).collect());
        }
    }
}

async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
    let answer = request.timeout(PATIENCE).send().await.expect("an answer");
    let status = answer.status().as_u16();
    let text = answer.text().await.expect("a body");
    let body = serde_json::from_str(&text).unwrap_or(Value::Null);
    (status, body)
}

async fn get(cluster: &Cluster, path: &str) -> (u16, Value) {
    answer(Client::new().get(format!("{}/api/{path}", cluster.http()))).await
}

async fn post(cluster: &Cluster, path: &str, body: &Value) -> (u16, Value) {
    let request = Client::new().post(format!("{}/api/{path}", cluster.http()));
    answer(request.json(body)).await
}

/// One member at fault, which the answer names.
async fn members_of_products(cluster: &Cluster, odd: &mut Odd) {
    let control = "bell\u{7}";
    let mut attributes = json!({});
    for count in 0..1_001 {
        attributes[format!("a{count}")] = count.into();
    }
    for (member, value) in [
        ("title", json!("")),
        ("title", json!(" \t ")),
        ("title", json!("x".repeat(1_001))),
        ("title", json!(control)),
        ("title", json!("two\nlines")),
        ("title", json!(["x"])),
        ("description", json!("x".repeat(20_001))),
        ("price", json!(-1)),
        ("price", json!("1.001")),
        ("price", json!("1e3")),
        ("price", json!("NaN")),
        ("price", json!(1e300)),
        ("price_minor", json!(-1)),
        ("price_minor", json!(1.5)),
        ("price_minor", json!(9_007_199_254_740_993_i64)),
        ("currency", json!("XXQ")),
        ("currency", json!("usd")),
        ("image_url", json!("javascript:alert(1)")),
        ("image_url", json!("file:///etc/passwd")),
        ("image_url", json!("//host/x")),
        (
            "image_url",
            json!(format!("https://x/{}", "y".repeat(2_000))),
        ),
        ("id", json!("a.b")),
        ("id", json!("*")),
        ("id", json!("a>b")),
        ("id", json!("../etc")),
        ("id", json!("a b")),
        ("id", json!("x".repeat(65))),
        ("id", json!("\u{430}")),
        ("brand", json!("x".repeat(201))),
        ("sku", json!("x".repeat(301))),
        ("gtins", json!(["12"])),
        ("gtins", json!("4006381333931")),
        ("gtins", json!(vec!["40063813"; 201])),
        ("categories", json!(vec!["x"; 21])),
        ("categories", json!([""])),
        ("attributes", json!([])),
        ("attributes", json!({"": "x"})),
        ("attributes", json!({"x": {"y": 1}})),
        ("attributes", json!({"x": [[1]]})),
        ("attributes", json!({"x": "y".repeat(10_001)})),
        ("attributes", attributes.clone()),
        ("status", json!("sold")),
        ("version", json!(7)),
    ] {
        let mut product = json!({"title": "Lamp"});
        if !member.starts_with("price") {
            product["price"] = 1.into();
        }
        product[member] = value.clone();
        let (status, problem) = post(cluster, "products", &product).await;
        let shown: String = value.to_string().chars().take(60).collect();
        odd.unless(
            status == 422,
            format!("{status} {member} {shown}: {problem}"),
        );
        let errors = problem["errors"].to_string();
        odd.unless(
            errors.contains(&format!("\"/{member}")),
            format!("{member} {shown}: {problem}"),
        );
        odd.unless(errors.len() < 16_384, format!("{member} {shown}"));
    }
    // Markup and writing from the right are text; only where it is shown is it made harmless.
    let strange = json!({"id": "odd", "title": "<b>\u{202e}Lamp", "description": "<script>alert(1)</script>",
        "price": "0"});
    let (status, product) = post(cluster, "products", &strange).await;
    odd.unless(matches!(status, 201 | 422), format!("{product}"));
    if status == 422 {
        let plain = json!({"id": "odd", "title": "Lamp", "price": 0});
        odd.unless(
            post(cluster, "products", &plain).await.0 == 201,
            "a plain product".to_owned(),
        );
    }
}

async fn ids_in_addresses(cluster: &Cluster, odd: &mut Odd) {
    for id in [
        "%00",
        "a%2Fb",
        "%2e%2e",
        "a%20b",
        "%ff",
        "%c0%af",
        "a;b",
        "*",
        &"x".repeat(3_000),
    ] {
        let (status, problem) = get(cluster, &format!("products/{id}")).await;
        odd.unless(status == 404, format!("{status} {id}: {problem}"));
    }
    let long = format!("products/odd/history?limit={}", "9".repeat(400));
    for path in [
        "products/odd?as_of=yesterday",
        "products/odd?as_of_version=0",
        "products/odd?as_of_version=99999999999999999999",
        "products/odd/history?limit=0",
        "products/odd/history?before_version=-1",
        &long,
        "products?limit=501",
        "products?page_token=forged",
        "products?updated_since=now",
        "export?position=0",
        "export?position=9223372036854775807",
        "export?fields=id,id",
    ] {
        let (status, problem) = get(cluster, path).await;
        odd.unless(status == 422, format!("{status} {path}: {problem}"));
    }
    for (header, value, expected) in [
        ("catalog-consistency", "forged", 400),
        ("catalog-consistency", "AQAAAAAAAAABeDSV6gcWeiNE2A", 400),
        ("if-none-match", "\"1", 404),
        ("authorization", "Bearer ck_nobody_knows", 401),
        ("authorization", "Bearer a.b.c", 401),
    ] {
        let request = Client::new().get(format!("{}/api/products/none", cluster.http()));
        let (status, problem) = answer(request.header(header, value)).await;
        odd.unless(
            status == expected,
            format!("{status} {header} {value}: {problem}"),
        );
    }
}

/// A search takes any words: what is no syntax is a word. Only what is too long, or no such thing, is refused.
async fn searches(cluster: &Cluster, odd: &mut Odd) {
    let long = format!("{{\"q\": \"{}\"}}", "x".repeat(1_000_000));
    let request = Client::new().post(format!("{}/api/search", cluster.http()));
    let request = request
        .header("content-type", "application/json")
        .body(long);
    let (status, problem) = answer(request).await;
    odd.unless(matches!(status, 413 | 422), format!("{status} {problem}"));
    let (braces, words) = ("(".repeat(900), "a b ".repeat(240));
    for words in [
        "*",
        "\"",
        "\"\"",
        "\"unclosed",
        "-",
        "--",
        "-\"",
        "+",
        "AND OR NOT",
        "a:b:c",
        "[1 TO 2]",
        "~",
        "^",
        "\u{202e}",
        "' OR 1=1; --",
        "%",
        "\\",
        &braces,
        &words,
    ] {
        let (status, found) = post(cluster, "search", &json!({"q": words})).await;
        odd.unless(status == 200, format!("{status} {words:?}: {found}"));
    }
    for (member, value) in [
        ("q", json!("")),
        ("q", json!("x".repeat(1_001))),
        ("limit", json!(0)),
        ("limit", json!(-1)),
        ("limit", json!(1_000_000)),
        ("page_token", json!("forged")),
        ("facets", json!("nothing-like-that:0")),
        ("sort", json!("colour")),
        ("strategy", json!("magic")),
        ("profile", json!("none")),
        ("limits", json!(1)),
    ] {
        let mut search = json!({"q": "lamp"});
        search[member] = value.clone();
        let (status, problem) = post(cluster, "search", &search).await;
        odd.unless(
            status == 422,
            format!("{status} {member} {value}: {problem}"),
        );
    }
    for bounds in [
        "price_min=5&price_max=1",
        "created_at_min=5&created_at_below=5",
        "attr.x.min=5&attr.x.max=1",
    ] {
        let (status, problem) = get(cluster, &format!("products/search?q=lamp&{bounds}")).await;
        odd.unless(status == 422, format!("{status} {bounds}: {problem}"));
    }
    let crossed = json!({"q": "lamp", "filter": {"field": "attr.x", "min": 2, "max": 1}});
    let (status, problem) = post(cluster, "search", &crossed).await;
    odd.unless(status == 422, format!("{status} {problem}"));
}

async fn many_at_once(cluster: &Cluster, odd: &mut Odd) {
    let delete = |id: &str| json!({"delete": id});
    let ids: Vec<String> = (0..101).map(|id| format!("ids={id}")).collect();
    let (status, problem) = get(cluster, &format!("products?{}", ids.join("&"))).await;
    odd.unless(status == 422, format!("{status} {problem}"));
    let none: Vec<Value> = Vec::new();
    for writes in [none, vec![delete("x"); 501]] {
        let count = writes.len();
        let (status, problem) = post(cluster, "products:batch", &json!({"writes": writes})).await;
        odd.unless(status == 422, format!("{status} {count}: {problem}"));
    }
    // One at fault, and one that is named twice, keep no other from being done.
    let writes = json!({"writes": [{"put": {"id": "twice", "title": "", "price": 1}}, 1, {"delete": "x", "put": {}},
        {"put": {"id": "twice", "title": "Once", "price": 1}}, {"delete": "twice"}, {"delete": "twice"}]});
    let (status, report) = post(cluster, "products:batch", &writes).await;
    let items = report["items"].as_array().expect("items").iter();
    let statuses: Vec<u64> = items.filter_map(|item| item["status"].as_u64()).collect();
    odd.unless(
        (status, &statuses[..]) == (200, &[422, 422, 422, 201, 204, 404][..]),
        format!("{report}"),
    );
    let patch = Client::new().request(
        Method::PATCH,
        format!("{}/api/products/odd", cluster.http()),
    );
    let stale = patch
        .header("if-match", "\"99\"")
        .json(&json!({"title": "New"}));
    odd.unless(answer(stale).await.0 == 412, "a stale patch".to_owned());
}

/// Bytes as they are, in place of a message.
#[derive(Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}

async fn call(target: &str, method: &'static str, request: Request<Bytes>) -> Code {
    let mut client = Grpc::new(channel(target));
    client.ready().await.expect("a connection");
    let path = PathAndQuery::from_static(method);
    let call = client.unary(request, path, Raw);
    let answer = tokio::time::timeout(PATIENCE, call)
        .await
        .expect("an answer");
    answer.map_or_else(|status| status.code(), |_| Code::Ok)
}

async fn messages(cluster: &Cluster, odd: &mut Odd) {
    let (query, command) = (cluster.query_grpc(), cluster.command_grpc());
    // Field 1 of a length that is a lie, an unknown wire type, text that is not UTF-8, an endless number.
    let broken: [&'static [u8]; 4] = [
        b"\x0a\xff\xff\xff\xff\x0f",
        b"\x0f",
        b"\x0a\x02\xc0\xaf",
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
    ];
    for bytes in broken {
        for (target, method) in [(&query, GET), (&query, SEARCH), (&command, CREATE)] {
            let code = call(target, method, Request::new(Bytes::from_static(bytes))).await;
            let refused = matches!(code, Code::Internal | Code::InvalidArgument);
            odd.unless(refused, format!("{method} {bytes:?}: {code:?}"));
        }
    }
    // An empty message asks for nothing that there could be.
    let nothing = || Request::new(Bytes::new());
    odd.unless(
        call(&query, GET, nothing()).await == Code::NotFound,
        "an empty GetProduct".to_owned(),
    );
    odd.unless(
        call(&command, CREATE, nothing()).await == Code::InvalidArgument,
        "an empty CreateProduct".to_owned(),
    );
    for method in [
        "/catalog.v1.CatalogService/Nothing",
        "/nothing.v1.Nothing/Nothing",
        "/",
    ] {
        odd.unless(
            call(&query, method, nothing()).await == Code::Unimplemented,
            method.to_owned(),
        );
    }
    let large = Bytes::from(vec![0; 64 << 20]);
    let code = call(&query, SEARCH, Request::new(large)).await;
    let refused = matches!(
        code,
        Code::OutOfRange | Code::ResourceExhausted | Code::Internal | Code::Unknown
    );
    odd.unless(refused, format!("a large message: {code:?}"));
    for timeout in ["0n", "99999999H", "-1S", "soon"] {
        let mut request = nothing();
        let stated = timeout.parse().expect("ASCII");
        request.metadata_mut().insert("grpc-timeout", stated);
        let code = call(&query, GET, request).await;
        let told = matches!(
            code,
            // One that is no time is none.
            Code::NotFound | Code::DeadlineExceeded | Code::Cancelled | Code::InvalidArgument
        );
        odd.unless(told, format!("{timeout}: {code:?}"));
    }
    // Calls that nobody waits for.
    let calls = (0..1_000).map(|_| {
        let query = query.clone();
        tokio::spawn(async move {
            let left = call(
                &query,
                SEARCH,
                Request::new(Bytes::from_static(b"\x0a\x04lamp")),
            );
            let _ = tokio::time::timeout(Duration::from_millis(1), left).await;
        })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.expect("no panic");
    }
}
