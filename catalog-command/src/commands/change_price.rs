//! Changes the price of one product.

use catalog_events::{Currency, Money, ProductId};

use crate::commands::{Before, Call, CommandError, Commands, Written};
use crate::domain::{self, Amount};

impl Commands {
    /// Without a `currency` the product keeps its own. The amount is converted anew in each try: another
    /// writer may have changed the currency since the last one.
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
