//! Tells of prices that name no currency: they are in the one that their product has, and a new product gets the
//! default one, which may not be what its shop means.

use crate::feed::row::{Row, Rows};
use crate::feed::source::Notes;

/// Hands rows on, and adds a note at the end if some of them have a price without a currency.
pub fn telling_of_currencies(rows: Rows, notes: Notes) -> Rows {
    let mut rows = rows.fuse();
    let mut first = None;
    Box::new(std::iter::from_fn(move || {
        let row = rows.next();
        match &row {
            Some(Ok(row)) if is_without(row) => {
                first.get_or_insert(row.line);
            }
            None => first.take().into_iter().for_each(|line| {
                notes.add(format!(
                    "prices that name no currency, as in line {line}, have that of their product, and the default one of \
                     the catalog in a new product: --currency CODE names it"
                ));
            }),
            _ => {}
        }
        row
    }))
}

fn is_without(row: &Row) -> bool {
    let Ok(Some(import)) = &row.parsed else {
        return false;
    };
    let product = import.product.as_ref();
    product.is_some_and(|product| {
        let has_price = !product.price.is_empty() || product.price_minor != 0;
        has_price && product.currency.is_empty()
    })
}
