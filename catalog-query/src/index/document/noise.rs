//! Attributes whose values stand before any kind of thing in a title: "black mouse", "black toner".

/// Words that mark such an attribute: its name contains one of them. The words of its value are no
/// heads of titles.
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
