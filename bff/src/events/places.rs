//! Places for the clients that follow at once: so many in all, and so many with the same key.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The places. Clones share them.
#[derive(Clone)]
pub(super) struct Places {
    all_max: usize,
    per_key_max: usize,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Default)]
struct Taken {
    all: usize,
    /// How many each key has taken; keys without any are not in it.
    by_key: HashMap<String, usize>,
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    All { max: usize },
    OfKey { max: usize },
}

/// A place, free again when it is dropped.
pub(crate) struct Place {
    key: Option<String>,
    taken: Arc<Mutex<Taken>>,
}

impl Places {
    pub(super) fn new(all_max: usize, per_key_max: usize) -> Self {
        Self {
            all_max,
            per_key_max,
            taken: Arc::default(),
        }
    }

    pub(super) fn take(&self, key: Option<&str>) -> Result<Place, Full> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.all >= self.all_max {
            return Err(Full::All { max: self.all_max });
        }
        if let Some(key) = key {
            let of_key = taken.by_key.entry(key.to_owned()).or_default();
            if *of_key >= self.per_key_max {
                return Err(Full::OfKey {
                    max: self.per_key_max,
                });
            }
            *of_key += 1;
        }
        taken.all += 1;
        Ok(Place {
            key: key.map(str::to_owned),
            taken: Arc::clone(&self.taken),
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all -= 1;
        if let Some(key) = &self.key
            && let Some(of_key) = taken.by_key.get_mut(key)
        {
            *of_key -= 1;
            if *of_key == 0 {
                taken.by_key.remove(key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_in_all_and_by_key() {
        let places = Places::new(3, 2);
        let full = |key| places.take(key).err();
        let first = places.take(Some("a")).expect("free");
        let _second = places.take(Some("a")).expect("free");
        assert_eq!(full(Some("a")), Some(Full::OfKey { max: 2 }));
        let third = places.take(None).expect("free");
        assert_eq!(full(None), Some(Full::All { max: 3 }));
        drop((first, third));
        let _again = places.take(Some("a")).expect("free again");
        assert_eq!(full(Some("a")), Some(Full::OfKey { max: 2 }));
    }
}
