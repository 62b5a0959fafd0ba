//! Products by their ids, page by page, and written one by one.

use reqwest::Method;
use reqwest::header::IF_MATCH;

use crate::client::Client;
use crate::error::Error;
use crate::product::{Batch, NewProduct, Page, Price, Product, ProductChanges};
use crate::request::{json, send};

const PRODUCTS: &str = "products";

impl Client {
    /// Reads a product; None where there is none of this id.
    pub async fn get(&self, id: &str) -> Result<Option<Product>, Error> {
        match send(self.read(Method::GET, &[PRODUCTS, id])).await {
            Ok(response) => json(response).await.map(Some),
            Err(err) if err.is_not_found() => Ok(None),
            Err(err) => Err(err),
        }
    }

    /// Reads up to 100 products by their ids.
    pub async fn get_all(&self, ids: &[&str]) -> Result<Batch, Error> {
        let ids: Vec<(&str, &str)> = ids.iter().map(|id| ("ids", *id)).collect();
        json(send(self.read(Method::GET, &[PRODUCTS]).query(&ids)).await?).await
    }

    /// Reads a page of all products: the first, or that of a `next_page_token`.
    pub async fn list(&self, page_token: Option<&str>) -> Result<Page, Error> {
        let token = page_token.map(|token| ("page_token", token));
        let request = self.read(Method::GET, &[PRODUCTS]);
        json(send(request.query(token.as_slice())).await?).await
    }

    /// Creates a product.
    pub async fn create(&self, product: &NewProduct) -> Result<Product, Error> {
        let request = self.request(Method::POST, &[PRODUCTS]);
        json(self.write(request.json(product)).await?).await
    }

    /// Creates the product of an id, or replaces it as a whole.
    pub async fn put(&self, id: &str, product: &NewProduct) -> Result<Product, Error> {
        let request = self.request(Method::PUT, &[PRODUCTS, id]);
        json(self.write(request.json(product)).await?).await
    }

    /// Changes some members of a product; with a version, only if it still has that one.
    pub async fn update(
        &self,
        id: &str,
        changes: &ProductChanges,
        version: Option<i64>,
    ) -> Result<Product, Error> {
        let mut request = self.request(Method::PATCH, &[PRODUCTS, id]);
        if let Some(version) = version {
            request = request.header(IF_MATCH, format!("\"{version}\""));
        }
        json(self.write(request.json(changes)).await?).await
    }

    /// Changes the price of a product.
    pub async fn change_price(&self, id: &str, price: &Price) -> Result<Product, Error> {
        let request = self.request(Method::PUT, &[PRODUCTS, id, "price"]);
        json(self.write(request.json(price)).await?).await
    }

    /// Deletes a product; false where there is none of this id.
    pub async fn delete(&self, id: &str) -> Result<bool, Error> {
        let request = self.request(Method::DELETE, &[PRODUCTS, id]);
        match self.write(request).await {
            Ok(_) => Ok(true),
            Err(err) if err.is_not_found() => Ok(false),
            Err(err) => Err(err),
        }
    }
}
