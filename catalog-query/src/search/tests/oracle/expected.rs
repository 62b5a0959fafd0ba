//! Computes what a search must answer, by looking at every product.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use catalog_events::{
    AttributeScalar, CurationAction, Currency, Product, ProductId, QueryMatch, RuleKind,
    RuleTarget, Status,
};
use catalog_proto::v1;
use catalog_proto::v1::filter::Kind;

use crate::index::{FacetCounts, MatchMode};
use crate::search::ranking::profile::RankingProfile;
use crate::search::request::search_request::Sort;
use crate::search::strategy::kind::StrategyKind;
use crate::search::tests::oracle::Case;
use crate::search::tests::oracle::counting::{Value, count, values};
use crate::search::tests::strategies::NEAR_ENOUGH;

/// The products of a world, and what searches of them must answer.
pub(crate) struct Expected {
    pub(crate) products: Vec<Product>,
    pub(crate) views: HashMap<ProductId, u64>,
    /// All products, nearest first, for every query.
    pub(crate) near: Vec<ProductId>,
    pub(crate) depth: usize,
    /// For each product, the words that find it.
    words: Vec<HashSet<String>>,
}

impl Expected {
    pub(crate) fn new(
        products: Vec<Product>,
        views: HashMap<ProductId, u64>,
        near: Vec<ProductId>,
        depth: usize,
    ) -> Self {
        let words = products.iter().map(words).collect();
        Self {
            products,
            views,
            near,
            depth,
            words,
        }
    }

    pub(crate) fn matches(&self, case: &Case, filter: Option<&v1::Filter>) -> BTreeSet<ProductId> {
        let rules = Followed::of(case);
        let currency = self.currency(case);
        let passes =
            |product: &Product| filter.is_none_or(|filter| passes(filter, product, currency));
        let by_words = self
            .products
            .iter()
            .zip(&self.words)
            .filter(|(product, words)| {
                let wanted = match (case.query.is_empty(), case.strategy) {
                    (true, _) => true,
                    (false, StrategyKind::Vector) => false,
                    (false, _) => finds(case, words),
                };
                wanted && passes(product)
            });
        let mut matches: BTreeSet<ProductId> =
            by_words.map(|(product, _)| product.id.clone()).collect();
        if !case.query.is_empty() && case.strategy != StrategyKind::Keyword {
            matches.extend(self.near(case, filter));
        }
        for product in self.products.iter().filter(|product| passes(product)) {
            if rules.pins.iter().any(|(_, id)| *id == product.id) {
                matches.insert(product.id.clone());
            }
        }
        for product in self.products.iter().filter(|product| rules.hide(product)) {
            matches.remove(&product.id);
        }
        matches
    }

    /// Checks that words were dropped only where no product has them all, whatever the filter.
    pub(crate) fn check_relaxed(&self, case: &Case, context: &str) {
        if case.mode != MatchMode::Auto || case.strategy == StrategyKind::Vector {
            return assert!(case.relaxed.is_empty(), "{context}");
        }
        let strict = Case {
            relaxed: Vec::new(),
            ..case.clone()
        };
        let is_possible = self.words.iter().any(|words| finds(&strict, words));
        let asked = case.query.split(' ').count();
        // A word that no product has is told even where a part number beside it finds its product.
        let is_known = |word: &&String| {
            let plain = word.trim_start_matches('0');
            self.words.iter().any(|words| words.contains(plain))
        };
        let drops_known = case.relaxed.iter().any(|word| is_known(&word));
        assert!(!drops_known || !is_possible, "{context}");
        assert!(case.relaxed.len() < asked.max(1), "{context}");
    }

    /// The pinned products with their places, counted from 0.
    pub(crate) fn pinned(
        &self,
        case: &Case,
        matches: &BTreeSet<ProductId>,
    ) -> Vec<(usize, ProductId)> {
        let mut pins: Vec<(u32, ProductId)> = Vec::new();
        let rules = Followed::of(case);
        for (position, id) in
            (1..=100).flat_map(|at| rules.pins.iter().filter(move |pin| pin.0 == at))
        {
            let is_shown = matches.contains(id) && pins.iter().all(|pin| pin.1 != *id);
            if is_shown {
                let next = pins.last().map_or(1, |pin| pin.0 + 1);
                pins.push((next.max(*position), id.clone()));
            }
        }
        let mut answer: Vec<Option<ProductId>> = vec![None; matches.len() - pins.len()];
        for (position, id) in pins {
            answer.insert(answer.len().min(position as usize - 1), Some(id));
        }
        let places = answer.into_iter().enumerate();
        places
            .filter_map(|(place, id)| Some((place, id?)))
            .collect()
    }

