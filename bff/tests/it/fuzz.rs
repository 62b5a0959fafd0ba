//! A mutational fuzzer of everything that the BFF reads: addresses, headers, bodies. Requests made from the
//! description are damaged from a seed and sent as bytes; every answer must keep its promises.
//!
//! `CATALOG_FUZZ_SECONDS=3600 cargo test -p bff --test it fuzz -- --nocapture` runs it for an hour, from a seed
//! of its own; `CATALOG_FUZZ_SEED=N` repeats the request that was made from N, and goes on from there.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, stream};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::bff::{Bff, PATIENCE};
use crate::peer::product;

/// How long an ordinary run of the tests takes.
const SECONDS: u64 = 3;
/// How many requests are on their way.
const AT_ONCE: usize = 16;
const TOLD_EVERY: Duration = Duration::from_secs(60);
/// What readers stumble over, in addresses, headers and JSON.
const STUMBLES: [&str; 40] = [
    "%",
    "%0",
    "%00",
    "%ff",
    "%2",
    "+",
    "&",
    "=",
    ";",
    "#",
    "?",
    "/",
    "..",
    "//",
    "%2f",
    ",",
    ", ,",
    "\"",
    "\\",
    "\\u0000",
    "\\ud800",
    "{",
    "}",
    "[",
    "]",
    "[[[[[[[[[[[[[[[[",
    "null",
    "true",
    "-0",
    "1e999",
    "1e-999",
    "0x10",
    "9223372036854775808",
    "99999999999999999999999999999999999999",
    "NaN",
    "W/",
    "*",
    ">",
    "\u{202e}\u{0}",
    "𝕏é\u{301}",
];
/// Headers that are read, with a value each.
const HEADERS: [(&str, &str); 10] = [
    ("if-match", "\"1\", W/\"2\", *"),
    ("if-none-match", "\"1\""),
    ("catalog-consistency", "AQAAAAAAAAABeDSV6gcWeiNE2A"),
    ("idempotency-key", "6f1c"),
    ("authorization", "Bearer ck_abcdefgh_secret"),
    (
        "traceparent",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    ),
    ("accept-encoding", "gzip;q=0.5, br"),
    ("accept", "application/json, text/csv;q=0.1"),
    ("last-event-id", "1.0"),
    ("origin", "https://shop.example"),
];

