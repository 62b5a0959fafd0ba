//! The vectors by their nearness to a query, as many of them as are asked for.

use crate::chunk::{Bytes, CHUNK_ROWS};
use crate::vectors::Vectors;

/// By how many percent more vectors are compared by all of their bits than are asked for: what bytes put
/// behind these is hardly ever among the nearest. And by how many more at least.
const SPARE_PERCENT: usize = 50;
const SPARE_MIN: usize = 32;

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Neighbour {
    pub row: u32,
    /// The cosine with the query, from -1 to 1.
    pub similarity: f32,
}

impl Vectors {
    /// The `limit` vectors nearest to `query`, nearest first; none where the query has no direction or
    /// another length than the vectors.
    pub fn nearest(&self, query: &[f32], limit: usize) -> Vec<Neighbour> {
        let candidates = limit + SPARE_MIN.max(limit * SPARE_PERCENT / 100);
        let mut nearest = self.nearest_first(query).next(candidates);
        nearest.truncate(limit);
        nearest
    }

    /// Ranks all vectors by their nearness to `query`.
    pub fn nearest_first(&self, query: &[f32]) -> NearestFirst<'_> {
        let query = self.direction_of(query);
        let mut ranked = Vec::new();
        if let Some(query) = &query {
            ranked.reserve_exact(self.chunks.len() * CHUNK_ROWS);
            let bytes = Bytes::of(query);
            let mut products = [0; CHUNK_ROWS];
            for (chunk, first) in self.chunks.iter().zip((0_u32..).step_by(CHUNK_ROWS)) {
                chunk.compare(&bytes, &mut products, |row, cosine| {
                    ranked.push(rank(cosine, first + row as u32));
                });
            }
        }
        NearestFirst {
            vectors: self,
            query: query.unwrap_or_default(),
            ranked,
            done: 0,
        }
    }

    /// The similarities to `query` of those of these rows that have a vector.
    pub fn similarities(&self, query: &[f32], rows: impl Iterator<Item = u32>) -> Vec<Neighbour> {
        let Some(query) = self.direction_of(query) else {
            return Vec::new();
        };
        rows.filter_map(|row| self.compared(row, &query)).collect()
    }

    /// The query with a length of 1.
    fn direction_of(&self, query: &[f32]) -> Option<Vec<f32>> {
        let squares = query.iter().map(|x| f64::from(*x).powi(2));
        let length = squares.sum::<f64>().sqrt() as f32;
        let usable = query.len() == self.dimensions() && length > 0.0 && length.is_finite();
        usable.then(|| query.iter().map(|x| x / length).collect())
    }

    fn compared(&self, row: u32, query: &[f32]) -> Option<Neighbour> {
        let (chunk, within) = self.chunk_of(row)?;
        let similarity = chunk.cosine(within, query)?;
        Some(Neighbour { row, similarity })
    }
}

/// The vectors in the order of their nearness, part by part. Parts are in order among each other as far
/// as bytes tell it; within a part the order is exact.
#[derive(Debug)]
pub struct NearestFirst<'a> {
    vectors: &'a Vectors,
    /// The query with a length of 1.
    query: Vec<f32>,
    /// The first `done` were told already; the others are in no order.
    ranked: Vec<u64>,
    done: usize,
}

impl NearestFirst<'_> {
    /// The next `count` vectors, nearest first; fewer at the end.
    pub fn next(&mut self, count: usize) -> Vec<Neighbour> {
        let rest = &mut self.ranked[self.done..];
        let count = count.min(rest.len());
        if count < rest.len() {
            rest.select_nth_unstable(count);
        }
        self.done += count;
        let rows = rest[..count].iter().map(|rank| *rank as u32);
        let mut next: Vec<Neighbour> = rows
            .filter_map(|row| self.vectors.compared(row, &self.query))
            .collect();
        next.sort_unstable_by(|a, b| {
            let nearest = b.similarity.total_cmp(&a.similarity);
            nearest.then(a.row.cmp(&b.row))
        });
        next
    }
}

/// A number that is smaller the nearer a vector is, and ends with its row: a list of these is sorted
/// without a look at anything else.
fn rank(cosine: f32, row: u32) -> u64 {
    let bits = cosine.to_bits();
    // The greatest float becomes the smallest number.
    let far = if cosine.is_sign_negative() {
        bits
    } else {
        !bits & i32::MAX as u32
    };
    u64::from(far) << 32 | u64::from(row)
}

#[cfg(test)]
mod tests {
    use half::f16;
    use proptest::prelude::*;

