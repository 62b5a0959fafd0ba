//! Known items: products of the running catalog are looked for by what somebody remembers of
//! their titles. It needs no judgments, and fails where a search by meaning buries exact finds.

mod catalog;
mod drawn;
mod remembered;
mod report;
mod units;
mod words;

use std::collections::BTreeMap;

use client_kit::Meter;

use self::catalog::Catalog;
use self::drawn::Item;
use self::report::{Looked, Report};
use super::asker::{Asker, Manner};
use crate::search::Strategy;

/// How many products a search returns: what is further down counts as not found.
const LIMIT: i32 = 50;

pub(super) struct KnownItems<'a> {
    /// How many products are looked for, where there are as many.
    pub(super) count: usize,
    pub(super) seed: u64,
    pub(super) strategies: &'a [Strategy],
    pub(super) profile: &'a str,
}

impl KnownItems<'_> {
    pub(super) async fn measure(&self, asker: &mut Asker) -> anyhow::Result<Report> {
        let catalog = Catalog::read(asker).await?;
        let (items, left_out) = drawn::draw(&catalog, self.count, self.seed);
        anyhow::ensure!(
            !items.is_empty(),
            "none of the {} products has a title that tells it from others: {left_out}",
            catalog.products()
        );
        let mut places: BTreeMap<String, Vec<Option<usize>>> = BTreeMap::new();
        let mut meter = Meter::new("looking");
        for (done, item) in items.iter().enumerate() {
            meter.set(done as u64, Some(items.len() as u64), &item.query.text);
            for strategy in self.strategies {
                let place = self.place(asker, item, *strategy).await?;
                let of_strategy = places.entry(strategy.name().to_owned());
                of_strategy.or_default().push(place);
            }
        }
        meter.clear();
        Ok(Report::of(&Looked {
            products: catalog.products(),
            items,
            left_out,
            places,
        }))
    }

    /// The place of the product, from 1, or of one with the same title.
    async fn place(
        &self,
        asker: &mut Asker,
        item: &Item,
        strategy: Strategy,
    ) -> anyhow::Result<Option<usize>> {
        let manner = Manner {
            strategy,
            profile: self.profile.to_owned(),
            limit: LIMIT,
        };
        let answer = asker.search(&item.query.text, &manner).await?;
        let mut titles = answer.products.iter().map(|found| &found.title);
        let at = titles.position(|title| words::normalised(title) == item.normalised);
        Ok(at.map(|at| at + 1))
    }
}
