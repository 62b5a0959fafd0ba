//! The units whose spellings count as one.

use crate::index::text::signs::folded;

/// Spellings of units that may follow a number, and the name of each unit in the index. A number
/// before other letters needs no list: its parts are found one behind the other.
const UNITS: &[(&str, &str)] = &[
    ("inch", "inch"),
    ("inches", "inch"),
    ("zoll", "inch"),
    ("mm", "mm"),
    ("millimeter", "mm"),
    ("millimeters", "mm"),
    ("cm", "cm"),
    ("centimeter", "cm"),
    ("centimeters", "cm"),
    ("m", "m"),
    ("meter", "m"),
    ("meters", "m"),
    ("metre", "m"),
    ("metres", "m"),
    ("metro", "m"),
    ("metros", "m"),
    ("metri", "m"),
    ("ft", "ft"),
    ("feet", "ft"),
    ("foot", "ft"),
    ("yd", "yd"),
    ("yard", "yd"),
    ("yards", "yd"),
    ("kb", "kb"),
    ("mb", "mb"),
    ("gb", "gb"),
    ("gigabyte", "gb"),
    ("gigabytes", "gb"),
    ("tb", "tb"),
    ("terabyte", "tb"),
    ("terabytes", "tb"),
    ("mhz", "mhz"),
    ("ghz", "ghz"),
    ("hz", "hz"),
    ("w", "w"),
    ("watt", "w"),
    ("watts", "w"),
    ("wattage", "w"),
    ("kw", "kw"),
    ("kilowatt", "kw"),
    ("kilowatts", "kw"),
    ("v", "v"),
    ("volt", "v"),
    ("volts", "v"),
    ("ah", "ah"),
    ("mah", "mah"),
    ("wh", "wh"),
    ("kg", "kg"),
    ("kgs", "kg"),
    ("kilo", "kg"),
    ("kilos", "kg"),
    ("kilogram", "kg"),
    ("kilograms", "kg"),
    ("kilogramm", "kg"),
    ("g", "g"),
    ("gr", "g"),
    ("gram", "g"),
    ("grams", "g"),
    ("gramm", "g"),
    ("gramme", "g"),
    ("grammes", "g"),
    ("gramo", "g"),
    ("gramos", "g"),
    ("mg", "mg"),
    ("milligram", "mg"),
    ("milligrams", "mg"),
    ("oz", "oz"),
    ("ounce", "oz"),
    ("ounces", "oz"),
    ("lb", "lb"),
    ("lbs", "lb"),
    ("pound", "lb"),
    ("pounds", "lb"),
    ("ml", "ml"),
    ("milliliter", "ml"),
    ("milliliters", "ml"),
    ("millilitre", "ml"),
    ("millilitres", "ml"),
    ("cl", "cl"),
    ("dl", "dl"),
    ("l", "l"),
    ("lt", "l"),
    ("ltr", "l"),
    ("liter", "l"),
    ("liters", "l"),
    ("litre", "l"),
    ("litres", "l"),
    ("litro", "l"),
    ("litros", "l"),
    ("litri", "l"),
    ("gal", "gal"),
    ("gallon", "gal"),
    ("gallons", "gal"),
    ("mp", "mp"),
    ("megapixel", "mp"),
    ("megapixels", "mp"),
    ("dpi", "dpi"),
    ("rpm", "rpm"),
    ("mbps", "mbps"),
    ("gbps", "gbps"),
    ("lm", "lm"),
    ("lumen", "lm"),
    ("lumens", "lm"),
    ("min", "min"),
    ("mins", "min"),
    ("minute", "min"),
    ("minutes", "min"),
    ("pack", "pack"),
    ("packs", "pack"),
    ("pk", "pack"),
    ("pks", "pack"),
    ("pc", "pack"),
    ("pcs", "pack"),
    ("piece", "pack"),
    ("pieces", "pack"),
    ("count", "pack"),
    ("ct", "pack"),
    ("stk", "pack"),
    ("stuck", "pack"),
    ("stück", "pack"),
    ("pezzi", "pack"),
    ("piezas", "pack"),
    ("pièces", "pack"),
    ("stuks", "pack"),
    ("adet", "pack"),
    ("uds", "pack"),
    ("unidades", "pack"),
    ("pz", "pack"),
    ("шт", "pack"),
    ("штук", "pack"),
    ("штука", "pack"),
    ("штуки", "pack"),
];
/// Units that must follow a number without a gap. Elsewhere they are too ambiguous, as in "10 in
/// 1".
const GLUED_UNITS: &[(&str, &str)] = &[("in", "inch"), ("gig", "gb")];
/// Units that may be followed by a 2 or 3, as in "mm2".
const LENGTHS: &[&str] = &["mm", "cm", "m", "ft", "inch"];

