//! `--delete-missing`: what the feed does not have any more leaves the catalog, within a bound.

use std::time::Duration;

use client_kit::import::missing::{self, Deleted, Named, Present};
use client_kit::{Meter, Target, output};
use tokio_util::sync::CancellationToken;

use crate::import::args::ImportArgs;

/// How many products are named in the message.
const SHOWN_MAX: usize = 10;

/// The products before the import, and those that the feed names.
pub(super) struct Missing {
    present: Vec<Present>,
    pub(super) named: Named,
}

impl Missing {
    pub(super) async fn before(
        target: &Target,
        retry: Duration,
        stop: CancellationToken,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            present: missing::present(target, retry, stop).await?,
            named: Named::default(),
        })
    }

    /// Deletes what the feed lacks, after all of it was imported. The error says why nothing was deleted.
    pub(super) async fn delete(
        self,
        args: &ImportArgs,
        target: &Target,
        retry: Duration,
        stop: &CancellationToken,
    ) -> anyhow::Result<Deleted> {
        let unnamed = self.named.unnamed();
        if unnamed > 0 {
            anyhow::bail!(
                "nothing is deleted: {unnamed} rows do not tell which product they are, which may be one \
                 of those that seem to be missing; mend them and import again"
            );
        }
        let all = self.present.len();
        let lacking = self.named.missing(self.present);
        let share = lacking.len() * 100;
        if share > all * usize::from(args.delete_missing_max) {
            anyhow::bail!(
                "nothing is deleted: the feed lacks {} of {all} products, more than {} %; \
                 --delete-missing-max PERCENT allows more ({})",
                lacking.len(),
                args.delete_missing_max,
                shown(&lacking)
            );
        }
        if args.dry_run {
            let count = lacking.len();
            eprintln!("{count} products would be deleted: {}", shown(&lacking));
            return Ok(Deleted::default());
        }
        let mut meter = Meter::new("deleting");
        let total = Some(lacking.len() as u64);
        let deleted = missing::delete(target, &lacking, retry, stop, |so_far| {
            let done = so_far.deleted + so_far.kept;
            meter.set(done, total, &format!("{done} products"));
        });
        let deleted = deleted.await?;
        meter.clear();
        Ok(deleted)
    }
}

fn shown(products: &[Present]) -> String {
    let ids = products.iter().take(SHOWN_MAX);
    let ids: Vec<&str> = ids.map(|product| product.id.as_str()).collect();
    let more = if products.len() > SHOWN_MAX {
        ", …"
    } else {
        ""
    };
    output::plain(&format!("{}{more}", ids.join(", ")))
}
