//! Changes the price of one product.

use catalog_events::{Currency, Money, ProductId};

use crate::commands::{Before, Call, CommandError, Commands, Written};
use crate::domain::{self, Amount};

impl Commands {
    /// `currency` none keeps the one that the product has: a try that lost a race holds the amount
    /// against the currency that the other writer left.
    pub(crate) async fn change_price(
        &self,
        id: &ProductId,
        amount: Amount,
        currency: Option<Currency>,
        expected: Option<i64>,
        call: &Call,
    ) -> Result<Written, CommandError> {
        let to = move |was: Money| amount.in_currency(currency.unwrap_or(was.currency()));
        self.write_one(id, call, Before::Present, move |current, now| {
            domain::change_price(current, &to, expected, now)
        })
        .await
    }
}
