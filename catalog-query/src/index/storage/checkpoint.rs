//! The position of the index, saved in the payload of the commit that holds the data.

use catalog_events::Position;
use sha2::{Digest as _, Sha256};

/// The version of how documents are made from products. An index of another format is built anew.
const FORMAT: u32 = 4;

/// Writes `<format> <position> <check>`. The check reveals a flipped bit: a position too high would
/// skip events for good.
pub(crate) fn encode(position: Position) -> String {
    let plain = format!("{FORMAT} {position}");
    let check = Sha256::digest(&plain);
    format!(
        "{plain} {:02x}{:02x}{:02x}{:02x}",
        check[0], check[1], check[2], check[3]
    )
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoCheckpoint {
    #[error("it is of format {0}, and this release reads format {FORMAT}")]
    OtherFormat(u32),
    #[error("no position in {0:?}")]
    Damaged(String),
}

pub(crate) fn decode(payload: &str) -> Result<Position, NoCheckpoint> {
    let mut parts = payload.split(' ');
    let format = parts.next().and_then(|format| format.parse().ok());
    let position = parts.next().and_then(|position| position.parse().ok());
    match (format, position.map(Position)) {
        (Some(FORMAT), Some(position)) if encode(position) == payload => Ok(position),
        (Some(format), Some(_)) if format != FORMAT => Err(NoCheckpoint::OtherFormat(format)),
        _ => Err(NoCheckpoint::Damaged(payload.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_other_payload_is_taken_for_a_position() {
        let payload = encode(Position(1234));
        assert_eq!(decode(&payload), Ok(Position(1234)));
        for bad in ["", "4", "4 1234", &payload.replace("1234", "1235")] {
            let damaged = NoCheckpoint::Damaged(bad.to_owned());
            assert_eq!(decode(bad), Err(damaged), "{bad}");
        }
        let older = payload.replace("4 ", "3 ");
        assert_eq!(decode(&older), Err(NoCheckpoint::OtherFormat(3)));
    }
}
