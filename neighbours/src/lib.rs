//! Finds the nearest of many vectors by cosine, in memory and without an index: all of them are compared,
//! by a byte a number first, and the best of these again by all of their bits.
//!
//! It is a crate of its own so that development builds optimise its loops, and no others.

mod nearest;
mod vectors;
mod chunk;
mod kernel;

pub use self::nearest::{NearestFirst, Neighbour};
pub use self::vectors::{Vectors, WrongLength};
