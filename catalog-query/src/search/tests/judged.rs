//! Tests of how good the order is, against human judgments of a real feed in the folder that
//! `CATALOG_JUDGMENTS_DIR` names, or against a small made-up one where there is no such folder.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use catalog_events::{AttributeValue, Product};
use flate2::read::GzDecoder;
use serde_json::{Map, Value};

use crate::embedding::{Embedder as _, LocalEmbedder, embedding_text};
use crate::index::tests::support::{index_in_one_go, product};
use crate::index::{Hit, KeywordIndex, Language, Popularity, identifier};
use crate::search::ranking::fusion::{Legs, fuse};
use crate::search::ranking::profile::RankingProfile;
use crate::search::request::query::ParsedQuery;
use crate::search::request::understanding::{Dictionary, understand};
use crate::search::rules::curation::curated::Boosts;
use crate::search::rules::synonyms::{SynonymRule, Synonyms};
use crate::search::strategy::kind::StrategyKind;
use crate::search::tests::strategies::setup_of;

/// The least NDCG@10 of a search by words over the whole feed.
const KEYWORD_FLOOR: f64 = 0.82;
/// The least NDCG@10 of a search by words and meaning over [`SUBSET`] products, the judged ones
/// first.
const HYBRID_FLOOR: f64 = 0.85;
const SUBSET: usize = 4_000;

/// The ratings of products for one query, by their ids.
type Ratings = HashMap<String, i32>;
/// Finds the products that are near to a text in meaning.
type Near<'a> = &'a dyn Fn(&str) -> Vec<Hit>;

struct Judged {
    index: KeywordIndex,
    judgments: Vec<(String, Ratings)>,
    profile: RankingProfile,
    synonyms: Synonyms,
    _folder: tempfile::TempDir,
}

impl Judged {
    fn new(products: &[Product], judgments: Vec<(String, Ratings)>) -> Self {
        let (folder, index) = index_in_one_go(products);
        Self {
            index,
            judgments,
            profile: RankingProfile::default(),
            synonyms: Synonyms::default(),
            _folder: folder,
        }
    }

    /// The ids that a query finds by words, or by words and meaning where `near` is given.
    fn search(&self, query: &str, near: Option<Near<'_>>) -> Vec<String> {
        let snapshot = self.index.snapshot();
        let query = ParsedQuery {
            is_open: true,
            ..ParsedQuery::parse(query, Language::English).expect("query")
        };
        let weights = &self.profile.words_at(near.map_or(0.0, |_| 1.0));
        let (vocabulary, dictionary) = (snapshot.vocabulary(), Dictionary::default());
        let understood = understand(&query, &vocabulary, &dictionary, &self.synonyms, weights)
            .expect("understood");
        let by_words = snapshot
            .search(&understood.terms, weights, self.profile.depth, None)
            .expect("search");
        let by_meaning = near.map(|near| -> Vec<_> { (1..).zip(near(&understood.text)).collect() });
        let legs = Legs {
            keyword: Some(&by_words),
            vector: by_meaning.as_deref(),
            coverage: 1.0,
            ..Legs::default()
        };
        let (views, boosts) = (Popularity::default(), Boosts::default());
        let hits = fuse(&self.profile, legs, &views, &boosts).into_iter();
        hits.map(|hit| hit.product_id.to_string()).collect()
    }

    /// The mean NDCG@10 over all queries.
    fn ndcg(&self, near: Option<Near<'_>>) -> f64 {
        let scores: Vec<f64> = self
            .judgments
            .iter()
            .map(|(query, ratings)| ndcg(&self.search(query, near), ratings))
            .collect();
        scores.iter().sum::<f64>() / scores.len() as f64
    }
}

/// NDCG@10 with gains of `2^rating - 1`, where products that were not judged count as irrelevant.
fn ndcg(ids: &[String], ratings: &Ratings) -> f64 {
    let discounted = |ratings: &mut dyn Iterator<Item = i32>| -> f64 {
        let gain = |rating: i32| 2_f64.powi(rating) - 1.0;
        let places = ratings.take(10).zip(2..);
        places
            .map(|(rating, place)| gain(rating) / f64::from(place).log2())
            .sum()
    };
    let mut best: Vec<i32> = ratings.values().copied().collect();
    best.sort_unstable_by(|a, b| b.cmp(a));
    let mut found = ids.iter().map(|id| ratings.get(id).copied().unwrap_or(0));
    discounted(&mut found) / discounted(&mut best.into_iter())
}

fn folder() -> Option<PathBuf> {
    std::env::var_os("CATALOG_JUDGMENTS_DIR").map(PathBuf::from)
}

