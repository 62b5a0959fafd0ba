//! Corruption that is planted into the projections is found, located and mended; where nothing is
//! planted, nothing is found.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use catalog_events::BucketedDigest;
use catalog_proto::v1::{self, Projection};
use sqlx::AssertSqlSafe;
use tonic::Code;

use crate::event_log::EventLog;
use crate::harness::{Replica, World, eventually, folder, product};

/// The products that a verification names, by projection; "?" stands for a fault that is not about
/// one product.
pub(crate) type Findings = BTreeMap<&'static str, BTreeSet<String>>;

/// Verifies as `catalogctl verify` does: finds what contradicts itself and what differs from the log.
pub(crate) async fn findings(world: &World, replica: &Replica) -> Findings {
    findings_of(&world.log, replica).await
}

async fn findings_of(log: &EventLog, replica: &Replica) -> Findings {
    let mut operations = replica.operations.clone();
    let request = v1::CheckProjectionsRequest {};
    let answer = operations.check_projections(request).await;
    let mut steps = answer.expect("check").into_inner();
    let mut findings = Findings::new();
    let mut checked = 0;
    while let Some(step) = steps.message().await.expect("step") {
        let projection = step.projection();
        let Some(digest) = step.digest else { continue };
        checked += 1;
        let found = findings.entry(name(projection)).or_default();
        assert_eq!(digest.faults.len() as i64, digest.faults_total);
        for fault in digest.faults {
            found.insert(match fault.product_id.as_str() {
                "" => "?".to_owned(),
                id => id.to_owned(),
            });
        }
        if projection == Projection::Embeddings {
            continue;
        }
        let held = BucketedDigest::from_message(&digest.buckets).expect("digest");
        let live = log.live(digest.position).into_values();
        let logged: BucketedDigest = live.map(|(_, hash)| hash).collect();
        let differing = logged.differing(&held);
        if !differing.is_empty() {
            found.extend(differences(log, replica, projection, &differing).await);
        }
    }
    assert_eq!(checked, 3, "every projection is checked");
    findings.retain(|_, found| !found.is_empty());
    findings
}

async fn differences(
    log: &EventLog,
    replica: &Replica,
    projection: Projection,
    differing: &[usize],
) -> BTreeSet<String> {
    let request = v1::ListProjectedProductsRequest {
        projection: projection.into(),
        buckets: differing.iter().map(|bucket| *bucket as i32).collect(),
    };
    let mut operations = replica.operations.clone();
    let answer = operations.list_projected_products(request).await;
    let mut parts = answer.expect("list").into_inner();
    let (mut position, mut held) = (None, BTreeMap::new());
    while let Some(part) = parts.message().await.expect("part") {
        assert!(position.is_none_or(|position| position == part.position));
        position = Some(part.position);
        held.extend(
            part.products
                .into_iter()
                .map(|state| (state.id, state.content_hash)),
        );
    }
    let live = log.live(position.expect("one part at least"));
    let logged: BTreeMap<String, Vec<u8>> = live
        .into_iter()
        .filter(|(_, (_, hash))| differing.contains(&hash.bucket()))
        .map(|(id, (_, hash))| (id, hash.to_bytes().to_vec()))
        .collect();
    let ids = logged.keys().chain(held.keys());
    ids.filter(|id| logged.get(*id) != held.get(*id))
        .cloned()
        .collect()
}

fn name(projection: Projection) -> &'static str {
    match projection {
        Projection::ReadModel => "documents",
        Projection::KeywordIndex => "index",
        Projection::Embeddings => "embeddings",
        Projection::Unspecified => "unspecified",
    }
}

