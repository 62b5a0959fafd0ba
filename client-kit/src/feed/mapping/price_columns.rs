//! The columns about the price by their names: those that name its currency, and those inside of it that have
//! its amount.

use serde_json::{Map, Value};

use crate::feed::mapping::{Field, Mapping};

/// Names of a currency in a price or behind its name, folded.
const CURRENCIES: &str = "currency currencycode currencyid currencyiso currencyisocode isocurrency iso4217 ccy curr \
    cur devise waehrung währung valuta moneda divisa moeda waluta валюта 通貨";
/// Names that mean the currency of the price wherever they stand beside it.
const BESIDE: &str = "currency currencycode currencyid currencyiso currencyisocode isocurrency ccy";
/// Members of a currency that is a group of its own.
const CODES: &str = "code id iso isocode symbol sign value text";
/// Members of a price that have its amount; the last ones are those of XML that was made JSON.
const AMOUNTS: &str = "amount value price text t";

impl Mapping {
    /// Whether a column names the currency of the price: `price_currency`, `currencyId`, and what XML has as
    /// `<price currency="EUR">`. None does where an option says which one it is.
    pub(in crate::feed) fn names_currency(&self, column: &str) -> bool {
        if self.is_told(Field::Currency) {
            return false;
        }
        let price = self.source(Field::Price);
        if let Some(member) = member_of(price, column) {
            return is_currency_inside(member);
        }
        let (group, price) = price.rsplit_once('.').unwrap_or(("", price));
        let beside = match group {
            "" => Some(column),
            group => member_of(group, column),
        };
        let beside = beside.filter(|name| !name.contains('.'));
        beside.is_some_and(|name| has(BESIDE, name) || is_currency_behind(price, name))
    }
}

/// Takes the amount out of the members of a price. None where it has none, or more than one.
pub(in crate::feed) fn take_amount(members: &mut Map<String, Value>) -> Option<Value> {
    let is_single = |value: &Value| !value.is_object() && !value.is_array();
    let mut amounts = members
        .iter()
        .filter(|(name, value)| has(AMOUNTS, name) && is_single(value));
    let (name, _) = amounts.next()?;
    if amounts.next().is_some() {
        return None;
    }
    let name = name.clone();
    members.remove(&name)
}

fn member_of<'c>(group: &str, column: &'c str) -> Option<&'c str> {
    column.strip_prefix(group)?.strip_prefix('.')
}

/// `@currency`, `amount.@currency` or `currency.code` of a price.
fn is_currency_inside(member: &str) -> bool {
    match member.split_once('.') {
        None => has(CURRENCIES, member),
        Some((outer, inner)) => {
            (has(AMOUNTS, outer) && has(CURRENCIES, inner))
                || (has(CURRENCIES, outer) && has(CODES, inner))
        }
    }
}

/// `price_currency` and `priceCurrency` for the column `price`.
fn is_currency_behind(price: &str, name: &str) -> bool {
    let mut name = folded(name);
    let is_before = folded(price).all(|sign| name.next() == Some(sign));
    is_before && has(CURRENCIES, &name.collect::<String>())
}

fn has(names: &str, name: &str) -> bool {
    names
        .split_whitespace()
        .any(|one| folded(name).eq(one.chars()))
}

/// A name in lower case without what is neither letter nor digit.
fn folded(name: &str) -> impl Iterator<Item = char> + '_ {
    let signs = name.chars().filter(|sign| sign.is_alphanumeric());
    signs.flat_map(char::to_lowercase)
}
