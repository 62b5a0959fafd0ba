//! TLS to Postgres and to the broker: the right certificate is taken, and every other one is refused.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::connection::State;
use catalog_events::Broker;
use catalog_proto::v1;
use devkit::{Authority, Validity};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sqlx::{Connection as _, PgConnection};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::harness::{Catalog, input, launch_with};

/// What a client of Postgres says first where it wants TLS.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];
const PATIENCE: Duration = Duration::from_secs(20);

/// Speaks TLS in front of a Postgres that does not, and returns the port.
async fn secured(
    postgres: u16,
    authority: &Authority,
    folder: &Path,
    name: &str,
    validity: Validity,
) -> u16 {
    let issued = authority.issue(&[name], validity).expect("issued");
    let (certificate, key) = issued.write(folder, "postgres").expect("written");
    let chain = vec![CertificateDer::from_pem_file(certificate).expect("PEM")];
    let key = PrivateKeyDer::from_pem_file(key).expect("PEM");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("a certificate");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let mut asked = [0; 8];
                client.read_exact(&mut asked).await?;
                assert_eq!(asked, SSL_REQUEST, "it asks for TLS");
                client.write_all(b"S").await?;
                let mut client = acceptor.accept(client).await?;
                let mut server = TcpStream::connect(("127.0.0.1", postgres)).await?;
                tokio::io::copy_bidirectional(&mut client, &mut server).await
            });
        }
    });
    port
}

fn port(url: &str) -> u16 {
    let (_, after) = url.split_once("@127.0.0.1:").expect("an address");
    let digits = after.split(['/', '?']).next().unwrap_or_default();
    digits.parse().expect("a port")
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_is_verified_and_written_to_by_tls() {
    let catalog = Catalog::start().await;
    let folder = TempDir::new().expect("a folder");
    let (authority, stranger) = (
        Authority::new("right").expect("an authority"),
        Authority::new("wrong").expect("an authority"),
    );
    let ca = authority.write(folder.path(), "ca").expect("written");
    let other_ca = stranger.write(folder.path(), "other").expect("written");
    let plain = port(&catalog.database_url);
    let url = |port: u16, ca: &Path| {
        let (user, rest) = catalog
            .database_url
            .split_once("@127.0.0.1:")
            .expect("an address");
        let path = &rest[rest.find('/').expect("a database")..];
        let path = path.split('?').next().unwrap_or_default();
        let ca = ca.display();
        format!("{user}@localhost:{port}{path}?sslmode=verify-full&sslrootcert={ca}")
    };
    let secured = async |name: &str, validity| {
        secured(plain, &authority, folder.path(), name, validity).await
    };
    let right = secured("localhost", Validity::Now).await;
    for (port, ca, told) in [
        (right, &other_ca, "UnknownIssuer"),
        (
            secured("other.example", Validity::Now).await,
            &ca,
            "not valid for name",
        ),
        (secured("localhost", Validity::Past).await, &ca, "expired"),
    ] {
        let refused = PgConnection::connect(&url(port, ca)).await;
        let refused = refused.expect_err(told).to_string();
        assert!(refused.contains(told), "{refused}");
    }
    let (mut commands, running) =
        launch_with(&url(right, &ca), &Broker::at(&catalog.nats.url())).await;
    let create = v1::CreateProductRequest {
        product: Some(input("p1", "Mouse")),
        ..Default::default()
    };
    commands
        .create_product(create)
        .await
        .expect("written by TLS");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_broker_is_verified_and_published_to_by_tls() {
    let mut catalog = Catalog::start().await;
    catalog.stop_service().await;
    let folder = TempDir::new().expect("a folder");
    let authority = Authority::new("right").expect("an authority");
    let stranger = Authority::new("wrong").expect("an authority");
    let issued = authority.issue(&["127.0.0.1"], Validity::Now);
    let (certificate, key) = issued
        .and_then(|issued| issued.write(folder.path(), "nats"))
        .expect("a certificate");
    let tls = format!(
        "tls {{ cert_file: \"{}\", key_file: \"{}\" }}\n",
        certificate.display(),
        key.display()
    );
    let restarted = catalog.nats.restart_with(|config| config + &tls).await;
    restarted.expect("a broker with TLS");
    let broker = |authority: &Authority, name: &str| Broker {
        authority: Some(authority.write(folder.path(), name).expect("written")),
        ..Broker::at(&catalog.nats.url().replace("nats://", "tls://"))
    };
    let right = broker(&authority, "ca");
    let (mut commands, running) = launch_with(&catalog.database_url, &right).await;
    let create = v1::CreateProductRequest {
        product: Some(input("p1", "Mouse")),
        ..Default::default()
    };
    commands.create_product(create).await.expect("written");

    let client = right.connect("test").await.expect("settings");
    assert_eq!(client.connection_state(), State::Connected);
    let jetstream = async_nats::jetstream::new(client);
    let begun = Instant::now();
    while jetstream
        .get_stream(catalog_events::STREAM)
        .await
        .map_or(0, |stream| stream.cached_info().state.last_sequence)
        < 1
    {
        assert!(begun.elapsed() < PATIENCE, "the event never came");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let wrong = broker(&stranger, "other").connect("test").await;
    let wrong = wrong.expect("it goes on trying");
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_ne!(wrong.connection_state(), State::Connected);
    running.stop().await;
}
