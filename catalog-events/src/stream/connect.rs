//! Connects to the broker. Credentials stand in the URL, as everywhere else, but the client library
//! does not read them there.

use std::time::Duration;

use async_nats::{Client, ConnectOptions, ServerAddr};

/// A half-open connection is noticed after two missed answers.
const PING_EVERY_SECONDS: u64 = 5;
const REQUEST_MS_MAX: u64 = 2_000;

/// Why there is no client of the broker: the URL cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot use the NATS URL: {0}")]
pub struct ConnectError(String);

/// A client of the broker at `nats://host:port`, `nats://token@host:port` or
/// `nats://user:password@host:port`; the broker lists it under `name`. This succeeds while the broker
/// is away: the client connects as soon as it is there, and again whenever it comes back.
pub async fn connect(name: &str, url: &str) -> Result<Client, ConnectError> {
    let server: ServerAddr = url
        .parse()
        .map_err(|_| ConnectError("it has the form nats://token@host:port".to_owned()))?;
    let patient = ConnectOptions::new()
        .name(name)
        .retry_on_initial_connect()
        .ping_interval(Duration::from_secs(PING_EVERY_SECONDS))
        .request_timeout(Some(Duration::from_millis(REQUEST_MS_MAX)))
        .max_reconnects(None)
        .reconnect_delay_callback(|attempt| {
            Duration::from_millis((50 * attempt as u64).min(1_000))
        });
    let options = match (server.username(), server.password()) {
        (Some(user), Some(password)) => {
            patient.user_and_password(user.to_owned(), password.to_owned())
        }
        (Some(token), None) => patient.token(token.to_owned()),
        (None, _) => patient,
    };
    options
        .connect(server)
        .await
        .map_err(|err| ConnectError(err.to_string()))
}
