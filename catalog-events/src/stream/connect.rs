//! Connects to the broker. Credentials stand in the URL, as everywhere else, but the client library
//! does not read them there.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use async_nats::{Client, ConnectOptions, ServerAddr};
use percent_encoding::percent_decode_str;

/// A half-open connection is noticed after two missed answers.
const PING_EVERY_SECONDS: u64 = 5;
const REQUEST_MS_MAX: u64 = 2_000;

/// Where the broker is, and how a client and it know each other.
#[derive(Clone, Default)]
pub struct Broker {
    /// `nats://host:port`, or `tls://host:port`; a token or `user:password` goes before the host, with
    /// characters such as `/` and `@` in it percent-encoded.
    pub url: String,
    /// The password of the user in the URL, as it is.
    pub password: Option<String>,
    /// The PEM file of the authority of the broker's certificate; else those that the system trusts.
    pub authority: Option<PathBuf>,
    /// The PEM files of a certificate of our own and of its key.
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// Why there is no client of the broker.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The URL cannot be used.
    #[error("cannot use the NATS URL: {0}")]
    Url(&'static str),
    /// The client refuses its own settings.
    #[error("cannot set up the client of NATS: {0}")]
    Client(String),
}

impl Broker {
    /// A broker that needs no more than its URL.
    pub fn at(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            ..Self::default()
        }
    }

    /// A client of the broker, which lists it under `name`. This succeeds while the broker is away: the client
    /// connects as soon as it is there, and again whenever it comes back.
    pub async fn connect(&self, name: &str) -> Result<Client, ConnectError> {
        let server = self.server()?;
        let bare = without_credentials(&server)?;
        if server.tls_required() {
            // A certificate that is not trusted is told once, which the client does not do while it tries
            // again.
            match self.options(name, &server)?.connect(bare.clone()).await {
                Ok(client) => return Ok(client),
                Err(err) => tracing::warn!("no connection to {self:?} yet: {err}"),
            }
        }
        let options = self.options(name, &server)?.retry_on_initial_connect();
        let connected = options.connect(bare).await;
        connected.map_err(|err| ConnectError::Client(err.to_string()))
    }

    fn server(&self) -> Result<ServerAddr, ConnectError> {
        let form = ConnectError::Url("it has the form nats://token@host:port");
        let server: ServerAddr = self.url.parse().map_err(|_| form)?;
        let is_tls = server.tls_required();
        if !is_tls && (self.authority.is_some() || self.identity.is_some()) {
            return Err(ConnectError::Url(
                "files of TLS are set, so that it has to begin with tls://",
            ));
        }
        Ok(server)
    }

    fn options(&self, name: &str, server: &ServerAddr) -> Result<ConnectOptions, ConnectError> {
        let mut options = ConnectOptions::new()
            .name(name)
            .ping_interval(Duration::from_secs(PING_EVERY_SECONDS))
            .request_timeout(Some(Duration::from_millis(REQUEST_MS_MAX)))
            .max_reconnects(None)
            .reconnect_delay_callback(|attempt| {
                Duration::from_millis((50 * attempt as u64).min(1_000))
            });
        if let Some(file) = &self.authority {
            options = options.add_root_certificates(file.clone());
        }
        if let Some((certificate, key)) = &self.identity {
            options = options.add_client_certificate(certificate.clone(), key.clone());
        }
        let decoded = |text: &str| -> Result<String, ConnectError> {
            let decoded = percent_decode_str(text).decode_utf8();
            let decoded = decoded.map(|text| text.into_owned());
            decoded.map_err(|_| ConnectError::Url("its credentials are no UTF-8"))
        };
        let first = server.username().map(decoded).transpose()?;
        let second = server.password().map(decoded).transpose()?;
        Ok(match (first, self.password.clone().or(second)) {
            (Some(user), Some(password)) => {
                // The broker may let a user hear only what is sent to an inbox of this name.
                if is_token_of_subject(&user) {
                    options = options.custom_inbox_prefix(format!("_INBOX.{user}"));
                }
                options.user_and_password(user, password)
            }
            (Some(token), None) => options.token(token),
            (None, Some(_)) => {
                return Err(ConnectError::Url(
                    "a password is set, so that a user has to stand before the host",
                ));
            }
            (None, None) => options,
        })
    }
}

/// Shows neither token nor password.
impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.url.rsplit('@').next().unwrap_or_default();
        write!(f, "Broker({host})")
    }
}

/// A client of the broker at `url`, which lists it under `name`; see [`Broker::connect`].
pub async fn connect(name: &str, url: &str) -> Result<Client, ConnectError> {
    Broker::at(url).connect(name).await
}

/// The client logs the address that it connects to, and must not know more than that.
fn without_credentials(server: &ServerAddr) -> Result<ServerAddr, ConnectError> {
    let mut address = server.clone().into_inner();
    let is_bare = address.set_username("").is_ok() && address.set_password(None).is_ok();
    if !is_bare {
        return Err(ConnectError::Url("it has no host"));
    }
    ServerAddr::from_url(address).map_err(|err| ConnectError::Client(err.to_string()))
}

fn is_token_of_subject(user: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !user.is_empty() && user.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_meant_is_told() {
        let check = |broker: Broker, told: &str| {
            let err = broker.server().and_then(|at| broker.options("test", &at));
            let err = err.expect_err("refused").to_string();
            assert!(err.contains(told), "{err}");
        };
        check(Broker::at("http://a"), "nats://token@host:port");
        check(Broker::at("nats://%ff@a:1"), "UTF-8");
        let password = Some("secret".to_owned());
        check(
            Broker {
                password,
                ..Broker::at("nats://a:1")
            },
            "a user has to stand",
        );
        let authority = Some(PathBuf::from("ca.pem"));
        check(
            Broker {
                authority,
                ..Broker::at("nats://a:1")
            },
            "tls://",
        );
    }

    #[test]
    fn no_text_shows_a_secret() {
        let broker = Broker {
            password: Some("pass".to_owned()),
            ..Broker::at("nats://user:word@a:1")
        };
        assert_eq!(format!("{broker:?}"), "Broker(a:1)");
    }
}
