//! What the stemmers of most languages leave apart: plurals, and adjectives in their genders, of the kind that
//! shops are full of. All is written without accents, as the index has it.

use crate::index::text::language::Language;
use crate::index::text::stems::folds::{dutch, finnish, no_final_vowels, russian, same};

/// How words end, each with the ending in its place and the fewest letters before it: "glas" is no plural of "gla".
pub(super) type Endings = &'static [(&'static str, &'static str, usize)];

/// The steps around the stemmer of a language.
pub(super) struct Forms {
    pub(super) language: Language,
    /// Words by themselves, in order, each with the one that it counts as; what would only look like a plural
    /// stays as it is.
    pub(super) words: &'static [(&'static str, &'static str)],
    /// The base form of other words, where a rule of letters tells it.
    pub(super) base: fn(&str) -> Option<String>,
    /// Endings of the rest, of which the first that fits is replaced before the stemmer.
    pub(super) endings: Endings,
    /// Whether words have several endings, one behind the other.
    pub(super) is_repeated: bool,
    /// Endings of what the stemmer leaves.
    pub(super) stems: Endings,
    /// The last step.
    pub(super) fold: fn(String) -> String,
}

impl Forms {
    const NONE: Self = Self {
        language: Language::None,
        words: &[],
        base: |_| None,
        endings: &[],
        is_repeated: false,
        stems: &[],
        fold: same,
    };

    /// Returns what is known of a language.
    pub(super) fn of(language: Language) -> &'static Self {
        let known = FORMS.iter().find(|forms| forms.language == language);
        known.unwrap_or(&Self::NONE)
    }
}

