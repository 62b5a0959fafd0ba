//! The gRPC listener of a service: request log, keep-alive, `grpc.health.v1` and reflection around
//! its own routes. A stop ends the health watches first, so that they do not hold up the drain.

mod gate;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio_util::sync::CancellationToken;
use tonic::server::NamedService;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::{HealthReporter, HealthService};

use crate::grpc_server::gate::GateLayer;
use crate::{Alpn, Listener, RequestLogLayer, ServerTls, ServiceTokens};

/// How often the server asks a silent client whether it is still there.
const KEEP_ALIVE_INTERVAL_MS: u64 = 10_000;
/// A client that does not answer within this is gone, and its connection is closed.
const KEEP_ALIVE_ANSWER_MS_MAX: u64 = 10_000;

/// The name under which the health protocol tells of the server as a whole.
const WHOLE_SERVER: &str = "";

/// A bound gRPC listener that accepts calls once [`GrpcServer::serve`] is polled.
pub struct GrpcServer {
    listener: Listener,
    addr: SocketAddr,
    /// Whether TLS lets nobody in who has no certificate.
    knows_clients: bool,
    reflected: Option<&'static [u8]>,
    tokens: Option<Arc<ServiceTokens>>,
    health: HealthReporter,
    announced: Vec<&'static str>,
}

impl GrpcServer {
    /// Takes the port; port 0 takes a free one. The error names the address that is in use or not
    /// allowed.
    pub async fn bind(addr: SocketAddr) -> anyhow::Result<Self> {
        Self::bind_with(addr, None).await
    }

    /// Takes the port, and speaks TLS on it where `tls` has the files for that.
    pub async fn bind_with(addr: SocketAddr, tls: Option<ServerTls>) -> anyhow::Result<Self> {
        let listener = Listener::bind(addr, tls.as_ref(), Alpn::Grpc)
            .await
            .with_context(|| format!("cannot listen on {addr} for gRPC"))?;
        Ok(Self {
            addr: listener.addr()?,
            knows_clients: tls.is_some_and(|tls| tls.knows_clients()),
            listener,
            reflected: None,
            tokens: None,
            health: HealthReporter::new(),
            announced: vec![WHOLE_SERVER],
        })
    }

    /// The address that clients connect to, with the port that was taken.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Lets clients ask what the API looks like. `descriptors` is an encoded `FileDescriptorSet`; None
    /// tells them nothing.
    #[must_use]
    pub fn with_reflection(mut self, descriptors: Option<&'static [u8]>) -> Self {
        self.reflected = descriptors;
        self
    }

    /// Asks every call for one of these tokens, except calls about health. None asks nobody.
    #[must_use]
    pub fn with_tokens(mut self, tokens: Option<ServiceTokens>) -> Self {
        self.tokens = tokens.map(Arc::new);
        self
    }

    /// Makes the service `S` known to the health protocol. It counts as not serving until
    /// [`Health::set_serving`].
    pub async fn announce<S: NamedService>(&mut self) -> Health {
        self.health.set_not_serving::<S>().await;
        self.announced.push(S::NAME);
        Health {
            reporter: self.health.clone(),
            service: S::NAME,
        }
    }

    /// Serves `routes` until `stop` is cancelled, then returns when all calls in flight have their
    /// answers. An error means that the listener failed or that the reflected descriptors are broken.
    pub async fn serve(self, routes: Routes, stop: CancellationToken) -> anyhow::Result<()> {
        self.warn_when_open();
        let health = HealthService::from_health_reporter(self.health.clone());
        let mut routes = routes.add_service(HealthServer::new(health));
        if let Some(descriptors) = self.reflected {
            let reflection = tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(descriptors)
                .build_v1()
                .context("descriptors for gRPC reflection")?;
            routes = routes.add_service(reflection);
        }
        let incoming = futures_util::stream::unfold(self.listener, async |mut listener| {
            let (connection, _) = listener.accept().await;
            Some((Ok::<_, Infallible>(connection), listener))
        });
        let stopped = async {
            stop.cancelled().await;
            end_health(self.health, &self.announced).await;
        };
        Server::builder()
            .http2_keepalive_interval(Some(Duration::from_millis(KEEP_ALIVE_INTERVAL_MS)))
            .http2_keepalive_timeout(Some(Duration::from_millis(KEEP_ALIVE_ANSWER_MS_MAX)))
            .layer(RequestLogLayer)
            .layer(GateLayer {
                tokens: self.tokens,
            })
            .add_routes(routes)
            .serve_with_incoming_shutdown(incoming, stopped)
            .await
            .context("gRPC listener")
    }

    fn warn_when_open(&self) {
        let open = self.tokens.is_none() && !self.knows_clients;
        if open && !self.addr.ip().is_loopback() {
            tracing::warn!(
                "the gRPC port {} asks nobody who they are: whoever reaches it may do everything; set \
                 …_SERVICE_TOKEN or …_TLS_CLIENT_CA",
                self.addr
            );
        }
    }
}

/// Tells watchers that nothing is served any more and ends their streams.
async fn end_health(mut health: HealthReporter, services: &[&str]) {
    for service in services {
        health
            .set_service_status(service, ServingStatus::NotServing)
            .await;
        health.clear_service_status(service).await;
    }
}

/// The health of one service, as load balancers see it.
#[derive(Clone)]
pub struct Health {
    reporter: HealthReporter,
    service: &'static str,
}

impl Health {
    /// From now on the service wants requests.
    pub async fn set_serving(&self) {
        self.reporter
            .set_service_status(self.service, ServingStatus::Serving)
            .await;
    }

