//! The units whose spellings count as one.

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
    ("ft", "ft"),
    ("feet", "ft"),
    ("foot", "ft"),
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
    ("kw", "kw"),
    ("v", "v"),
    ("volt", "v"),
    ("volts", "v"),
    ("ah", "ah"),
    ("mah", "mah"),
    ("wh", "wh"),
    ("kg", "kg"),
    ("g", "g"),
    ("ml", "ml"),
    ("l", "l"),
    ("mp", "mp"),
    ("megapixel", "mp"),
    ("megapixels", "mp"),
    ("dpi", "dpi"),
    ("rpm", "rpm"),
    ("mbps", "mbps"),
    ("gbps", "gbps"),
];
/// Units that must follow a number without a gap. Elsewhere they are too ambiguous, as in "10 in
/// 1".
const GLUED_UNITS: &[(&str, &str)] = &[("in", "inch"), ("gig", "gb")];
/// Units that may be followed by a 2 or 3, as in "mm2".
const LENGTHS: &[&str] = &["mm", "cm", "m", "ft", "inch"];

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
