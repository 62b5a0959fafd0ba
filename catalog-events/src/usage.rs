//! What readers do, as events for whoever wants to count it. Some may be lost by contract: they go
//! through core NATS, and a subscriber that is not listening does not get them.

mod read;
mod searched;

pub use self::read::{ProductRead, READ_SUBJECT, ReadBatch, ReadSource};
pub use self::searched::{
    CLICK_SUBJECT, ClickBatch, Clicked, SEARCH_SUBJECT, SearchBatch, Searched, SearchedBy,
};
