//! The vectors of one generation, by product.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

use catalog_events::ProductId;
use half::f16;
use neighbours::{Neighbour, Vectors, WrongLength};

use crate::index::Hit;
use crate::read_model::vectors::EMBEDDING_DIMENSIONS;
use crate::read_model::vectors::vector_hash::vector_hash;

pub(super) struct VectorTable {
    vectors: Vectors,
    rows: HashMap<ProductId, u32>,
    /// What each row holds; None for a free one.
    held: Vec<Option<HeldVector>>,
    free: Vec<u32>,
    awaited: Awaited,
}

struct HeldVector {
    product_id: ProductId,
    /// As the database states it.
    hash: [u8; 16],
}

/// Products whose vector of their present text is still to come, by the positions of their documents. A
/// position is that of one event, and so of one product.
#[derive(Default)]
struct Awaited {
    positions: HashMap<ProductId, i64>,
    by_position: BTreeMap<i64, ProductId>,
}

impl VectorTable {
    pub(super) fn new() -> Self {
        Self {
            vectors: Vectors::new(EMBEDDING_DIMENSIONS),
            rows: HashMap::new(),
            held: Vec::new(),
            free: Vec::new(),
            awaited: Awaited::default(),
        }
    }

    /// Sets the vector of a product.
    pub(super) fn set(
        &mut self,
        id: &ProductId,
        hash: [u8; 16],
        vector: &[f16],
    ) -> Result<(), WrongLength> {
        let free = self.free.last().copied();
        let row = *self
            .rows
            .get(id)
            .unwrap_or(&free.unwrap_or(self.held.len() as u32));
        self.vectors.set(row, vector)?;
        if self.rows.insert(id.clone(), row).is_none() && self.free.pop().is_none() {
            self.held.push(None);
        }
        self.held[row as usize] = Some(HeldVector {
            product_id: id.clone(),
            hash,
        });
        Ok(())
    }

    /// Takes the vector of a product away, if it has one.
    pub(super) fn remove(&mut self, id: &ProductId) {
        if let Some(row) = self.rows.remove(id) {
            self.vectors.remove(row);
            self.held[row as usize] = None;
            self.free.push(row);
        }
    }

    /// Waits for the vector of the text that a product has since `position`.
    pub(super) fn wait_for(&mut self, id: &ProductId, position: i64) {
        self.awaited.insert(id, position);
    }

    pub(super) fn waits_no_more(&mut self, id: &ProductId) {
        self.awaited.remove(id);
    }

    /// How many products have no vector of their present text.
    pub(super) fn awaited(&self) -> usize {
        self.awaited.positions.len()
    }

    /// Up to `limit` products whose vector is awaited, of documents behind `after`.
    pub(super) fn awaited_behind(&self, after: i64, limit: usize) -> Vec<(i64, ProductId)> {
        let behind = (Bound::Excluded(after), Bound::Unbounded);
        let behind = self.awaited.by_position.range(behind).take(limit);
        behind
            .map(|(position, id)| (*position, id.clone()))
            .collect()
    }

    /// How many products have a vector of their present text.
    pub(super) fn current(&self) -> u64 {
        let awaited = self.awaited.positions.keys();
        let outdated = awaited.filter(|id| self.rows.contains_key(id)).count();
        (self.rows.len() - outdated) as u64
    }

    pub(super) fn has_current(&self, id: &ProductId) -> bool {
        self.rows.contains_key(id) && !self.awaited.positions.contains_key(id)
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = &ProductId> {
        self.rows.keys()
    }

    /// The hash of a product's vector as the database stated it.
    pub(super) fn hash_of(&self, id: &ProductId) -> Option<[u8; 16]> {
        let row = *self.rows.get(id)?;
        self.held[row as usize].as_ref().map(|held| held.hash)
    }

    /// The hash of a product's vector as it is in memory now, if what is derived from the vector is still
    /// what it must be.
    pub(super) fn hash_anew(&self, id: &ProductId, text_hash: &[u8]) -> Option<[u8; 16]> {
        let row = *self.rows.get(id)?;
        let vector = self.vectors.get(row)?;
        let intact = self.vectors.is_intact(row);
        intact.then(|| vector_hash(id.as_str(), text_hash, &vector))
    }

    pub(super) fn vector_of(&self, id: &ProductId) -> Option<Vec<f32>> {
        let vector = self.vectors.get(*self.rows.get(id)?)?;
        Some(vector.iter().map(|number| number.to_f32()).collect())
    }

    /// The `limit` products nearest to `vector`, nearest first.
    pub(super) fn nearest(&self, vector: &[f32], limit: usize) -> Vec<Hit> {
        self.hits(self.vectors.nearest(vector, limit))
    }

    /// The nearest of these products.
    pub(super) fn nearest_of(&self, vector: &[f32], ids: &[ProductId], limit: usize) -> Vec<Hit> {
        let rows = ids.iter().filter_map(|id| self.rows.get(id).copied());
        let mut hits = self.hits(self.vectors.similarities(vector, rows));
        hits.truncate(limit);
        hits
    }

    /// The nearest products that `pass` lets through. It is asked for ever more at a time.
    pub(super) fn nearest_passing<E>(
        &self,
        vector: &[f32],
        limit: usize,
        mut pass: impl FnMut(Vec<Hit>) -> Result<Vec<Hit>, E>,
    ) -> Result<Vec<Hit>, E> {
        let mut nearest = self.vectors.nearest_first(vector);
        let mut passed = Vec::new();
        let mut part = limit * 2;
        while passed.len() < limit {
            let hits = self.hits(nearest.next(part));
            if hits.is_empty() {
                break;
            }
            passed.append(&mut pass(hits)?);
            part *= 2;
        }
        Hit::sort_nearest_first(&mut passed);
        passed.truncate(limit);
        Ok(passed)
    }

    #[cfg(test)]
    pub(super) fn flip_a_bit_of(&mut self, id: &ProductId) {
        let row = self.rows[id];
        let mut vector = self.vectors.get(row).expect("a vector");
        vector[0] = f16::from_bits(vector[0].to_bits() ^ 1);
        self.vectors.set(row, &vector).expect("of the right length");
    }

    fn hits(&self, found: Vec<Neighbour>) -> Vec<Hit> {
        let hit = |near: Neighbour| {
            let held = self.held.get(near.row as usize)?.as_ref()?;
            Some(Hit {
                product_id: held.product_id.clone(),
                score: near.similarity,
            })
        };
        let mut hits: Vec<Hit> = found.into_iter().filter_map(hit).collect();
        Hit::sort_nearest_first(&mut hits);
        hits
    }
}

impl Awaited {
    fn insert(&mut self, id: &ProductId, position: i64) {
        self.remove(id);
        self.positions.insert(id.clone(), position);
        self.by_position.insert(position, id.clone());
    }

    fn remove(&mut self, id: &ProductId) {
        if let Some(position) = self.positions.remove(id) {
            self.by_position.remove(&position);
        }
    }
}