#[rustfmt::skip]
pub(super) const FORMS: &[Forms] = &[
    Forms {
        language: Language::Spanish,
        words: &[
            ("autobus", "autobus"), ("autobuses", "autobus"), ("bus", "bus"), ("buses", "bus"),
            ("jerseis", "jersey"),
        ],
        endings: &[
            ("ces", "z", 1), ("ce", "z", 2), ("us", "u", 3), ("les", "l", 2), ("nes", "n", 2), ("res", "r", 2),
            ("des", "d", 2), ("jes", "j", 2), ("ses", "s", 2), ("yes", "y", 1),
        ],
        ..Forms::NONE
    },
    Forms {
        language: Language::Portuguese,
        words: &[
            ("alemaes", "alemao"), ("aneis", "anel"), ("caes", "cao"), ("capitaes", "capitao"),
            ("dificeis", "dificil"), ("faceis", "facil"), ("fosseis", "fossil"), ("herois", "heroi"),
            ("paes", "pao"), ("pais", "pais"), ("paises", "pais"), ("repteis", "reptil"), ("texteis", "textil"),
            ("uteis", "util"),
        ],
        endings: &[
            ("oes", "ao", 1), ("aos", "ao", 1), ("ateis", "atil", 2), ("eis", "el", 2), ("eus", "eu", 2),
            ("ois", "ol", 3), ("ais", "al", 3), ("uis", "ul", 2), ("ens", "em", 2), ("ins", "im", 2),
            ("ons", "om", 1), ("uns", "um", 1), ("is", "il", 2), ("eses", "es", 3), ("esa", "es", 3),
            ("esas", "es", 3),
        ],
        ..Forms::NONE
    },
    Forms {
        language: Language::Italian,
        words: &[
            ("chiavi", "chiave"), ("uomini", "uomo"),
        ],
        endings: &[
            ("ieri", "iere", 2), ("foni", "fono", 2), ("iai", "iaio", 2), ("oi", "oio", 2), ("ario", "are", 2),
            ("ari", "are", 2),
        ],
        stems: &[
            ("gh", "g", 2), ("ch", "c", 2),
        ],
        ..Forms::NONE
    },
    Forms {
        language: Language::French,
        words: &[
            ("bel", "beau"), ("belle", "beau"), ("belles", "beau"), ("bijoux", "bijou"), ("cailloux", "caillou"),
            ("cheveux", "cheveu"), ("choux", "chou"), ("clef", "cle"), ("clefs", "cle"), ("douce", "doux"),
            ("douces", "doux"), ("epaisse", "epais"), ("epaisses", "epais"), ("feux", "feu"), ("fraiche", "frais"),
            ("fraiches", "frais"), ("genoux", "genou"), ("grasse", "gras"), ("grasses", "gras"), ("grosse", "gros"),
            ("grosses", "gros"), ("hiboux", "hibou"), ("jeux", "jeu"), ("leger", "legere"), ("lieux", "lieu"),
            ("longue", "long"), ("longues", "long"), ("neveux", "neveu"), ("rousse", "roux"), ("rousses", "roux"),
            ("seche", "sec"), ("seches", "sec"), ("travaux", "travail"), ("vieil", "vieux"), ("vieille", "vieux"),
            ("vieilles", "vieux"), ("vitraux", "vitrail"), ("yeux", "oeil"),
        ],
        endings: &[
            ("velles", "veau", 2), ("velle", "veau", 2), ("eaux", "eau", 0), ("eau", "eau", 0), ("ees", "e", 2),
            ("ee", "e", 2), ("eus", "eu", 2), ("ous", "ou", 2), ("iers", "iere", 2), ("ier", "iere", 2),
            ("aux", "al", 3), ("au", "al", 3), ("tites", "tit", 2), ("tite", "tit", 2),
        ],
        stems: &[
            ("anch", "anc", 1), ("euv", "euf", 1), ("iv", "if", 2),
        ],
        ..Forms::NONE
    },
    Forms {
        language: Language::German,
        words: &[
            ("alben", "album"), ("chaos", "chaos"), ("firmen", "firma"), ("globen", "globus"),
            ("kakteen", "kaktus"), ("konten", "konto"), ("kosmos", "kosmos"), ("lotos", "lotos"),
            ("madras", "madras"), ("museen", "museum"), ("risiken", "risiko"), ("themen", "thema"),
            ("thermos", "thermos"), ("villen", "villa"),
        ],
        endings: &[
            ("ialien", "ial", 2), ("as", "a", 3), ("os", "o", 3), ("ys", "y", 3),
        ],
        ..Forms::NONE
    },
    Forms {
        language: Language::Dutch,
        words: &[
            ("ananas", "ananas"), ("atlas", "atlas"), ("baden", "bad"), ("canvas", "canvas"), ("daken", "dak"),
            ("eieren", "ei"), ("glazen", "glas"), ("kinderen", "kind"), ("matras", "matras"), ("paden", "pad"),
            ("roze", "roze"), ("schepen", "schip"), ("sloten", "slot"), ("vaten", "vat"),
        ],
        base: dutch,
        endings: &[
            ("oos", "oos", 0), ("as", "a", 4), ("os", "o", 3), ("us", "u", 4),
        ],
        ..Forms::NONE
    },
    Forms {
        language: Language::Swedish,
        words: &[
            ("blaa", "bla"), ("blatt", "bla"), ("bocker", "bok"), ("brett", "bred"), ("brunt", "brun"),
            ("fotter", "fot"), ("gratt", "gra"), ("gront", "gron"), ("gult", "gul"), ("kallt", "kall"),
            ("litet", "liten"), ("mjukt", "mjuk"), ("moss", "mus"), ("nya", "ny"), ("nytt", "ny"), ("rott", "rod"),
            ("skon", "sko"), ("skor", "sko"), ("skorna", "sko"), ("stort", "stor"), ("tungt", "tung"),
            ("tunt", "tunn"), ("varmt", "varm"), ("vitt", "vit"),
        ],
        endings: &[
            ("orna", "a", 2), ("torer", "tor", 1), ("an", "a", 3), ("et", "", 3),
        ],
        stems: &[
            ("skt", "sk", 2), ("bart", "bar", 1), ("alt", "al", 4), ("ellt", "ell", 2), ("ivt", "iv", 2),
            ("lost", "los", 2), ("lo", "los", 3), ("el", "l", 2), ("nn", "n", 2),
        ],
        ..Forms::NONE
    },
    Forms {
        language: Language::Norwegian,
        words: &[
            ("blatt", "bla"), ("brunt", "brun"), ("fotter", "fot"), ("gratt", "gra"), ("gront", "gronn"),
            ("gult", "gul"), ("handklaer", "handkle"), ("hvitt", "hvit"), ("kaldt", "kald"), ("menn", "mann"),
            ("mykt", "myk"), ("nye", "ny"), ("nytt", "ny"), ("rodt", "rod"), ("skoen", "sko"), ("skoene", "sko"),
            ("skoer", "sko"), ("stort", "stor"), ("tungt", "tung"), ("tynt", "tynn"), ("varmt", "varm"),
        ],
        endings: &[
            ("aer", "a", 3), ("ere", "er", 3), ("ruer", "rue", 1),
        ],
        stems: &[
            ("skt", "sk", 2), ("bart", "bar", 1), ("alt", "al", 4), ("ellt", "ell", 2), ("ivt", "iv", 2),
            ("lost", "los", 2), ("lo", "los", 3), ("kkel", "kl", 1), ("ffel", "fl", 1), ("ddel", "dl", 1),
            ("ttel", "tl", 1), ("ppel", "pl", 1), ("el", "l", 2),
        ],
        ..Forms::NONE
    },
    Forms {
        language: Language::Danish,
        words: &[
            ("blat", "bla"), ("blodt", "blod"), ("boger", "bog"), ("brunt", "brun"), ("fodder", "fod"),
            ("gront", "gron"), ("gult", "gul"), ("hamre", "hammer"), ("hvidt", "hvid"), ("koldt", "kold"),
            ("madras", "madrasser"), ("maend", "mand"), ("nye", "ny"), ("nyt", "ny"), ("rodt", "rod"),
            ("skoen", "sko"), ("skoene", "sko"), ("stort", "stor"), ("tungt", "tung"), ("tyndt", "tynd"),
            ("ure", "ur"), ("uret", "ur"), ("varmt", "varm"),
        ],
        endings: &[
            ("aer", "a", 3), ("ruer", "rue", 1),
        ],
        stems: &[
            ("skt", "sk", 2), ("bart", "bar", 1), ("alt", "al", 4), ("ellt", "ell", 2), ("ivt", "iv", 2),
            ("lost", "los", 2), ("lo", "los", 3), ("ffel", "fl", 1), ("el", "l", 2),
        ],
        ..Forms::NONE
    },
    Forms {
        language: Language::Finnish,
        endings: &[
            ("nen", "s", 2), ("kset", "s", 2), ("ttomat", "ton", 2), ("imet", "in", 2), ("imen", "in", 2),
            ("tset", "tsi", 1), ("tsen", "tsi", 1), ("eet", "e", 2), ("at", "a", 2), ("ot", "o", 2), ("ut", "u", 2),
            ("yt", "y", 2),
        ],
        fold: finnish,
        ..Forms::NONE
    },
    Forms {
        language: Language::Hungarian,
        words: &[
            ("egerek", "eger"), ("fazekak", "fazek"), ("kerekek", "kerek"), ("poharak", "pohar"),
            ("tukrok", "tukor"),
        ],
        endings: &[
            ("ak", "a", 3), ("ok", "o", 3), ("ek", "e", 3), ("uk", "u", 3),
        ],
        fold: no_final_vowels,
        ..Forms::NONE
    },
    Forms {
        language: Language::Russian,
        words: &[
            ("кровать", "кровати"), ("писем", "письмо"),
        ],
        fold: russian,
        ..Forms::NONE
    },
    Forms {
        language: Language::Turkish,
        endings: &[
            ("larindan", "", 2), ("lerinden", "", 2), ("larinin", "", 2), ("lerinin", "", 2), ("larini", "", 2),
            ("lerini", "", 2), ("larin", "", 2), ("lerin", "", 2), ("lari", "", 2), ("leri", "", 2), ("lar", "", 2),
            ("ler", "", 2), ("asi", "a", 2), ("esi", "e", 2), ("isi", "i", 2), ("usu", "u", 2), ("osu", "o", 2),
            ("ligi", "lik", 2), ("lugu", "luk", 2), ("agi", "ak", 1), ("egi", "ek", 1), ("igi", "ik", 1),
            ("ugu", "uk", 1), ("abi", "ap", 2), ("aci", "ac", 2), ("i", "", 3), ("u", "", 3),
        ],
        is_repeated: true,
        ..Forms::NONE
    },
    Forms {
        language: Language::Romanian,
        words: &[
            ("linguri", "lingura"), ("mese", "masa"),
        ],
        endings: &[
            ("ouri", "ou", 1), ("ou", "ou", 0), ("uri", "", 2), ("ele", "el", 2), ("cei", "cel", 2), ("u", "", 3),
        ],
        stems: &[
            ("oan", "on", 1), ("oar", "or", 1), ("oap", "op", 1), ("oal", "ol", 0), ("eagr", "egr", 1),
            ("eant", "ent", 1), ("inz", "ind", 1),
        ],
        fold: no_final_vowels,
        ..Forms::NONE
    },
    Forms {
        language: Language::Greek,
        words: &[
            ("ρολογια", "ρολοι"),
        ],
        stems: &[
            ("ικ", "", 3), ("ι", "", 3),
        ],
        ..Forms::NONE
    },
    Forms {
        language: Language::Arabic,
        endings: &[
            ("ات", "ة", 2),
        ],
        ..Forms::NONE
    },
];
