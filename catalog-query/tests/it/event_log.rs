//! Stands in for the write service: serves an event log by gRPC, from a list of events.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use async_nats::HeaderMap;
use catalog_events::{BucketedDigest, ContentHash, Position, decode_body};
use catalog_proto::v1;
use catalog_proto::v1::catalog_command_operations_server::{
    CatalogCommandOperations, CatalogCommandOperationsServer,
};
use futures_util::{Stream, stream};
use tokio::net::TcpListener;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

const EVENTS_PER_PART: usize = 7;

type Parts<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[derive(Clone, Default)]
pub(crate) struct EventLog(Arc<Mutex<Vec<v1::LoggedEvent>>>);

impl EventLog {
    pub(crate) fn push(&self, position: Position, headers: &HeaderMap, body: &[u8]) {
        let header = |name| headers.get(name).map(ToString::to_string);
        self.0.lock().expect("lock").push(v1::LoggedEvent {
            position: position.to_i64(),
            event_id: header("ce-id").unwrap_or_default(),
            traceparent: header("traceparent").unwrap_or_default(),
            body: body.to_vec(),
        });
    }

    /// Serves the log for as long as the test runs; returns its target.
    pub(crate) async fn serve(&self) -> String {
        let any: SocketAddr = ([127, 0, 0, 1], 0).into();
        let listener = TcpListener::bind(any).await.expect("listen");
        let address = listener.local_addr().expect("address");
        let server = tonic::transport::Server::builder()
            .add_service(CatalogCommandOperationsServer::new(self.clone()));
        tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
        format!("http://{address}")
    }

    /// The products that are live at a position, with version and hash.
    pub(crate) fn live(&self, position: i64) -> BTreeMap<String, (i64, ContentHash)> {
        let mut live = BTreeMap::new();
        for event in self.events(0, position) {
            let Ok(event) = decode_body(&event.event_id, None, &event.body) else {
                continue;
            };
            let hash = |product| ContentHash::of(&event.product_id, event.version, product);
            let id = event.product_id.to_string();
            match event.product.as_ref().map(hash) {
                Some(hash) => live.insert(id, (event.version.get(), hash)),
                None => live.remove(&id),
            };
        }
        live
    }

    fn events(&self, after: i64, up_to: i64) -> Vec<v1::LoggedEvent> {
        let events = self.0.lock().expect("lock");
        let wanted = |event: &&v1::LoggedEvent| {
            event.position > after && (up_to == 0 || event.position <= up_to)
        };
        events.iter().filter(wanted).cloned().collect()
    }
}

/// Answers only the calls that the read side makes.
#[tonic::async_trait]
impl CatalogCommandOperations for EventLog {
    async fn get_log_digest(
        &self,
        request: Request<v1::GetLogDigestRequest>,
    ) -> Result<Response<v1::LogDigest>, Status> {
        let asked = request.into_inner().position;
        let head = self.events(0, 0).last().map_or(0, |event| event.position);
        if asked > head {
            return Err(Status::out_of_range("the log ends before it"));
        }
        let position = if asked == 0 { head } else { asked };
        let live = self.live(position).into_values();
        let hashes: Vec<ContentHash> = live.map(|(_, hash)| hash).collect();
        Ok(Response::new(v1::LogDigest {
            position,
            documents: hashes.len() as i64,
            buckets: hashes.into_iter().collect::<BucketedDigest>().to_message(),
        }))
    }

    type ReadEventsStream = Parts<v1::ReadEventsResponse>;

    async fn read_events(
        &self,
        request: Request<v1::ReadEventsRequest>,
    ) -> Result<Response<Self::ReadEventsStream>, Status> {
        let request = request.into_inner();
        let events = self.events(request.after_position, request.up_to_position);
        let parts: Vec<_> = events
            .chunks(EVENTS_PER_PART)
            .map(|part| {
                Ok(v1::ReadEventsResponse {
                    events: part.to_vec(),
                })
            })
            .collect();
        Ok(Response::new(Box::pin(stream::iter(parts))))
    }

    type ReadProductEventsStream = Parts<v1::ReadEventsResponse>;

    async fn read_product_events(
        &self,
        request: Request<v1::ReadProductEventsRequest>,
    ) -> Result<Response<Self::ReadProductEventsStream>, Status> {
        let request = request.into_inner();
        let mut last = BTreeMap::new();
        for event in self.events(0, request.position) {
            let body: serde_json::Value = serde_json::from_slice(&event.body).unwrap_or_default();
            let id = body["product_id"].as_str().unwrap_or_default().to_owned();
            if request.ids.contains(&id) {
                last.insert(id, event);
            }
        }
        let part = v1::ReadEventsResponse {
            events: last.into_values().collect(),
        };
        Ok(Response::new(Box::pin(stream::iter([Ok(part)]))))
    }

    type ListLogProductsStream = Parts<v1::ListLogProductsResponse>;

    async fn list_log_products(
        &self,
        _request: Request<v1::ListLogProductsRequest>,
    ) -> Result<Response<Self::ListLogProductsStream>, Status> {
        Err(Status::unimplemented("not asked for"))
    }

    async fn get_write_status(
        &self,
        _request: Request<v1::GetWriteStatusRequest>,
    ) -> Result<Response<v1::GetWriteStatusResponse>, Status> {
        Err(Status::unimplemented("not asked for"))
    }
}
