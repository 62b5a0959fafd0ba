//! The units whose spellings count as one.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::index::text::signs::folded;

/// The name of each unit in the index, and its spellings behind a number. A number before other letters needs no
/// list: its parts are found one behind the other.
const UNITS: &[(&str, &str)] = &[
    (
        "inch",
        "inch inches zoll pouce pouces pollice pollici pulgada pulgadas polegada polegadas tum \
         tommer tuumaa inç дюйм дюйма дюймов ίντσες بوصة",
    ),
    (
        "mm",
        "mm millimeter millimeters millimetre millimetres millimètre millimètres milímetro \
         milímetros millimetri мм миллиметр миллиметра миллиметров مم",
    ),
    (
        "cm",
        "cm centimeter centimeters centimetre centimetres centimètre centimètres centímetro \
         centímetros centimetri zentimeter см сантиметр сантиметра сантиметров سم",
    ),
    (
        "m",
        "m meter meters metre metres mètre mètres metro metros metri м метр метра метров متر",
    ),
    ("ft", "ft feet foot"),
    ("yd", "yd yard yards"),
    ("kb", "kb kilobyte kilobytes кб"),
    ("mb", "mb megabyte megabytes mégaoctets мб мегабайт"),
    (
        "gb",
        "gb gigabyte gigabytes gigaoctet gigaoctets гб гигабайт гигабайта",
    ),
    (
        "tb",
        "tb terabyte terabytes téraoctet téraoctets тб терабайт терабайта",
    ),
    ("hz", "hz hertz гц герц"),
    ("khz", "khz kilohertz кгц"),
    ("mhz", "mhz megahertz мгц"),
    ("ghz", "ghz gigahertz ггц"),
    ("w", "w watt watts wattage vatio vatios вт ватт واط"),
    ("kw", "kw kilowatt kilowatts квт киловатт"),
    ("v", "v volt volts voltio voltios вольт فولت"),
    ("ah", "ah ач"),
    ("mah", "mah мач"),
    ("wh", "wh"),
    ("kwh", "kwh"),
    (
        "kg",
        "kg kgs kilo kilos kilogram kilograms kilogramm kilogramme kilogrammes kilogramo \
         kilogramos chilo chili chilogrammi quilo quilos кг кило килограмм килограмма \
         килограммов κιλά كجم كغ كيلو",
    ),
    (
        "g",
        "g gr gram grams gramm gramme grammes gramo gramos grammi gramas г гр грамм грамма \
         граммов γρ جرام غرام",
    ),
    (
        "mg",
        "mg milligram milligrams milligramm milligrammes miligramos мг миллиграмм",
    ),
    ("oz", "oz ounce ounces onces onza onzas unze unzen"),
    ("lb", "lb lbs pound pounds libra libras"),
    (
        "ml",
        "ml milliliter milliliters millilitre millilitres mililitro mililitros millilitri мл \
         миллилитр миллилитра миллилитров مل",
    ),
    (
        "cl",
        "cl centiliter centiliters centilitre centilitres zentiliter",
    ),
    ("dl", "dl deciliter deciliters decilitre decilitres"),
    (
        "l",
        "l lt ltr liter liters litre litres litro litros litri л литр литра литров λίτρα لتر",
    ),
    ("gal", "gal gallon gallons"),
    ("mp", "mp megapixel megapixels мп мегапикселей"),
    ("dpi", "dpi"),
    ("rpm", "rpm"),
    ("mbps", "mbps"),
    ("gbps", "gbps"),
    ("lm", "lm lumen lumens lúmenes лм люмен"),
    (
        "min",
        "min mins minute minutes minuten minutos minuti мин минут دقيقة",
    ),
    (
        "pack",
        "pack packs pk pks pc pcs piece pieces count ct stk stuck stück pezzi piezas pièces \
         stuks adet uds unidades pz шт штук штука штуки",
    ),
];
/// The name of a unit by its spelling.
static BY_SPELLING: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| {
    let units = UNITS.iter();
    let spelled = units.flat_map(|(name, spellings)| {
        let spellings = spellings.split_whitespace();
        spellings.map(move |spelling| (spelling, *name))
    });
    spelled.collect()
});
/// Units that must follow a number without a gap. Elsewhere they are too ambiguous, as in "10 in 1" and "1 to 8": the
/// French write "500 Go" and "1 To".
const GLUED_UNITS: &[(&str, &str)] = &[
    ("in", "inch"),
    ("gig", "gb"),
    ("mo", "mb"),
    ("go", "gb"),
    ("to", "tb"),
    ("в", "v"),
];
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
    UNITS.iter().any(|(name, _)| *name == letters)
}

/// Units of one quantity, each with how many of the smallest it is. Products and shoppers choose among them as they
/// like: 0.75 l is 75 cl and 750 ml, and 1 TB is 1000 GB to some and 1024 GB to others.
const QUANTITIES: &[&[(&str, u64)]] = &[
    &[
        ("kb", 1),
        ("mb", 1_000),
        ("gb", 1_000_000),
        ("tb", 1_000_000_000),
    ],
    &[("kb", 1), ("mb", 1 << 10), ("gb", 1 << 20), ("tb", 1 << 30)],
    &[("mbps", 1), ("gbps", 1_000)],
    &[("ml", 1), ("cl", 10), ("dl", 100), ("l", 1_000)],
    &[("mg", 1), ("g", 1_000), ("kg", 1_000_000)],
    &[("mm", 1), ("cm", 10), ("m", 1_000)],
    &[("w", 1), ("kw", 1_000)],
    &[("wh", 1), ("kwh", 1_000)],
    &[("mah", 1), ("ah", 1_000)],
    &[
        ("hz", 1),
        ("khz", 1_000),
        ("mhz", 1_000_000),
        ("ghz", 1_000_000_000),
    ],
];
/// The most digits of a quantity in another unit: nobody writes 0.00025 kg.
const CONVERTED_DIGITS_MAX: usize = 5;

/// Returns the same measure in the other units of its quantity: "0.75l" is "75cl" and "750ml".
pub(super) fn in_other_units(measure: &str) -> Vec<String> {
    let unit_at = measure.find(|c: char| c.is_ascii_alphabetic());
    let Some((number, unit)) = unit_at.map(|at| measure.split_at(at)) else {
        return Vec::new();
    };
    let Some(thousandths) = thousandths(number) else {
        return Vec::new();
    };
    let mut converted = Vec::new();
    for units in QUANTITIES {
        let own = units.iter().find(|(name, _)| *name == unit);
        let Some(all) = own.and_then(|(_, size)| thousandths.checked_mul(*size)) else {
            continue;
        };
        let others = units.iter().filter(|(name, _)| *name != unit);
        let whole = others.filter(|(_, size)| all % size == 0);
        converted.extend(whole.filter_map(|(name, size)| Some(written(all / size)? + name)));
    }
    converted
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
    let mut glued_units = GLUED_UNITS.iter().filter(|_| glued);
    let known = BY_SPELLING.get(letters).copied();
    known.or_else(|| {
        glued_units
            .find(|(spelling, _)| *spelling == letters)
            .map(|(_, unit)| *unit)
    })
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
            ("1tb", &["1000gb", "1024gb"]),
            ("500gb", &["0.5tb"]),
            ("2048mb", &["2.048gb", "2gb"]),
            ("2.4ghz", &["2400mhz"]),
            ("10gbps", &["10000mbps"]),
            ("7inch", &[]),
            ("1/2l", &[]),
            ("0.0001kg", &[]),
            ("", &[]),
        ] {
            assert_eq!(in_other_units(measure), expected, "{measure}");
        }
    }
}