/// A request in its parts, each of which can be damaged.
#[derive(Clone, Debug)]
struct Case {
    method: String,
    /// As the description has it.
    path: String,
    target: Vec<u8>,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl Case {
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = format!("{} ", self.method).into_bytes();
        bytes.extend_from_slice(&self.target);
        bytes.extend_from_slice(b" HTTP/1.1\r\nhost: x\r\nconnection: close\r\n");
        for (name, value) in &self.headers {
            bytes.extend_from_slice(format!("{name}: ").as_bytes());
            bytes.extend_from_slice(value);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(format!("content-length: {}\r\n\r\n", self.body.len()).as_bytes());
        bytes.extend_from_slice(&self.body);
        bytes
    }

    fn damaged(mut self, random: &mut fastrand::Rng, others: &[Case]) -> Self {
        let other = &others[random.usize(..others.len())];
        if random.u8(..4) == 0 {
            let (name, value) = HEADERS[random.usize(..HEADERS.len())];
            self.headers.push((name.to_owned(), value.into()));
        }
        for _ in 0..random.usize(1..5) {
            let headers = self.headers.len();
            match random.u8(..8) {
                0 => self.drop_pair(random),
                1 | 2 => self.damage_target(&other.target, random),
                3 if headers > 0 => {
                    let value = &mut self.headers[random.usize(..headers)].1;
                    damage(value, &other.target, random);
                }
                _ if self.body.is_empty() => self.damage_target(&other.target, random),
                _ => damage(&mut self.body, &other.body, random),
            }
        }
        // These would end the line: they are another request then, not another value.
        let is_text = |byte: &u8| !byte.is_ascii_control() && *byte != b' ';
        self.target.retain(is_text);
        for (_, value) in &mut self.headers {
            value.retain(|byte| !byte.is_ascii_control());
        }
        self
    }

    /// Drops a parameter.
    fn drop_pair(&mut self, random: &mut fastrand::Rng) {
        let mut pairs: Vec<&[u8]> = self.target.split(|byte| *byte == b'&').collect();
        if pairs.len() > 1 {
            pairs.remove(random.usize(1..pairs.len()));
            self.target = pairs.join(&b'&');
        }
    }

    /// Damages the parameters, and now and then the path.
    fn damage_target(&mut self, other: &[u8], random: &mut fastrand::Rng) {
        let mark = self.target.iter().position(|byte| *byte == b'?');
        let mark = mark.filter(|_| random.u8(..8) > 0).map_or(0, |at| at + 1);
        let mut end = self.target.split_off(mark);
        damage(&mut end, other, random);
        self.target.append(&mut end);
    }
}

fn damage(text: &mut Vec<u8>, other: &[u8], random: &mut fastrand::Rng) {
    let at = random.usize(..=text.len());
    let to = random.usize(at..=text.len().min(at + 40));
    match random.u8(..7) {
        0 => drop(text.drain(at..to)),
        1 => {
            let again = text[at..to].repeat(random.usize(1..20));
            text.splice(at..at, again);
        }
        2 if at < text.len() => text[at] ^= 1 << random.u8(..8),
        3 if !other.is_empty() => {
            let from = random.usize(..other.len());
            let until = random.usize(from..=other.len().min(from + 60));
            text.splice(at..to, other[from..until].iter().copied());
        }
        _ => {
            let stumble = STUMBLES[random.usize(..STUMBLES.len())];
            text.splice(at..to, stumble.bytes());
        }
    }
}

/// Two requests for every operation, with all parameters and with few.
fn seeds(document: &Value) -> Vec<Case> {
    let mut seeds = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            for all in [true, false] {
                let mut pairs = form_urlencoded::Serializer::new(String::new());
                let parameters = operation["parameters"].as_array().into_iter().flatten();
                let stated = parameters
                    .filter(|one| one["in"] == "query" && (all || one["required"] == true));
                for parameter in stated {
                    let name = parameter["name"].as_str().expect("a name");
                    let value = match &parameter["example"] {
                        Value::Null => shown(document, &parameter["schema"], 0),
                        example => example.clone(),
                    };
                    pairs.append_pair(name, &text_of(&value));
                }
                let kinds = operation["requestBody"]["content"].as_object();
                let kind = kinds.and_then(|kinds| kinds.iter().next());
                let body = kind.map(|(_, content)| shown(document, &content["schema"], 0));
                let headers =
                    kind.map(|(kind, _)| ("content-type".to_owned(), kind.clone().into()));
                seeds.push(Case {
                    method: method.to_uppercase(),
                    path: path.clone(),
                    target: format!("{}?{}", path.replace("{id}", "a"), pairs.finish()).into(),
                    headers: headers.into_iter().collect(),
                    body: body.map_or(Vec::new(), |body| text_of(&body).into()),
                });
            }
        }
    }
    seeds
}

/// A value of a schema.
fn shown(document: &Value, schema: &Value, depth: usize) -> Value {
    let named = schema["$ref"].as_str().map(|name| name.replace('#', ""));
    let schema = named
        .and_then(|name| document.pointer(&name))
        .unwrap_or(schema);
    let part = |schema| shown(document, schema, depth + 1);
    let one_of = ["oneOf", "anyOf", "allOf"].map(|name| &schema[name][0]);
    if let Some(example) = [
        &schema["example"],
        &schema["examples"][0],
        &schema["enum"][0],
    ]
    .into_iter()
    .find(|value| !value.is_null())
    {
        return example.clone();
    }
    if let Some(first) = one_of.into_iter().find(|value| !value.is_null()) {
        return part(first);
    }
    let kind = schema["type"].as_str().or(schema["type"][0].as_str());
    match kind {
        Some("integer" | "number") => 1.into(),
        Some("boolean") => true.into(),
        Some("array") => vec![part(&schema["items"])].into(),
        Some("object") if depth < 6 => {
            let members = schema["properties"].as_object().into_iter().flatten();
            let members = members.map(|(name, schema)| (name.clone(), part(schema)));
            Value::Object(members.collect())
        }
        _ => "a".into(),
    }
}