pub(crate) fn named(expected: &[(&'static str, &[&str])]) -> Findings {
    let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
    expected
        .iter()
        .map(|(name, found)| (*name, ids(found)))
        .collect()
}

async fn repair(replica: &Replica, findings: &Findings) -> i32 {
    let found: BTreeSet<&String> = findings.values().flatten().collect();
    let products = found.into_iter().filter(|id| *id != "?").cloned();
    let request = v1::RepairProductsRequest {
        ids: products.collect(),
    };
    let answer = replica.operations.clone().repair_products(request).await;
    answer.expect("repaired").into_inner().repaired
}

/// Makes a world with a log to compare with, and products of which one is deleted and one changed.
pub(crate) async fn filled(mut world: World) -> (World, Replica, tempfile::TempDir) {
    world.log_target = Some(world.log.serve().await);
    for n in 0..12 {
        world
            .put(&format!("p{n}"), &format!("Gaming mouse {n}"))
            .await;
    }
    world.put("p1", "Coffee cup").await;
    world.delete("p0").await;
    let folder = folder();
    let mut replica = world.replica(&folder).await;
    replica.caught_up(&world).await;
    (world, replica, folder)
}

/// Runs a statement on the live generation, `{g}` standing for its schema.
async fn plant(world: &World, replica: &Replica, statement: &str) {
    let generation = replica.status().await.generation;
    let statement = statement.replace("{g}", &format!("generation_{generation}"));
    let planted = sqlx::query(AssertSqlSafe(statement.clone()))
        .execute(&world.pool)
        .await
        .expect(&statement);
    assert!(planted.rows_affected() > 0, "{statement}");
}

const DOCUMENTS: &str = "documents";
const EMBEDDINGS: &str = "embeddings";
const TEXT: &str = "UPDATE {g}.documents SET product = jsonb_set(product, '{title}', '\"x\"') \
                    WHERE product_id = 'p2'";
const PRICE: &str = "UPDATE {g}.documents SET product = jsonb_set(product, '{price,minor}', \
                     '1') WHERE product_id = 'p2'";

/// A statement that corrupts the read model, and the products that a verification names then.
type Corruption = (
    &'static str,
    &'static [(&'static str, &'static [&'static str])],
);

