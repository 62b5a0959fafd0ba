//! Makes the message of the write service from the JSON of a write. The write service decides what a
//! product may be; here every member is read exactly, and every mistake is collected.

use catalog_events::{Currency, Decimal, ProductId};
use catalog_proto::v1;
use catalog_proto::v1::attribute_scalar::Kind as ScalarKind;
use catalog_proto::v1::attribute_value::Kind;
use prost_types::FieldMask;
use serde_json::value::RawValue;

use crate::json::price::{Price, StatedPrice};
use crate::json::{number, raw};
use crate::problem::{FieldErrors, Problem, pointer};

/// A product of this id could not be read: its address is a route of its own.
pub(crate) const RESERVED_ID: &str = "search";
/// The error detail of that id.
pub(crate) const RESERVED: &str =
    "is reserved: /api/products/search is the search of products, and no product";
/// Minor units beside a decimal text. An older write service does not know the text and would take 0
/// for the price; it refuses this number. Today's service ignores it.
const REFUSED_BY_OLDER_SERVICES: i64 = -1;

/// Reads the body of `POST /api/products`. A null is the same as no member.
pub(crate) fn read_creation(body: &RawValue) -> Result<v1::ProductInput, Problem> {
    let mut errors = FieldErrors::default();
    let draft = Draft::of_product(body, &mut errors);
    let id = draft.input.id.parse::<ProductId>().err();
    if let Some(id) = id.filter(|_| !draft.input.id.is_empty()) {
        errors.push(pointer(&["id"]), id);
    }
    draft.finish(errors)
}

/// Reads the body of `PUT /api/products/{id}`. It may repeat the id.
pub(crate) fn read_replacement(
    body: &RawValue,
    id: &ProductId,
) -> Result<v1::ProductInput, Problem> {
    let mut errors = FieldErrors::default();
    let mut draft = Draft::of_product(body, &mut errors);
    draft.keep_id(id, &mut errors);
    draft.finish(errors)
}

/// Reads the body of `PATCH /api/products/{id}`: a JSON Merge Patch (RFC 7396). It may repeat the id.
pub(crate) fn read_patch(body: &RawValue, id: &ProductId) -> Result<Patch, Problem> {
    let mut errors = FieldErrors::default();
    let mut draft = Draft::default();
    for (name, value) in raw::members(body, &[], &mut errors) {
        draft.read(&name, value, &mut errors);
    }
    draft.keep_id(id, &mut errors);
    let Draft { input, mask, price } = draft;
    let mut patch = Patch { input, mask };
    if let Some(currency) = price.currency() {
        patch.set_currency(currency);
    }
    match price.resolve(None, &mut errors) {
        Some(Price::Minor { minor, .. }) => patch.set_minor(minor),
        Some(Price::Major(decimal)) => patch.set_major(&decimal),
        None => {}
    }
    errors.finish()?;
    if patch.mask.is_empty() {
        return Err(Problem::invalid_field("", "states nothing to change"));
    }
    Ok(patch)
}

/// Reads the body of `PUT /api/products/{id}/price` into the price members of a request.
pub(crate) fn read_price(body: &RawValue) -> Result<v1::ChangePriceRequest, Problem> {
    let mut errors = FieldErrors::default();
    let mut stated = StatedPrice::default();
    for (name, value) in raw::members(body, &[], &mut errors) {
        if !stated.read(&name, value, &mut errors) {
            errors.push(pointer(&[&name]), raw::UNKNOWN);
        }
    }
    let price = stated.resolve(None, &mut errors);
    errors.finish()?;
    match price {
        Some(Price::Minor { minor, currency }) => Ok(v1::ChangePriceRequest {
            price_minor: minor,
            currency: currency.map_or(String::new(), String::from),
            ..Default::default()
        }),
        Some(Price::Major(decimal)) => Ok(v1::ChangePriceRequest {
            price: decimal.to_string(),
            price_minor: REFUSED_BY_OLDER_SERVICES,
            ..Default::default()
        }),
        None => Err(Problem::invalid_field("/price", "is required")),
    }
}

