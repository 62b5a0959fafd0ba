//! Attributes that describe every product and tell none apart.

/// Attributes that describe every product and tell none apart: their values ("black", "China",
/// "120 x 80 mm") match queries that ask for something else. An attribute is left out when one of
/// the words of its name is listed.
pub(crate) const NOISE: &[&str] = &[
    "color",
    "colors",
    "colour",
    "colours",
    "country",
    "dimensions",
    "humidity",
    "package",
    "packaging",
    "pallet",
    "temperature",
    "weight",
];

pub(crate) fn is_noise(name: &str) -> bool {
    name.split(|c: char| !c.is_alphanumeric())
        .any(|word| NOISE.contains(&word.to_lowercase().as_str()))
}
