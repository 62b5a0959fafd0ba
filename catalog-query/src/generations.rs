//! Generations of the read model take turns: a rebuild, an upgrade or another embedding model fills
//! a new one beside the live one, which readers are switched to as a whole.

mod watch;
mod upgrade;
mod model_change;
mod rebuild;

pub(crate) use self::model_change::ModelChange;
pub(crate) use self::rebuild::Rebuilder;
pub(crate) use self::rebuild::error::RebuildError;
pub(crate) use self::rebuild::progress::{RebuildProgress, RebuildStep};
pub(crate) use self::upgrade::Upgrade;
pub(crate) use self::watch::GenerationWatch;