#[test]
fn the_order_by_words_is_as_good_as_it_was() {
    let Some(folder) = folder() else {
        return made_up();
    };
    let judged = Judged::new(&feed(&folder), judgments(&folder));
    let ndcg = judged.ndcg(None);
    assert!(ndcg >= KEYWORD_FLOOR, "NDCG@10 is {ndcg:.4}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_order_by_words_and_meaning_is_as_good_as_it_was() {
    let Some(folder) = folder() else {
        return made_up();
    };
    let judgments = judgments(&folder);
    let products = subset(feed(&folder), &judgments);
    let model = devkit::embedding_model().await.expect("model");
    let embedder = Arc::new(LocalEmbedder::load(&model.folder, 2).expect("embedder"));
    let texts = products.iter().map(embedding_text).collect();
    let vectors = embedder.embed(texts).await.expect("vectors");
    let judged = Judged::new(&products, judgments);
    let depth = judged.profile.depth;
    let handle = tokio::runtime::Handle::current();
    let near = move |text: &str| {
        let vector = tokio::task::block_in_place(|| handle.block_on(embedder.embed_query(text)))
            .expect("vector");
        let cosine = |other: &Vec<f32>| vector.iter().zip(other).map(|(a, b)| a * b).sum::<f32>();
        let mut hits: Vec<Hit> = products
            .iter()
            .zip(&vectors)
            .map(|(product, other)| Hit {
                product_id: product.id.clone(),
                score: cosine(other),
            })
            .collect();
        hits.sort_by(|a, b| b.score.total_cmp(&a.score));
        hits.truncate(depth);
        hits
    };
    let ndcg = judged.ndcg(Some(&near));
    assert!(ndcg >= HYBRID_FLOOR, "NDCG@10 is {ndcg:.4}");
}

/// The products that were judged and every seventh other one, [`SUBSET`] at most.
fn subset(feed: Vec<Product>, judgments: &[(String, Ratings)]) -> Vec<Product> {
    let is_judged = |product: &Product| {
        let mut ratings = judgments.iter().map(|(_, ratings)| ratings);
        ratings.any(|ratings| ratings.contains_key(product.id.as_str()))
    };
    let (mut products, others): (Vec<Product>, Vec<Product>) =
        feed.into_iter().partition(is_judged);
    products.extend(others.into_iter().step_by(7));
    products.truncate(SUBSET);
    products
}

/// A rule says that a laptop is a notebook: then "laptop" finds notebooks and not sleeves for them.
#[test]
fn a_synonym_finds_the_thing_and_not_what_is_for_it() {
    let Some(folder) = folder() else {
        return made_up();
    };
    let products = feed(&folder);
    let mut judged = Judged::new(&products, judgments(&folder));
    let terms = ["laptop", "notebook"].map(str::to_owned).to_vec();
    judged.synonyms = Synonyms::new(Language::English, [SynonymRule::TwoWay(terms)]);
    let computers: HashSet<&str> = products
        .iter()
        .filter(|one| one.title.contains("Notebook PC"))
        .map(|one| one.id.as_str())
        .collect();
    let found = judged.search("laptop", None);
    let is_computer = |id: &&String| computers.contains(id.as_str());
    let notebooks = found[..10].iter().filter(is_computer).count();
    assert!(notebooks > 5, "{notebooks} of {:?}", &found[..10]);
}

/// Checks queries of all kinds on a catalog of a few products, each with one perfect answer.
fn made_up() {
    let titles = [
        (
            "notebook",
            "Acme B200 Notebook 39.6 cm (15.6\") 8 GB DDR4 256 GB SSD",
        ),
        ("sleeve", "Acme notebook sleeve 15.6\" black"),
        ("bank", "Volta power bank 10000 mAh"),
        ("charger", "Volta wall charger 20 W"),
        ("printer", "Inka laser printer A4"),
        ("toner", "Inka toner cartridge for laser printers"),
        ("stick", "Memo USB stick 64 GB"),
        ("hub", "Memo USB hub 4 ports"),
    ];
    let products: Vec<Product> = titles
        .iter()
        .zip(100..)
        .map(|((id, title), number)| Product {
            sku: Some(format!("MX-{number}")),
            ..product(id, title)
        })
        .collect();
    let answers = [
        ("notebook sleeve", "sleeve"),
        ("notebok slevee", "sleeve"),
        ("powerbank", "bank"),
        ("laser printer", "printer"),
        ("toner", "toner"),
        ("64GB usb", "stick"),
        ("usb hub -stick", "hub"),
        ("MX-103", "charger"),
        ("mx 105", "toner"),
        ("\"wall charger\"", "charger"),
    ];
    let judgments =
        answers.map(|(query, id)| (query.to_owned(), Ratings::from([(id.to_owned(), 3)])));
    let judged = Judged::new(&products, judgments.into());
    for (query, ratings) in &judged.judgments {
        let found = judged.search(query, None);
        assert_eq!(ndcg(&found, ratings), 1.0, "{query:?} finds {found:?}");
    }
}

/// The part numbers differ in a letter or a digit, and each finds its own product first.
#[test]
fn an_identifier_finds_its_product_first_and_no_neighbour() {
    let sku = |number: usize| format!("WX-{}{:03}/{}", number % 10, number, ["A", "B"][number % 2]);
    let gtin = |number: usize| format!("40{:011}", number * 9 + 1);
    let products: Vec<Product> = (0..1_000)
        .map(|number| Product {
            sku: Some(sku(number)),
            gtins: vec![gtin(number)],
            ..product(
                &format!("p{number}"),
                &format!("WX series part, fits WX-{}", (number + 1) % 1_000),
            )
        })
        .collect();
    let judged = Judged::new(&products, Vec::new());
    let snapshot = judged.index.snapshot();
    for number in 0..1_000 {
        let mut typed = vec![sku(number)];
        if number % 10 == 0 {
            typed.push(sku(number).to_lowercase().replace(['-', '/'], " "));
            typed.push(gtin(number));
        }
        for typed in typed {
            let query = ParsedQuery::parse(&typed, Language::English).expect("query");
            let weights = &judged.profile.words;
            let understood = understand(
                &query,
                &snapshot.vocabulary(),
                &Dictionary::default(),
                &Synonyms::default(),
                weights,
            );
            let terms = understood.expect("understood").terms;
            let hits = snapshot
                .search(&terms, weights, 5, None)
                .expect("search")
                .hits;
            let exact: Vec<&str> = hits
                .iter()
                .filter(|hit| hit.tier == 0)
                .map(|hit| hit.product_id.as_str())
                .collect();
            assert_eq!(exact, [format!("p{number}")], "{typed}");
        }
    }
}

/// Suppliers write names and sentences as part numbers, some with quotation marks and minus signs.
#[tokio::test]
async fn a_part_number_of_the_feed_finds_its_product_first() {
    let Some(folder) = folder() else {
        return made_up();
    };
    let products = feed(&folder);
    let number = |product: &Product| product.sku.as_deref().and_then(identifier);
    let setup = setup_of(index_in_one_go(&products), None);
    let with_sku: Vec<&Product> = products
        .iter()
        .filter(|one| number(one).is_some())
        .collect();
    for product in with_sku.iter().step_by(with_sku.len() / 1_000) {
        let typed = product.sku.as_deref().unwrap_or_default();
        let found = setup.search(StrategyKind::Keyword, typed).await;
        let id = found.expect("search").hits.swap_remove(0).product_id;
        let first = products.iter().find(|one| one.id == id).expect("known");
        let mut gtins = first.gtins.iter().map(|gtin| identifier(gtin));
        let wanted = number(product);
        let has_it = number(first) == wanted || gtins.any(|gtin| gtin == wanted);
        assert!(has_it, "{typed:?} finds {} first", first.id);
    }
}

/// The judged queries that have something to find.
fn judgments(folder: &Path) -> Vec<(String, Ratings)> {
    let text = std::fs::read_to_string(folder.join("judgments-dev.csv")).expect("judgments");
    let mut judgments: BTreeMap<String, Ratings> = BTreeMap::new();
    for line in text.lines().skip(1) {
        let mut cells = line.rsplitn(3, ',');
        let mut cell = || cells.next().expect("cell").trim_matches('"').to_owned();
        let (rating, id, query) = (cell().parse().expect("rating"), cell(), cell());
        judgments.entry(query).or_default().insert(id, rating);
    }
    let has_relevant =
        |(_, ratings): &(String, Ratings)| ratings.values().any(|rating| *rating > 0);
    judgments.into_iter().filter(has_relevant).collect()
}

/// The products of `products.jsonl.gz` in `folder`, as an import with `--strip-prefix` makes them.
pub(crate) fn feed(folder: &Path) -> Vec<Product> {
    let file = File::open(folder.join("products.jsonl.gz")).expect("feed");
    let lines = BufReader::new(GzDecoder::new(file)).lines();
    lines.map(|line| from_line(&line.expect("line"))).collect()
}

fn from_line(line: &str) -> Product {
    let mut row: Map<String, Value> = serde_json::from_str(line).expect("JSON");
    let mut text = |name: &str| match row.remove(name) {
        Some(Value::String(text)) => text.trim().to_owned(),
        _ => String::new(),
    };
    let some = |text: String| (!text.is_empty()).then_some(text);
    let (id, title) = (text("id"), text("title"));
    let (description, brand, sku) = (text("short_description"), text("supplier"), text("name"));
    let gtins = match row.remove("ean") {
        Some(Value::Array(items)) => items
            .iter()
            .filter_map(|item| item.as_str().map(str::to_owned))
            .collect(),
        _ => Vec::new(),
    };
    let mut attributes = BTreeMap::new();
    for (name, value) in row {
        let stripped = ["attr_t_", "attr_n_", "attr_b_"]
            .iter()
            .find_map(|prefix| name.strip_prefix(prefix));
        let name = stripped.unwrap_or(&name);
        let value = match value {
            Value::String(text) => AttributeValue::from(text),
            Value::Bool(flag) => AttributeValue::from(flag),
            Value::Number(number) => AttributeValue::from(number.as_f64().unwrap_or_default()),
            _ => continue,
        };
        // The import makes attributes of everything else, addresses of pictures included.
        if name != "price" {
            attributes.insert(name.to_owned(), value);
        }
    }
    Product {
        description,
        brand: some(brand),
        sku: some(sku),
        gtins,
        attributes,
        ..product(&id, &title)
    }
}
