//! What a command on a product answers.

use catalog_events::{Change, ConsistencyToken, Product, ProductId, Version};
use serde::{Deserialize, Serialize};

use crate::domain::{Current, Decision};

/// A product as it is after a command.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Written {
    pub(crate) id: ProductId,
    pub(crate) version: Version,
    pub(crate) product: Option<Product>,
    /// True when there was no such product before.
    #[serde(default)]
    pub(crate) created: bool,
}

impl Written {
    pub(crate) fn token(&self) -> ConsistencyToken {
        ConsistencyToken {
            product_id: self.id.clone(),
            version: self.version,
        }
    }

    pub(super) fn unchanged(id: &ProductId, current: &Current) -> Self {
        Self {
            id: id.clone(),
            version: current.version,
            product: current.product.clone(),
            created: false,
        }
    }
}

impl From<&Decision> for Written {
    fn from(decision: &Decision) -> Self {
        Self {
            id: decision.id.clone(),
            version: decision.version,
            product: decision.product.clone(),
            created: decision.change == Change::Created,
        }
    }
}

/// The last of several changes: a product, and the version that they left.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct LastChange {
    id: ProductId,
    version: Version,
}

impl LastChange {
    /// A token that makes a read wait for all of the changes, since this one has the highest position.
    pub(super) fn token(&self) -> ConsistencyToken {
        ConsistencyToken {
            product_id: self.id.clone(),
            version: self.version,
        }
    }
}

impl From<&Decision> for LastChange {
    fn from(decision: &Decision) -> Self {
        Self {
            id: decision.id.clone(),
            version: decision.version,
        }
    }
}
