//! The configuration: every variable with its default and its bounds.

use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use ::http::{HeaderValue, Uri};
use service_kit::{Env, GrpcAccess, ServerTls};

use crate::scope::Scopes;
use crate::tokens::TokenConfig;

const MILLIS_MAX: u64 = 600_000;

#[derive(Clone, Debug)]
pub struct Config {
    pub http_addr: SocketAddr,
    pub ops_addr: SocketAddr,
    pub catalog_grpc_target: GrpcTargets,
    pub command_grpc_target: GrpcTarget,
    /// With it, HTTP is HTTPS.
    pub tls: Option<ServerTls>,
    /// How the BFF shows both upstreams who it is.
    pub access: GrpcAccess,
    pub get_deadline: Duration,
    pub batch_deadline: Duration,
    pub search_deadline: Duration,
    pub write_deadline: Duration,
    pub body_bytes_max: usize,
    pub query_bytes_max: usize,
    /// The longest feed of an import.
    pub import_bytes_max: u64,
    /// How long a client may take to send the head of a request, and then its body.
    pub read_timeout: Duration,
    /// How long a connection may stay open between two requests.
    pub idle_timeout: Duration,
    /// What needs no key.
    pub public: Scopes,
    /// The origins whose pages may ask.
    pub cors_origins: Origins,
    /// How many requests are answered at once.
    pub requests_max: usize,
    /// How many requests of a kind may wait for a place.
    pub waiting_max: usize,
    /// How long requests are still taken after readiness is off.
    pub drain_wait: Duration,
    /// How long keys are believed without a word from the write service.
    pub keys_max_age: Duration,
    /// Whose tokens are taken besides keys.
    pub tokens: Option<TokenConfig>,
    pub events: EventLimits,
    /// The pages that are served.
    pub pages: Pages,
}

impl Config {
    pub(crate) fn read(env: &mut Env) -> Self {
        let deadlines = Deadlines::read(env);
        Self {
            http_addr: env.or("HTTP_ADDR", "127.0.0.1:8000", "Listens here for HTTP."),
            ops_addr: env.or(
                "OPS_ADDR",
                "127.0.0.1:9100",
                "Listens here for health and metrics.",
            ),
            catalog_grpc_target: env.or(
                "CATALOG_GRPC_TARGET",
                "http://127.0.0.1:50051",
                "The read side: catalog-query. Reads go to all of its replicas: to those that stand here with commas, and to \
                 all addresses that a name stands for.",
            ),
            command_grpc_target: env.or(
                "COMMAND_GRPC_TARGET",
                "http://127.0.0.1:50052",
                "The write side: catalog-command.",
            ),
            tls: ServerTls::read(env),
            access: GrpcAccess::read(env, "Shown to both upstreams, which may ask for it."),
            get_deadline: deadlines.get,
            batch_deadline: deadlines.batch,
            search_deadline: deadlines.search,
            write_deadline: deadlines.write,
            body_bytes_max: env.or("BODY_BYTES_MAX", "1048576", "The longest request body."),
            import_bytes_max: env.or(
                "IMPORT_BYTES_MAX",
                "4294967296",
                "The longest feed of an import, as it is sent.",
            ),
            query_bytes_max: env.or("QUERY_BYTES_MAX", "16384", "The longest query string."),
            read_timeout: millis(
                env,
                "READ_TIMEOUT_MS",
                "10000",
                "How long a client may take for a head, and then for a body.",
            ),
            idle_timeout: millis(
                env,
                "IDLE_TIMEOUT_MS",
                "60000",
                "How long a connection may stay open between two requests.",
            ),
            public: env.or_empty(
                "PUBLIC",
                "search,read",
                "What needs no key: any of search, read, write, rules, operate.",
            ),
            cors_origins: env.or(
                "CORS_ORIGINS",
                "",
                "The origins whose pages may ask, with commas: https://shop.example, or *.",
            ),
            requests_max: env.or(
                "REQUESTS_MAX",
                "512",
                "How many requests are answered at once; more are refused with 503.",
            ),
            waiting_max: read_waiting_max(env),
            drain_wait: Duration::from_millis(env.or(
                "DRAIN_WAIT_MS",
                "1000",
                "How long requests are still taken at a stop, after readiness is off.",
            )),
            keys_max_age: Duration::from_secs(env.or(
                "KEYS_MAX_AGE_S",
                "3600",
                "How long keys are believed while the write service is away.",
            )),
            tokens: read_tokens(env),
            events: event_limits(env),
            pages: read_pages(env),
        }
    }
}

fn read_waiting_max(env: &mut Env) -> usize {
    env.or(
                "WAITING_MAX",
                "32",
                "How many searches, reads or writes may wait for a place; with more, they are refused with 503 until \
                 there are no more than can be answered in time.",
            )
}

