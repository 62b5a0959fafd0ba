//! What is behind a URL of http or https, as a stream.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, ResponseExt as _};

const CONNECT_SECONDS: u64 = 20;
const ANSWER_SECONDS: u64 = 120;
const REDIRECTS_MAX: u32 = 10;

/// What is on its way.
pub(crate) struct Remote {
    /// The address after redirects, without what may be secret in it.
    pub(crate) name: String,
    /// The last part of the path, which may tell the form.
    pub(crate) file_name: String,
    pub(crate) bytes: Option<u64>,
    pub(crate) body: Box<dyn Read + Send>,
}

/// Asks for what is there. The error says what to do.
pub(crate) fn get(url: &str) -> Result<Remote, String> {
    let answer = agent()
        .get(url)
        .header("accept", "*/*")
        .call()
        .map_err(|err| told(&err))?;
    let status = answer.status().as_u16();
    if status != 200 {
        return Err(format!(
            "the server answers {status} {}: {}",
            answer.status().canonical_reason().unwrap_or_default(),
            cure(status)
        ));
    }
    let address = answer.get_uri().clone();
    let is_packed = answer.headers().contains_key("content-encoding");
    let (_, body) = answer.into_parts();
    let bytes = body.content_length().filter(|_| !is_packed);
    let path = address.path();
    Ok(Remote {
        name: without_secrets(&address.to_string()),
        file_name: path.rsplit('/').next().unwrap_or_default().to_owned(),
        bytes,
        body: Box::new(body.into_reader()),
    })
}

/// Reads a small document whole. The error says what to do.
pub fn fetch(url: &str, bytes_max: u64) -> Result<Vec<u8>, String> {
    let remote = get(url)?;
    let mut document = Vec::new();
    let mut bounded = remote.body.take(bytes_max + 1);
    let read = bounded.read_to_end(&mut document);
    read.map_err(|err| format!("{}: {err}", remote.name))?;
    if document.len() as u64 > bytes_max {
        return Err(format!("{} is longer than {bytes_max} bytes", remote.name));
    }
    Ok(document)
}

/// The address without its query and its user, which may hold a key.
pub(crate) fn without_secrets(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
            let host = host.rsplit('@').next().unwrap_or(host);
            format!("{scheme}://{host}/{path}")
        }
        None => url.to_owned(),
    }
}

fn agent() -> Agent {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(REDIRECTS_MAX)
        .timeout_connect(Some(Duration::from_secs(CONNECT_SECONDS)))
        .timeout_recv_response(Some(Duration::from_secs(ANSWER_SECONDS)))
        .user_agent(concat!("catalogctl/", env!("CARGO_PKG_VERSION")));
    // A redirect may lead from http to https.
    let config = config.tls_config(
        TlsConfig::builder()
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .root_certs(RootCerts::Specific(Arc::new(certificates())))
            .build(),
    );
    config.build().new_agent()
}

/// The certificates that this machine trusts.
fn certificates() -> Vec<Certificate<'static>> {
    let found = rustls_native_certs::load_native_certs();
    found
        .certs
        .iter()
        .map(|certificate| Certificate::from_der(certificate).to_owned())
        .collect()
}

fn told(err: &ureq::Error) -> String {
    match err {
        ureq::Error::TooManyRedirects => {
            format!("more than {REDIRECTS_MAX} redirects: give the address where they end")
        }
        ureq::Error::BadUri(reason) => format!("no address that can be asked: {reason}"),
        other => {
            format!("cannot be asked: {other}; is the address right, and reachable from here?")
        }
    }
}

fn cure(status: u16) -> &'static str {
    match status {
        401 | 403 => {
            "write the user into the address, https://USER:PASSWORD@…, or download the file"
        }
        404 | 410 => "is the address right?",
        429 | 500.. => "try again later",
        _ => "only 200 brings what was asked for",
    }
}
