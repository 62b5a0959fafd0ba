//! A made-up electronics shop: any number of believable products, each a pure function of its
//! number and the seed, so that millions of them need no memory and nothing is downloaded.

mod kinds;

use catalog_proto::v1::attribute_value::Kind as ValueKind;
use catalog_proto::v1::{AttributeValue, ProductInput, ProductStatus};
use fastrand::Rng;

use crate::gtin::check_digit;
use crate::sample::kinds::{KINDS, Kind, Values};

/// The seed that `catalogctl up` and `catalogctl sample` use unless told otherwise.
pub const SEED_DEFAULT: u64 = 1;

const BRANDS: [&str; 24] = [
    "Nordvik",
    "Akaru",
    "Velmont",
    "Ostara",
    "Brightwell",
    "Tarn & Co",
    "Kestrel",
    "Lumeno",
    "Pixonia",
    "Quandera",
    "Halden",
    "Mirovia",
    "Sundra",
    "Corvane",
    "Elmsworth",
    "Zephira",
    "Tovaro",
    "Graphene Nine",
    "Otsuno Works",
    "Fjelltek",
    "Arvedis One",
    "Bellweather",
    "Ironbark",
    "Solenne",
];
const SERIES: [&str; 20] = [
    "Vanta", "Aero", "Pulse", "Strata", "Orbit", "Nimbus", "Forge", "Drift", "Lyra", "Atlas",
    "Ember", "Quill", "Rift", "Sable", "Terra", "Vector", "Willow", "Xeno", "Zenith", "Core",
];
const COLOURS: [&str; 12] = [
    "Black",
    "White",
    "Grey",
    "Silver",
    "Navy Blue",
    "Red",
    "Forest Green",
    "Sand",
    "Rose",
    "Anthracite",
    "Turquoise",
    "Orange",
];
const CLOSINGS: [&str; 6] = [
    "Comes with a two-year warranty.",
    "Ships in packaging without plastic.",
    "Set up in a minute, without drivers.",
    "Spare parts are kept for five years.",
    "Designed to be repaired: four screws and it is open.",
    "Tested for years of daily use.",
];
const COUNTRIES: [&str; 5] = ["Vietnam", "Taiwan", "Germany", "Poland", "Mexico"];
/// How many model codes of five base-36 characters there are; numbers above repeat them.
const MODELS: u64 = 36_u64.pow(5);
const DISCONTINUED_PERCENT: u8 = 3;

/// Makes the first `count` products that belong to a seed.
pub fn products(count: u64, seed: u64) -> impl Iterator<Item = ProductInput> + Send {
    (1..=count).map(move |number| product(number, seed))
}

