//! The loops that keep a core busy. They are plain, and compiled once for each instruction set that a
//! processor may have: `rten-simd` picks one at run time.

use rten_simd::ops::{BitOps as _, Extend as _, NumOps as _};
use rten_simd::{Isa, SimdOp, f16};

/// Multiplies `query` with each row of `rows`, into `products`.
pub(crate) fn products(query: &[i8], rows: &[i8], products: &mut [i32]) {
    Products {
        query,
        rows,
        products,
    }
    .dispatch();
}

/// The product of two vectors of equal length.
pub(crate) fn product(query: &[f32], row: &[f16]) -> f32 {
    Product { query, row }.dispatch()
}

struct Products<'a> {
    query: &'a [i8],
    rows: &'a [i8],
    products: &'a mut [i32],
}

impl SimdOp for Products<'_> {
    type Output = ();

    #[inline(always)]
    fn eval<I: Isa>(self, _: I) {
        let rows = self.rows.chunks_exact(self.query.len());
        for (row, product) in rows.zip(self.products) {
            let pairs = self.query.iter().zip(row);
            *product = pairs.map(|(a, b)| i32::from(*a) * i32::from(*b)).sum();
        }
    }
}

struct Product<'a> {
    query: &'a [f32],
    row: &'a [f16],
}

impl SimdOp for Product<'_> {
    type Output = f32;

    #[inline(always)]
    fn eval<I: Isa>(self, isa: I) -> f32 {
        let (halves, floats) = (isa.f16(), isa.f32());
        let lanes = floats.len();
        // Sums of their own, so that no addition waits for the one before it.
        let (mut low_sum, mut high_sum) = (floats.zero(), floats.zero());
        let rows = self.row.chunks_exact(lanes * 2);
        let queries = self.query.chunks_exact(lanes * 2);
        let rest = rows.remainder().iter().zip(queries.remainder());
        let rest: f32 = rest.map(|(half, float)| half.to_f32() * float).sum();
        for (row, query) in rows.zip(queries) {
            let row = halves.load(row);
            let (low, high) = query.split_at(lanes);
            low_sum = floats.mul_add(halves.extend_low(row), floats.load(low), low_sum);
            high_sum = floats.mul_add(halves.extend_high(row), floats.load(high), high_sum);
        }
        floats.sum(floats.add(low_sum, high_sum)) + rest
    }
}
