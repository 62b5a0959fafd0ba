//! The form in which the catalog exports products, so that an import reads them back as what they were.
//! What is written here is read here.
//!
//! In JSON, the members of `attributes` have the names of the attributes as they are, and their
//! values. A text that begins or ends with blanks, or is empty, is the object `{"text": " …"}`: from other feeds,
//! texts are taken without such blanks. In a table, the header says what the cells of an attribute
//! hold: `attributes.NAME:text`, `:number`, `:flag`, or `:json` for a list and for an empty text. An
//! empty cell means that the product has no value of that kind.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use catalog_events::{AttributeScalar, AttributeValue as Attribute};
use catalog_proto::v1::attribute_scalar::Kind as ScalarKind;
use catalog_proto::v1::attribute_value::Kind;
use catalog_proto::v1::{AttributeList, AttributeScalar as ScalarMessage, AttributeValue, Product};
use serde::Serialize;
use serde_json::Value;

use crate::feed::values;

const PREFIX: &str = "attributes.";
const CATEGORIES: &str = "categories:json";
/// The one member of an object that holds a text with its blanks.
const TEXT: &str = "text";

/// A column of an exported table whose header says how its cells are read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum TypedColumn {
    /// The levels of a category path as a JSON array, where one of them holds a `>`.
    Categories,
    Attribute {
        name: String,
        kind: CellKind,
    },
}

/// What the cells of an attribute hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum CellKind {
    Text,
    Number,
    Flag,
    Json,
}

impl CellKind {
    const ALL: [Self; 4] = [Self::Text, Self::Number, Self::Flag, Self::Json];

    fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Flag => "flag",
            Self::Json => "json",
        }
    }

    /// The kind of cell that a value is written to.
    pub(crate) fn of(value: &Attribute) -> Self {
        match value {
            Attribute::One(AttributeScalar::Text(text)) if !text.is_empty() => Self::Text,
            Attribute::One(AttributeScalar::Number(_)) => Self::Number,
            Attribute::One(AttributeScalar::Flag(_)) => Self::Flag,
            Attribute::One(AttributeScalar::Text(_)) | Attribute::List(_) => Self::Json,
        }
    }

    /// The cell of a value that is of this kind.
    pub(crate) fn cell(self, value: &Attribute) -> String {
        let json = || serde_json::to_string(value).unwrap_or_default();
        match (self, value) {
            (Self::Text, Attribute::One(AttributeScalar::Text(text))) => text.clone(),
            // 40.0 is 40 to a spreadsheet.
            (Self::Number, _) => {
                let json = json();
                json.strip_suffix(".0").map_or(json.clone(), str::to_owned)
            }
            _ => json(),
        }
    }

    /// The value of a cell. The error continues a sentence that begins with the name of the column.
    pub(crate) fn read(self, text: &str) -> Result<AttributeValue, String> {
        let shown = || values::shorten(text);
        let value: Attribute = match self {
            Self::Text => text.into(),
            Self::Number => match text.trim().parse::<f64>() {
                Ok(number) if number.is_finite() => number.into(),
                _ => return Err(format!("holds {:?}, which is no number", shown())),
            },
            Self::Flag => match text.trim().to_ascii_lowercase().as_str() {
                "true" => true.into(),
                "false" => false.into(),
                _ => return Err(format!("holds {:?}, neither true nor false", shown())),
            },
            Self::Json => serde_json::from_str(text)
                .map_err(|_| format!("holds {:?}, which is no list as JSON", shown()))?,
        };
        Ok(value.to_message())
    }
}

impl TypedColumn {
    /// Reads a header; none for one of another feed.
    pub(crate) fn parse(header: &str) -> Option<Self> {
        if header == CATEGORIES {
            return Some(Self::Categories);
        }
        let (name, kind) = header.strip_prefix(PREFIX)?.rsplit_once(':')?;
        let kind = CellKind::ALL.into_iter().find(|it| it.as_str() == kind)?;
        let name = Some(name.trim()).filter(|name| !name.is_empty())?;
        Some(Self::Attribute {
            name: name.to_owned(),
            kind,
        })
    }
}

/// The header.
impl fmt::Display for TypedColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Categories => f.write_str(CATEGORIES),
            Self::Attribute { name, kind } => write!(f, "{PREFIX}{name}:{}", kind.as_str()),
        }
    }
}

