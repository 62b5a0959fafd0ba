//! Ranking profiles: every weight that decides an order, under a name and a version, so that an
//! order can be told, compared and changed without a release.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use serde::{Deserialize, Serialize};

use crate::index::KeywordWeights;

const DEPTH_MAX: usize = 1_000;
const WEIGHT_MAX: f64 = 1_000.0;

/// The weights of a weighted reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009) of
/// hits by words and by meaning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RankingProfile {
    pub(crate) name: String,
    pub(crate) version: u32,
    /// The weights of the words when they are searched for alone.
    pub(crate) words: KeywordWeights,
    /// The weights of the words beside a leg by meaning, which finds what the words only hint at.
    /// While only some of the products have a vector, the weights lie between these and `words`.
    pub(crate) words_beside_vectors: KeywordWeights,
    /// Flattens the difference between the first ranks; 60 in the paper.
    pub(crate) rank_constant: f64,
    pub(crate) keyword_weight: f64,
    /// The weight of the leg by words for a product that the query names: one that stands out among
    /// those that have all of three or more words.
    pub(crate) named_weight: f64,
    /// What a hit counts beside a leg by meaning that lacks some word, and so matches by its meaning or by
    /// the beginning of a word: this share of its score by words, and of the weight of that leg.
    pub(crate) partial_share: f64,
    pub(crate) vector_weight: f64,
    /// The least similarity of a product that matches by its meaning alone. The catalog itself may
    /// raise it: what is as near to a text without meaning does not match.
    pub(crate) similarity_floor: f64,
    /// The share of the products near in meaning with all words of a query that a product without some of
    /// them must be nearer than, to match by its meaning alone.
    pub(crate) near_share: f64,
    /// What the kind of product that a query means counts beside a leg by meaning.
    pub(crate) meant_kind: KindWeights,
    /// How many hits of either kind are fused.
    pub(crate) depth: usize,
    /// What the most viewed product gains, as a share of its score; 0 leaves views out.
    pub(crate) popularity: f64,
}

/// What the kind of product that a query means counts. The products nearest to the query tell it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct KindWeights {
    /// The share of its score that a product of a wholly different kind loses, where the nearest
    /// products are all alike.
    pub(crate) penalty: f64,
    pub(crate) other_name: OtherNameWeights,
}

/// When the catalog is taken to call a thing by another name than the query ("notebook" for
/// "laptop"), and what counts then.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct OtherNameWeights {
    /// The mean similarity of the first hits by words to the kind is below this.
    pub(crate) similarity_max: f64,
    /// The nearest products have at least this much in common, from 0 to 1.
    pub(crate) cohesion_min: f64,
    /// At most this share of all hits by meaning has the last word of the query in its title.
    pub(crate) called_max: f64,
    /// Takes the place of the other penalty, whatever the nearest products have in common.
    pub(crate) penalty: f64,
    /// Takes the place of the weight of the leg by meaning.
    pub(crate) vector_weight: f64,
}

impl Default for KindWeights {
    fn default() -> Self {
        Self {
            penalty: 0.4,
            other_name: OtherNameWeights::default(),
        }
    }
}

impl Default for OtherNameWeights {
    fn default() -> Self {
        Self {
            similarity_max: 0.2,
            cohesion_min: 0.15,
            called_max: 0.2,
            penalty: 0.8,
            vector_weight: 1.0,
        }
    }
}

impl KindWeights {
    fn shares(&self) -> [f64; 5] {
        let other = &self.other_name;
        [
            self.penalty,
            other.similarity_max,
            other.cohesion_min,
            other.called_max,
            other.penalty,
        ]
    }
}

impl Default for RankingProfile {
    fn default() -> Self {
        let usual = KeywordWeights::default();
        Self {
            name: "standard".to_owned(),
            version: 5,
            words_beside_vectors: usual.clone(),
            words: KeywordWeights {
                tie_breaker: 0.2,
                ..usual
            },
            rank_constant: 60.0,
            keyword_weight: 1.0,
            named_weight: 2.0,
            partial_share: 0.7,
            vector_weight: 0.25,
            similarity_floor: 0.45,
            near_share: 0.5,
            meant_kind: KindWeights::default(),
            depth: 200,
            popularity: 0.02,
        }
    }
}

