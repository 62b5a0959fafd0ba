//! Runs the importer against a real gRPC server behind a connection that can be cut.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use catalog_proto::v1::catalog_command_service_server::{
    CatalogCommandService, CatalogCommandServiceServer,
};
use catalog_proto::v1::{
    ChangePriceRequest, ChangePriceResponse, CreateProductRequest, CreateProductResponse,
    DeleteProductRequest, DeleteProductResponse, ExportProductsRequest, ExportProductsResponse,
    GetProductAsOfRequest, GetProductHistoryRequest, GetProductHistoryResponse, ImportRejection,
    ImportRow, Product, ProductInput, PutProductRequest, PutProductResponse, UpdateProductRequest,
    UpdateProductResponse, WriteProductsRequest, WriteProductsResponse,
};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tonic::{Request, Response};

use super::*;
use crate::import::batches::Place;
use crate::import::{self, ImportOptions};
use crate::sample;

/// The server refuses a batch with a product of this title for good.
const FORBIDDEN: &str = "forbidden";

/// What goes wrong with batch number n, counted from 1 over all streams.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// The server applies the batch and cuts the connection before the answer.
    Cut,
    /// The server ends the stream as UNAVAILABLE instead of applying the batch.
    Away,
}

#[derive(Default)]
struct Shop {
    products: Mutex<BTreeMap<String, ProductInput>>,
    batches: Mutex<usize>,
    faults: BTreeMap<usize, Fault>,
    connection: watch::Sender<u64>,
}

impl Shop {
    fn with(faults: impl IntoIterator<Item = (usize, Fault)>) -> Arc<Self> {
        Arc::new(Self {
            faults: faults.into_iter().collect(),
            ..Self::default()
        })
    }

    /// Applies a batch; none when the answer is never to be sent.
    fn serve(
        &self,
        request: ImportProductsRequest,
    ) -> Result<Option<ImportProductsResponse>, Status> {
        let mut products = request.rows.iter().flat_map(|row| &row.product);
        if products.any(|product| product.title == FORBIDDEN) {
            return Err(Status::invalid_argument("never"));
        }
        let mut batches = self.batches.lock().unwrap();
        *batches += 1;
        match self.faults.get(&batches) {
            Some(Fault::Away) => Err(Status::unavailable("not now")),
            Some(Fault::Cut) => {
                self.apply(request);
                self.connection.send_modify(|cuts| *cuts += 1);
                Ok(None)
            }
            None => Ok(Some(self.apply(request))),
        }
    }

    fn apply(&self, request: ImportProductsRequest) -> ImportProductsResponse {
        let mut answer = ImportProductsResponse::default();
        let mut products = self.products.lock().unwrap();
        let rows = request.rows.into_iter().flat_map(|row| row.product);
        for (index, product) in (0..).zip(rows) {
            if product.title.is_empty() {
                for field in ["title", "brand"] {
                    answer.rejected.push(ImportRejection {
                        index,
                        id: product.id.clone(),
                        field: field.to_owned(),
                        reason: "is missing".to_owned(),
                    });
                }
                continue;
            }
            match products.insert(product.id.clone(), product.clone()) {
                None => answer.created += 1,
                Some(before) if before == product => answer.unchanged += 1,
                Some(_) => answer.updated += 1,
            }
        }
        answer
    }
}

struct Grpc(Arc<Shop>);

#[tonic::async_trait]
impl CatalogCommandService for Grpc {
    type ImportProductsStream = ReceiverStream<Result<ImportProductsResponse, Status>>;