    /// The currency in which a case compares prices.
    pub(crate) fn currency(&self, case: &Case) -> Currency {
        let asked = case.filter.as_ref().and_then(asked_currency);
        asked.unwrap_or_else(|| {
            let mut counts: BTreeMap<String, i64> = BTreeMap::new();
            for product in &self.products {
                let currency = product.price.currency();
                *counts.entry(currency.code().to_owned()).or_default() += 1;
            }
            let first = counts.into_iter().min_by_key(|(_, count)| -count);
            first.expect("products").0.parse().expect("currency")
        })
    }

    /// The products near enough that have the numbers of the query, pass the filter and are not hidden.
    /// Nothing is near to a query without letters.
    fn near(&self, case: &Case, filter: Option<&v1::Filter>) -> impl Iterator<Item = ProductId> {
        let currency = self.currency(case);
        let rules = Followed::of(case);
        let asked: Vec<&str> = case.query.split(' ').collect();
        let is_digit = |c: char| c.is_ascii_digit();
        let known = |at: &usize| {
            self.words
                .iter()
                .any(|words| has_word(case, &asked, *at, words))
        };
        let numbers: Vec<usize> = (0..asked.len())
            .filter(|at| asked[*at].starts_with(is_digit) && known(at))
            .collect();
        let has_letters = case.query.contains(char::is_alphabetic);
        let by_id: HashMap<&ProductId, (&Product, &HashSet<String>)> = self
            .products
            .iter()
            .zip(&self.words)
            .map(|(product, words)| (&product.id, (product, words)))
            .collect();
        let has_numbers = |id: &&ProductId| {
            has_letters
                && numbers
                    .iter()
                    .all(|at| has_word(case, &asked, *at, by_id[*id].1))
        };
        let near = self.near.iter().take(self.depth.min(NEAR_ENOUGH));
        let mut near: Vec<&ProductId> = near.filter(has_numbers).collect();
        near.truncate(self.as_near_as_those_with_all_words(case, &near));
        near.retain(|id| {
            let product = by_id[*id].0;
            !rules.hide(product) && filter.is_none_or(|filter| passes(filter, product, currency))
        });
        near.into_iter().cloned()
    }

    /// How many of the nearest are as near as most products with all words, whatever the filter.
    fn as_near_as_those_with_all_words(&self, case: &Case, near: &[&ProductId]) -> usize {
        let finds_words = |id: &ProductId| {
            let mut products = self.products.iter().zip(&self.words);
            products.any(|(product, words)| product.id == *id && finds(case, words))
        };
        let asks_for_all = case.strategy == StrategyKind::Hybrid
            && case.mode != MatchMode::Any
            && case.relaxed.is_empty();
        let numbered = near.iter().zip(1..);
        let with: Vec<usize> = numbered
            .filter(|(id, _)| finds_words(id))
            .map(|(_, rank)| rank)
            .collect();
        if !asks_for_all || with.len() < 5 {
            return near.len();
        }
        let farther = (with.len() - 1) as f64 * RankingProfile::default().near_share;
        with[with.len() - 1 - farther as usize]
    }

