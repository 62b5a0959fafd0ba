//! The forms that feeds come in, and the options that name one.

pub(super) mod encoding;
mod preset;

pub use crate::feed::form::encoding::Encoding;
pub use crate::feed::form::preset::Preset;
pub(super) use crate::feed::form::preset::{Shopify, has_google_id, map_google_table};

/// The form that the rows of a feed are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// One JSON object a line
    Jsonl,
    /// JSON: an array, an object with an array of products in it or with products by their ids, or objects one
    /// after the other
    Json,
    /// Comma, semicolon or tab separated, with a header row
    Csv,
    /// XML: RSS and Atom (Google), BMEcat, or any element that repeats
    Xml,
    /// A spreadsheet: xlsx, xlsb, xls or ods
    Sheet,
}

/// The options of the form of a feed.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Form")]
pub struct FormArgs {
    /// Default: as the content or the file name says
    #[arg(long, value_enum)]
    pub format: Option<Format>,
    /// Encoding of a text, such as windows-1252 or UTF-16LE [default: as its byte order mark or XML
    /// declaration says, else UTF-8]
    #[arg(long, value_name = "LABEL")]
    pub encoding: Option<Encoding>,
    /// What the transport says of the encoding, where it does: a byte order mark goes before.
    #[arg(skip)]
    pub charset: Option<Encoding>,
    /// The file to read of a zip archive with several
    #[arg(long, value_name = "NAME")]
    pub entry: Option<String>,
    /// The element of a product in XML, such as item or rss/channel/item, or the array of products in
    /// JSON, such as data/items, or the object of products by their ids, / for the whole [default: found]
    #[arg(long, value_name = "PATH")]
    pub item: Option<String>,
    /// The sheet to read of a spreadsheet [default: the first with content]
    #[arg(long, value_name = "NAME|NUMBER")]
    pub sheet: Option<String>,
    /// Fills the fields from the columns of a known kind of feed; --map goes before [feeds of Google,
    /// BMEcat in XML and exports of Shopify are found]
    #[arg(long, value_enum)]
    pub preset: Option<Preset>,
}

/// The reader that a feed needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Json,
    Csv,
    Xml,
    Sheet,
}

/// Chooses the reader: as the user says, else by what cannot be anything else, by the file names, and
/// by the first character.
pub(super) fn kind(
    format: Option<Format>,
    is_workbook: bool,
    file_names: &[String],
    peeked: &[u8],
) -> Kind {
    let by_content = if is_workbook {
        Some(Kind::Sheet)
    } else {
        is_markup(peeked).then_some(Kind::Xml)
    };
    let chosen = format.map(|format| match format {
        Format::Jsonl | Format::Json => Kind::Json,
        Format::Csv => Kind::Csv,
        Format::Xml => Kind::Xml,
        Format::Sheet => Kind::Sheet,
    });
    chosen
        .or(by_content)
        .or_else(|| file_names.iter().find_map(|name| by_name(name)))
        .unwrap_or_else(|| match peeked.trim_ascii_start().first() {
            Some(b'[' | b'{') | None => Kind::Json,
            Some(_) => Kind::Csv,
        })
}

/// True for the beginning of an XML or HTML document: no other form begins so.
fn is_markup(peeked: &[u8]) -> bool {
    match peeked.trim_ascii_start() {
        [b'<', b'?' | b'!', ..] => true,
        [b'<', first, ..] => first.is_ascii_alphabetic() || *first == b'_',
        _ => false,
    }
}

fn by_name(name: &str) -> Option<Kind> {
    let lower = name.to_ascii_lowercase();
    let packed = [".gz", ".zst", ".zip"]
        .iter()
        .find_map(|end| lower.strip_suffix(end));
    let name = packed.unwrap_or(&lower);
    let (_, extension) = name.rsplit_once('.')?;
    match extension {
        "csv" | "tsv" => Some(Kind::Csv),
        "jsonl" | "ndjson" | "json" => Some(Kind::Json),
        "xml" | "rss" | "atom" => Some(Kind::Xml),
        _ => None,
    }
}
