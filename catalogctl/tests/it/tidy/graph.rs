//! A graph of files or modules: an arrow goes from one to another whose items it names. It finds the
//! circles (knots) and an order in which every arrow goes forward.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// `from` names something that is defined in `to`.
#[derive(Clone)]
pub(super) struct Arrow {
    pub(super) from: String,
    pub(super) to: String,
    /// File and line.
    pub(super) place: String,
    /// The path that stands there.
    pub(super) what: String,
}

/// Arrows by where they start and end; the first of each pair is kept.
#[derive(Default)]
pub(super) struct Graph {
    arrows: BTreeMap<String, BTreeMap<String, Arrow>>,
}

/// Files of which each needs every other, directly or through more of them.
pub(super) struct Knot {
    pub(super) members: BTreeSet<String>,
    /// The shortest circle through each member, short ones first.
    pub(super) circles: Vec<Vec<Arrow>>,
}

impl Graph {
    pub(super) fn add(&mut self, arrow: Arrow) {
        if arrow.from != arrow.to {
            let from = self.arrows.entry(arrow.from.clone()).or_default();
            from.entry(arrow.to.clone()).or_insert(arrow);
        }
    }

    pub(super) fn arrows(&self) -> impl Iterator<Item = &Arrow> {
        self.arrows.values().flat_map(BTreeMap::values)
    }

    /// The graph of groups of nodes; a node without a group is left out.
    pub(super) fn grouped(&self, group: impl Fn(&str) -> Option<String>) -> Self {
        let mut grouped = Self::default();
        for arrow in self.arrows() {
            if let (Some(from), Some(to)) = (group(&arrow.from), group(&arrow.to)) {
                grouped.add(Arrow {
                    from,
                    to,
                    ..arrow.clone()
                });
            }
        }
        grouped
    }

    /// Every knot, each with its circles.
    pub(super) fn knots(&self) -> Vec<Knot> {
        let reached: BTreeMap<&str, BTreeSet<&str>> = self
            .arrows
            .keys()
            .map(|node| (node.as_str(), self.reached_from(node)))
            .collect();
        let mut knots: Vec<Knot> = Vec::new();
        for (node, ahead) in &reached {
            let known = knots.iter().any(|knot| knot.members.contains(*node));
            if known || !ahead.contains(node) {
                continue;
            }
            let back = |other: &&&str| reached.get(**other).is_some_and(|all| all.contains(node));
            let members = ahead.iter().filter(back).map(|one| (*one).to_owned());
            knots.push(self.knot(members.collect()));
        }
        knots
    }

    fn knot(&self, members: BTreeSet<String>) -> Knot {
        let mut told = BTreeSet::new();
        let mut circles: Vec<_> = members.iter().map(|node| self.circle(node)).collect();
        circles.sort_by_key(Vec::len);
        circles.retain(|circle| {
            let nodes: BTreeSet<_> = circle.iter().map(|arrow| arrow.from.clone()).collect();
            told.insert(nodes)
        });
        Knot { members, circles }
    }

    fn next(&self, node: &str) -> impl Iterator<Item = &Arrow> {
        self.arrows.get(node).into_iter().flat_map(BTreeMap::values)
    }

    fn reached_from(&self, node: &str) -> BTreeSet<&str> {
        let mut reached = BTreeSet::new();
        let mut open: Vec<_> = self.next(node).collect();
        while let Some(arrow) = open.pop() {
            if reached.insert(arrow.to.as_str()) {
                open.extend(self.next(&arrow.to));
            }
        }
        reached
    }

    /// The shortest way from a node back to itself.
    fn circle(&self, node: &str) -> Vec<Arrow> {
        let mut came_by: BTreeMap<&str, &Arrow> = BTreeMap::new();
        let mut open = VecDeque::from([node]);
        while let Some(here) = open.pop_front() {
            for arrow in self.next(here) {
                if !came_by.contains_key(arrow.to.as_str()) {
                    came_by.insert(&arrow.to, arrow);
                    open.push_back(&arrow.to);
                }
            }
            if came_by.contains_key(node) {
                break;
            }
        }
        let mut circle = Vec::new();
        let mut end = node;
        while let Some(arrow) = came_by.get(end) {
            circle.push((*arrow).clone());
            end = &arrow.from;
            if end == node {
                break;
            }
        }
        circle.reverse();
        circle
    }

    /// The nodes so that every arrow points forward, otherwise as they were listed. A circle is
    /// broken where it was entered.
    pub(super) fn sorted(&self, listed: &[String]) -> Vec<String> {
        let mut left = listed.to_vec();
        let mut sorted = Vec::new();
        while !left.is_empty() {
            let needed = |node: &String| {
                let mut others = left.iter().filter(|other| *other != node);
                others.any(|other| self.next(other).any(|arrow| arrow.to == *node))
            };
            let free = left.iter().position(|node| !needed(node)).unwrap_or(0);
            sorted.push(left.remove(free));
        }
        sorted
    }
}
