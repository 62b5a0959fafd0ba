//! Real handshakes, with certificates of authorities made for the test.

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use devkit::{Authority, Validity};
use tempfile::TempDir;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tonic::service::Routes;
use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::transport::{ClientTls, ServerTls};
use crate::{Env, GrpcAccess, GrpcChannel, GrpcServer};

const ANY_PORT: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);
const EVENTUALLY_MS_MAX: u64 = 20_000;
const POLL_MS: u64 = 50;

/// An authority and a folder for the files.
struct Trust {
    authority: Authority,
    folder: TempDir,
}

impl Trust {
    fn new() -> Self {
        Self {
            authority: Authority::new("test").expect("an authority"),
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn ca(&self) -> PathBuf {
        self.authority.write(self.path(), "ca").expect("written")
    }

    fn issue(&self, name: &str, validity: Validity) -> (PathBuf, PathBuf) {
        let issued = self.authority.issue(&[name], validity).expect("issued");
        issued.write(self.path(), name).expect("written")
    }

    /// The configuration of a server with this certificate.
    fn server(&self, name: &str, validity: Validity) -> ServerTls {
        let (certificate, key) = self.issue(name, validity);
        let tls = server_tls(&certificate, &key, None).expect("it fits");
        tls.expect("it is set")
    }

    fn client(&self) -> ClientTls {
        ClientTls::of_files(Some(self.ca()), None)
    }
}

fn server_tls(
    certificate: &Path,
    key: &Path,
    client_ca: Option<&Path>,
) -> Result<Option<ServerTls>, String> {
    let text = |path: &Path| path.display().to_string();
    let pairs = [
        ("X_TLS_CERT", text(certificate)),
        ("X_TLS_KEY", text(key)),
        ("X_TLS_CLIENT_CA", client_ca.map(text).unwrap_or_default()),
    ];
    let mut env = Env::from_pairs("X_", pairs);
    let tls = ServerTls::read_mutual(&mut env);
    env.finish().map(|()| tls).map_err(|err| err.to_string())
}

/// Serves health alone, until the test ends.
async fn serve(tls: Option<ServerTls>) -> SocketAddr {
    let server = GrpcServer::bind_with(ANY_PORT.into(), tls).await;
    let server = server.expect("a port");
    let addr = server.addr();
    tokio::spawn(server.serve(Routes::default(), CancellationToken::new()));
    addr
}

fn client(addr: SocketAddr, scheme: &str, tls: ClientTls) -> HealthClient<GrpcChannel> {
    let url = format!("{scheme}://localhost:{}", addr.port());
    let endpoint = Endpoint::from_shared(url).expect("a URL");
    let channel = GrpcAccess::default().with_tls(tls).channel(&endpoint);
    HealthClient::new(channel.expect("files of TLS"))
}

async fn ask(client: &mut HealthClient<GrpcChannel>) -> Result<(), String> {
    let answer = client.check(HealthCheckRequest::default()).await;
    answer.map(|_| ()).map_err(|status| causes(&status))
}

fn causes(status: &Status) -> String {
    let mut text = status.to_string();
    let mut source = status.source();
    while let Some(err) = source {
        text = format!("{text}: {err}");
        source = err.source();
    }
    text
}

async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_millis(EVENTUALLY_MS_MAX);
    while !holds().await {
        assert!(Instant::now() < deadline, "not within 20 s: {what}");
        tokio::time::sleep(Duration::from_millis(POLL_MS)).await;
    }
}

#[tokio::test]
async fn only_the_right_certificate_is_taken_and_the_error_says_what_is_wrong() {
    let (trust, stranger) = (Trust::new(), Trust::new());
    let right = serve(Some(trust.server("localhost", Validity::Now))).await;
    let mut good = client(right, "https", trust.client());
    assert_eq!(ask(&mut good).await, Ok(()));

    let misnamed = serve(Some(trust.server("other.example", Validity::Now))).await;
    let expired = serve(Some(trust.server("localhost", Validity::Past))).await;
    let plain = serve(None).await;
    for (addr, scheme, tls, told) in [
        (
            right,
            "https",
            stranger.client(),
            "authority that is not trusted here",
        ),
        (misnamed, "https", trust.client(), "other.example"),
        (expired, "https", trust.client(), "has expired"),
        (plain, "https", trust.client(), "does not speak TLS"),
        (right, "http", trust.client(), ""),
    ] {
        let err = ask(&mut client(addr, scheme, tls)).await.expect_err(told);
        assert!(err.contains(told), "{told}: {err}");
    }
}

#[tokio::test]
async fn clients_show_a_certificate_where_that_is_asked_for() {
    let (trust, stranger) = (Trust::new(), Trust::new());
    let (certificate, key) = trust.issue("localhost", Validity::Now);
    let tls = server_tls(&certificate, &key, Some(&trust.ca())).expect("it fits");
    let addr = serve(tls).await;
    let of = |identity| ClientTls::of_files(Some(trust.ca()), Some(identity));
    let mut known = client(addr, "https", of(trust.issue("known", Validity::Now)));
    assert_eq!(ask(&mut known).await, Ok(()));
    for tls in [
        trust.client(),
        of(stranger.issue("stranger", Validity::Now)),
        of(trust.issue("late", Validity::Past)),
    ] {
        let refused = ask(&mut client(addr, "https", tls)).await;
        assert!(refused.is_err(), "{refused:?}");
    }
}

#[tokio::test]
async fn new_files_are_served_without_a_restart_and_broken_ones_are_not() {
    let (before, after) = (Trust::new(), Trust::new());
    let tls = before.server("localhost", Validity::Now);
    let addr = serve(Some(tls)).await;
    let mut open = client(addr, "https", before.client());
    assert_eq!(ask(&mut open).await, Ok(()));

    let issued = after.authority.issue(&["localhost"], Validity::Now);
    let issued = issued.expect("issued");
    issued.write(before.path(), "localhost").expect("replaced");
    eventually("the new certificate is served", async || {
        ask(&mut client(addr, "https", after.client()))
            .await
            .is_ok()
    })
    .await;
    assert_eq!(ask(&mut open).await, Ok(()), "open connections live on");
    let refused = ask(&mut client(addr, "https", before.client())).await;
    assert!(refused.is_err(), "the old one is gone: {refused:?}");

    let file = before.path().join("localhost.pem");
    std::fs::write(file, "nothing").expect("written");
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    let answer = ask(&mut client(addr, "https", after.client())).await;
    assert_eq!(answer, Ok(()), "the last good one stays");
}

#[tokio::test]
async fn who_is_silent_in_the_handshake_keeps_nobody_waiting() {
    let trust = Trust::new();
    let addr = serve(Some(trust.server("localhost", Validity::Now))).await;
    let mut silent = Vec::new();
    for _ in 0..100 {
        silent.push(TcpStream::connect(addr).await.expect("connected"));
    }
    let begun = Instant::now();
    let answer = ask(&mut client(addr, "https", trust.client())).await;
    assert_eq!(answer, Ok(()));
    assert!(begun.elapsed() < Duration::from_secs(3), "{begun:?}");
    for mut one in silent {
        let read = tokio::time::timeout(Duration::from_secs(10), one.read_u8());
        let ended = read.await.expect("it is ended").is_err();
        assert!(ended);
    }
}

#[test]
fn a_mistake_in_the_files_is_one_of_the_configuration() {
    let (trust, other) = (Trust::new(), Trust::new());
    let (certificate, key) = trust.issue("localhost", Validity::Now);
    let (_, other_key) = other.issue("localhost", Validity::Now);
    let missing = trust.path().join("missing.pem");
    let empty = trust.path().join("empty.pem");
    std::fs::write(&empty, "").expect("written");
    for (certificate, key, told) in [
        (&missing, &key, "cannot read"),
        (&empty, &key, "holds no certificate"),
        (&certificate, &empty, "holds no private key"),
        (&certificate, &certificate, "holds no private key"),
        (
            &certificate,
            &other_key,
            "does not belong to the certificate",
        ),
        (&certificate, &PathBuf::new(), "X_TLS_KEY: is not set"),
        (&PathBuf::new(), &key, "X_TLS_CERT: is not set"),
    ] {
        let err = server_tls(certificate, key, None).expect_err(told);
        assert!(err.contains(told) && err.starts_with("X_TLS_"), "{err}");
    }
    let unset = server_tls(&PathBuf::new(), &PathBuf::new(), None);
    assert!(unset.expect("nothing is wrong").is_none());
    let without = server_tls(&PathBuf::new(), &PathBuf::new(), Some(&trust.ca()));
    assert!(
        without
            .expect_err("alone")
            .contains("X_TLS_CLIENT_CA: needs")
    );
}