const CORRUPTIONS: &[Corruption] = &[
    (TEXT, &[(DOCUMENTS, &["p2"]), (EMBEDDINGS, &["p2"])]),
    (PRICE, &[(DOCUMENTS, &["p2"])]),
    (
        "UPDATE {g}.documents SET product = '{}' WHERE product_id = 'p2'",
        &[(DOCUMENTS, &["p2"])],
    ),
    (
        "UPDATE {g}.documents SET version = 1 WHERE product_id = 'p1'",
        &[(DOCUMENTS, &["p1"])],
    ),
    (
        "UPDATE {g}.documents SET version = 9 WHERE product_id = 'p1'",
        &[(DOCUMENTS, &["p1"])],
    ),
    (
        "UPDATE {g}.documents SET position = 1000 WHERE product_id = 'p3'",
        &[(DOCUMENTS, &["p3"])],
    ),
    (
        "DELETE FROM {g}.documents WHERE product_id = 'p3'",
        &[(DOCUMENTS, &["?", "p3"]), (EMBEDDINGS, &["p3"])],
    ),
    (
        "INSERT INTO {g}.documents SELECT 'ghost', version, position,
                 jsonb_set(product, '{id}', '\"ghost\"'), content_hash, text_hash
             FROM {g}.documents WHERE product_id = 'p4'",
        &[(DOCUMENTS, &["?", "ghost"]), (EMBEDDINGS, &["ghost"])],
    ),
    (
        "INSERT INTO {g}.documents SELECT 'not an id', version, position, product,
                 content_hash, text_hash FROM {g}.documents WHERE product_id = 'p4'",
        &[(DOCUMENTS, &["?", "not an id"])],
    ),
    (
        "UPDATE {g}.documents revived SET version = 2, product =
                 jsonb_set(other.product, '{id}', '\"p0\"')
             FROM {g}.documents other WHERE revived.product_id = 'p0' AND other.product_id = 'p5'",
        &[(DOCUMENTS, &["p0"]), (EMBEDDINGS, &["p0"])],
    ),
    (
        "UPDATE {g}.documents SET content_hash = '\\x000102030405060708090a0b0c0d0e0f'
             WHERE product_id = 'p6'",
        &[(DOCUMENTS, &["?", "p6"])],
    ),
    (
        "UPDATE {g}.documents SET text_hash = '\\x000102030405060708090a0b0c0d0e0f'
             WHERE product_id = 'p6'",
        &[(DOCUMENTS, &["p6"])],
    ),
    (
        "UPDATE {g}.checkpoint SET digest = set_byte(digest, 77, 1 # get_byte(digest, 77))",
        &[(DOCUMENTS, &["?"])],
    ),
    (
        "UPDATE {g}.checkpoint SET documents = documents - 1",
        &[(DOCUMENTS, &["?"])],
    ),
    (
        "UPDATE {g}.embeddings one SET embedding = other.embedding FROM {g}.embeddings other
             WHERE (one.product_id, other.product_id) IN (('p7', 'p8'), ('p8', 'p7'))",
        &[(EMBEDDINGS, &["p7", "p8"])],
    ),
    (
        "UPDATE {g}.embeddings one SET embedding = other.embedding,
                 text_hash = other.text_hash, vector_hash = other.vector_hash
             FROM {g}.embeddings other
             WHERE (one.product_id, other.product_id) IN (('p7', 'p8'), ('p8', 'p7'))",
        &[(EMBEDDINGS, &["p7", "p8"])],
    ),
    (
        "DELETE FROM {g}.embeddings WHERE product_id = 'p9'",
        &[(EMBEDDINGS, &["p9"])],
    ),
    (
        "UPDATE {g}.embeddings SET product_id = 'nobody' WHERE product_id = 'p9'",
        &[(EMBEDDINGS, &["nobody", "p9"])],
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_corruption_of_the_read_model_is_found_located_and_mended() {
    let (world, mut replica, _folder) = filled(World::new().await).await;
    assert_eq!(findings(&world, &replica).await, Findings::new());
    for (statement, expected) in CORRUPTIONS {
        // Vectors that the last repair has removed are there again.
        replica.caught_up(&world).await;
        // So that the cache has to be told.
        replica.get("p2").await.expect("served");
        plant(&world, &replica, statement).await;
        let found = findings(&world, &replica).await;
        assert_eq!(found, named(expected), "{statement}");
        let repaired = repair(&replica, &found).await;
        let named = found.values().flatten().filter(|id| *id != "?");
        let products: BTreeSet<&String> = named.collect();
        assert_eq!(repaired, products.len() as i32, "{statement}");
        let clean = findings(&world, &replica).await;
        assert_eq!(clean, Findings::new(), "after the repair of {statement}");
        let p2 = replica.get("p2").await.expect("served");
        assert_eq!((p2.title.as_str(), p2.version), ("Gaming mouse 2", 1));
    }
    // All vectors are computed again.
    let status = replica.caught_up(&world).await;
    assert_eq!(
        (status.documents, status.projections[2].documents),
        (11, 11)
    );
    assert_eq!(findings(&world, &replica).await, Findings::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_never_came_through_the_stream_is_found_in_every_projection() {
    let (mut world, mut replica, _folder) = filled(World::without_model().await).await;
    let logged = |id: &str| Some(product(id, "as it was written"));
    let streamed = |id: &str| Some(product(id, "as it was delivered"));
    world.put_forged("p2", logged("p2"), streamed("p2")).await;
    world.put_forged("gone", logged("gone"), None).await;
    world.put_forged("p3", None, streamed("p3")).await;
    replica.caught_up(&world).await;

    let found = findings(&world, &replica).await;
    let differing: &[&str] = &["gone", "p2", "p3"];
    assert_eq!(
        found,
        named(&[("documents", differing), ("index", differing)])
    );
    assert_eq!(repair(&replica, &found).await, 3);
    assert_eq!(findings(&world, &replica).await, Findings::new());
    let p2 = replica.get("p2").await.expect("served");
    assert_eq!(p2.title, "as it was written");
    let gone = replica.get("p3").await.expect_err("deleted");
    assert_eq!(gone.code(), Code::NotFound);
    let keyword = v1::SearchStrategy::Keyword;
    let found = replica.search("written", keyword).await.expect("search");
    assert_eq!(found.products.len(), 2);
    let found = replica.search("delivered", keyword).await.expect("search");
    assert_eq!(found.products.len(), 0);

    // Later events build on what was mended.
    world.put("p3", "Desk lamp").await;
    replica.caught_up(&world).await;
    assert_eq!(findings(&world, &replica).await, Findings::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_found_and_repairs_get_through_while_writes_go_on() {
    let (mut world, replica, _folder) = filled(World::without_model().await).await;
    let (log, stop) = (world.log.clone(), Arc::new(AtomicBool::new(false)));
    let stopped = stop.clone();
    let writer = tokio::spawn(async move {
        let mut written = 0;
        while !stopped.load(Ordering::Relaxed) {
            let id = format!("p{}", written * 7 % 30);
            match written % 5 {
                0 => world.delete(&id).await,
                _ => world.put(&id, &format!("Gaming mouse {written}")).await,
            }
            written += 1;
        }
        (world, written)
    });
    let ids = (0..30).map(|n| format!("p{n}")).collect();
    let all = Findings::from([("documents", ids)]);
    for _ in 0..10 {
        assert_eq!(findings_of(&log, &replica).await, Findings::new());
        assert_eq!(repair(&replica, &all).await, 0, "nothing is wrong");
    }
    stop.store(true, Ordering::Relaxed);
    let (world, written) = writer.await.expect("no panic");
    assert!(written > 0);
    let mut replica = replica;
    replica.caught_up(&world).await;
    assert_eq!(findings(&world, &replica).await, Findings::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_check_or_listing_at_a_time() {
    let (world, replica, _folder) = filled(World::without_model().await).await;
    let generation = replica.status().await.generation;
    let mut held = world.pool.begin().await.expect("begin");
    let lock = format!("LOCK TABLE generation_{generation}.documents IN ACCESS EXCLUSIVE MODE");
    sqlx::query(AssertSqlSafe(lock))
        .execute(&mut *held)
        .await
        .expect("lock");
    let mut operations = replica.operations.clone();
    let request = v1::CheckProjectionsRequest {};
    let first = operations.check_projections(request).await.expect("begun");
    let refused = operations.check_projections(request).await;
    assert_eq!(refused.expect_err("busy").code(), Code::ResourceExhausted);
    let listing = v1::ListProjectedProductsRequest {
        projection: Projection::KeywordIndex.into(),
        buckets: vec![],
    };
    let refused = operations.list_projected_products(listing).await;
    assert_eq!(refused.expect_err("busy").code(), Code::ResourceExhausted);

    held.rollback().await.expect("unlock");
    let mut steps = first.into_inner();
    while steps.message().await.expect("step").is_some() {}
    assert_eq!(findings(&world, &replica).await, Findings::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_file_of_the_index_is_found() {
    let (world, replica, folder) = filled(World::without_model().await).await;
    let texts = async || {
        let index = std::fs::read_dir(folder.path().join("index-0")).ok()?;
        let mut files = index.flatten().map(|entry| entry.path());
        files.find(|path| {
            path.extension()
                .is_some_and(|extension| extension == "store")
        })
    };
    let file = eventually("written to the disk", texts).await;
    assert_eq!(findings(&world, &replica).await, Findings::new());
    let bytes = std::fs::read(&file).expect("read");
    let middle = bytes.len() / 2;
    let changed = std::fs::OpenOptions::new().write(true).open(&file);
    changed
        .expect("open")
        .write_all_at(&[bytes[middle] ^ 1], middle as u64)
        .expect("change one byte");
    // The file counts as a part of the index once the rest of the commit is on the disk too.
    let found = eventually("found", async || {
        let found = findings(&world, &replica).await;
        (!found.is_empty()).then_some(found)
    })
    .await;
    assert_eq!(found, named(&[("index", &["?"])]));
}

/// Numbers in any form that JSON has must come back from the database as they went there.
#[tokio::test(flavor = "multi_thread")]
async fn odd_content_is_no_corruption() {
    let (mut world, mut replica, _folder) = filled(World::without_model().await).await;
    let mut odd = product("odd", "\u{1f5a8} \"quoted\" \\ \u{7f}\u{2028}");
    for (n, number) in [
        0.1 + 0.2,
        1e16,
        1e21,
        -1e300,
        5e-324,
        f64::MAX,
        1.0,
        123_456_789_012_345_680.0,
    ]
    .into_iter()
    .enumerate()
    {
        let number = catalog_events::AttributeValue::from(number);
        odd.attributes.insert(format!("n{n}"), number);
    }
    let list = vec!["42".into(), 42.0.into(), 1e-7.into(), true.into()];
    let list = catalog_events::AttributeValue::List(list);
    odd.attributes.insert("list".to_owned(), list);
    world.put_forged("odd", Some(odd.clone()), Some(odd)).await;
    replica.caught_up(&world).await;
    assert_eq!(findings(&world, &replica).await, Findings::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repair_without_a_log_says_what_is_missing() {
    let mut world = World::without_model().await;
    world.put("p", "Gaming mouse").await;
    let folder = folder();
    let mut replica = world.replica(&folder).await;
    replica.caught_up(&world).await;
    assert_eq!(findings(&world, &replica).await, Findings::new());
    let request = v1::RepairProductsRequest {
        ids: vec!["p".to_owned()],
    };
    let answer = replica.operations.repair_products(request).await;
    let refused = answer.expect_err("no log");
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert!(
        refused
            .message()
            .contains("CATALOG_QUERY_COMMAND_GRPC_TARGET")
    );
}

/// Plants any corruptions at once, on any products, from a seed.
#[tokio::test(flavor = "multi_thread")]
async fn random_plants_are_all_found_and_mended() {
    let (world, replica, _folder) = filled(World::without_model().await).await;
    const PLANTS: [&str; 6] = [
        "UPDATE {g}.documents SET product = jsonb_set(product, '{brand}', '\"{n}\"')",
        "UPDATE {g}.documents SET version = version + 1 + {n}",
        "UPDATE {g}.documents SET content_hash = set_byte(content_hash, {n}, \
             1 # get_byte(content_hash, {n}))",
        "DELETE FROM {g}.documents",
        "UPDATE {g}.documents SET product = '[{n}]'",
        "UPDATE {g}.documents SET product = NULL, content_hash = NULL, text_hash = NULL",
    ];
    for seed in 0..50_u64 {
        let mut dice = Dice(seed);
        let mut planted = BTreeSet::new();
        for _ in 0..=dice.below(4) {
            let id = format!("p{}", 1 + dice.below(11));
            if planted.insert(id.clone()) {
                let pattern = PLANTS[dice.below(PLANTS.len())];
                let update = pattern.replace("{n}", &dice.below(16).to_string());
                let statement = format!("{update} WHERE product_id = '{id}'");
                plant(&world, &replica, &statement).await;
            }
        }
        let found = findings(&world, &replica).await;
        let located: BTreeSet<String> = found["documents"]
            .iter()
            .filter(|id| *id != "?")
            .cloned()
            .collect();
        assert_eq!(located, planted, "seed {seed}");
        repair(&replica, &found).await;
        let clean = findings(&world, &replica).await;
        assert_eq!(clean, Findings::new(), "seed {seed}");
    }
}

struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) as usize % bound
    }
}