    use super::*;

    const DIMENSIONS: usize = 40;

    fn table(vectors: &[Vec<f32>]) -> Vectors {
        let mut table = Vectors::new(DIMENSIONS);
        for (vector, row) in vectors.iter().zip(0..) {
            let halves: Vec<f16> = vector.iter().map(|x| f16::from_f32(*x)).collect();
            table.set(row, &halves).expect("of the right length");
        }
        table
    }

    /// All rows by their cosine in double precision.
    fn exactly(table: &Vectors, query: &[f32], rows: u32) -> Vec<(u32, f64)> {
        let length = |vector: &[f64]| vector.iter().map(|x| x * x).sum::<f64>().sqrt();
        let query: Vec<f64> = query.iter().map(|x| f64::from(*x)).collect();
        let mut all: Vec<(u32, f64)> = (0..rows)
            .filter_map(|row| {
                let vector: Vec<f64> = table.get(row)?.iter().map(|x| f64::from(*x)).collect();
                let product: f64 = vector.iter().zip(&query).map(|(a, b)| a * b).sum();
                let lengths = length(&vector) * length(&query);
                Some((
                    row,
                    if lengths > 0.0 {
                        product / lengths
                    } else {
                        0.0
                    },
                ))
            })
            .collect();
        all.sort_by(|a, b| b.1.total_cmp(&a.1));
        all
    }

    fn vectors() -> impl Strategy<Value = Vec<Vec<f32>>> {
        let vector = prop::collection::vec(-1.0_f32..1.0, DIMENSIONS);
        prop::collection::vec(vector, 1..1_200)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn the_nearest_are_those_of_a_comparison_in_double_precision(
            vectors in vectors(),
            removed in prop::collection::vec(0_u32..1_200, 0..50),
            limit in 1_usize..60,
        ) {
            let mut table = table(&vectors);
            for row in &removed {
                table.remove(*row);
            }
            let query = &vectors[vectors.len() / 2];
            let expected = exactly(&table, query, vectors.len() as u32);
            let found = table.nearest(query, limit);
            prop_assert_eq!(found.len(), limit.min(expected.len()));
            for (found, expected) in found.iter().zip(&expected) {
                prop_assert!((f64::from(found.similarity) - expected.1).abs() < 1e-5);
            }
            prop_assert!(found.iter().all(|found| !removed.contains(&found.row)));
        }

        #[test]
        fn parts_hold_every_vector_once(vectors in vectors(), part in 1_usize..300) {
            let table = table(&vectors);
            let mut ranked = table.nearest_first(&vectors[0]);
            let mut rows = Vec::new();
            loop {
                let next = ranked.next(part);
                if next.is_empty() {
                    break;
                }
                rows.extend(next.iter().map(|near| near.row));
            }
            rows.sort_unstable();
            prop_assert_eq!(rows, (0..vectors.len() as u32).collect::<Vec<_>>());
        }
    }

    #[test]
    fn what_has_no_direction_is_near_to_nothing() {
        let mut vectors = vec![vec![0.0; DIMENSIONS], vec![1.0; DIMENSIONS]];
        vectors.push(vec![-1.0; DIMENSIONS]);
        let table = table(&vectors);
        let found = table.nearest(&[1.0; DIMENSIONS], 3);
        let rows: Vec<u32> = found.iter().map(|near| near.row).collect();
        assert_eq!(rows, [1, 0, 2]);
        assert_eq!(found[1].similarity, 0.0);
        for unusable in [&[0.0; DIMENSIONS][..], &[1.0; 3], &[f32::NAN; DIMENSIONS]] {
            assert!(table.nearest(unusable, 3).is_empty());
        }
    }

    #[test]
    fn a_changed_byte_is_noticed() {
        let table = table(&[(0..40).map(|x| x as f32).collect()]);
        assert!(table.is_intact(0) && table.is_intact(7) && table.is_intact(9_999));
        let mut broken = table.clone();
        broken.chunks[0].flip_bit_of_byte(3);
        assert!(!broken.is_intact(0));
        let mut wrong = Vectors::new(DIMENSIONS);
        assert!(wrong.set(0, &[f16::ONE; 3]).is_err());
    }

    #[test]
    fn nearer_is_a_smaller_rank() {
        let cosines = [1.0, 0.5, 1e-9, 0.0, -0.0, -1e-9, -0.5, -1.0];
        assert!(cosines.map(|cosine| rank(cosine, 7)).is_sorted());
        assert!(rank(0.5, 1) < rank(0.5, 2));
    }
}
