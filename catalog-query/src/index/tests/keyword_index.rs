//! The index follows the events through redelivery, deletion and restart.

use std::sync::Arc;

use catalog_events::{
    BucketedDigest, ContentHash, Digest, Position, ProductEvent, ProductId, Version,
};

use crate::index::error::IndexError;
use crate::index::keyword_index::KeywordIndex;
use crate::index::live::LiveIndex;
use crate::index::scoring::terms::QueryTerms;
use crate::index::tests::support::{changed, deleted, found, open, product};
use crate::index::text::language::Language;

fn digest<'a>(live: impl IntoIterator<Item = &'a ProductEvent>) -> Digest {
    let hash = |event: &ProductEvent| {
        let product = event.product.as_ref().expect("live");
        ContentHash::of(&event.product_id, event.version, product)
    };
    live.into_iter().map(hash).collect()
}

#[test]
fn continues_where_the_last_commit_ended() {
    let folder = tempfile::tempdir().unwrap();
    let (index, mut writer) = open(folder.path());
    assert_eq!((index.position(), index.documents()), (Position::START, 0));
    writer
        .apply(&[changed(1, 1, product("a", "mouse"))])
        .unwrap();
    assert_eq!(found(&index, "mouse"), [""; 0], "not committed");
    writer.commit(Position(3)).unwrap();
    assert_eq!(
        (index.position(), found(&index, "mouse")),
        (Position(3), vec!["a".to_owned()])
    );
    writer
        .apply(&[changed(4, 1, product("b", "mouse"))])
        .unwrap();
    index.flush().unwrap();
    // After a kill, what was not committed is gone, and is delivered again.
    drop((index, writer));

    let (index, mut writer) = open(folder.path());
    assert_eq!((index.position(), index.documents()), (Position(3), 1));
    writer
        .apply(&[changed(4, 1, product("b", "mouse"))])
        .unwrap();
    writer.commit(Position(4)).unwrap();
    assert_eq!(found(&index, "mouse"), ["a", "b"]);
}

#[test]
fn what_is_delivered_again_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (index, mut writer) = open(folder.path());
    let events = [
        changed(1, 1, product("a", "mouse")),
        changed(2, 1, product("b", "keyboard")),
        changed(3, 2, product("a", "trackball")),
        deleted(4, 2, "b"),
    ];
    writer.apply(&events).unwrap();
    writer.apply(&events[..2]).unwrap();
    writer.commit(Position(4)).unwrap();
    writer.apply(&events).unwrap();
    writer.commit(Position(2)).unwrap();
    assert_eq!((index.position(), index.documents()), (Position(4), 1));
    assert_eq!(found(&index, "mouse keyboard trackball"), ["a"]);
    assert_eq!(index.digest_of_live().unwrap(), digest([&events[2]]));
}

#[test]
fn a_deleted_product_comes_back_only_with_a_later_event() {
    let folder = tempfile::tempdir().unwrap();
    let (index, mut writer) = open(folder.path());
    writer
        .apply(&[changed(1, 1, product("a", "mouse")), deleted(2, 2, "a")])
        .unwrap();
    writer.commit(Position(2)).unwrap();
    assert_eq!(
        (index.documents(), index.digest_of_live().unwrap()),
        (0, Digest::default())
    );
    writer
        .apply(&[changed(3, 3, product("a", "mouse"))])
        .unwrap();
    writer.commit(Position(3)).unwrap();
    assert_eq!(found(&index, "mouse"), ["a"]);
}

#[test]
fn one_writer_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let (index, writer) = open(folder.path());
    assert!(matches!(index.writer(), Err(IndexError::Locked)));
    let second = KeywordIndex::open(
        folder.path(),
        crate::index::options::IndexOptions::default(),
    );
    assert!(
        matches!(second, Err(IndexError::Locked)),
        "and nothing is removed"
    );
    drop(writer);
    let mut writer = index.writer().unwrap();
    writer
        .apply(&[changed(1, 1, product("a", "mouse"))])
        .unwrap();
    writer.commit(Position(1)).unwrap();
    assert_eq!(found(&index, "mouse"), ["a"]);
}

