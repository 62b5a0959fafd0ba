//! What a query becomes under the fingers: mistyped, or not yet typed to its end.

mod cut;
mod typos;

use serde::{Deserialize, Serialize};

pub(super) use self::cut::{Share, prefixes};
pub(super) use self::typos::{fingerprint, mistype};

/// How queries are typed; unset, they are typed as they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Typing {
    /// The seed of one typing mistake a query.
    pub(super) typos: Option<u64>,
    /// The share of the last word that is typed already.
    pub(super) cut: Option<Share>,
}

impl Typing {
    /// The query as it is sent.
    pub(super) fn type_out(self, query: &str) -> String {
        let typed = match self.typos {
            Some(seed) => mistype(query, seed),
            None => query.to_owned(),
        };
        match self.cut {
            Some(share) => share.cut(&typed),
            None => typed,
        }
    }
}