/// Words that say what a number counts or measures, in several languages: "size 42", "6 Stück".
const COUNTERS: &[&str] = &[
    "gr", "grosse", "größe", "no", "nr", "numero", "number", "numéro", "número", "pack", "pair",
    "pairs", "pc", "pcs", "piece", "pieces", "pk", "set", "size", "stk", "stuck", "stück",
    "taille", "talla",
];

/// Whether a word says what a number counts or measures, and is no thing by itself.
pub(crate) fn is_counter(word: &str) -> bool {
    COUNTERS.contains(&word)
}

/// Things that hold so many of something: "pack of 6", "Set mit 4".
const HOLDERS: &[&str] = &["box", "lot", "pack", "package", "pk", "set"];
/// The words between such a thing and the number.
const OF: &[&str] = &["of", "mit", "de", "di", "van", "von"];
/// The unit that counts things.
pub(crate) const PACK: &str = "pack";

/// Whether a word is a thing that holds so many of something.
pub(super) fn is_holder(word: &str) -> bool {
    HOLDERS.contains(&word)
}

/// Whether two words before a number say that it counts what a pack holds.
pub(crate) fn holds(holder: &str, of: &str) -> bool {
    HOLDERS.contains(&holder) && OF.contains(&of)
}

/// The fewest letters of an attribute's name that is a unit by itself, and of a word in it that says what is counted.
const NAMING_CHARS_MIN: usize = 3;

/// The unit that the name of an attribute ends with: `weight_kg`, `Capacity (ml)`, `watt`.
pub(crate) fn unit_of_name(name: &str) -> Option<&'static str> {
    let mut words = name.split(|c: char| !c.is_alphanumeric());
    let last = words.rfind(|word| !word.is_empty())?;
    let is_alone = last.len() == name.len() && last.chars().count() < NAMING_CHARS_MIN;
    unit(&last.to_lowercase(), false).filter(|_| !is_alone)
}

/// The word in the name of an attribute that says what its number counts: the ports of `number_of_ports`.
pub(crate) fn naming_word(name: &str) -> Option<String> {
    let mut words = name.split(|c: char| !c.is_alphabetic());
    let last = words.rfind(|word| word.chars().count() >= NAMING_CHARS_MIN)?;
    Some(folded(&last.to_lowercase()))
}

/// Whether letters are the name of a unit in the index.
pub(super) fn is_name(letters: &str) -> bool {
    UNITS.iter().any(|(_, name)| *name == letters)
}

/// Units of one quantity, each with how many of the smallest it is. Products and shoppers choose among them as they
/// like: 0.75 l is 75 cl and 750 ml.
const QUANTITIES: &[&[(&str, u64)]] = &[
    &[("ml", 1), ("cl", 10), ("dl", 100), ("l", 1_000)],
    &[("mg", 1), ("g", 1_000), ("kg", 1_000_000)],
    &[("mm", 1), ("cm", 10), ("m", 1_000)],
    &[("w", 1), ("kw", 1_000)],
    &[("mah", 1), ("ah", 1_000)],
    &[("mhz", 1), ("ghz", 1_000)],
];
/// The most digits of a quantity in another unit: nobody writes 0.00025 kg.
const CONVERTED_DIGITS_MAX: usize = 5;

