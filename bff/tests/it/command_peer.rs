//! The peer's write service. It keeps products without checking them, but for their prices.

use catalog_events::Money;
use catalog_proto::v1::catalog_command_service_server::CatalogCommandService;
use catalog_proto::v1::get_product_as_of_request::AsOf;
use catalog_proto::v1::*;
use futures_util::stream::Empty;
use tonic::{Request, Response, Status, Streaming};

use crate::peer::{Handler, State, product};

/// The peer's consistency token: it names product and version.
pub(crate) fn token(id: &str, version: i64) -> String {
    format!("token-{id}-{version}")
}

#[tonic::async_trait]
impl CatalogCommandService for Handler {
    async fn create_product(
        &self,
        request: Request<CreateProductRequest>,
    ) -> Result<Response<CreateProductResponse>, Status> {
        let request_id = request.get_ref().request_id.clone();
        self.serve_write("CreateProduct", request_id, request, |state, message| {
            let mut input = message.product.expect("product");
            if input.id.is_empty() {
                input.id = format!("generated-{}", state.products.len() + 1);
            }
            if state.products.contains_key(&input.id) {
                return Err(Status::already_exists("id"));
            }
            let product = stored(input);
            state.products.insert(product.id.clone(), product.clone());
            Ok(CreateProductResponse {
                consistency_token: token(&product.id, product.version),
                product: Some(product),
            })
        })
        .await
    }

    async fn put_product(
        &self,
        _: Request<PutProductRequest>,
    ) -> Result<Response<PutProductResponse>, Status> {
        Err(Status::unimplemented("PutProduct"))
    }

    async fn write_products(
        &self,
        _: Request<WriteProductsRequest>,
    ) -> Result<Response<WriteProductsResponse>, Status> {
        Err(Status::unimplemented("WriteProducts"))
    }

    /// Replaces the fields that the mask names.
    async fn update_product(
        &self,
        request: Request<UpdateProductRequest>,
    ) -> Result<Response<UpdateProductResponse>, Status> {
        let request_id = request.get_ref().request_id.clone();
        self.serve_write("UpdateProduct", request_id, request, |state, message| {
            let input = message.product.expect("product");
            let product = state.at(&input.id, message.expected_version)?;
            let mut new = stored(input.clone());
            if !input.price.is_empty() {
                new.price_minor = minor_units(&input.price, &product.currency)?;
            }
            for path in message.update_mask.expect("mask").paths {
                match path.as_str() {
                    "title" => product.title = new.title.clone(),
                    "description" => product.description = new.description.clone(),
                    "price" | "price_minor" => product.price_minor = new.price_minor,
                    "currency" => product.currency = new.currency.clone(),
                    "image_url" => product.image_url = new.image_url.clone(),
                    "brand" => product.brand = new.brand.clone(),
                    "sku" => product.sku = new.sku.clone(),
                    "gtins" => product.gtins = new.gtins.clone(),
                    "categories" => product.categories = new.categories.clone(),
                    "status" => product.status = new.status,
                    "attributes" => product.attributes = new.attributes.clone(),
                    path => {
                        let name = path
                            .strip_prefix("attributes.")
                            .expect("a path of the mask");
                        match new.attributes.get(name) {
                            Some(value) => {
                                product.attributes.insert(name.to_owned(), value.clone())
                            }
                            None => product.attributes.remove(name),
                        };
                    }
                }
            }
            product.version += 1;
            Ok(UpdateProductResponse {
                product: Some(product.clone()),
                consistency_token: token(&product.id, product.version),
            })
        })
        .await
    }

    async fn change_price(
        &self,
        request: Request<ChangePriceRequest>,
    ) -> Result<Response<ChangePriceResponse>, Status> {
        let request_id = request.get_ref().request_id.clone();
        self.serve_write("ChangePrice", request_id, request, |state, message| {
            let product = state.at(&message.id, message.expected_version)?;
            if !message.currency.is_empty() {
                product.currency = message.currency;
            }
            product.price_minor = if message.price.is_empty() {
                message.price_minor
            } else {
                minor_units(&message.price, &product.currency)?
            };
            product.version += 1;
            Ok(ChangePriceResponse {
                product: Some(product.clone()),
                consistency_token: token(&product.id, product.version),
            })
        })
        .await
    }

