//! Changes the price of one product.

use catalog_events::{Currency, Money, ProductId};

use crate::commands::{Before, Call, CommandError, Commands, Written};
use crate::domain::{self, Violation};

impl Commands {
    /// `currency` none keeps the one that the product has.
    pub(crate) async fn change_price(
        &self,
        id: &ProductId,
        minor: i64,
        currency: Option<Currency>,
        expected: Option<i64>,
        call: &Call,
    ) -> Result<Written, CommandError> {
        let to = move |was: Money| {
            Money::from_minor(minor, currency.unwrap_or(was.currency()))
                .map_err(|err| Violation::new("price_minor", err.to_string()))
        };
        self.write_one(id, call, Before::Present, move |current, now| {
            domain::change_price(current, to, expected, now)
        })
        .await
    }
}