/// New values for the members that `mask` names.
#[derive(Debug)]
pub(crate) struct Patch {
    input: v1::ProductInput,
    mask: Vec<String>,
}

impl Patch {
    /// The change as one of several writes.
    pub(crate) fn into_update(self) -> v1::ProductUpdate {
        v1::ProductUpdate {
            product: Some(self.input),
            update_mask: Some(FieldMask { paths: self.mask }),
        }
    }

    pub(crate) fn into_request(
        self,
        expected_version: Option<i64>,
        request_id: String,
    ) -> v1::UpdateProductRequest {
        v1::UpdateProductRequest {
            product: Some(self.input),
            update_mask: Some(FieldMask { paths: self.mask }),
            expected_version,
            request_id,
        }
    }

    /// Sets a price in the currency that the product has. An older write service refuses the path.
    fn set_major(&mut self, price: &Decimal) {
        self.input.price = price.to_string();
        self.mask.push("price".to_owned());
    }

    fn set_minor(&mut self, minor: i64) {
        self.input.price_minor = minor;
        self.mask.push("price_minor".to_owned());
    }

    fn set_currency(&mut self, currency: Currency) {
        self.input.currency = currency.to_string();
        self.mask.push("currency".to_owned());
    }
}

/// The members read so far, all but the price in their final form.
#[derive(Default)]
struct Draft {
    input: v1::ProductInput,
    mask: Vec<String>,
    price: StatedPrice,
}

impl Draft {
    /// Reads a whole product, of which a null is the same as no member.
    fn of_product(body: &RawValue, errors: &mut FieldErrors) -> Self {
        let mut draft = Self::default();
        for (name, value) in raw::members(body, &[], errors) {
            if !raw::is_null(value) {
                draft.read(&name, value, errors);
            }
        }
        draft
    }

    /// Takes the id of the path, which the body may only repeat.
    fn keep_id(&mut self, id: &ProductId, errors: &mut FieldErrors) {
        if !self.input.id.is_empty() && self.input.id != id.as_str() {
            errors.push(
                pointer(&["id"]),
                "is not the id of the path: an id never changes",
            );
        }
        self.input.id = id.to_string();
    }

    /// Returns the product if it is complete and free of errors.
    fn finish(self, mut errors: FieldErrors) -> Result<v1::ProductInput, Problem> {
        let Self {
            mut input, price, ..
        } = self;
        if input.id == RESERVED_ID {
            errors.push(pointer(&["id"]), RESERVED);
        }
        if input.title.is_empty() && !errors.has("/title") && !errors.has("") {
            errors.push(pointer(&["title"]), "is required");
        }
        match price.resolve(Some(Currency::USD), &mut errors) {
            Some(Price::Minor { minor, currency }) => {
                input.price_minor = minor;
                input.currency = currency.unwrap_or(Currency::USD).to_string();
            }
            Some(Price::Major(_)) | None
                if errors.has("/price") || errors.has("/price_minor") || errors.has("") => {}
            Some(Price::Major(_)) | None => errors.push(pointer(&["price"]), "is required"),
        }
        errors.finish()?;
        Ok(input)
    }

    fn read(&mut self, name: &str, value: &RawValue, errors: &mut FieldErrors) {
        let place = pointer(&[name]);
        let input = &mut self.input;
        match name {
            "id" => return input.id = errors.take(place, raw::text(value)).unwrap_or_default(),
            "attributes" => return self.read_attributes(value, errors),
            "title" => set(&mut input.title, errors.take(place, raw::text(value))),
            "description" => set(
                &mut input.description,
                errors.take(place, raw::text_or_null(value)),
            ),
            "image_url" => set(
                &mut input.image_url,
                errors.take(place, raw::text_or_null(value)),
            ),
            "brand" => set(
                &mut input.brand,
                errors.take(place, raw::text_or_null(value)),
            ),
            "sku" => set(&mut input.sku, errors.take(place, raw::text_or_null(value))),
            "gtins" => input.gtins = raw::texts_or_null(value, &[name], errors),
            "categories" => input.categories = raw::texts_or_null(value, &[name], errors),
            "status" => set(&mut input.status, errors.take(place, status(value))),
            _ if self.price.read(name, value, errors) => return,
            _ => return errors.push(place, raw::UNKNOWN),
        }
        self.mask.push(name.to_owned());
    }