    async fn delete_product(
        &self,
        request: Request<DeleteProductRequest>,
    ) -> Result<Response<DeleteProductResponse>, Status> {
        let request_id = request.get_ref().request_id.clone();
        self.serve_write("DeleteProduct", request_id, request, |state, message| {
            let version = state.at(&message.id, message.expected_version)?.version + 1;
            state.products.remove(&message.id);
            Ok(DeleteProductResponse {
                version,
                consistency_token: token(&message.id, version),
            })
        })
        .await
    }

    type ImportProductsStream = Empty<Result<ImportProductsResponse, Status>>;

    async fn import_products(
        &self,
        _: Request<Streaming<ImportProductsRequest>>,
    ) -> Result<Response<Self::ImportProductsStream>, Status> {
        Err(Status::unimplemented("the BFF does not import"))
    }

    type ExportProductsStream = Empty<Result<ExportProductsResponse, Status>>;

    async fn export_products(
        &self,
        _: Request<ExportProductsRequest>,
    ) -> Result<Response<Self::ExportProductsStream>, Status> {
        Err(Status::unimplemented("the BFF does not export"))
    }

    async fn get_product_history(
        &self,
        request: Request<GetProductHistoryRequest>,
    ) -> Result<Response<GetProductHistoryResponse>, Status> {
        self.serve("GetProductHistory", request, |state, message| {
            if state.history.is_empty() {
                return Err(Status::not_found("no such product"));
            }
            let before = message.before_version;
            let wanted = |change: &&ProductChange| before == 0 || change.version < before;
            let earlier = state.history.iter().filter(wanted);
            let changes: Vec<_> = earlier.take(message.limit as usize).cloned().collect();
            let oldest = changes.last().map_or(0, |change| change.version);
            Ok(GetProductHistoryResponse {
                changes,
                next_before_version: if oldest > 1 { oldest } else { 0 },
            })
        })
        .await
    }

    async fn get_product_as_of(
        &self,
        request: Request<GetProductAsOfRequest>,
    ) -> Result<Response<Product>, Status> {
        self.serve("GetProductAsOf", request, |state, message| {
            let as_of = message.as_of.expect("a moment");
            let then = state.history.iter().find(|change| match &as_of {
                AsOf::Version(version) => change.version == *version,
                AsOf::Time(time) => {
                    let at = change.occurred_at.as_ref().expect("time");
                    (at.seconds, at.nanos) <= (time.seconds, time.nanos)
                }
            });
            let product = then.and_then(|change| change.product.clone());
            product.ok_or_else(|| Status::not_found("not then"))
        })
        .await
    }
}

impl State {
    fn at(&mut self, id: &str, expected: Option<i64>) -> Result<&mut Product, Status> {
        let product = self
            .products
            .get_mut(id)
            .ok_or_else(|| Status::not_found("no such product"))?;
        match expected {
            Some(version) if version != product.version => Err(Status::aborted("version")),
            _ => Ok(product),
        }
    }
}

/// Makes minor units of a decimal text, as the write service does.
fn minor_units(price: &str, currency: &str) -> Result<i64, Status> {
    let money = currency
        .parse()
        .and_then(|currency| Money::parse(price, currency));
    money.map(|money| money.minor()).map_err(|err| {
        let violation = ("price".to_owned(), err.to_string());
        let code = tonic::Code::InvalidArgument;
        service_kit::status(code, "INVALID_REQUEST", "not valid", [violation])
    })
}

fn stored(input: ProductInput) -> Product {
    Product {
        title: input.title,
        description: input.description,
        price: input.price_minor as f64 / 100.0,
        price_minor: input.price_minor,
        currency: input.currency,
        image_url: input.image_url,
        brand: input.brand,
        sku: input.sku,
        gtins: input.gtins,
        categories: input.categories,
        attributes: input.attributes,
        status: input.status,
        ..product(&input.id)
    }
}