/// Returns the same measure in the other units of its quantity: "0.75l" is "75cl" and "750ml".
pub(super) fn in_other_units(measure: &str) -> Vec<String> {
    let unit_at = measure.find(|c: char| c.is_ascii_alphabetic());
    let Some((number, unit)) = unit_at.map(|at| measure.split_at(at)) else {
        return Vec::new();
    };
    let of_unit = |units: &&&[(&str, u64)]| units.iter().any(|(name, _)| *name == unit);
    let Some((units, thousandths)) = QUANTITIES.iter().find(of_unit).zip(thousandths(number))
    else {
        return Vec::new();
    };
    let size = units
        .iter()
        .find(|(name, _)| *name == unit)
        .map_or(1, |(_, size)| *size);
    let others = units.iter().filter(|(name, _)| *name != unit);
    let converted = others.filter_map(|(name, other)| {
        let all = thousandths.checked_mul(size)?;
        (all % other == 0)
            .then(|| written(all / other))
            .flatten()
            .map(|text| text + name)
    });
    converted.collect()
}

/// A decimal number in thousandths; None where it has more decimals, or is none.
fn thousandths(number: &str) -> Option<u64> {
    let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || decimals.len() > 3 || !is_number(whole) || !is_number(decimals) {
        return None;
    }
    format!("{whole}{decimals:0<3}").parse().ok()
}

fn written(thousandths: u64) -> Option<String> {
    let (whole, rest) = (thousandths / 1_000, thousandths % 1_000);
    let text = if rest == 0 {
        whole.to_string()
    } else {
        format!("{whole}.{rest:03}")
            .trim_end_matches('0')
            .to_owned()
    };
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    (thousandths > 0 && digits <= CONVERTED_DIGITS_MAX).then_some(text)
}

/// Returns the name of a unit that follows a number, `glued` or behind a gap.
pub(super) fn unit(letters: &str, glued: bool) -> Option<&'static str> {
    let known = UNITS.iter();
    let found = known
        .chain(GLUED_UNITS.iter().filter(|_| glued))
        .find(|(spelling, _)| *spelling == letters);
    found.map(|(_, unit)| *unit)
}

pub(super) fn is_length(unit: &str) -> bool {
    LENGTHS.contains(&unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_attributes_say_what_is_counted() {
        for (name, word) in [
            ("size", Some("size")),
            ("shoe_size_eu", Some("size")),
            ("number_of_ports", Some("ports")),
            ("Größe", Some("grosse")),
            ("x", None),
        ] {
            assert_eq!(naming_word(name).as_deref(), word, "{name}");
        }
    }

    #[test]
    fn names_of_attributes_end_with_their_unit() {
        for (name, unit) in [
            ("weight_kg", Some("kg")),
            ("Capacity (ml)", Some("ml")),
            ("display-diagonal-inches", Some("inch")),
            ("m", None),
            ("size", None),
            ("inch_display", None),
            ("watt", Some("w")),
            ("", None),
        ] {
            assert_eq!(unit_of_name(name), unit, "{name}");
        }
    }

    #[test]
    fn a_measure_is_the_same_in_other_units() {
        for (measure, expected) in [
            ("0.75l", &["750ml", "75cl", "7.5dl"][..]),
            ("33cl", &["330ml", "3.3dl", "0.33l"]),
            ("1000g", &["1kg"]),
            ("1kg", &["1000g"]),
            ("2kw", &["2000w"]),
            ("2.5m", &["2500mm", "250cm"]),
            ("1500w", &["1.5kw"]),
            ("7inch", &[]),
            ("1/2l", &[]),
            ("0.0001kg", &[]),
            ("", &[]),
        ] {
            assert_eq!(in_other_units(measure), expected, "{measure}");
        }
    }
}
