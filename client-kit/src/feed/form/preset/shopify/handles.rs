//! What the first row of a handle says of all of its rows. The rows of a handle need not follow each other;
//! those that were seen last are remembered, within a bound.

use std::collections::{HashMap, VecDeque};

/// The most bytes that are remembered of products.
const KEPT_BYTES_MAX: usize = 16 << 20;

/// The products of the handles that were read last.
#[derive(Default)]
pub(super) struct Handles {
    known: HashMap<String, Shared>,
    /// The handles in the order in which they were met.
    order: VecDeque<String>,
    bytes: usize,
}

/// What the rows of a product share.
#[derive(Default)]
pub(super) struct Shared {
    /// The places of columns and the texts there.
    pub(super) cells: Vec<(usize, String)>,
    /// The first image of the product.
    pub(super) image: String,
}

impl Shared {
    fn bytes(&self) -> usize {
        let cells = self
            .cells
            .iter()
            .map(|(_, text)| text.len() + size_of::<(usize, String)>());
        self.image.len() + cells.sum::<usize>()
    }
}

impl Handles {
    pub(super) fn has(&self, handle: &str) -> bool {
        self.known.contains_key(handle)
    }

    /// Remembers the cells of the first row of a handle; of a later one what had no text so far.
    pub(super) fn learn<'c>(
        &mut self,
        handle: &str,
        cells: impl Iterator<Item = (usize, &'c str)>,
        image: &str,
    ) -> &Shared {
        if !self.has(handle) {
            self.order.push_back(handle.to_owned());
            self.bytes += 2 * handle.len();
        }
        let shared = self.known.entry(handle.to_owned()).or_default();
        let before = shared.bytes();
        for (place, text) in cells {
            if !text.is_empty() && !shared.cells.iter().any(|(known, _)| *known == place) {
                shared.cells.push((place, text.to_owned()));
            }
        }
        if shared.image.is_empty() {
            image.clone_into(&mut shared.image);
        }
        self.bytes += shared.bytes() - before;
        self.forget(handle);
        self.known.entry(handle.to_owned()).or_default()
    }

    /// Forgets the oldest handles but the present one.
    fn forget(&mut self, present: &str) {
        while self.bytes > KEPT_BYTES_MAX && self.order.len() > 1 {
            let Some(oldest) = self.order.pop_front() else {
                return;
            };
            if oldest == present {
                self.order.push_back(oldest);
                continue;
            }
            let shared = self.known.remove(&oldest);
            self.bytes -= 2 * oldest.len() + shared.map_or(0, |shared| shared.bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_products_are_forgotten() {
        let mut handles = Handles::default();
        let text = "x".repeat(1 << 20);
        for number in 0..40 {
            let cells = [(1, text.as_str()), (2, "")];
            let shared = handles.learn(&format!("h{number}"), cells.into_iter(), "image");
            assert_eq!((shared.cells.len(), shared.image.as_str()), (1, "image"));
            assert!(handles.bytes <= KEPT_BYTES_MAX);
        }
        assert!(!handles.has("h0") && handles.has("h30"));
        let shared = handles.learn("h39", [(1, "other"), (2, "more")].into_iter(), "later");
        let cells: Vec<_> = shared.cells.iter().map(|(_, text)| text.len()).collect();
        assert_eq!((cells, shared.image.as_str()), (vec![1 << 20, 4], "image"));
    }
}
