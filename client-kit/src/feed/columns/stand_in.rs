//! Columns that look like a field which new products need, where none fills it. That is a hint and no more: in a
//! feed of changes they may be attributes.

use crate::feed::mapping::Field;

/// The fields without which there is no new product.
pub(super) const NEEDED: [Field; 2] = [Field::Title, Field::Price];
/// Names of columns, folded.
const TITLES: &str = "name productname producttitle itemname articlename titel bezeichnung artikelbezeichnung \
    produktbezeichnung artikelname produktname titre nom nomproduit designation désignation nombre titulo título nome \
    titolo naam navn namn nazwa název 商品名";
const PRICES: &str = "preis verkaufspreis bruttopreis prix prixttc precio pvp prezzo preço preco prijs pris cena 価格 \
    unitprice sellingprice regularprice retailprice currentprice";

/// Whether a name is that of a field, or one of those that stand for a title or a price.
pub(super) fn is_well_known(name: &str) -> bool {
    let own = Field::MAPPED.into_iter().chain([Field::Price]);
    own.into_iter()
        .any(|field| name.to_lowercase() == field.as_str())
        || is_listed(TITLES, name)
        || is_listed(PRICES, name)
}

fn is_listed(known: &str, name: &str) -> bool {
    let signs = name.chars().filter(|sign| sign.is_alphanumeric());
    let folded = signs.flat_map(char::to_lowercase);
    let mut known = known.split_whitespace();
    known.any(|one| folded.clone().eq(one.chars()))
}

/// What to do where nothing fills a field, if one of these columns looks like it.
pub(super) fn hint<'n>(field: Field, mut names: impl Iterator<Item = &'n str>) -> Option<String> {
    let known = match field {
        Field::Price => PRICES,
        _ => TITLES,
    };
    let name = names.find(|name| is_listed(known, name))?;
    let (option, field) = match field {
        Field::Price => (format!("--price {name:?}"), "price"),
        field => (format!("--map {}={name:?}", field.as_str()), field.as_str()),
    };
    // A shell needs quotes around blanks alone.
    let option = if name.contains(' ') {
        option
    } else {
        option.replace('"', "")
    };
    Some(format!(
        "nothing fills the {field}, which new products need: {option} takes it from the column {name:?}"
    ))
}
