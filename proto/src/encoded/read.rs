//! Reads the fields of an encoded message where they lie.

use std::error::Error;
use std::fmt;

use prost::bytes::Buf;
use prost::encoding::{WireType, decode_key, decode_varint};

/// Bytes that are not the message they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the bytes are no product")
    }
}

impl Error for Malformed {}

/// What a field holds, by its form on the wire.
pub(super) enum Field<'a> {
    Number(u64),
    Double(f64),
    Bytes(&'a [u8]),
    /// A form that no field of ours has.
    Other,
}

/// The fields of a message in their order, each with its number.
pub(super) struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(super) fn of(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    fn read(&mut self) -> Result<(u32, Field<'a>), Malformed> {
        let (number, form) = decode_key(&mut self.rest).map_err(|_| Malformed)?;
        let field = match form {
            WireType::Varint => {
                Field::Number(decode_varint(&mut self.rest).map_err(|_| Malformed)?)
            }
            WireType::SixtyFourBit => {
                Field::Double(self.rest.try_get_f64_le().map_err(|_| Malformed)?)
            }
            WireType::LengthDelimited => {
                let length = decode_varint(&mut self.rest).map_err(|_| Malformed)?;
                let length = usize::try_from(length).map_err(|_| Malformed)?;
                Field::Bytes(self.rest.split_off(..length).ok_or(Malformed)?)
            }
            WireType::ThirtyTwoBit => {
                self.rest.try_get_u32().map_err(|_| Malformed)?;
                Field::Other
            }
            WireType::StartGroup | WireType::EndGroup => return Err(Malformed),
        };
        Ok((number, field))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u32, Field<'a>), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        (!self.rest.is_empty()).then(|| self.read())
    }
}

impl<'a> Field<'a> {
    pub(super) fn text(&self) -> Result<&'a str, Malformed> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Malformed)
    }

    pub(super) fn bytes(&self) -> Result<&'a [u8], Malformed> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            _ => Err(Malformed),
        }
    }

    pub(super) fn double(&self) -> Result<f64, Malformed> {
        match self {
            Self::Double(number) => Ok(*number),
            _ => Err(Malformed),
        }
    }

    pub(super) fn number(&self) -> Result<u64, Malformed> {
        match self {
            Self::Number(number) => Ok(*number),
            _ => Err(Malformed),
        }
    }
}