    /// Merges an object attribute by attribute; a null removes all attributes.
    fn read_attributes(&mut self, value: &RawValue, errors: &mut FieldErrors) {
        if raw::is_null(value) {
            self.mask.push("attributes".to_owned());
            return;
        }
        for (name, value) in raw::members(value, &["attributes"], errors) {
            if !raw::is_null(value) {
                let Some(value) = attribute(&name, value, errors) else {
                    continue;
                };
                self.input.attributes.insert(name.clone(), value);
            }
            self.mask.push(format!("attributes.{name}"));
        }
    }
}

fn set<T>(field: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *field = value;
    }
}

#[derive(Debug, thiserror::Error)]
enum Invalid {
    #[error("must be a string, a number, a boolean or an array of them")]
    Attribute,
    #[error("must be a string, a number or a boolean")]
    Scalar,
    #[error("must be a number within the range of a double")]
    Range,
    #[error("must be \"active\" or \"discontinued\"")]
    Status,
}

/// Reads the value of an attribute. Of an array, the first element at fault is noted.
fn attribute(name: &str, value: &RawValue, errors: &mut FieldErrors) -> Option<v1::AttributeValue> {
    let kind = match raw::elements(value) {
        None => match scalar(value) {
            Ok(ScalarKind::Flag(flag)) => Kind::Flag(flag),
            Ok(ScalarKind::Number(number)) => Kind::Number(number),
            Ok(ScalarKind::Text(text)) => Kind::Text(text),
            Err(err) => {
                let err = match err {
                    Invalid::Scalar => Invalid::Attribute,
                    err => err,
                };
                errors.push(pointer(&["attributes", name]), err);
                return None;
            }
        },
        Some(elements) => {
            let mut values = Vec::with_capacity(elements.len());
            for (at, element) in elements.into_iter().enumerate() {
                let place = pointer(&["attributes", name, &at.to_string()]);
                let kind = Some(errors.take(place, scalar(element))?);
                values.push(v1::AttributeScalar { kind });
            }
            Kind::List(v1::AttributeList { values })
        }
    };
    Some(v1::AttributeValue { kind: Some(kind) })
}

fn scalar(value: &RawValue) -> Result<ScalarKind, Invalid> {
    match value.get().as_bytes() {
        b"true" => Ok(ScalarKind::Flag(true)),
        b"false" => Ok(ScalarKind::Flag(false)),
        [b'"', ..] => raw::text(value)
            .map(ScalarKind::Text)
            .map_err(|_| Invalid::Scalar),
        // As in a feed: such an integer is an id, and stays the text of its digits.
        [b'-' | b'0'..=b'9', ..] if number::is_inexact(value.get()) => {
            Ok(ScalarKind::Text(value.get().to_owned()))
        }
        [b'-' | b'0'..=b'9', ..] => {
            let number = serde_json::from_str(value.get()).map_err(|_| Invalid::Range)?;
            Ok(ScalarKind::Number(number))
        }
        _ => Err(Invalid::Scalar),
    }
}

fn status(value: &RawValue) -> Result<i32, Invalid> {
    match value.get() {
        "\"active\"" => Ok(v1::ProductStatus::Active.into()),
        "\"discontinued\"" => Ok(v1::ProductStatus::Discontinued.into()),
        _ => Err(Invalid::Status),
    }
}