    /// From now on the service wants no requests; it answers those that come all the same.
    pub async fn set_not_serving(&self) {
        self.reporter
            .set_service_status(self.service, ServingStatus::NotServing)
            .await;
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tonic::transport::Channel;
    use tonic::{Code, Status};
    use tonic_health::pb::HealthCheckRequest;
    use tonic_health::pb::health_check_response::ServingStatus;
    use tonic_health::pb::health_client::HealthClient;

    use tonic_reflection::pb::v1::ServerReflectionRequest;
    use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;

    use super::*;
    use crate::{GrpcAccess, GrpcChannel, TOKEN_MISSING, TOKEN_UNKNOWN};

    const ANY_PORT: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);
    /// Far below the deadline at which a service gives up draining.
    const STOPS_MS_MAX: u64 = 5_000;

    type Announced = HealthServer<HealthService>;

    fn client(addr: SocketAddr) -> HealthClient<Channel> {
        let endpoint = Channel::from_shared(format!("http://{addr}")).expect("URI");
        HealthClient::new(endpoint.connect_lazy())
    }

    fn asked_about(service: &str) -> HealthCheckRequest {
        HealthCheckRequest {
            service: service.to_owned(),
        }
    }

    #[tokio::test]
    async fn a_watcher_of_health_sees_the_start_and_the_stop_and_holds_up_neither() {
        let mut server = GrpcServer::bind(ANY_PORT.into()).await.expect("a port");
        let health = server.announce::<Announced>().await;
        let (addr, stop) = (server.addr(), CancellationToken::new());
        let served = tokio::spawn(server.serve(Routes::default(), stop.clone()));

        let mut client = client(addr);
        let request = asked_about(Announced::NAME);
        let watch = client.watch(request).await.expect("it is announced");
        let mut statuses = watch.into_inner();
        let mut seen = Vec::new();
        while let Some(answer) = statuses.message().await.expect("a clean end") {
            seen.push(answer.status());
            match answer.status() {
                ServingStatus::NotServing if seen.len() == 1 => health.set_serving().await,
                _ => stop.cancel(),
            }
        }
        let (not_serving, serving) = (ServingStatus::NotServing, ServingStatus::Serving);
        assert_eq!(seen, [not_serving, serving, not_serving]);

        tokio::time::timeout(Duration::from_millis(STOPS_MS_MAX), served)
            .await
            .expect("no wait for the watcher")
            .expect("no panic")
            .expect("a clean stop");
    }

    #[tokio::test]
    async fn the_server_as_a_whole_serves_and_an_unknown_service_is_not_found() {
        let server = GrpcServer::bind(ANY_PORT.into()).await.expect("a port");
        let (addr, stop) = (server.addr(), CancellationToken::new());
        let served = tokio::spawn(server.serve(Routes::default(), stop.clone()));

        let mut client = client(addr);
        let whole = client.check(asked_about(WHOLE_SERVER)).await;
        let status = whole.expect("an answer").into_inner().status();
        assert_eq!(status, ServingStatus::Serving);
        let unknown = client.check(asked_about("unknown")).await;
        assert_eq!(unknown.expect_err("unknown").code(), Code::NotFound);

        stop.cancel();
        served.await.expect("no panic").expect("a clean stop");
    }

    type Reflection = ServerReflectionClient<GrpcChannel>;

    /// A client of reflection, the only service here, that shows `token`.
    fn reflection(addr: SocketAddr, token: Option<&str>) -> Reflection {
        let tokens = token.map(|token| token.parse().expect("a token"));
        let access = GrpcAccess::default().with_tokens(tokens.as_ref());
        let endpoint = Channel::from_shared(format!("http://{addr}")).expect("URI");
        ServerReflectionClient::new(access.channel(&endpoint).expect("no TLS"))
    }

    async fn call(mut client: Reflection) -> Result<(), Status> {
        let requests = futures_util::stream::iter([ServerReflectionRequest::default()]);
        let answers = client.server_reflection_info(requests).await;
        answers.map(|_| ())
    }

    #[tokio::test]
    async fn a_port_with_tokens_takes_any_of_them_and_answers_about_health_without() {
        let (first, second) = ("first-first-first-first", "second-second-second");
        let tokens = format!("{first},{second}").parse().expect("two tokens");
        let server = GrpcServer::bind(ANY_PORT.into()).await.expect("a port");
        let server = server
            .with_reflection(Some(tonic_health::pb::FILE_DESCRIPTOR_SET))
            .with_tokens(Some(tokens));
        let (addr, stop) = (server.addr(), CancellationToken::new());
        let served = tokio::spawn(server.serve(Routes::default(), stop.clone()));

        for token in [first, second] {
            let answer = call(reflection(addr, Some(token))).await;
            assert!(answer.is_ok(), "{token}: {answer:?}");
        }
        let refused = [
            (None, TOKEN_MISSING),
            (Some("third-third-third-third"), TOKEN_UNKNOWN),
        ];
        for (token, reason) in refused {
            let status = call(reflection(addr, token)).await.expect_err("refused");
            assert_eq!(status.code(), Code::Unauthenticated);
            assert_eq!(crate::reason(&status).as_deref(), Some(reason));
            let told = status.message();
            assert!(told.contains("CATALOG_SERVICE_TOKEN"), "{told}");
        }
        let health = client(addr).check(asked_about(WHOLE_SERVER)).await;
        assert!(health.is_ok(), "{health:?}");

        stop.cancel();
        served.await.expect("no panic").expect("a clean stop");
    }

    #[tokio::test]
    async fn a_port_that_is_taken_is_named() {
        let first = GrpcServer::bind(ANY_PORT.into()).await.expect("a port");
        let taken = GrpcServer::bind(first.addr()).await.err().expect("taken");
        let says = format!("cannot listen on {} for gRPC", first.addr());
        assert_eq!(taken.to_string(), says);
    }
}
