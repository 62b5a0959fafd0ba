//! The effect of the rules on one answer. Invariant: its sets belong to the snapshot of the answer.
//!
//! Hidden products are left out of everything. Pins count as matches, and boosts only move hits
//! that the legs have found, within their tiers. Pins and boosts do nothing in the order of a
//! column, nor where there is no query: a caller that sorts by price expects that order.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use catalog_events::ProductId;

use crate::index::{DocSets, IndexError, IndexSnapshot, QueryTerms};
use crate::search::ranking::ranked_hit::RankedHit;
use crate::search::request::query::ParsedQuery;
use crate::search::request::understanding::UnderstoodQuery;
use crate::search::rules::curation::target::Target;
use crate::search::rules::curation::{Action, CurationRule, Curations, FACTOR_MAX};
use crate::search::strategy::scope::Scope;

/// The boosts of products, by their ids.
pub(in crate::search) type Boosts = HashMap<ProductId, Boost>;

/// A factor for the score of one product.
#[derive(Clone, Debug)]
pub(in crate::search) struct Boost {
    pub(in crate::search) factor: f64,
    /// The rules that it comes from, as `id@version`.
    pub(in crate::search) rules: Vec<Arc<str>>,
}

/// The effect of the rules on one answer.
#[derive(Debug, Default)]
pub(crate) struct Curated {
    /// The rules that are followed, as `id@version`.
    pub(crate) rules: Vec<Arc<str>>,
    pub(crate) redirect_url: Option<String>,
    hides: Vec<(Arc<str>, Arc<Target>)>,
    /// The products that are hidden; None when no rule hides any.
    hidden: Option<DocSets>,
    /// The pins that are shown, the lowest place first.
    pins: Vec<Pin>,
    /// The products that count as matches because they are pinned, whether or not they pass the
    /// filter: a facet leaves out a part of it.
    pinned: Option<DocSets>,
    weights: Vec<(Arc<str>, Arc<Target>, f64)>,
}

#[derive(Clone, Debug)]
struct Pin {
    id: ProductId,
    /// The place in the answer, counted from 1.
    place: usize,
    rule: Arc<str>,
}

impl Curated {
    /// The effect of the rules for a query; blocks.
    pub(in crate::search) fn for_query(
        curations: &Curations,
        typed: &ParsedQuery,
        understood: &UnderstoodQuery,
        scope: &Scope,
        by_relevance: bool,
    ) -> Result<Self, IndexError> {
        if curations.is_empty() {
            return Ok(Self::default());
        }
        let rules = curations.for_query(typed, understood);
        let mut curated = Self::default();
        let pins = curated.take(&rules, by_relevance);
        curated.hide(&scope.snapshot)?;
        curated.pin(pins, &understood.terms, scope)?;
        Ok(curated)
    }

    /// The effect of the rules where there is no query; blocks.
    pub(in crate::search) fn for_browsing(
        curations: &Curations,
        scope: &Scope,
    ) -> Result<Self, IndexError> {
        let mut curated = Self::default();
        curated.take(&curations.for_browsing(), false);
        curated.hide(&scope.snapshot)?;
        Ok(curated)
    }

    /// Takes over the actions of the rules. Returns the pins in the order of rules and actions.
    fn take(&mut self, rules: &[&CurationRule], by_relevance: bool) -> Vec<Pin> {
        let mut pins = Vec::new();
        for rule in rules {
            let mut is_followed = false;
            for action in &rule.actions {
                let label = Arc::clone(&rule.label);
                match action {
                    Action::Pin(..) | Action::Weigh(..) if !by_relevance => continue,
                    Action::Pin(id, place) => pins.push(Pin {
                        id: id.clone(),
                        place: *place as usize,
                        rule: label,
                    }),
                    Action::Weigh(target, factor) => {
                        self.weights.push((label, Arc::clone(target), *factor));
                    }
                    Action::Hide(target) => self.hides.push((label, Arc::clone(target))),
                    Action::Redirect(url) => {
                        self.redirect_url.get_or_insert_with(|| url.clone());
                    }
                }
                is_followed = true;
            }
            if is_followed {
                self.rules.push(Arc::clone(&rule.label));
            }
        }
        pins
    }

    /// Looks up the products that are hidden.
    fn hide(&mut self, snapshot: &IndexSnapshot) -> Result<(), IndexError> {
        for (_, target) in &self.hides {
            let docs = target.docs(snapshot)?;
            match &mut self.hidden {
                Some(hidden) => hidden.unite(&docs),
                None => self.hidden = Some(docs),
            }
        }
        Ok(())
    }

    /// Gives the pins their places. A pin whose place is taken gets the next one; a pin that cannot
    /// be shown takes no place.
    fn pin(
        &mut self,
        mut pins: Vec<Pin>,
        terms: &QueryTerms,
        scope: &Scope,
    ) -> Result<(), IndexError> {
        if pins.is_empty() {
            return Ok(());
        }
        let snapshot = &scope.snapshot;
        let pinned = self.pinnable(&pins, terms, snapshot)?;
        let mut shown = pinned.clone();
        if let Some(filter) = &scope.filter {
            shown.intersect(filter);
        }
        // The sort is stable: of two pins to one place, the one of the rule with the lower id comes
        // first.
        pins.sort_by_key(|pin| pin.place);
        let mut last = 0;
        for pin in pins {
            let is_new = self.pins.iter().all(|known| known.id != pin.id);
            if is_new && snapshot.has(&pin.id, Some(&shown))? {
                last = pin.place.max(last + 1);
                self.pins.push(Pin { place: last, ..pin });
            }
        }
        self.pinned = Some(pinned);
        Ok(())
    }

