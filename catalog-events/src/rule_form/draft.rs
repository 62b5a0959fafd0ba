//! A rule that is tried out before anybody states it.

use time::OffsetDateTime;

use crate::{CurationAction, InvalidRuleId, RuleForm, RuleKind, SearchRule};

/// Why a rule cannot be tried out.
#[derive(Debug, thiserror::Error)]
pub enum InvalidDraft {
    /// The id is none.
    #[error("{0}")]
    Id(#[from] InvalidRuleId),
    /// What it says cannot be.
    #[error("{0}")]
    Kind(#[from] serde_json::Error),
    /// A pin has no place.
    #[error("a position is from 1 on")]
    Position,
    /// A boost does not change anything, or cannot be computed.
    #[error("a factor is more than 1 and at most 1000")]
    Factor,
}

impl RuleForm {
    /// The rule as it would be followed now, whatever its dates.
    ///
    /// # Errors
    ///
    /// Where it could not be followed. The write service refuses more than that.
    pub fn into_draft(self) -> Result<SearchRule, InvalidDraft> {
        // Forms and rules have the same JSON.
        let kind: RuleKind = serde_json::from_value(serde_json::to_value(&self.kind)?)?;
        if let RuleKind::Curation(curation) = &kind {
            for action in &curation.actions {
                check_draft(action)?;
            }
        }
        Ok(SearchRule {
            id: self.id.parse()?,
            kind,
            disabled: false,
            starts_at: None,
            ends_at: None,
            note: String::new(),
            created_at: OffsetDateTime::UNIX_EPOCH,
            updated_at: OffsetDateTime::UNIX_EPOCH,
        })
    }
}

fn check_draft(action: &CurationAction) -> Result<(), InvalidDraft> {
    match action {
        CurationAction::Pin { position: 0, .. } => Err(InvalidDraft::Position),
        CurationAction::Boost { factor, .. } | CurationAction::Bury { factor, .. }
            if !(*factor > 1.0 && *factor <= 1_000.0) =>
        {
            Err(InvalidDraft::Factor)
        }
        CurationAction::Pin { .. }
        | CurationAction::Hide { .. }
        | CurationAction::Boost { .. }
        | CurationAction::Bury { .. }
        | CurationAction::Redirect { .. }
        | CurationAction::Unknown => Ok(()),
    }
}