/// A product whose names an import reads back as they are: it decodes the entities in names, so a name with
/// the text `&amp;` is written with `&amp;amp;`.
pub(crate) fn escaped(product: &Product) -> Cow<'_, Product> {
    let has_entity = |text: &String| text.contains('&') && values::plain(text.clone()) != *text;
    let names = || {
        [&product.title, &product.brand]
            .into_iter()
            .chain(&product.categories)
    };
    if !names().any(has_entity) {
        return Cow::Borrowed(product);
    }
    let mut escaped = product.clone();
    let names = [&mut escaped.title, &mut escaped.brand];
    for name in names.into_iter().chain(&mut escaped.categories) {
        *name = name.replace('&', "&amp;");
    }
    Cow::Owned(escaped)
}

/// Reads a JSON array of texts. The error continues a sentence that begins with the name of the column.
pub(super) fn texts(cell: &str) -> Result<Vec<String>, String> {
    let read: Result<Vec<String>, _> = serde_json::from_str(cell);
    let read = read.map(|texts| texts.into_iter().map(values::plain).collect());
    read.map_err(|_| {
        let shown = values::shorten(cell);
        format!("holds {shown:?}, which is no JSON array of texts")
    })
}

/// The name of an attribute without the first of the prefixes that it has.
pub(super) fn name(name: &str, strip: &[String]) -> String {
    let stripped = strip
        .iter()
        .find_map(|prefix| name.strip_prefix(prefix.as_str()));
    stripped.unwrap_or(name).to_owned()
}

/// Reads the value of a member of `attributes`; none when there is nothing. The error continues a
/// sentence that begins with the name of the attribute.
pub(super) fn json_value(value: Value) -> Result<Option<AttributeValue>, String> {
    let kind = match value {
        Value::Array(items) => {
            let items = items
                .into_iter()
                .filter_map(|item| scalar(item).transpose());
            let values = items
                .map(|kind| kind.map(|kind| ScalarMessage { kind: Some(kind) }))
                .collect::<Result<Vec<_>, _>>()
                .map_err(|_| "is a list of objects or lists")?;
            (!values.is_empty()).then_some(Kind::List(AttributeList { values }))
        }
        single => scalar(single)
            .map_err(|()| "is an object")?
            .map(|kind| match kind {
                ScalarKind::Text(text) => Kind::Text(text),
                ScalarKind::Number(number) => Kind::Number(number),
                ScalarKind::Flag(flag) => Kind::Flag(flag),
            }),
    };
    Ok(kind.map(|kind| AttributeValue { kind: Some(kind) }))
}

fn scalar(value: Value) -> Result<Option<ScalarKind>, ()> {
    Ok(match value {
        Value::Null => None,
        Value::Bool(flag) => Some(ScalarKind::Flag(flag)),
        Value::Number(number) => Some(values::number(&number)),
        Value::String(text) => {
            let text = text.trim();
            (!text.is_empty()).then(|| ScalarKind::Text(text.to_owned()))
        }
        Value::Object(mut members) => match (members.len(), members.remove(TEXT)) {
            (1, Some(Value::String(text))) => Some(ScalarKind::Text(text)),
            _ => return Err(()),
        },
        Value::Array(_) => return Err(()),
    })
}

/// The JSON of a value that [`json_value`] reads back.
pub(crate) fn json_of(value: &Attribute) -> impl Serialize {
    match value {
        Attribute::One(scalar) => JsonValue::One(json_of_scalar(scalar)),
        Attribute::List(scalars) => JsonValue::List(scalars.iter().map(json_of_scalar).collect()),
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum JsonValue<'v> {
    One(JsonScalar<'v>),
    List(Vec<JsonScalar<'v>>),
}

#[derive(Serialize)]
#[serde(untagged)]
enum JsonScalar<'v> {
    Plain(&'v AttributeScalar),
    Blank(BTreeMap<&'static str, &'v str>),
}

fn json_of_scalar(scalar: &AttributeScalar) -> JsonScalar<'_> {
    match scalar {
        AttributeScalar::Text(text) if text.is_empty() || text.trim().len() != text.len() => {
            JsonScalar::Blank(BTreeMap::from([(TEXT, text.as_str())]))
        }
        plain => JsonScalar::Plain(plain),
    }
}
