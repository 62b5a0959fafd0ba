//! How often products are read: reads leave as product-read events, a subscriber counts them, and
//! searches see the counts.

mod reads;
mod counter;
mod board;

pub(crate) use self::board::PopularityBoard;
pub(crate) use self::counter::PopularityCounter;
pub(crate) use self::reads::{ReadPublisher, ReadRecorder, read_events};
