//! The schemas of both databases, compiled in: a service migrates its own at start, and
//! `catalogctl migrate` does it ahead of a deployment. Forward only, and each leaves the release before
//! it working: migrations that a binary does not know are no reason not to start, so that a deployment
//! can be rolled back.

use sqlx::migrate::Migrator;

/// Database of the write side: products, outbox, event log; search rules and their log.
pub static COMMAND: Migrator = Migrator {
    ignore_missing: true,
    ..sqlx::migrate!("./command")
};

/// Database of the read side: generations of the read model, view counts.
pub static QUERY: Migrator = Migrator {
    ignore_missing: true,
    ..sqlx::migrate!("./query")
};

#[cfg(test)]
mod tests {
    #[test]
    fn a_deployment_can_be_rolled_back() {
        assert!(super::COMMAND.ignore_missing && super::QUERY.ignore_missing);
    }
}