impl RankingProfile {
    /// The profile as `name@version`.
    pub(crate) fn label(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }

    /// The weights of the words beside a leg by meaning in which this share of the products has a
    /// vector. Without any, they are those of the words alone.
    pub(crate) fn words_at(&self, coverage: f64) -> KeywordWeights {
        self.words
            .towards(&self.words_beside_vectors, coverage as f32)
    }

    /// How many hits by words decide which are the first `limit`, where no rule moves any: views
    /// multiply a score by `1 + popularity` at most, so that hits further down cannot get among the
    /// first.
    pub(crate) fn hits_that_decide(&self, limit: usize) -> usize {
        let lifted = self.popularity * (self.rank_constant + limit as f64);
        limit + lifted.ceil() as usize
    }

    /// Checks that all values are within their bounds.
    fn check(&self) -> Result<(), &'static str> {
        let is_name = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        if self.name.is_empty() || !self.name.chars().all(is_name) {
            return Err("its name has something else than letters, digits, '_', '-' and '.'");
        }
        let weights = [
            self.rank_constant,
            self.keyword_weight,
            self.named_weight,
            self.vector_weight,
            self.meant_kind.other_name.vector_weight,
            self.popularity,
            self.similarity_floor,
        ];
        let plain = |weight: f64| (0.0..=WEIGHT_MAX).contains(&weight);
        if !weights.into_iter().all(plain) {
            return Err("a weight is not from 0 to 1000");
        }
        let is_share = |share: &f64| (0.0..=1.0).contains(share);
        if !is_share(&self.partial_share) {
            return Err("partial_share is not from 0 to 1");
        }
        if !is_share(&self.near_share) {
            return Err("near_share is not from 0 to 1");
        }
        if !self.meant_kind.shares().iter().all(is_share) {
            return Err("a share of meant_kind is not from 0 to 1");
        }
        if self.popularity > 1.0 {
            return Err("popularity is more than 1");
        }
        if !(1..=DEPTH_MAX).contains(&self.depth) {
            return Err("depth is not from 1 to 1000");
        }
        if !(self.words.is_plain() && self.words_beside_vectors.is_plain()) {
            return Err("a weight of words is not from 0 to 1000, or b not from 0 to 1");
        }
        Ok(())
    }
}

/// Why ranking profiles cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProfilesError {
    #[error("cannot read {file}")]
    Read { file: PathBuf, source: io::Error },
    #[error("{file} holds no ranking profiles")]
    Json {
        file: PathBuf,
        source: serde_json::Error,
    },
    #[error("ranking profile {name:?}: {reason}")]
    Invalid { name: String, reason: &'static str },
}

/// The profiles that a request can choose from.
#[derive(Clone, Debug)]
pub(crate) struct RankingProfiles {
    default: Arc<RankingProfile>,
    by_name: HashMap<String, Arc<RankingProfile>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    default: String,
    profiles: Vec<RankingProfile>,
}

impl Default for RankingProfiles {
    fn default() -> Self {
        Self::only(RankingProfile::default())
    }
}

impl RankingProfiles {
    pub(crate) fn only(profile: RankingProfile) -> Self {
        let default = Arc::new(profile);
        Self {
            by_name: HashMap::from([(default.name.clone(), Arc::clone(&default))]),
            default,
        }
    }

    /// Loads a JSON file: `{"default": NAME, "profiles": [{"name": NAME, "version": 1, …}]}`.
    /// Weights that are left out have their default values.
    pub(crate) fn load(file: &Path) -> Result<Self, ProfilesError> {
        let text = fs::read(file).map_err(|source| ProfilesError::Read {
            file: file.to_owned(),
            source,
        })?;
        let parsed = serde_json::from_slice(&text).map_err(|source| ProfilesError::Json {
            file: file.to_owned(),
            source,
        })?;
        Self::of(parsed)
    }

