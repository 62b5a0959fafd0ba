//! HTTPS to clients, and TLS with a service token to the upstreams.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bff::{App, Config};
use devkit::{Authority, Validity};
use rustls::pki_types::ServerName;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use service_kit::{ClientTls, Env, GrpcAccess, GrpcServer, ServerTls, Service as _, ServiceTokens};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

use crate::bff::{Bff, PATIENCE};
use crate::peer::product;

const TOKEN: &str = "token-of-the-upstreams";

struct Files {
    _folder: TempDir,
    ca: PathBuf,
    tls: ServerTls,
}

/// A certificate for localhost of an authority of its own.
fn files() -> Files {
    let folder = tempfile::tempdir().expect("a folder");
    let authority = Authority::new("test").expect("an authority");
    let issued = authority.issue(&["localhost"], Validity::Now);
    let (certificate, key) = issued
        .and_then(|issued| issued.write(folder.path(), "server"))
        .expect("a certificate");
    let text = |path: &Path| path.display().to_string();
    let pairs = [
        ("BFF_TLS_CERT", text(&certificate)),
        ("BFF_TLS_KEY", text(&key)),
    ];
    let mut env = Env::from_pairs(App::PREFIX, pairs);
    let tls = ServerTls::read(&mut env).expect("files");
    env.finish().expect("good files");
    Files {
        ca: authority.write(folder.path(), "ca").expect("written"),
        _folder: folder,
        tls,
    }
}

/// Connects as a browser does, which says what protocols it speaks.
async fn connect(
    bff: &Bff,
    ca: &Path,
    protocols: &[&str],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    let ca = rustls::pki_types::CertificateDer::from_pem_file(ca).expect("a certificate");
    roots.add(ca).expect("an authority");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols
        .iter()
        .map(|name| name.as_bytes().to_vec())
        .collect();
    let tcp = TcpStream::connect(bff.addr).await?;
    let name = ServerName::try_from("localhost").expect("a name");
    TlsConnector::from(Arc::new(config))
        .connect(name, tcp)
        .await
}

#[tokio::test]
async fn https_is_spoken_in_place_of_http() {
    let (files, stranger) = (files(), files());
    let tls = files.tls.clone();
    let bff = Bff::start_with(|config: &mut Config| config.tls = Some(tls)).await;

    let mut stream = connect(&bff, &files.ca, &["http/1.1"]).await.expect("TLS");
    stream
        .write_all(b"GET /api/health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        .await
        .expect("a request");
    let mut answer = String::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_string(&mut answer));
    read.await.expect("in time").expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(answer.ends_with(r#"{"status":"ok"}"#), "{answer}");

    let both = connect(&bff, &files.ca, &["h2", "http/1.1"]).await;
    let both = both.expect("TLS");
    assert_eq!(both.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));

    let refused = connect(&bff, &stranger.ca, &["h2"]).await;
    let refused = refused.expect_err("another authority").to_string();
    assert!(refused.contains("invalid peer certificate"), "{refused}");
    let plain = bff
        .raw(b"GET /api/health HTTP/1.1\r\nhost: x\r\n\r\n")
        .await;
    assert!(!plain.contains("200 OK"), "{plain}");
}

#[tokio::test]
async fn upstreams_are_called_by_tls_with_the_token() {
    let (files, stranger) = (files(), files());
    let tokens: ServiceTokens = TOKEN.parse().expect("a token");
    let server = GrpcServer::bind_with(([127, 0, 0, 1], 0).into(), Some(files.tls.clone())).await;
    let server = server.expect("a port").with_tokens(Some(tokens.clone()));
    let target = format!("https://localhost:{}", server.addr().port());
    let access = |ca: &Path, tokens: Option<&ServiceTokens>| {
        let tls = ClientTls::of_files(Some(ca.to_owned()), None);
        GrpcAccess::default().with_tokens(tokens).with_tls(tls)
    };
    let start = async |access: GrpcAccess| {
        Bff::start_with(|config: &mut Config| {
            config.catalog_grpc_target = target.parse().expect("a target");
            config.access = access;
        })
        .await
    };
    let good = start(access(&files.ca, Some(&tokens))).await;
    good.peer.put(product("a"));
    let routes = Routes::new(good.peer.catalog());
    tokio::spawn(server.serve(routes, CancellationToken::new()));

    let answer = good.get("/api/products/a").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    for access in [
        access(&stranger.ca, Some(&tokens)),
        access(&files.ca, None),
        access(
            &files.ca,
            Some(&"another-token-than-that".parse().expect("a token")),
        ),
    ] {
        let bff = start(access).await;
        let answer = bff.get("/api/products/a").await;
        assert_eq!(answer.problem(503), "Catalog unavailable");
        assert!(!answer.body.contains("token"), "{answer:?}");
    }
}