fn text_of(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// The status of the answer, or what is wrong with it.
async fn ask(bff: &Bff, case: &Case) -> Result<u16, String> {
    let exchange = async {
        let mut stream = TcpStream::connect(bff.addr).await?;
        // The server may have answered and closed before all is written.
        let _ = stream.write_all(&case.bytes()).await;
        let mut answer = Vec::new();
        // Streams have no end: their beginning will do.
        let is_stream = case.path == "/api/events";
        while !(is_stream && answer.len() > 12) && stream.read_buf(&mut answer).await? > 0 {}
        std::io::Result::Ok(answer)
    };
    let answer = tokio::time::timeout(PATIENCE, exchange).await;
    let answer = answer.map_err(|_| "no end".to_owned())?;
    let answer = answer.map_err(|err| format!("connection: {:?}", err.kind()))?;
    let text = String::from_utf8_lossy(&answer);
    let status = text.get(9..12).and_then(|status| status.parse().ok());
    let status: u16 = status.ok_or_else(|| format!("no answer: {text:?}"))?;
    let Some((head, body)) = text
        .split_once("\r\n\r\n")
        .filter(|_| case.method != "HEAD")
    else {
        return Ok(status);
    };
    let is_json = head.contains("application/json") || head.contains("application/problem+json");
    let is_plain = !head.contains("content-encoding") && !head.contains("chunked");
    if is_json && is_plain && serde_json::from_str::<Value>(body).is_err() {
        return Err(format!("a body that is no JSON with status {status}"));
    }
    // The peer of these tests has not got everything.
    let is_absent = [
        "UNIMPLEMENTED",
        "cannot be told now",
        "cannot be checked now",
    ]
    .iter()
    .any(|why| body.contains(why));
    if status >= 500 && !is_absent {
        return Err(format!("status {status} of {} {}", case.method, case.path));
    }
    Ok(status)
}

fn of_env<T: FromStr>(name: &str) -> Option<T> {
    std::env::var(name).ok()?.parse().ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_breaks_a_promise() {
    let bff = Bff::start().await;
    for id in ["a", "b"] {
        bff.peer.put(product(id));
    }
    let seeds = seeds(&bff.get("/api/openapi.json").await.json());
    assert!(seeds.len() > 25, "{}", seeds.len());

    let seconds = of_env("CATALOG_FUZZ_SECONDS");
    // An ordinary run is the same every time.
    let start = of_env("CATALOG_FUZZ_SEED")
        .unwrap_or_else(|| seconds.map_or(1, |_| fastrand::u64(..u64::from(u32::MAX)) << 24));
    let until = Instant::now() + Duration::from_secs(seconds.unwrap_or(SECONDS));
    let mut told = Instant::now();
    let mut answers: BTreeMap<u16, u64> = BTreeMap::new();
    let mut failures: BTreeMap<String, String> = BTreeMap::new();
    let cases = (start..).map(|number| {
        let mut random = fastrand::Rng::with_seed(number);
        let seed = seeds[random.usize(..seeds.len())].clone();
        (number, seed.damaged(&mut random, &seeds))
    });
    let mut asked = stream::iter(cases)
        .map(async |(number, case)| (number, ask(&bff, &case).await, case))
        .buffer_unordered(AT_ONCE);
    while Instant::now() < until && failures.len() < 10 {
        let Some((number, answer, case)) = asked.next().await else {
            break;
        };
        match answer {
            Ok(status) => *answers.entry(status).or_default() += 1,
            Err(why) => {
                let request = String::from_utf8_lossy(&case.bytes()).into_owned();
                let repeat = format!("CATALOG_FUZZ_SEED={number}: {request}");
                if !failures.contains_key(&why) {
                    eprintln!("{why}: {repeat}");
                }
                failures.entry(why).or_insert(repeat);
            }
        }
        bff.peer.take_calls();
        if told.elapsed() >= TOLD_EVERY {
            told = Instant::now();
            eprintln!("at seed {number}: {answers:?}, {} failures", failures.len());
        }
    }
    let count: u64 = answers.values().sum();
    eprintln!("from seed {start}: {count} requests, {answers:?}");
    assert!(failures.is_empty(), "{failures:#?}");
}
