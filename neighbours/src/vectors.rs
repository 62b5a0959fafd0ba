//! A table of vectors in memory.

use half::f16;

use crate::chunk::{CHUNK_ROWS, Chunk};

/// Vectors of equal length, by row.
#[derive(Clone, Debug)]
pub struct Vectors {
    dimensions: usize,
    pub(crate) chunks: Vec<Chunk>,
}

#[derive(Debug, thiserror::Error)]
#[error("a vector has {found} numbers, not {expected}")]
pub struct WrongLength {
    found: usize,
    expected: usize,
}

impl Vectors {
    pub fn new(dimensions: usize) -> Self {
        Self {
            dimensions,
            chunks: Vec::new(),
        }
    }

    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// Sets a row, which may lie behind all that are there.
    pub fn set(&mut self, row: u32, vector: &[f16]) -> Result<(), WrongLength> {
        if vector.len() != self.dimensions {
            return Err(WrongLength {
                found: vector.len(),
                expected: self.dimensions,
            });
        }
        let (chunk, within) = split(row);
        while self.chunks.len() <= chunk {
            self.chunks.push(Chunk::new(self.dimensions));
        }
        self.chunks[chunk].set(within, vector);
        Ok(())
    }

    /// Takes the vector of a row away.
    pub fn remove(&mut self, row: u32) {
        let (chunk, within) = split(row);
        if let Some(chunk) = self.chunks.get_mut(chunk) {
            chunk.remove(within);
        }
    }

    /// The vector of a row as it was set.
    pub fn get(&self, row: u32) -> Option<Vec<f16>> {
        let (chunk, within) = self.chunk_of(row)?;
        chunk.get(within)
    }

    /// Whether what searches compare of a row is still what its vector makes it; memory can fail.
    pub fn is_intact(&self, row: u32) -> bool {
        self.chunk_of(row)
            .is_none_or(|(chunk, within)| chunk.is_intact(within))
    }

    pub(crate) fn chunk_of(&self, row: u32) -> Option<(&Chunk, usize)> {
        let (chunk, within) = split(row);
        Some((self.chunks.get(chunk)?, within))
    }
}

/// The chunk of a row, and the row within it.
fn split(row: u32) -> (usize, usize) {
    let row = row as usize;
    (row / CHUNK_ROWS, row % CHUNK_ROWS)
}