    async fn import_products(
        &self,
        request: Request<Streaming<ImportProductsRequest>>,
    ) -> Result<Response<Self::ImportProductsStream>, Status> {
        let shop = self.0.clone();
        let mut requests = request.into_inner();
        let (answers, stream) = mpsc::channel(1);
        tokio::spawn(async move {
            while let Ok(Some(request)) = requests.message().await {
                let answer = match shop.serve(request) {
                    Ok(None) => return std::future::pending().await,
                    Ok(Some(answer)) => Ok(answer),
                    Err(status) => Err(status),
                };
                let refused = answer.is_err();
                if answers.send(answer).await.is_err() || refused {
                    return;
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn get_product_history(
        &self,
        _: Request<GetProductHistoryRequest>,
    ) -> Result<Response<GetProductHistoryResponse>, Status> {
        Err(Status::unimplemented("only imports"))
    }

    async fn get_product_as_of(
        &self,
        _: Request<GetProductAsOfRequest>,
    ) -> Result<Response<Product>, Status> {
        Err(Status::unimplemented("only imports"))
    }

    type ExportProductsStream = ReceiverStream<Result<ExportProductsResponse, Status>>;

    async fn export_products(
        &self,
        _: Request<ExportProductsRequest>,
    ) -> Result<Response<Self::ExportProductsStream>, Status> {
        Err(Status::unimplemented("only imports"))
    }

    async fn create_product(
        &self,
        _: Request<CreateProductRequest>,
    ) -> Result<Response<CreateProductResponse>, Status> {
        Err(Status::unimplemented("only imports"))
    }

    async fn put_product(
        &self,
        _: Request<PutProductRequest>,
    ) -> Result<Response<PutProductResponse>, Status> {
        Err(Status::unimplemented("only imports"))
    }

    async fn write_products(
        &self,
        _: Request<WriteProductsRequest>,
    ) -> Result<Response<WriteProductsResponse>, Status> {
        Err(Status::unimplemented("only imports"))
    }

    async fn update_product(
        &self,
        _: Request<UpdateProductRequest>,
    ) -> Result<Response<UpdateProductResponse>, Status> {
        Err(Status::unimplemented("only imports"))
    }

    async fn change_price(
        &self,
        _: Request<ChangePriceRequest>,
    ) -> Result<Response<ChangePriceResponse>, Status> {
        Err(Status::unimplemented("only imports"))
    }

    async fn delete_product(
        &self,
        _: Request<DeleteProductRequest>,
    ) -> Result<Response<DeleteProductResponse>, Status> {
        Err(Status::unimplemented("only imports"))
    }
}

/// Serves the shop behind a relay and returns the address to import to.
async fn open(shop: &Arc<Shop>) -> Target {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let upstream = listener.local_addr().unwrap();
    let server = tonic::transport::Server::builder()
        .add_service(CatalogCommandServiceServer::new(Grpc(shop.clone())));
    let incoming = tokio_stream::wrappers::TcpListenerStream::new(listener);
    tokio::spawn(server.serve_with_incoming(incoming));

    let proxy = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = proxy.local_addr().unwrap().to_string();
    tokio::spawn(relay(proxy, upstream, shop.connection.subscribe()));
    Target::command(&address)
}

/// Passes bytes on until the connections are cut.
async fn relay(listener: TcpListener, upstream: SocketAddr, cuts: watch::Receiver<u64>) {
    while let Ok((mut client, _)) = listener.accept().await {
        let mut cuts = cuts.clone();
        cuts.mark_unchanged();
        tokio::spawn(async move {
            let mut server = TcpStream::connect(upstream).await.unwrap();
            tokio::select! {
                _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
                _ = cuts.changed() => {}
            }
        });
    }
}

struct Imported {
    summary: Summary,
    result: Result<(), ImportError>,
    rejected: Vec<Rejection>,
    retries: usize,
}

async fn import(
    products: impl Iterator<Item = ProductInput> + Send + 'static,
    target: &Target,
    options: ImportOptions,
) -> Imported {
    let (mut rejected, mut retries) = (Vec::new(), 0);
    let mut notice = |notice: Notice<'_>| match notice {
        Notice::Progress(_) | Notice::Warning(_) | Notice::Preview(..) | Notice::Answered(_) => {}
        Notice::Rejected(rejection) => rejected.push(rejection.clone()),
        Notice::Retrying { .. } => retries += 1,
    };
    let stop = CancellationToken::new();
    let rows = import::rows(products);
    let (summary, result) = import::run(rows, target, &options, stop, &mut notice).await;
    Imported {
        summary,
        result,
        rejected,
        retries,
    }
}

fn options(batch_rows: usize) -> ImportOptions {
    ImportOptions {
        batch_rows,
        ..ImportOptions::default()
    }
}

/// Imports 20 batches of 100 while the connection is cut at the batches named; returns how many
/// were unchanged and how many batches the server saw.
async fn import_through_cuts(cuts: [usize; 3]) -> (usize, usize) {
    let shop = Shop::with(cuts.map(|batch| (batch, Fault::Cut)));
    let target = open(&shop).await;
    let done = import(sample::products(2_000, 1), &target, options(100)).await;
    done.result.expect("complete");
    let expected: BTreeSet<_> = sample::products(2_000, 1)
        .map(|product| product.id)
        .collect();
    let found: BTreeSet<_> = shop.products.lock().unwrap().keys().cloned().collect();
    assert_eq!(found, expected);
    assert_eq!((done.summary.rows, done.summary.rejected), (2_000, 0));
    assert_eq!(done.summary.created + done.summary.unchanged, 2_000);
    assert_eq!(done.retries, 3);
    let batches = *shop.batches.lock().unwrap();
    (done.summary.unchanged as usize, batches)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_loses_no_row_and_repeats_none_that_was_answered() {
    let (unchanged, batches) = import_through_cuts([3, 12, 21]).await;
    // These are the three that were applied without an answer, and those whose answers were under
    // way.
    assert!((300..=1_200).contains(&unchanged), "{unchanged}");
    assert_eq!(batches, 20 + unchanged / 100);

    import_through_cuts([1, 2, 3]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn later_rows_win_and_a_second_run_changes_nothing() {
    let shop = Shop::with([]);
    let target = open(&shop).await;
    let twice = || {
        let renamed = sample::products(10, 1).map(|product| ProductInput {
            title: "renamed".to_owned(),
            ..product
        });
        sample::products(10, 1).chain(renamed)
    };
    let done = import(twice(), &target, options(1_000)).await;
    assert_eq!((done.summary.created, done.summary.updated), (10, 10));
    assert!(
        shop.products
            .lock()
            .unwrap()
            .values()
            .all(|product| product.title == "renamed")
    );

    let done = import(twice().skip(10), &target, options(1_000)).await;
    assert_eq!((done.summary.rows, done.summary.unchanged), (10, 10));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_service_rejects_is_told_with_its_line() {
    let shop = Shop::with([]);
    let target = open(&shop).await;
    let products = sample::products(10, 1)
        .enumerate()
        .map(|(index, product)| match index {
            6 => ProductInput {
                title: String::new(),
                ..product
            },
            _ => product,
        });
    let done = import(products, &target, options(4)).await;
    done.result.expect("complete");
    assert_eq!((done.summary.created, done.summary.rejected), (9, 1));
    let told: Vec<_> = done
        .rejected
        .iter()
        .map(|one| (one.line, &*one.mistake.field))
        .collect();
    assert_eq!(told, [(7, "title"), (7, "brand")]);
    assert_eq!(done.rejected[0].mistake.id, "sample-000007");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_passing_refusal_is_tried_again() {
    let shop = Shop::with([(2, Fault::Away)]);
    let target = open(&shop).await;
    let done = import(sample::products(50, 1), &target, options(10)).await;
    done.result.expect("complete");
    assert_eq!(done.summary.created + done.summary.unchanged, 50);
    assert_eq!(done.retries, 1);

    let shop = Shop::with([]);
    let target = open(&shop).await;
    let products = sample::products(50, 1)
        .enumerate()
        .map(|(index, product)| match index {
            14 => ProductInput {
                title: FORBIDDEN.to_owned(),
                ..product
            },
            _ => product,
        });
    let done = import(products, &target, options(10)).await;
    let err = done.result.expect_err("refused");
    assert!(
        matches!(err, ImportError::Refused { line: 11, .. }),
        "{err}"
    );
    assert_eq!(done.summary.rows, 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_absent_service_is_given_up_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = Target::command(&listener.local_addr().unwrap().to_string());
    drop(listener);
    let impatient = ImportOptions {
        batch_rows: 10,
        retry: Duration::from_millis(300),
        ..ImportOptions::default()
    };
    let done = import(sample::products(50, 1), &target, impatient).await;
    let err = done.result.expect_err("nobody is there");
    assert!(matches!(err, ImportError::GaveUp { line: 1, .. }), "{err}");
    assert_eq!(done.summary.rows, 0);
    assert!(done.retries >= 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_import_waits_for_its_answers() {
    let shop = Shop::with([]);
    let target = open(&shop).await;
    let stop = CancellationToken::new();
    let signal = stop.clone();
    let mut notice = |notice: Notice<'_>| {
        if matches!(notice, Notice::Progress(summary) if summary.rows >= 200) {
            signal.cancel();
        }
    };
    let endless = import::rows(sample::products(u64::MAX, 1));
    let (summary, result) = import::run(endless, &target, &options(100), stop, &mut notice).await;
    assert!(
        matches!(result, Err(ImportError::Interrupted)),
        "{result:?}"
    );
    assert_eq!(summary.rows as usize, shop.products.lock().unwrap().len());
    assert!((200..=600).contains(&summary.rows), "{summary:?}");
}

#[test]
fn a_batch_has_the_same_name_when_it_is_sent_again_and_another_one_holds_something_else() {
    let batch = |title: &str, line: u64| {
        let product = ProductInput {
            id: "p".to_owned(),
            title: title.to_owned(),
            ..ProductInput::default()
        };
        let mut batch = Batch::default();
        batch.rows.push(ImportRow {
            product: Some(product),
            ..ImportRow::default()
        });
        batch.places.push(Place {
            line,
            ..Place::default()
        });
        batch
    };
    let run = Uuid::now_v7();
    let name = request_id(run, &batch("Kettle", 7));
    assert_eq!(request_id(run, &batch("Kettle", 7)), name);
    for other in [batch("Kettle", 8), batch("Kettles", 7)] {
        assert_ne!(request_id(run, &other), name);
    }
    assert_ne!(request_id(Uuid::now_v7(), &batch("Kettle", 7)), name);
}
