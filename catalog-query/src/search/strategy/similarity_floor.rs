//! The similarity from which a product counts as near in meaning. Each script has its own, because
//! models know some scripts better than others.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::index::Script;

/// The similarity of a text to itself.
pub(crate) const SIMILARITY_MAX: f32 = 1.0;
/// A floor that nothing reaches.
const UNREACHED: f32 = 2.0;
/// A model to which words without meaning are as like a product as this cannot read their letters: all
/// texts are the same to it.
const ILLEGIBLE_MIN: f32 = 0.995;

/// The floors of a script.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Floors {
    /// For a text with a word that some product has: it means something here.
    pub(crate) of_known: f32,
    /// For a text of which the catalog knows no word, and which may have no meaning at all.
    pub(crate) of_unknown: f32,
}

/// The floors by script. There are none until the catalog has been asked.
#[derive(Clone, Default)]
pub(crate) struct SimilarityFloors(Arc<ArcSwap<BTreeMap<Script, Floors>>>);

impl SimilarityFloors {
    /// The floor for a text, by the script of most of its letters. Nothing is near to a text without
    /// letters, or in a script that the catalog has not been asked for: models of one language take
    /// all texts of another script to be alike. Latin letters, which all models read, have no floor
    /// until then.
    pub(crate) fn of(&self, text: &str, is_known: bool) -> f32 {
        let floors = self.0.load();
        let floor = match Script::of_most(text) {
            Some(script) => match floors.get(&script) {
                Some(floors) if is_known => floors.of_known,
                Some(floors) => floors.of_unknown,
                None if script == Script::Latin => 0.0,
                None => UNREACHED,
            },
            None => UNREACHED,
        };
        if floor < ILLEGIBLE_MIN {
            floor
        } else {
            UNREACHED
        }
    }

    /// Puts other floors in place of these.
    pub(crate) fn replace(&self, floors: BTreeMap<Script, Floors>) {
        self.0.store(Arc::new(floors));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_the_floor_of_its_script() {
        let floors = SimilarityFloors::default();
        let of = |text| floors.of(text, true);
        assert_eq!((of("laptop"), of("笔记本")), (0.0, UNREACHED));
        let known = |of_known| Floors {
            of_known,
            of_unknown: of_known + 0.125,
        };
        floors.replace([(Script::Latin, known(0.5)), (Script::Han, known(0.75))].into());
        assert_eq!(of("laptop 15"), 0.5);
        assert_eq!(floors.of("qwxz", false), 0.625);
        assert_eq!(of("笔记本电脑 hp"), 0.75);
        assert_eq!(of("принтер"), UNREACHED);
        assert_eq!((of("🎂"), of("12000")), (UNREACHED, UNREACHED));
        floors.replace([(Script::Han, known(1.0))].into());
        assert_eq!(of("笔记本电脑"), UNREACHED);
    }
}
