//! What readers do: which products they look at, what they search for and what they open. It leaves
//! as events, one subscriber of all replicas counts it, and searches see the counts.

mod recorder;
mod publishing;
mod recent;
mod subscriber;
mod tally;
mod upkeep;
mod board;
mod analytics;
mod store;
mod popular_queries;
mod latency;
mod query_text;
mod half_life;

pub(crate) use self::analytics::{DAYS_MAX, QueryCount, SearchAnalytics, search_analytics};
pub(crate) use self::board::PopularityBoard;
pub use self::half_life::{HalfLife, InvalidHalfLife};
pub(crate) use self::popular_queries::PopularQuery;
pub(crate) use self::recorder::{AnsweredSearch, Click, UsageEvents, UsageRecorder};
pub(crate) use self::subscriber::UsageSubscriber;
pub(crate) use self::upkeep::UsageUpkeep;
