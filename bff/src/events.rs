//! Events as they happen. One tail of this process follows the write service and keeps the newest events in
//! memory, for all clients that are connected; one that begins further back reads what it has missed
//! from the log, as fast as it takes it. Invariant: no client is told an event twice, or misses one.

mod feed;
mod reader;
mod places;
mod follow;
mod tail;
mod live;
mod cursor;

pub(crate) use self::cursor::Start;
pub(crate) use self::feed::Feed;
pub(crate) use self::places::{Full, Place};
pub(crate) use self::reader::{NotNow, Reader};
