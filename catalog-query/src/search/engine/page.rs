//! Cuts one page from an answer, with the cursor of the next page.

use std::collections::HashSet;
use std::sync::Arc;

use catalog_events::Currency;

use crate::index::{FacetCounts, Hit, Place};
use crate::search::answer::explanation::{Absence, Explanation};
use crate::search::ranking::profile::RankingProfile;
use crate::search::request::cursor::{Cursor, SHOWN_MAX, shown_hash};
use crate::search::strategy::search_strategy::SearchOutcome;

/// The answer to a search request.
#[derive(Clone, Debug)]
pub(crate) struct SearchPage {
    /// Scores are 0 where the order is not by relevance.
    pub(crate) hits: Vec<Hit>,
    /// The exact number of matches.
    pub(crate) total: u64,
    /// The counts of each requested facet, in the order of the request, and of those that the catalog
    /// chose.
    pub(crate) facets: Vec<FacetCounts>,
    /// The currency in which prices were compared; None where they decide about nothing.
    pub(crate) price_currency: Option<Currency>,
    pub(crate) next_page_token: String,
    /// How the query was understood and answered; its hits are not cut to the page. None when
    /// there was no query.
    pub(crate) outcome: Option<SearchOutcome>,
    /// Where a rule sends the query.
    pub(crate) redirect_url: Option<String>,
    pub(crate) profile: Arc<RankingProfile>,
    pub(crate) explanation: Option<Explanation>,
    pub(crate) absence: Option<Absence>,
}

/// A page in the order of a column; `places` holds more than `limit` when another page follows.
pub(crate) fn sorted_page(mut places: Vec<Place>, limit: usize) -> (Vec<Hit>, Cursor) {
    let more = places.len() > limit;
    places.truncate(limit);
    let next = match places.last() {
        Some(last) if more => Cursor::After(last.clone()),
        _ => Cursor::Start,
    };
    let hits = places.into_iter().map(|place| Hit {
        product_id: place.id,
        score: 0.0,
    });
    (hits.collect(), next)
}

/// A page of the best hits that earlier pages have not shown. Products that come or go between two
/// pages neither show another product twice nor leave one out.
pub(crate) fn shown_page(
    cursor: &Cursor,
    outcome: Option<&SearchOutcome>,
    limit: usize,
) -> (Vec<Hit>, Cursor) {
    let shown = cursor.shown();
    let known: HashSet<u32> = shown.iter().copied().collect();
    let room = limit.min(SHOWN_MAX.saturating_sub(shown.len()));
    let hits = outcome.map_or(&[][..], |outcome| &outcome.hits);
    let mut new = hits
        .iter()
        .filter(|hit| !known.contains(&shown_hash(&hit.product_id)));
    let page: Vec<Hit> = new
        .by_ref()
        .take(room)
        .map(|hit| Hit {
            product_id: hit.product_id.clone(),
            score: hit.score as f32,
        })
        .collect();
    let more = new.next().is_some() && shown.len() + page.len() < SHOWN_MAX && !page.is_empty();
    let next = if more {
        let added = page.iter().map(|hit| shown_hash(&hit.product_id));
        Cursor::Shown(shown.iter().copied().chain(added).collect())
    } else {
        Cursor::Start
    };
    (page, next)
}