    fn of(file: File) -> Result<Self, ProfilesError> {
        let mut by_name = HashMap::new();
        let invalid = |name: String, reason| ProfilesError::Invalid { name, reason };
        for profile in file.profiles {
            let name = profile.name.clone();
            profile
                .check()
                .map_err(|reason| invalid(name.clone(), reason))?;
            if by_name.insert(name.clone(), Arc::new(profile)).is_some() {
                return Err(invalid(name, "is there twice"));
            }
        }
        match by_name.get(&file.default).cloned() {
            Some(default) => Ok(Self { default, by_name }),
            None => Err(invalid(file.default, "is the default, and is not there")),
        }
    }

    /// All profiles, by name.
    pub(crate) fn all(&self) -> Vec<&RankingProfile> {
        let mut all: Vec<&RankingProfile> = self.by_name.values().map(Arc::as_ref).collect();
        all.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        all
    }

    pub(crate) fn default_name(&self) -> &str {
        &self.default.name
    }

    /// The profile of a name, or the default one for an empty name; None for an unknown name.
    pub(crate) fn get(&self, name: &str) -> Option<&Arc<RankingProfile>> {
        match name {
            "" => Some(&self.default),
            name => self.by_name.get(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<RankingProfiles, String> {
        let file = serde_json::from_str(json).map_err(|err| err.to_string())?;
        RankingProfiles::of(file).map_err(|err| err.to_string())
    }

    #[test]
    fn profiles_are_chosen_by_name() {
        let json = r#"{"default": "shop", "profiles": [
            {"name": "shop", "version": 3, "vector_weight": 0.25, "words": {"tie_breaker": 0.0}},
            {"name": "words", "version": 1, "vector_weight": 0}]}"#;
        let profiles = parse(json).expect("profiles");
        let default = profiles.get("").expect("default");
        assert_eq!(default.label(), "shop@3");
        assert_eq!((default.vector_weight, default.depth), (0.25, 200));
        assert_eq!(default.words.tie_breaker, 0.0);
        assert_eq!(default.words.title, KeywordWeights::default().title);
        assert_eq!(profiles.get("words").expect("known").vector_weight, 0.0);
        assert!(profiles.get("other").is_none());
        assert_eq!(
            RankingProfiles::default().get("").expect("default").label(),
            "standard@5"
        );
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for (json, reason) in [
            (r#"{"default": "a", "profiles": []}"#, "is not there"),
            (
                r#"{"default": "a", "profiles": [{"name": "a", "vectors": 1}]}"#,
                "unknown field",
            ),
            (
                r#"{"default": "a", "profiles": [{"name": "a", "depth": 0}]}"#,
                "depth",
            ),
            (
                r#"{"default": "a", "profiles": [{"name": "a", "popularity": 2}]}"#,
                "popularity",
            ),
            (
                r#"{"default": "a", "profiles": [{"name": "a", "vector_weight": -1}]}"#,
                "weight",
            ),
            (
                r#"{"default": "a", "profiles": [{"name": "a", "meant_kind": {"other_name": {"penalty": 1.1}}}]}"#,
                "share of meant_kind",
            ),
            (
                r#"{"default": "a", "profiles": [{"name": "a", "partial_share": 1.1}]}"#,
                "partial_share",
            ),
            (r#"{"default": "a", "profiles": [{"name": "a b"}]}"#, "name"),
            (
                r#"{"default": "a", "profiles": [{"name": "a", "words": {"title": {"weight": 1, "k1": 1, "b": 2}}}]}"#,
                "b not from 0 to 1",
            ),
            (
                r#"{"default": "a", "profiles": [{"name": "a"}, {"name": "a"}]}"#,
                "twice",
            ),
        ] {
            let err = parse(json).expect_err(json);
            assert!(err.contains(reason), "{json}: {err}");
        }
    }
}
