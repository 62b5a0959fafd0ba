//! A real engine over the products of one catalog.

use std::sync::Arc;

use arc_swap::ArcSwap;
use catalog_events::{RuleKind, SearchRule, Version};
use tempfile::TempDir;
use time::macros::datetime;

use crate::embedding::Embedder;
use crate::index::Language;
use crate::index::tests::support::index_in;
use crate::read_model::{Coverage, VectorIndex};
use crate::search::engine::{SearchEngine, SearchPage};
use crate::search::ranking::profile::RankingProfiles;
use crate::search::request::search_request::Sort;
use crate::search::rules::rule_set::RuleSet;
use crate::search::strategy::factory::SearchStrategyFactory;
use crate::search::strategy::kind::StrategyKind;
use crate::search::tests::queries::adapter::{Told, request, told};
use crate::search::tests::queries::meaning;
use crate::search::tests::queries::table::{Catalog, Query};
use crate::search::tests::strategies::TestVectors;
use crate::usage::PopularityBoard;

/// The engine of a catalog.
pub(super) struct Shop {
    engine: SearchEngine,
    strategy: StrategyKind,
    _folder: TempDir,
}

/// What is known of the answer to a query.
pub(super) struct Answer {
    /// The ids of the first page in the order of relevance. A page is longer than any catalog.
    pub(super) ids: Vec<String>,
    pub(super) total: u64,
    /// The ids of the same query in the order of the price.
    pub(super) by_price: Vec<String>,
    pub(super) told: Told,
}

impl Shop {
    pub(super) async fn open(catalog: &Catalog) -> Self {
        let products = catalog.products();
        let language: Language = catalog.language.parse().expect(&catalog.name);
        let (folder, index) = index_in(language, &products);
        let mut embedder: Option<Arc<dyn Embedder>> = None;
        let mut vectors: Arc<dyn VectorIndex> = Arc::new(TestVectors(Vec::new()));
        let mut strategy = StrategyKind::Keyword;
        if catalog.meaning {
            let (model, known) = meaning::of(&products).await;
            (embedder, vectors) = (Some(model), Arc::new(known));
            strategy = StrategyKind::Hybrid;
        }
        let strategies = SearchStrategyFactory::new(
            Arc::new(ArcSwap::from_pointee(index)),
            Arc::new(ArcSwap::from_pointee(rules(catalog, language))),
            embedder,
            vectors,
            Coverage::new(u64::MAX),
        );
        let (profiles, board) = (RankingProfiles::default(), PopularityBoard::default());
        Self {
            engine: SearchEngine::new(strategies, profiles, board),
            strategy,
            _folder: folder,
        }
    }

    pub(super) async fn ask(&self, query: &Query) -> Answer {
        let page = self.page(query, Sort::Relevance).await;
        let by_price = self.page(query, Sort::PriceAscending).await;
        Answer {
            ids: ids(&page),
            total: page.total,
            by_price: ids(&by_price),
            told: told(&page),
        }
    }

    async fn page(&self, query: &Query, sort: Sort) -> SearchPage {
        let request = request(query, self.strategy, sort);
        let answer = self.engine.search(request).await;
        answer.unwrap_or_else(|err| panic!("{query}: {err}"))
    }
}

fn ids(page: &SearchPage) -> Vec<String> {
    let ids = page.hits.iter().map(|hit| hit.product_id.to_string());
    ids.collect()
}

/// The synonyms of a catalog, as rules.
fn rules(catalog: &Catalog, language: Language) -> RuleSet {
    let at = datetime!(2026-01-02 03:04:05 UTC);
    let rule = |(number, terms): (usize, &Vec<String>)| SearchRule {
        id: format!("synonyms{number}").parse().expect("id"),
        kind: RuleKind::Synonyms {
            terms: terms.clone(),
        },
        disabled: false,
        starts_at: None,
        ends_at: None,
        note: String::new(),
        created_at: at,
        updated_at: at,
    };
    let rules: Vec<Arc<SearchRule>> = catalog
        .synonyms
        .iter()
        .enumerate()
        .map(rule)
        .map(Arc::new)
        .collect();
    let versions = rules.iter().map(|rule| (rule, Version::FIRST));
    RuleSet::compile(language, versions, at)
}
