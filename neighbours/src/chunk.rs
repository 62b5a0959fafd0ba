//! Some rows of vectors: of each the numbers as they are kept elsewhere, and a byte a number that is
//! quick to compare.

use half::f16;

use crate::kernel;

/// The rows of a chunk. A table grows by chunks, so that no growth moves what is there.
pub(crate) const CHUNK_ROWS: usize = 512;

/// The greatest number of a byte, above and below zero alike.
const BYTE_MAX: f32 = 127.0;

#[derive(Clone, Debug)]
pub(crate) struct Chunk {
    /// In the type of the loops, which is not that of other crates.
    numbers: Vec<rten_simd::f16>,
    bytes: Vec<i8>,
    /// By what the product of bytes is to be multiplied to give the cosine with a query of length 1, as
    /// far as bytes tell it. None for a row without a vector.
    scales: Vec<Option<f32>>,
    /// What makes the length of a vector 1; 0 for one without a direction.
    lengths: Vec<f32>,
}

impl Chunk {
    pub(crate) fn new(dimensions: usize) -> Self {
        Self {
            numbers: vec![rten_simd::f16::default(); CHUNK_ROWS * dimensions],
            bytes: vec![0; CHUNK_ROWS * dimensions],
            scales: vec![None; CHUNK_ROWS],
            lengths: vec![0.0; CHUNK_ROWS],
        }
    }

    /// Sets a row to a vector of the right length.
    pub(crate) fn set(&mut self, row: usize, vector: &[f16]) {
        let Bytes { bytes, step } = Bytes::of_halves(vector);
        let at = row * vector.len()..(row + 1) * vector.len();
        for (number, set) in self.numbers[at.clone()].iter_mut().zip(vector) {
            *number = rten_simd::f16::from_bits(set.to_bits());
        }
        self.bytes[at].copy_from_slice(&bytes);
        self.lengths[row] = inverse_length(vector);
        self.scales[row] = Some(step * self.lengths[row]);
    }

    pub(crate) fn remove(&mut self, row: usize) {
        self.scales[row] = None;
    }

    pub(crate) fn get(&self, row: usize) -> Option<Vec<f16>> {
        let numbers = self.numbers_of(row)?.iter();
        Some(
            numbers
                .map(|number| f16::from_bits(number.to_bits()))
                .collect(),
        )
    }

    fn numbers_of(&self, row: usize) -> Option<&[rten_simd::f16]> {
        self.scales[row]?;
        let dimensions = self.numbers.len() / CHUNK_ROWS;
        Some(&self.numbers[row * dimensions..(row + 1) * dimensions])
    }

    /// Whether what is derived from the numbers of a row is what it must be.
    pub(crate) fn is_intact(&self, row: usize) -> bool {
        let Some(vector) = self.get(row) else {
            return true;
        };
        let Bytes { bytes, step } = Bytes::of_halves(&vector);
        let length = inverse_length(&vector);
        self.bytes[row * bytes.len()..][..bytes.len()] == bytes
            && self.lengths[row].to_bits() == length.to_bits()
            && self.scales[row] == Some(step * length)
    }

    #[cfg(test)]
    pub(crate) fn flip_bit_of_byte(&mut self, at: usize) {
        self.bytes[at] ^= 1;
    }

    /// Tells `found` of each vector its row and its cosine with `query`, as far as bytes tell it.
    pub(crate) fn compare(
        &self,
        query: &Bytes,
        products: &mut [i32; CHUNK_ROWS],
        mut found: impl FnMut(usize, f32),
    ) {
        kernel::products(&query.bytes, &self.bytes, products);
        let rows = products.iter().zip(&self.scales).enumerate();
        for (row, (product, scale)) in rows {
            if let Some(scale) = scale {
                found(row, *product as f32 * scale * query.step);
            }
        }
    }

    /// The cosine with a query of length 1; None where the row has no vector.
    pub(crate) fn cosine(&self, row: usize, query: &[f32]) -> Option<f32> {
        let vector = self.numbers_of(row)?;
        Some(kernel::product(query, vector) * self.lengths[row])
    }
}

/// A vector by a byte a number.
pub(crate) struct Bytes {
    bytes: Vec<i8>,
    /// What one of a byte stands for.
    step: f32,
}

impl Bytes {
    fn of_halves(vector: &[f16]) -> Self {
        let numbers: Vec<f32> = vector.iter().map(|number| number.to_f32()).collect();
        Self::of(&numbers)
    }

    pub(crate) fn of(vector: &[f32]) -> Self {
        let greatest = vector.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
        let step = greatest / BYTE_MAX;
        // A vector without a direction is 0 divided by 0, which is a byte of 0.
        let byte = |number: &f32| (number / step).round() as i8;
        Self {
            bytes: vector.iter().map(byte).collect(),
            step,
        }
    }
}

fn inverse_length(vector: &[f16]) -> f32 {
    let squares = vector.iter().map(|x| f64::from(*x).powi(2));
    let length = squares.sum::<f64>().sqrt();
    if length > 0.0 {
        (1.0 / length) as f32
    } else {
        0.0
    }
}