fn read_pages(env: &mut Env) -> Pages {
    env.or_empty(
        "PAGES",
        "shop,console",
        "The pages that are served: shop, console, both or nothing.",
    )
}

/// Which pages are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pages {
    pub shop: bool,
    pub console: bool,
}

impl FromStr for Pages {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut pages = Self {
            shop: false,
            console: false,
        };
        for name in text
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
        {
            match name {
                "shop" => pages.shop = true,
                "console" => pages.console = true,
                _ => return Err(format!("there is no page {name}: shop and console")),
            }
        }
        Ok(pages)
    }
}

/// How long the upstreams may take.
struct Deadlines {
    get: Duration,
    batch: Duration,
    search: Duration,
    write: Duration,
}

impl Deadlines {
    fn read(env: &mut Env) -> Self {
        Self {
            get: millis(
                env,
                "GET_DEADLINE_MS",
                "200",
                "The deadline of reading one product.",
            ),
            batch: millis(
                env,
                "BATCH_DEADLINE_MS",
                "300",
                "The deadline of reading several products.",
            ),
            search: millis(
                env,
                "SEARCH_DEADLINE_MS",
                "400",
                "The deadline of a search.",
            ),
            write: millis(env, "WRITE_DEADLINE_MS", "2000", "The deadline of a write."),
        }
    }
}

/// Reads whose tokens are taken; nobody's unless a key set is named.
fn read_tokens(env: &mut Env) -> Option<TokenConfig> {
    let jwks = env.optional(
        "JWKS",
        "The key set of the identity provider whose JSON Web Tokens are taken: https://… or a file.",
    );
    let mut named = |name, help| match &jwks {
        Some(_) => env.required(name, help),
        None => env.optional(name, help).unwrap_or_default(),
    };
    let issuer = named("JWT_ISSUER", "The `iss` that tokens must have.");
    let audience = named("JWT_AUDIENCE", "The `aud` that tokens must have.");
    let leeway = env.or(
        "JWT_LEEWAY_S",
        "60",
        "How many seconds the clocks of the provider and of this machine may differ.",
    );
    jwks.map(|jwks| TokenConfig {
        jwks,
        issuer,
        audience,
        leeway: Duration::from_secs(leeway),
    })
}

fn event_limits(env: &mut Env) -> EventLimits {
    EventLimits {
        streams_max: env.or(
            "EVENTS_STREAMS_MAX",
            "1000",
            "How many clients may follow events at once; more are refused with 503.",
        ),
        streams_per_key_max: env.or(
            "EVENTS_STREAMS_PER_KEY_MAX",
            "20",
            "How many clients may follow events with the same key; more are refused with 429.",
        ),
        heartbeat: millis(
            env,
            "EVENTS_HEARTBEAT_MS",
            "15000",
            "How often something is sent to a client that follows while nothing changes.",
        ),
    }
}

fn millis(env: &mut Env, name: &str, default: &str, help: &'static str) -> Duration {
    env.or::<Millis>(name, default, help).0
}

/// Bounds of the streams of events.
#[derive(Clone, Copy, Debug)]
pub struct EventLimits {
    /// How many clients may follow at once.
    pub streams_max: usize,
    /// How many of them with the same key.
    pub streams_per_key_max: usize,
    /// How often something is sent to a client that there is nothing to tell.
    pub heartbeat: Duration,
}

impl EventLimits {
    /// Sees to it that a connection that is closed after so much silence never is silent for as long.
    pub(crate) fn within(self, silence: Duration) -> Self {
        Self {
            heartbeat: self.heartbeat.min(silence / 2),
            ..self
        }
    }
}

/// Origins, as browsers name them.
#[derive(Clone, Debug, Default)]
pub struct Origins(pub(crate) Vec<HeaderValue>);

/// A text that is no list of origins.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be origins such as https://shop.example, with commas between them, or *")]
pub struct InvalidOrigins;

impl FromStr for Origins {
    type Err = InvalidOrigins;

    fn from_str(text: &str) -> Result<Self, InvalidOrigins> {
        let names = text.split(',').map(str::trim);
        let names = names.filter(|name| !name.is_empty());
        let origin = |name: &str| {
            let uri: Uri = name.parse().map_err(|_| InvalidOrigins)?;
            let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
            let is_bare = uri.path() == "/" && !name.ends_with('/') && uri.query().is_none();
            if name == "*" || is_web && is_bare {
                HeaderValue::try_from(name).map_err(|_| InvalidOrigins)
            } else {
                Err(InvalidOrigins)
            }
        };
        names.map(origin).collect::<Result<_, _>>().map(Self)
    }
}

