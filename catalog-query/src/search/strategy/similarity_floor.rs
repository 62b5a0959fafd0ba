//! The similarity from which a product counts as near in meaning. Each script has its own, because
//! models know some scripts better than others.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::index::Script;

/// The floors by script. There are none until the catalog has been asked.
#[derive(Clone, Default)]
pub(crate) struct SimilarityFloors(Arc<ArcSwap<BTreeMap<Script, f32>>>);

impl SimilarityFloors {
    /// The floor for a text, by the script of most of its letters; 0 where it is not known.
    pub(crate) fn of(&self, text: &str) -> f32 {
        let floors = self.0.load();
        let script = Script::of_most(text);
        script
            .and_then(|script| floors.get(&script).copied())
            .unwrap_or(0.0)
    }

    /// Puts other floors in place of these.
    pub(crate) fn replace(&self, floors: BTreeMap<Script, f32>) {
        self.0.store(Arc::new(floors));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_the_floor_of_its_script() {
        let floors = SimilarityFloors::default();
        assert_eq!(floors.of("laptop"), 0.0);
        let known = BTreeMap::from([(Script::Latin, 0.5), (Script::Han, 0.7)]);
        floors.replace(known);
        assert_eq!(floors.of("laptop 15"), 0.5);
        assert_eq!(floors.of("笔记本电脑 hp"), 0.7);
        assert_eq!(floors.of("принтер"), 0.0);
    }
}
