//! Attributes that describe every product and tell none apart.

/// Words that mark an attribute as noise. Values such as "black", "China" or "120 x 80 mm" match
/// queries that ask for something else, so an attribute is left out when its name contains one of
/// these words.
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