/// A stream of changes is committed at random points, killed and delivered again from before the
/// last commit. It must end like one that was applied at once.
#[test]
fn any_delivery_ends_in_the_same_index() {
    for seed in 0..8 {
        let mut random = Random(seed);
        let events: Vec<ProductEvent> = (1..=120).map(|at| random_event(&mut random, at)).collect();
        let at_once = tempfile::tempdir().unwrap();
        let (expected, mut writer) = open(at_once.path());
        writer.apply(&events).unwrap();
        writer.commit(Position(120)).unwrap();

        let folder = tempfile::tempdir().unwrap();
        let (mut index, mut writer) = open(folder.path());
        while index.position() < Position(120) {
            let from = random.below(index.position().0 + 1);
            let to = (index.position().0 + 1 + random.below(20)).min(120);
            writer.apply(&events[from as usize..to as usize]).unwrap();
            match random.below(4) {
                0 => {
                    if random.below(2) == 0 {
                        index.flush().unwrap();
                    }
                    drop((index, writer));
                    (index, writer) = open(folder.path());
                }
                _ => writer.commit(Position(to)).unwrap(),
            }
        }
        assert_eq!(index.documents(), expected.documents(), "seed {seed}");
        let digests = [&index, &expected].map(|index| index.digest_of_live().unwrap());
        assert_eq!(digests[0], digests[1], "seed {seed}");
        assert_eq!(
            found(&index, "mouse"),
            found(&expected, "mouse"),
            "seed {seed}"
        );
    }
}

fn random_event(random: &mut Random, at: u64) -> ProductEvent {
    let id = format!("p{}", random.below(12));
    let version = at as i64;
    match random.below(5) {
        0 => deleted(at, version, &id),
        _ => changed(at, version, product(&id, "mouse")),
    }
}

/// The SplitMix64 generator.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let once = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let twice = (once ^ once >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (twice ^ twice >> 31) % end
    }
}

#[test]
fn tells_what_it_holds_by_bucket() {
    let folder = tempfile::tempdir().unwrap();
    let (index, mut writer) = open(folder.path());
    let mut events: Vec<ProductEvent> = (1..=50)
        .map(|at| changed(at, 1, product(&format!("p{at}"), "mouse")))
        .collect();
    events.push(deleted(51, 2, "p7"));
    for (event, at) in events.iter().zip(1..) {
        writer.apply(std::slice::from_ref(event)).unwrap();
        writer.commit(Position(at)).unwrap();
    }
    let mut expected: Vec<(ProductId, ContentHash)> = events[..50]
        .iter()
        .filter(|event| event.product_id.as_str() != "p7")
        .map(|event| {
            let product = event.product.as_ref().expect("live");
            let hash = ContentHash::of(&event.product_id, event.version, product);
            (event.product_id.clone(), hash)
        })
        .collect();
    let digest: BucketedDigest = expected.iter().map(|(_, hash)| *hash).collect();
    assert_eq!(index.snapshot().bucketed_digest().unwrap(), digest);
    assert_eq!(index.digest_of_live().unwrap(), digest.total());

    let (first, rest): (Vec<usize>, Vec<usize>) =
        (0..BucketedDigest::BUCKETS).partition(|bucket| *bucket < 20);
    let mut listed = index.snapshot().list(&first).unwrap();
    assert!(listed.iter().all(|(_, hash)| hash.bucket() < 20));
    assert!(!listed.is_empty() && listed.len() < 49);
    listed.extend(index.snapshot().list(&rest).unwrap());
    let by_id = |left: &(ProductId, ContentHash), right: &(ProductId, ContentHash)| {
        left.0.as_str().cmp(right.0.as_str())
    };
    listed.sort_by(by_id);
    expected.sort_by(by_id);
    assert_eq!(listed, expected);
}