    /// The products of the snapshot that are pinned, without those that the query excludes or that
    /// are hidden.
    fn pinnable(
        &self,
        pins: &[Pin],
        terms: &QueryTerms,
        snapshot: &IndexSnapshot,
    ) -> Result<DocSets, IndexError> {
        let mut pinned = snapshot.nothing();
        snapshot.add_all(&mut pinned, pins.iter().map(|pin| &pin.id))?;
        let exclusions = QueryTerms {
            exclusions: terms.exclusions.clone(),
            ..QueryTerms::default()
        };
        if let Some(allowed) = snapshot.constrained(&exclusions, Some(&pinned))? {
            pinned = allowed;
        }
        if let Some(hidden) = &self.hidden {
            pinned.subtract(hidden);
        }
        Ok(pinned)
    }

    /// `filter` without the hidden products. An index that is being built cannot tell which
    /// products pass: there, `filter` stays, and [`placed`](Self::placed) drops hidden hits by
    /// their ids.
    pub(in crate::search) fn narrowed(
        &self,
        scope: &Scope,
        filter: Option<Arc<DocSets>>,
    ) -> Result<Option<Arc<DocSets>>, IndexError> {
        let Some(hidden) = self.hidden.as_ref().filter(|_| scope.is_built) else {
            return Ok(filter);
        };
        let mut rest = scope.snapshot.all(filter.as_deref())?;
        rest.subtract(hidden);
        Ok(Some(Arc::new(rest)))
    }

    /// Whether [`adjust`](Self::adjust) changes anything.
    pub(in crate::search) fn adjusts(&self) -> bool {
        self.pinned.is_some() || self.hidden.is_some()
    }

    /// Adds the pinned products that pass `filter` to the matches, and removes the hidden ones.
    pub(in crate::search) fn adjust(&self, matches: &mut DocSets, filter: Option<&DocSets>) {
        if let Some(pinned) = &self.pinned {
            let mut pinned = pinned.clone();
            if let Some(filter) = filter {
                pinned.intersect(filter);
            }
            matches.unite(&pinned);
        }
        if let Some(hidden) = &self.hidden {
            matches.subtract(hidden);
        }
    }

    pub(in crate::search) fn has_boosts(&self) -> bool {
        !self.weights.is_empty()
    }

    /// The boosts of those of `ids` that have any; blocks.
    pub(in crate::search) fn boosts(
        &self,
        snapshot: &IndexSnapshot,
        ids: &[ProductId],
    ) -> Result<Boosts, IndexError> {
        let mut boosts = Boosts::new();
        for (rule, target, factor) in &self.weights {
            for id in target.among(snapshot, ids)? {
                let boost = boosts.entry(id.clone()).or_insert_with(|| Boost {
                    factor: 1.0,
                    rules: Vec::new(),
                });
                boost.factor *= factor;
                if !boost.rules.contains(rule) {
                    boost.rules.push(Arc::clone(rule));
                }
            }
        }
        for boost in boosts.values_mut() {
            boost.factor = boost.factor.clamp(1.0 / FACTOR_MAX, FACTOR_MAX);
        }
        Ok(boosts)
    }

    /// Drops hits that are hidden by their ids, and moves the pins to their places, or to the end
    /// where there are fewer hits.
    pub(in crate::search) fn placed(&self, mut hits: Vec<RankedHit>) -> Vec<RankedHit> {
        if !self.hides.is_empty() {
            let is_hidden = |hit: &RankedHit| {
                let mut targets = self.hides.iter().map(|(_, target)| target);
                targets.any(|target| target.ids.contains(&hit.product_id))
            };
            hits.retain(|hit| !is_hidden(hit));
        }
        if self.pins.is_empty() {
            return hits;
        }
        let pins: HashSet<&ProductId> = self.pins.iter().map(|pin| &pin.id).collect();
        let (found, mut hits): (Vec<_>, Vec<_>) = hits
            .into_iter()
            .partition(|hit| pins.contains(&hit.product_id));
        let mut found: HashMap<ProductId, RankedHit> = found
            .into_iter()
            .map(|hit| (hit.product_id.clone(), hit))
            .collect();
        for pin in &self.pins {
            let mut hit = found
                .remove(&pin.id)
                .unwrap_or_else(|| RankedHit::new(&pin.id));
            hit.pinned_place = Some(pin.place);
            if !hit.rules.contains(&pin.rule) {
                hit.rules.push(Arc::clone(&pin.rule));
            }
            hits.insert(hits.len().min(pin.place - 1), hit);
        }
        hits
    }

    /// The rule that hides the product, as `id@version`; blocks.
    pub(in crate::search) fn hidden_by(
        &self,
        snapshot: &IndexSnapshot,
        id: &ProductId,
    ) -> Result<Option<&Arc<str>>, IndexError> {
        for (rule, target) in &self.hides {
            let ids = std::slice::from_ref(id);
            if !target.among(snapshot, ids)?.is_empty() {
                return Ok(Some(rule));
            }
        }
        Ok(None)
    }
}