/// Invariant: from 1 to [`MILLIS_MAX`].
struct Millis(Duration);

#[derive(Debug, thiserror::Error)]
#[error("must be 1 to {MILLIS_MAX} milliseconds")]
struct InvalidMillis;

impl FromStr for Millis {
    type Err = InvalidMillis;

    fn from_str(text: &str) -> Result<Self, InvalidMillis> {
        match text.parse() {
            Ok(millis @ 1..=MILLIS_MAX) => Ok(Self(Duration::from_millis(millis))),
            _ => Err(InvalidMillis),
        }
    }
}

/// The address of an upstream, `http://host:port` or `https://host:port`. Without a scheme it is the first.
///
/// Invariant: one of these schemes, an authority with a port, no path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrpcTarget(Uri);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a gRPC target is http://host:port or https://host:port")]
pub struct InvalidGrpcTarget;

impl GrpcTarget {
    pub(crate) fn uri(&self) -> &Uri {
        &self.0
    }
}

impl FromStr for GrpcTarget {
    type Err = InvalidGrpcTarget;

    fn from_str(text: &str) -> Result<Self, InvalidGrpcTarget> {
        let parsed = if text.contains("://") {
            text.parse::<Uri>()
        } else {
            format!("http://{text}").parse()
        };
        let uri = parsed.map_err(|_| InvalidGrpcTarget)?;
        let scheme = matches!(uri.scheme_str(), Some("http" | "https"));
        if scheme && uri.port_u16().is_some() && uri.path() == "/" && uri.query().is_none() {
            Ok(Self(uri))
        } else {
            Err(InvalidGrpcTarget)
        }
    }
}

/// The addresses of replicas of an upstream, with commas.
///
/// Invariant: there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrpcTargets(Vec<GrpcTarget>);

impl GrpcTargets {
    pub(crate) fn first(&self) -> &GrpcTarget {
        &self.0[0]
    }

    pub(crate) fn uris(&self) -> Vec<Uri> {
        self.0.iter().map(|target| target.uri().clone()).collect()
    }
}

impl FromStr for GrpcTargets {
    type Err = InvalidGrpcTarget;

    fn from_str(text: &str) -> Result<Self, InvalidGrpcTarget> {
        let targets = text.split(',').map(|target| target.trim().parse());
        targets.collect::<Result<_, _>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_of_replicas_stand_with_commas() {
        let targets: GrpcTargets = "http://a:1, b:2".parse().expect("two");
        assert_eq!(targets.uris(), ["http://a:1", "http://b:2"]);
        for bad in ["", "http://a:1,", ",", "http://a:1;http://b:1"] {
            assert_eq!(bad.parse::<GrpcTargets>(), Err(InvalidGrpcTarget), "{bad}");
        }
    }

    #[test]
    fn targets_are_http_or_https_with_a_port() {
        for good in [
            "http://127.0.0.1:50051",
            "catalog-query:50051",
            "https://catalog-query:50051",
            "http://[::1]:1/",
        ] {
            assert!(good.parse::<GrpcTarget>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "https://a",
            "http://a",
            "http://a:1/x",
            "http://a:1?x",
            "a b:1",
            "ftp://a:1",
        ] {
            assert_eq!(bad.parse::<GrpcTarget>(), Err(InvalidGrpcTarget), "{bad}");
        }
    }

    #[test]
    fn origins_are_schemes_and_hosts() {
        let parse = |text: &str| text.parse::<Origins>().map(|origins| origins.0.len());
        assert_eq!(parse(""), Ok(0));
        assert_eq!(parse("https://a.example, http://localhost:3000"), Ok(2));
        assert_eq!(parse("*"), Ok(1));
        for bad in [
            "a.example",
            "https://a.example/",
            "https://a/b",
            "ftp://a",
            "https://a b",
        ] {
            assert_eq!(parse(bad), Err(InvalidOrigins), "{bad}");
        }
    }

    #[test]
    fn reports_a_deadline_that_is_out_of_bounds() {
        let pairs = [
            ("BFF_GET_DEADLINE_MS", "0".to_owned()),
            ("BFF_WRITE_DEADLINE_MS", "600001".to_owned()),
        ];
        let mut env = Env::from_pairs("BFF_", pairs);
        Config::read(&mut env);
        let err = env.finish().expect_err("two mistakes").to_string();
        assert_eq!(
            err,
            "BFF_GET_DEADLINE_MS: must be 1 to 600000 milliseconds, got \"0\"\n\
             BFF_WRITE_DEADLINE_MS: must be 1 to 600000 milliseconds, got \"600001\""
        );
    }
}
