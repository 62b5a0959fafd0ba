//! Calls of real servers that are gone, stand still or do not serve.

use std::net::{Ipv4Addr, SocketAddr};

use tokio_util::sync::CancellationToken;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use super::*;
use crate::{GrpcAccess, GrpcChannel, GrpcServer};

const READS: &str = "/grpc.health.v1.Health/";

async fn server() -> (SocketAddr, CancellationToken) {
    let stop = CancellationToken::new();
    let server = GrpcServer::bind((Ipv4Addr::LOCALHOST, 0).into()).await;
    let server = server.expect("listen");
    let address = server.addr();
    tokio::spawn(server.serve(tonic::service::Routes::default(), stop.clone()));
    (address, stop)
}

fn client(addresses: &[SocketAddr]) -> HealthClient<GrpcChannel> {
    let uris = addresses
        .iter()
        .map(|address| format!("http://{address}").parse().expect("a URI"));
    let targets: Vec<Uri> = uris.collect();
    let channel = GrpcAccess::default().replicas(&targets, READS, Endpoint::from);
    HealthClient::new(channel.expect("a channel"))
}

async fn ask(client: &HealthClient<GrpcChannel>) -> Result<(), tonic::Status> {
    let mut request = tonic::Request::new(HealthCheckRequest::default());
    request.set_timeout(Duration::from_secs(2));
    client.clone().check(request).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_met_a_dead_replica_is_answered_by_another() {
    let ((one, stop), (other, _running)) = (server().await, server().await);
    let client = client(&[one, other]);
    for _ in 0..8 {
        ask(&client).await.expect("two replicas");
    }
    stop.cancel();
    // A server that stops says first that it knows no service any more.
    tokio::time::sleep(Duration::from_millis(200)).await;
    for _ in 0..8 {
        ask(&client).await.expect("one is left");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_met_a_silent_replica_is_answered_by_another() {
    // It takes connections and says nothing, as a process that was stopped does.
    let silent = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
    let silent = silent.expect("listen");
    let (other, _running) = server().await;
    let client = client(&[silent.local_addr().expect("an address"), other]);
    for _ in 0..4 {
        ask(&client).await.expect("one answers");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_all_are_gone_the_error_says_so() {
    let ((one, stop), (other, stop_other)) = (server().await, server().await);
    let client = client(&[one, other]);
    stop.cancel();
    stop_other.cancel();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let err = ask(&client).await.expect_err("nobody is there");
    assert_eq!(err.code(), Code::Unavailable, "{err:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_looked_up_and_connections_kept() {
    let (address, _running) = server().await;
    let port = address.port();
    let named: Uri = format!("http://localhost:{port}").parse().expect("a URI");
    let found = look_up(&[named]).await.expect("found");
    assert!(
        found.iter().any(|(found, _)| *found == address),
        "{found:?}"
    );

    let lazy = Endpoint::from_static("http://127.0.0.1:1").connect_lazy();
    let uri = Uri::from_static("http://127.0.0.1:1");
    let replicas = Replicas::new(vec![(uri.clone(), lazy)], READS);
    let before = replicas.0.members();
    let endpoint: MakeEndpoint = Arc::new(Endpoint::from);
    let at = |port: u16| (SocketAddr::from(([127, 0, 0, 1], port)), uri.clone());
    replicas.0.replace(&[at(1), at(2)], &endpoint);
    let after = replicas.0.members();
    assert_eq!(after.len(), 2);
    assert!(Arc::ptr_eq(&before[0], &after[0]), "the connection is kept");
}

#[test]
fn the_time_of_a_call_is_read_as_grpc_states_it() {
    let of = |text: &str| {
        let mut headers = HeaderMap::new();
        headers.insert("grpc-timeout", text.parse().expect("a value"));
        timeout_of(&headers)
    };
    for (text, millis) in [
        ("1500m", 1_500),
        ("2S", 2_000),
        ("250000u", 250),
        ("1M", 60_000),
    ] {
        assert_eq!(of(text), Some(Duration::from_millis(millis)), "{text}");
    }
    for text in ["", "m", "12", "x1S", "123456789m", "1d"] {
        assert_eq!(of(text), None, "{text}");
    }
}