    /// The matches in the order of a column; None where they are ordered by relevance.
    pub(crate) fn ordered<'a>(
        &self,
        case: &Case,
        matches: &'a BTreeSet<ProductId>,
    ) -> Option<Vec<&'a ProductId>> {
        let sort = match (case.sort, case.query.is_empty()) {
            (Sort::Relevance, false) => return None,
            (Sort::Relevance, true) => Sort::Newest,
            (sort, _) => sort,
        };
        let products = self.products.iter();
        let by_id: HashMap<&ProductId, &Product> = products.map(|one| (&one.id, one)).collect();
        let first = self.currency(case);
        let key = |id: &&ProductId| {
            let product = by_id[*id];
            let currency = product.price.currency();
            let rank = match sort {
                Sort::PriceAscending | Sort::PriceDescending if currency != first => {
                    currency.code().to_owned()
                }
                _ => String::new(),
            };
            let is_last = case.discontinued_last && product.status == Status::Discontinued;
            let value = match sort {
                Sort::PriceAscending => product.price.minor(),
                Sort::PriceDescending => -product.price.minor(),
                Sort::Popularity => -(self.views.get(*id).copied().unwrap_or(0) as i64),
                Sort::Newest | Sort::Relevance => -product.created_at.unix_timestamp(),
            };
            (is_last, rank, value)
        };
        let mut ordered: Vec<&ProductId> = matches.iter().collect();
        // The sort is stable: equal products stay in the order of their ids.
        ordered.sort_by_key(key);
        Some(ordered)
    }

    pub(crate) fn facet(&self, case: &Case, asked: &v1::FacetRequest) -> FacetCounts {
        let rest: Vec<v1::Filter> = conjuncts(case.filter.as_ref())
            .into_iter()
            .filter(|part| {
                let fields = fields(part);
                fields.is_empty() || fields.iter().any(|field| *field != asked.field)
            })
            .cloned()
            .collect();
        let all = Kind::All(v1::FilterList { filters: rest });
        let matches = self.matches(case, Some(&v1::Filter { kind: Some(all) }));
        let among = self.products.iter().filter(|one| matches.contains(&one.id));
        count(among, asked, self.currency(case))
    }
}

/// What the rules of a case say about its query.
struct Followed<'a> {
    targets: Vec<&'a RuleTarget>,
    /// The pins in the order of rules and actions.
    pins: Vec<(u32, ProductId)>,
}

impl<'a> Followed<'a> {
    fn of(case: &'a Case) -> Self {
        let by_relevance = case.sort == Sort::Relevance && !case.query.is_empty();
        let mut followed = Self {
            targets: Vec::new(),
            pins: Vec::new(),
        };
        for rule in &case.rules {
            let RuleKind::Curation(curation) = &rule.kind else {
                panic!("no curation: {rule:?}");
            };
            let speaks = curation.queries.is_empty()
                || !case.query.is_empty()
                    && curation
                        .queries
                        .iter()
                        .any(|query| match curation.matching {
                            QueryMatch::Exact => *query == case.query,
                            QueryMatch::Contains => {
                                format!(" {} ", case.query).contains(&format!(" {query} "))
                            }
                        });
            for action in curation.actions.iter().filter(|_| speaks) {
                match action {
                    CurationAction::Hide { target } => followed.targets.push(target),
                    CurationAction::Pin {
                        product_id,
                        position,
                    } if by_relevance => followed.pins.push((*position, product_id.clone())),
                    _ => {}
                }
            }
        }
        followed
    }

    fn hide(&self, product: &Product) -> bool {
        self.targets.iter().any(|target| {
            let brand = target.brand.as_ref().zip(product.brand.as_ref());
            let mut path = product.categories.iter().map(|name| name.to_lowercase());
            let mut category = target.category.iter().map(|name| name.to_lowercase());
            target.product_ids.contains(&product.id)
                || brand.is_some_and(|(a, b)| a.to_lowercase() == b.to_lowercase())
                || !target.category.is_empty() && category.all(|name| path.next() == Some(name))
        })
    }
}

/// The words that find a product.
fn words(product: &Product) -> HashSet<String> {
    let attributes = product.attributes.iter();
    let texts_of_attributes = attributes.flat_map(|(name, value)| {
        let texts = value.elements().iter().map(move |one| match one {
            AttributeScalar::Text(text) => Some(text),
            AttributeScalar::Flag(true) => Some(name),
            AttributeScalar::Flag(false) | AttributeScalar::Number(_) => None,
        });
        texts.flatten()
    });
    [&product.title, &product.description]
        .into_iter()
        .chain(&product.brand)
        .chain(&product.categories)
        .chain(texts_of_attributes)
        .chain(&product.gtins)
        .flat_map(|text| text.split(|c: char| !c.is_alphanumeric()))
        .map(str::to_lowercase)
        .collect()
}

fn finds(case: &Case, words: &HashSet<String>) -> bool {
    let asked: Vec<&str> = case.query.split(' ').collect();
    let is_identifier =
        |word: &str| word.starts_with('0') && words.contains(word.trim_start_matches('0'));
    if asked.iter().any(|word| is_identifier(word)) {
        return true;
    }
    let has = |at: usize| has_word(case, &asked, at, words);
    let is_kept = |at: &usize| !case.relaxed.iter().any(|word| word == asked[*at]);
    match case.mode {
        MatchMode::Any => (0..asked.len()).any(has),
        MatchMode::All => (0..asked.len()).all(has),
        MatchMode::Auto => {
            let kept: Vec<usize> = (0..asked.len()).filter(is_kept).collect();
            !kept.is_empty() && kept.into_iter().all(has)
        }
    }
}

