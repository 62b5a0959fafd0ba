//! Replaces the live generation of the read model: a rebuild, an upgrade or another embedding model
//! fills a new one beside it, to which readers are switched as a whole.

mod divergence;
mod watch;
mod upgrade;
mod model_change;
mod rebuild;

pub(crate) use self::divergence::DivergenceWatch;
pub(crate) use self::model_change::ModelChange;
pub(crate) use self::rebuild::Rebuilder;
pub(crate) use self::rebuild::error::RebuildError;
pub(crate) use self::rebuild::progress::{RebuildProgress, RebuildStep};
pub(crate) use self::upgrade::Upgrade;
pub(crate) use self::watch::GenerationWatch;
