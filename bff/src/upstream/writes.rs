//! Calls that write products.

use catalog_proto::v1;
use tonic::Status;

use crate::upstream::call::call;
use crate::upstream::caller::Caller;
use crate::upstream::clients::Upstream;

/// How many times the time of one write many of them may take.
const WRITES_PATIENCE: u32 = 5;

/// A product as a write left it.
pub(crate) struct Written {
    pub(crate) product: v1::Product,
    /// The consistency token of the write.
    pub(crate) token: String,
}

impl Written {
    fn of(product: Option<v1::Product>, token: String) -> Result<Self, Status> {
        let product = product.ok_or_else(|| Status::internal("the answer holds no product"))?;
        Ok(Self { product, token })
    }
}

impl Upstream {
    pub(crate) async fn create_product(
        &self,
        caller: &Caller,
        message: v1::CreateProductRequest,
    ) -> Result<Written, Status> {
        let mut client = self.command.clone();
        let answer = call(caller, self.write_deadline, message, |request| {
            client.create_product(request)
        })
        .await?;
        Written::of(answer.product, answer.consistency_token)
    }

    pub(crate) async fn update_product(
        &self,
        caller: &Caller,
        message: v1::UpdateProductRequest,
    ) -> Result<Written, Status> {
        let mut client = self.command.clone();
        let answer = call(caller, self.write_deadline, message, |request| {
            client.update_product(request)
        })
        .await?;
        Written::of(answer.product, answer.consistency_token)
    }

    pub(crate) async fn change_price(
        &self,
        caller: &Caller,
        message: v1::ChangePriceRequest,
    ) -> Result<Written, Status> {
        let mut client = self.command.clone();
        let answer = call(caller, self.write_deadline, message, |request| {
            client.change_price(request)
        })
        .await?;
        Written::of(answer.product, answer.consistency_token)
    }

    /// Returns the product, and whether there was none before.
    pub(crate) async fn put_product(
        &self,
        caller: &Caller,
        message: v1::PutProductRequest,
    ) -> Result<(Written, bool), Status> {
        let mut client = self.command.clone();
        let answer = call(caller, self.write_deadline, message, |request| {
            client.put_product(request)
        })
        .await?;
        let written = Written::of(answer.product, answer.consistency_token)?;
        Ok((written, answer.created))
    }

    pub(crate) async fn write_products(
        &self,
        caller: &Caller,
        message: v1::WriteProductsRequest,
    ) -> Result<v1::WriteProductsResponse, Status> {
        let deadline = self.write_deadline * WRITES_PATIENCE;
        let mut client = self.command.clone();
        call(caller, deadline, message, |request| {
            client.write_products(request)
        })
        .await
    }

    /// Returns the consistency token of the deletion.
    pub(crate) async fn delete_product(
        &self,
        caller: &Caller,
        message: v1::DeleteProductRequest,
    ) -> Result<String, Status> {
        let mut client = self.command.clone();
        let answer = call(caller, self.write_deadline, message, |request| {
            client.delete_product(request)
        })
        .await?;
        Ok(answer.consistency_token)
    }
}