/// Makes product `number`, counted from 1. Ids, SKUs, GTINs and titles of different numbers differ.
pub fn product(number: u64, seed: u64) -> ProductInput {
    let mut rng =
        Rng::with_seed(scatter(number, u64::MAX) ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let kind = &KINDS[rng.usize(..KINDS.len())];
    let (brand, series) = (pick(&mut rng, &BRANDS), pick(&mut rng, &SERIES));
    let colour = pick(&mut rng, &COLOURS);
    let model = base36(scatter(number, MODELS));
    let details = Details::choose(kind, &mut rng);
    let shown = details.shown.join(", ");
    let mut attributes = details.attributes;
    attributes.push(("colour".to_owned(), ValueKind::Text(colour.to_owned())));
    let country = pick(&mut rng, &COUNTRIES).to_owned();
    attributes.push(("country_of_origin".to_owned(), ValueKind::Text(country)));
    let discontinued = rng.u8(..100) < DISCONTINUED_PERCENT;
    ProductInput {
        id: format!("sample-{number:06}"),
        title: format!("{brand} {series} {model} {}, {shown}, {colour}", kind.name),
        description: describe(kind, brand, series, &details.pitch, &mut rng),
        price_minor: price(kind, &mut rng),
        currency: "USD".to_owned(),
        image_url: format!("https://images.example.com/sample-{number:06}.jpg"),
        brand: brand.to_owned(),
        categories: kind.categories.split(" > ").map(str::to_owned).collect(),
        attributes: attributes
            .into_iter()
            .map(|(name, kind)| (name, AttributeValue { kind: Some(kind) }))
            .collect(),
        status: if discontinued {
            ProductStatus::Discontinued.into()
        } else {
            ProductStatus::Active.into()
        },
        sku: format!("{}-{model}", abbreviate(brand)),
        gtins: vec![gtin(number)],
        ..ProductInput::default()
    }
}

/// The attributes of one product, and the words for them in its title and its description.
struct Details {
    attributes: Vec<(String, ValueKind)>,
    shown: Vec<String>,
    pitch: String,
}

impl Details {
    fn choose(kind: &Kind, rng: &mut Rng) -> Self {
        let mut details = Self {
            attributes: Vec::with_capacity(kind.attributes.len() + 2),
            shown: Vec::new(),
            pitch: kind.pitch.to_owned(),
        };
        for attribute in kind.attributes {
            let (value, words) = match attribute.values {
                Values::Text(values) => {
                    let text = pick(rng, values);
                    (ValueKind::Text(text.to_owned()), text.to_owned())
                }
                Values::Number(values, unit) => {
                    let number = values[rng.usize(..values.len())];
                    (ValueKind::Number(number), count(number, unit))
                }
                Values::Flag => (ValueKind::Flag(rng.bool()), String::new()),
            };
            let placeholder = format!("{{{}}}", attribute.name);
            details.pitch = details.pitch.replace(&placeholder, &words);
            if attribute.in_title {
                details.shown.push(words);
            }
            details.attributes.push((attribute.name.to_owned(), value));
        }
        details
    }
}

/// A number with its unit: `1 port`, `2 ports`.
fn count(number: f64, unit: &str) -> String {
    match unit.strip_suffix('s') {
        Some(singular) if number == 1.0 && !singular.contains('/') => format!("1 {singular}"),
        _ => format!("{number} {unit}"),
    }
}

fn describe(kind: &Kind, brand: &str, series: &str, pitch: &str, rng: &mut Rng) -> String {
    let pitch = capitalise(pitch);
    let closing = pick(rng, &CLOSINGS);
    let name = kind.name.to_lowercase();
    match rng.u8(..3) {
        0 => format!("{pitch} {closing}"),
        1 => format!("The {name} of the {series} series by {brand}. {pitch}"),
        _ => format!("{pitch} Part of the {series} series by {brand}. {closing}"),
    }
}

/// Draws a price in cents: cheap ends of the range are more frequent, and prices end in 9, 5 or 0.
fn price(kind: &Kind, rng: &mut Rng) -> i64 {
    let (from, to) = kind.dollars;
    let share = rng.f64() * rng.f64();
    let dollars = i64::from(from) + (f64::from(to - from) * share) as i64;
    dollars * 100 + pick_number(rng, &[99, 99, 95, 90, 49, 0])
}

fn pick<'a>(rng: &mut Rng, values: &[&'a str]) -> &'a str {
    values[rng.usize(..values.len())]
}

fn pick_number(rng: &mut Rng, values: &[i64]) -> i64 {
    values[rng.usize(..values.len())]
}

/// Maps different numbers below `range` to different numbers below `range`: the factor is a prime
/// that divides none of the ranges.
fn scatter(number: u64, range: u64) -> u64 {
    const PRIME: u128 = 2_654_435_761;
    (u128::from(number) * PRIME % u128::from(range)) as u64
}

fn base36(mut number: u64) -> String {
    const DIGITS: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let mut digits = [b'0'; 5];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[(number % 36) as usize];
        number /= 36;
    }
    digits.iter().map(|digit| char::from(*digit)).collect()
}

fn abbreviate(brand: &str) -> String {
    let letters = brand.chars().filter(char::is_ascii_alphabetic);
    letters.take(3).collect::<String>().to_ascii_uppercase()
}

fn capitalise(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

/// Makes a GTIN-13 in the range that GS1 leaves to shops for themselves (prefix 20 to 29).
fn gtin(number: u64) -> String {
    let digits = format!("20{:010}", scatter(number, 10_000_000_000));
    let check = check_digit(&digits);
    format!("{digits}{check}")
}

#[cfg(test)]
mod tests;