fn has_word(case: &Case, asked: &[&str], at: usize, words: &HashSet<String>) -> bool {
    let is_open = case.is_open && at + 1 == asked.len();
    words.contains(asked[at]) || is_open && words.iter().any(|word| word.starts_with(asked[at]))
}

/// The filters that must all pass.
fn conjuncts(filter: Option<&v1::Filter>) -> Vec<&v1::Filter> {
    let Some(filter) = filter else {
        return Vec::new();
    };
    match &filter.kind {
        Some(Kind::All(list)) => {
            let parts = list.filters.iter();
            parts.flat_map(|part| conjuncts(Some(part))).collect()
        }
        _ => vec![filter],
    }
}

/// The fields that a filter asks about.
fn fields(filter: &v1::Filter) -> Vec<&str> {
    match filter.kind.as_ref().expect("kind") {
        Kind::All(list) | Kind::Any(list) => list.filters.iter().flat_map(fields).collect(),
        Kind::Not(part) => fields(part),
        Kind::Terms(terms) => vec![&terms.field],
        Kind::Range(range) => vec![&range.field],
        Kind::Flag(flag) => vec![&flag.field],
        Kind::Category(_) => vec!["category"],
        Kind::Exists(exists) => vec![&exists.field],
        Kind::Parameter(named) => panic!("no case has {named:?}"),
    }
}

/// The currency that a filter asks for.
fn asked_currency(filter: &v1::Filter) -> Option<Currency> {
    match filter.kind.as_ref().expect("kind") {
        Kind::All(list) => list.filters.iter().find_map(asked_currency),
        Kind::Any(list) if list.filters.len() == 1 => asked_currency(&list.filters[0]),
        Kind::Terms(terms) if terms.field == "currency" && terms.values.len() == 1 => {
            terms.values[0].to_uppercase().parse().ok()
        }
        _ => None,
    }
}

/// Whether a product passes a filter whose prices are in `currency` unless it asks for another.
fn passes(filter: &v1::Filter, product: &Product, currency: Currency) -> bool {
    let currency = asked_currency(filter).unwrap_or(currency);
    let is_comparable = |field: &str| field != "price" || product.price.currency() == currency;
    match filter.kind.as_ref().expect("kind") {
        Kind::All(list) => list
            .filters
            .iter()
            .all(|part| passes(part, product, currency)),
        Kind::Any(list) => list
            .filters
            .iter()
            .any(|part| passes(part, product, currency)),
        Kind::Not(part) => !passes(part, product, currency),
        Kind::Terms(terms) => values(product, &terms.field).iter().any(|value| {
            let mut wanted = terms.values.iter().map(|value| value.to_lowercase());
            is_comparable(&terms.field)
                && wanted.any(|wanted| match value {
                    Value::Text(text) => {
                        // No product has a number as a text in another spelling than its own.
                        let number = wanted.parse().ok().map(|number: f64| number.to_string());
                        let text = text.to_lowercase();
                        text == wanted || number.is_some_and(|number| text == number)
                    }
                    Value::Number(number) => wanted.parse() == Ok(*number),
                    Value::Flag(flag) => flag.to_string() == wanted,
                })
        }),
        Kind::Range(range) => values(product, &range.field).iter().any(|value| {
            let within = |number: f64| {
                range.min.is_none_or(|min| number >= min)
                    && range.max.is_none_or(|max| number <= max)
                    && range.below.is_none_or(|below| number < below)
            };
            is_comparable(&range.field) && matches!(value, Value::Number(number) if within(*number))
        }),
        Kind::Flag(flag) => values(product, &flag.field)
            .iter()
            .any(|value| matches!(value, Value::Flag(is) if *is == flag.value)),
        Kind::Category(category) => {
            let path = category.path.iter().map(|name| name.to_lowercase());
            let mut names = product.categories.iter().map(|name| name.to_lowercase());
            path.into_iter().all(|name| names.next() == Some(name))
        }
        Kind::Exists(exists) => !values(product, &exists.field).is_empty(),
        Kind::Parameter(named) => panic!("no case has {named:?}"),
    }
}
