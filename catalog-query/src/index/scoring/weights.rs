//! The weights of a match by field, as a ranking profile sets them.

use serde::{Deserialize, Serialize};

use crate::index::document::schema::FIELDS;

/// The BM25 parameters (Robertson and Zaragoza 2009) of one field.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FieldWeight {
    pub(crate) weight: f32,
    /// How much repetitions of a word add; 0 counts a word once.
    pub(crate) k1: f32,
    /// How much less a word counts in a long text, from 0 to 1.
    pub(crate) b: f32,
}

impl FieldWeight {
    const fn new(weight: f32, k1: f32, b: f32) -> Self {
        Self { weight, k1, b }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct KeywordWeights {
    pub(crate) title: FieldWeight,
    pub(crate) brand: FieldWeight,
    pub(crate) description: FieldWeight,
    pub(crate) categories: FieldWeight,
    pub(crate) attributes: FieldWeight,
    /// The share that the fields other than the best one add to the score of a word.
    pub(crate) tie_breaker: f32,
    /// Where the idf of a word comes from: 0 takes that of the field that matches, 1 that of the
    /// field with the most matches.
    #[serde(rename = "shared_rareness")]
    pub(crate) shared_idf: f32,
    /// The weight of two words of the query that follow each other in a title or description.
    pub(crate) adjacency: f32,
    pub(crate) synonym: f32,
    /// The share of its score that a product loses if its kind is not the one that the query names,
    /// where the catalog tells that kind with full confidence.
    pub(crate) kind: f32,
    /// The same share for a query whose last word has synonyms. With more words, more products have
    /// one of them without being of that kind.
    pub(crate) kind_of_synonyms: f32,
    /// The weight of "smartwatch" for "smart watch", and the other way round.
    pub(crate) compound: f32,
    /// The weight of a word that begins as the last word of the query.
    pub(crate) continuation: f32,
}

impl Default for KeywordWeights {
    fn default() -> Self {
        Self {
            title: FieldWeight::new(1.0, 2.0, 0.75),
            brand: FieldWeight::new(1.0, 1.2, 0.75),
            description: FieldWeight::new(1.0, 1.2, 0.75),
            categories: FieldWeight::new(0.5, 1.2, 0.75),
            attributes: FieldWeight::new(0.8, 1.2, 0.75),
            tie_breaker: 0.1,
            shared_idf: 0.5,
            adjacency: 0.5,
            synonym: 0.9,
            kind: 0.7,
            kind_of_synonyms: 0.7,
            compound: 0.3,
            continuation: 0.5,
        }
    }
}

impl KeywordWeights {
    /// Whether all weights are finite, not negative and in their bounds.
    pub(crate) fn is_plain(&self) -> bool {
        let weights = [
            self.tie_breaker,
            self.shared_idf,
            self.adjacency,
            self.synonym,
            self.kind,
            self.kind_of_synonyms,
            self.compound,
            self.continuation,
        ];
        let fields = self.fields();
        let of_fields = fields.iter().flat_map(|field| [field.weight, field.k1]);
        let bounded = |weight: f32| (0.0..=1_000.0).contains(&weight);
        weights.into_iter().chain(of_fields).all(bounded)
            && fields.iter().all(|field| (0.0..=1.0).contains(&field.b))
    }

    /// Returns weights between these and `others`: these for a share of 0, the others for 1.
    pub(crate) fn towards(&self, others: &Self, share: f32) -> Self {
        let between = |this: f32, other: f32| this + (other - this) * share;
        let field = |this: FieldWeight, other: FieldWeight| FieldWeight {
            weight: between(this.weight, other.weight),
            k1: between(this.k1, other.k1),
            b: between(this.b, other.b),
        };
        Self {
            title: field(self.title, others.title),
            brand: field(self.brand, others.brand),
            description: field(self.description, others.description),
            categories: field(self.categories, others.categories),
            attributes: field(self.attributes, others.attributes),
            tie_breaker: between(self.tie_breaker, others.tie_breaker),
            shared_idf: between(self.shared_idf, others.shared_idf),
            adjacency: between(self.adjacency, others.adjacency),
            synonym: between(self.synonym, others.synonym),
            kind: between(self.kind, others.kind),
            kind_of_synonyms: between(self.kind_of_synonyms, others.kind_of_synonyms),
            compound: between(self.compound, others.compound),
            continuation: between(self.continuation, others.continuation),
        }
    }

    /// Returns the weights in the order of the searched fields.
    pub(crate) fn fields(&self) -> [FieldWeight; FIELDS] {
        [
            self.title,
            self.brand,
            self.description,
            self.categories,
            self.attributes,
        ]
    }
}
