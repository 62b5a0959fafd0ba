//! A collector that speaks OTLP is told each write as one trace, from HTTP to the index.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use futures_util::stream;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::json;
use tokio::net::TcpListener;
use tonic::transport::Server;
use tonic::{Request, Response, Status};
use trials::cluster::Part;

use crate::browser::page::eventually;
use crate::support::cluster;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

/// A step with the name of the service that told it.
#[derive(Clone, Debug)]
struct Step {
    service: String,
    span: Span,
}

/// What the collector was told.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Step>>>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let mut told = self.0.lock().expect("no panic");
        for resource in request.into_inner().resource_spans {
            let attributes = resource.resource.unwrap_or_default().attributes;
            let named = attributes.iter().find(|one| one.key == "service.name");
            let service = format!("{:?}", named.and_then(|one| one.value.clone()));
            let spans = resource
                .scope_spans
                .into_iter()
                .flat_map(|scope| scope.spans);
            told.extend(spans.map(|span| Step {
                service: service.clone(),
                span,
            }));
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Collector {
    /// Listens, and returns the address.
    async fn start() -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let collector = Self::default();
        let server = TraceServiceServer::new(collector.clone());
        let incoming = stream::unfold(listener, async |listener| {
            let accepted = listener.accept().await.map(|(connection, _)| connection);
            Some((accepted, listener))
        });
        let served = Server::builder()
            .add_service(server)
            .serve_with_incoming(incoming);
        tokio::spawn(served);
        (collector, address)
    }

    fn of_trace(&self, id: &str) -> Vec<Step> {
        let told = self.0.lock().expect("no panic");
        let of_trace = told.iter().filter(|step| hex(&step.span.trace_id) == id);
        of_trace.cloned().collect()
    }

    /// The steps of the trace, once there is one of each of these names.
    async fn with(&self, id: &str, names: &[&str]) -> HashMap<String, Step> {
        eventually(&format!("{names:?} are told"), async || {
            let steps = self.of_trace(id);
            let is_told = |name: &&str| steps.iter().any(|step| step.span.name == **name);
            let all = names.iter().all(is_told);
            let by_name = steps.into_iter().map(|step| (step.span.name.clone(), step));
            all.then(|| by_name.collect())
        })
        .await
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_is_one_trace_from_http_until_it_can_be_found() {
    let (collector, address) = Collector::start().await;
    let mut cluster = cluster().await;
    cluster.configure("OTEL_EXPORTER_OTLP_ENDPOINT", address);
    for part in Part::ALL {
        cluster.stop(part).await.expect("stopped");
        cluster.launch(part).expect("launched");
    }
    cluster.ready().await.expect("ready");

    let client = reqwest::Client::new();
    let url = format!("{}/api/products/kettle", cluster.http());
    let product = json!({"title": "Kettle", "price_minor": 100, "currency": "EUR"});
    let sampled = format!("00-{TRACE}-{CALLER}-01");
    let put = client
        .put(&url)
        .header("traceparent", sampled)
        .json(&product);
    assert_eq!(put.send().await.expect("HTTP").status(), 201);

    let http = "PUT /api/products/{id}";
    let call = "catalog.v1.CatalogCommandService/PutProduct";
    let (sent, documents, index) = ("send relay", "process documents", "process keyword index");
    let steps = collector
        .with(TRACE, &[http, call, sent, documents, index])
        .await;
    let parent_of = |name: &str| hex(&steps[name].span.parent_span_id);
    let id_of = |name: &str| hex(&steps[name].span.span_id);
    assert_eq!(parent_of(http), CALLER);
    assert_eq!(parent_of(call), id_of(http));
    for name in [sent, documents, index] {
        assert_eq!(parent_of(name), id_of(call), "{name}");
    }
    for (name, service) in [
        (http, "bff"),
        (call, "catalog-command"),
        (sent, "catalog-command"),
        (documents, "catalog-query"),
        (index, "catalog-query"),
    ] {
        let told = &steps[name].service;
        assert!(told.contains(service), "{name} is told by {told}");
    }
    let begins = |name: &str| steps[name].span.start_time_unix_nano;
    assert!(begins(http) <= begins(call) && begins(call) < begins(index));

    // Whoever began a trace decides whether it is told.
    let other = "5cf92f3577b34da6a3ce929d0e0e4736";
    let unsampled = format!("00-{other}-{CALLER}-00");
    let read = client.get(&url).header("traceparent", unsampled);
    assert_eq!(read.send().await.expect("HTTP").status(), 200);
    let wrong = client.get(format!("{url}?fields=nonsense"));
    let id = "6cf92f3577b34da6a3ce929d0e0e4736";
    let wrong = wrong.header("traceparent", format!("00-{id}-{CALLER}-01"));
    assert_eq!(wrong.send().await.expect("HTTP").status(), 422);
    collector.with(id, &["GET /api/products/{id}"]).await;
    assert!(collector.of_trace(other).is_empty());
}
