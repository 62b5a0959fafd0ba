//! How far the index has got, saved in the payload of the commit that holds the data.

use catalog_events::Position;
use sha2::{Digest as _, Sha256};

/// Counts the ways in which documents were made of products. An index of another format is built
/// anew.
const FORMAT: u32 = 3;

/// `<format> <position> <check>`. The check tells a flipped bit from a position: a position too high
/// would skip events for good.
pub(super) fn encode(position: Position) -> String {
    let plain = format!("{FORMAT} {position}");
    let check = Sha256::digest(&plain);
    format!(
        "{plain} {:02x}{:02x}{:02x}{:02x}",
        check[0], check[1], check[2], check[3]
    )
}

/// None when the payload is of another format or damaged.
pub(super) fn decode(payload: &str) -> Option<Position> {
    let position = Position(payload.split(' ').nth(1)?.parse().ok()?);
    (encode(position) == payload).then_some(position)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_other_payload_is_taken_for_a_position() {
        let payload = encode(Position(1234));
        assert_eq!(decode(&payload), Some(Position(1234)));
        for bad in [
            "",
            "3",
            "3 1234",
            &payload.replace("1234", "1235"),
            &payload.replace("3 ", "2 "),
        ] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }
}
