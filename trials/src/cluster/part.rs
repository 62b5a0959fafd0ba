//! The services that a cluster consists of.

use std::path::{Path, PathBuf};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Command,
    Query,
    Bff,
    /// A second read service, which is started only when it is asked for.
    Replica,
}

impl Part {
    /// The services that a cluster starts with.
    pub const ALL: [Part; 3] = [Part::Command, Part::Query, Part::Bff];

    /// The name in `catalogctl service NAME`.
    pub fn name(self) -> &'static str {
        match self {
            Part::Command => "catalog-command",
            Part::Query | Part::Replica => "catalog-query",
            Part::Bff => "bff",
        }
    }

    pub(super) fn log(self, folder: &Path) -> PathBuf {
        let replica = if self == Part::Replica { "-2" } else { "" };
        folder.join(format!("{}{replica}.log", self.name()))
    }
}
