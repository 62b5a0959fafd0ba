//! What readers look at: their reads leave as product-read events, a subscriber counts them, and
//! searches see the counts.

mod reads;
mod board;

pub(crate) use self::board::{PopularityBoard, PopularityCounter};
pub(crate) use self::reads::{ReadPublisher, ReadRecorder, read_events};