#[test]
fn a_repair_ignores_positions_and_leaves_them() {
    let folder = tempfile::tempdir().unwrap();
    let live = LiveIndex::open(folder.path(), Language::English).unwrap();
    let (epoch, _) = live.resume();
    let wrong = [
        changed(1, 1, product("a", "mouse")),
        changed(2, 1, product("b", "mouse")),
        changed(3, 1, product("c", "mouse")),
    ];
    assert!(live.apply(epoch, &wrong, Position(9)).unwrap());
    let version = Version::new(4).expect("version");
    let changes = [
        ("a".parse().unwrap(), Some((version, product("a", "cup")))),
        ("b".parse().unwrap(), None),
        ("d".parse().unwrap(), Some((version, product("d", "lamp")))),
    ];
    let index = live.current().load_full();
    let repaired = live.repair(|held| {
        assert_eq!(held.position(), Position(9));
        // Readers do not wait for a repair, even while that waits for an answer of the log.
        assert_eq!(live.resume(), (epoch, Position(9)));
        assert_eq!(live.disk_state().0, epoch);
        let c = "c".parse().unwrap();
        let hash = ContentHash::of(&c, Version::FIRST, &product("c", "mouse"));
        assert_eq!(held.hashes_of(&c)?, [hash]);
        Ok::<_, IndexError>(changes.to_vec())
    });
    assert_eq!(repaired.unwrap().len(), 3);
    let snapshot = index.snapshot();
    assert_eq!(
        (snapshot.position(), snapshot.documents()),
        (Position(9), 3)
    );
    assert_eq!(found(&index, "mouse"), ["c"]);
    assert_eq!(found(&index, "cup"), ["a"]);
    assert_eq!(found(&index, "lamp"), ["d"]);
    assert_eq!(snapshot.hashes_of(&"b".parse().unwrap()).unwrap(), []);
    assert!(
        live.apply(
            epoch,
            &[changed(10, 2, product("b", "mouse"))],
            Position(10)
        )
        .unwrap()
    );
    assert_eq!(found(&index, "mouse"), ["b", "c"], "the projection goes on");

    let (fresh, writer) = live.create_copy().unwrap();
    assert!(live.switch_from(epoch, fresh, writer).unwrap());
    let (late, writer) = live.create_copy().unwrap();
    assert!(
        !live.switch_from(epoch, late, writer).unwrap(),
        "another was faster"
    );
}

#[test]
fn an_index_that_is_still_being_built_answers_no_search() {
    let folder = tempfile::tempdir().unwrap();
    let live = LiveIndex::open(folder.path(), Language::English).unwrap();
    assert!(live.is_built(), "nothing is asked of it");
    live.require(Position(2));
    let mouse = QueryTerms::of("mouse", Language::English);
    let refused = live.current().load().search(&mouse, 10);
    assert!(matches!(refused, Err(IndexError::NotBuilt { .. })));
    // A replacement answers no search either, until it is built.
    let (index, mut writer) = live.create(7).unwrap();
    let events = [
        changed(1, 1, product("a", "mouse")),
        changed(2, 1, product("b", "mouse")),
    ];
    writer.apply(&events[..1]).unwrap();
    writer.commit(Position(1)).unwrap();
    live.switch_to(index, writer).unwrap();
    assert!(!live.is_built());
    assert!(live.current().load().search(&mouse, 10).is_err());
    let (epoch, _) = live.resume();
    assert!(live.apply(epoch, &events, Position(2)).unwrap());
    assert!(live.is_built());
    assert_eq!(found(&live.current().load(), "mouse"), ["a", "b"]);
}

/// A reader that waits for a position sees it when the wait is over, whichever index answers by
/// then.
#[tokio::test]
async fn a_position_that_was_reached_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let live = Arc::new(LiveIndex::open(folder.path(), Language::English).unwrap());
    live.reached(Position::START).await;
    let wait = |position: u64| {
        let shared = live.clone();
        tokio::spawn(async move {
            shared.reached(Position(position)).await;
            found(&shared.current().load(), "mouse")
        })
    };
    let (second, third) = (wait(2), wait(3));
    let (epoch, _) = live.resume();
    let events: Vec<ProductEvent> = (1..=3)
        .map(|at| changed(at, 1, product(&format!("p{at}"), "mouse")))
        .collect();
    for at in 1..=2 {
        let written = &events[at - 1..at];
        assert!(live.apply(epoch, written, Position(at as u64)).unwrap());
    }
    assert_eq!(second.await.unwrap(), ["p1", "p2"]);
    assert!(!third.is_finished());
    let (index, mut writer) = live.create(7).unwrap();
    writer.apply(&events).unwrap();
    writer.commit(Position(3)).unwrap();
    live.switch_to(index, writer).unwrap();
    assert_eq!(third.await.unwrap(), ["p1", "p2", "p3"]);

    let name = std::fs::read_to_string(folder.path().join("CURRENT")).unwrap();
    assert_eq!(name, "index-7");
    drop(live);
    let live = LiveIndex::open(folder.path(), Language::English).unwrap();
    assert_eq!(live.resume().1, Position(3), "a switch is durable");
}
