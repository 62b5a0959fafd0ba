//! A mutational fuzzer of every reader: valid feeds are damaged from a seed, and what is read of them must
//! keep the promises of [`reading`].
//!
//! `CATALOG_FUZZ_SECONDS=3600 cargo test -p client-kit fuzz -- --nocapture` runs it for an hour, from a seed
//! of its own; `CATALOG_FUZZ_SEED=N` repeats the input that was made from N, and goes on from there.

mod seeds;
mod mutation;
mod case;
mod peak;
mod reading;
mod worker;
mod shrink;

use std::collections::BTreeMap;
use std::env;
use std::fs::{self, File};
use std::io::{Seek as _, Write as _};
use std::path::PathBuf;
use std::process;
use std::str::FromStr;
use std::time::{Duration, Instant};

use self::case::Case;
use self::reading::{Broken, Found};
use self::worker::Worker;

/// How long an ordinary run of the tests takes.
const SECONDS: u64 = 3;
/// How many kinds of failures are gathered before a run gives up.
const KINDS_MAX: usize = 10;
const TOLD_EVERY: Duration = Duration::from_secs(60);

fn of_env<T: FromStr>(name: &str) -> Option<T> {
    env::var(name).ok()?.parse().ok()
}

#[test]
fn no_reader_breaks_its_promises_for_any_input() {
    let seconds = of_env("CATALOG_FUZZ_SECONDS");
    // An ordinary run is the same every time.
    let start = of_env("CATALOG_FUZZ_SEED")
        .unwrap_or_else(|| seconds.map_or(1, |_| fastrand::u64(..u64::from(u32::MAX)) << 24));
    let seeds = seeds::all();
    let mut run = Run::new();
    for seed in &seeds {
        run.valid(&Case::valid(seed));
    }
    let until = Instant::now() + Duration::from_secs(seconds.unwrap_or(SECONDS));
    let mut number = start;
    while Instant::now() < until && run.failures.len() < KINDS_MAX {
        run.look(number, &Case::new(number, &seeds));
        number += 1;
    }
    eprintln!("from seed {start}: {}", run.summary());
    fs::remove_file(current()).unwrap();
    assert!(run.failures.is_empty(), "{:#?}", run.failures);
}

/// What a run has seen so far.
struct Run {
    worker: Worker,
    /// The file with the number of the input that is being read.
    current: File,
    started: Instant,
    told: Instant,
    inputs: u64,
    bytes: u64,
    found: Found,
    /// How often each kind of feed was read to its end with a product in it.
    read: BTreeMap<&'static str, u64>,
    /// The first input that broke a promise, by the promise.
    failures: BTreeMap<String, String>,
}

impl Run {
    fn new() -> Self {
        Self {
            worker: Worker::new(),
            current: File::create(current()).unwrap(),
            started: Instant::now(),
            told: Instant::now(),
            inputs: 0,
            bytes: 0,
            found: Found::default(),
            read: BTreeMap::new(),
            failures: BTreeMap::new(),
        }
    }

    /// Reads a feed that nothing has damaged: it must have products, and nothing else.
    fn valid(&mut self, case: &Case) {
        let found = self.worker.read(0, case);
        let is_whole = |found: &Found| found.products > 0 && found.rejected + found.ended == 0;
        assert!(found.as_ref().is_ok_and(is_whole), "{case:?}: {found:?}");
    }

    fn look(&mut self, number: u64, case: &Case) {
        // A process that is killed or aborts has told its last input, in eight bytes.
        self.current.rewind().unwrap();
        self.current.write_all(&number.to_be_bytes()).unwrap();
        self.inputs += 1;
        self.bytes += case.bytes.len() as u64;
        match self.worker.read(number, case) {
            Ok(found) => {
                if found.products > 0 && found.ended == 0 {
                    *self.read.entry(case.name).or_default() += 1;
                }
                self.found.add(&found);
            }
            Err(broken) if self.failures.contains_key(&broken.promise) => {}
            Err(broken) => self.fail(number, case, broken),
        }
        if self.told.elapsed() >= TOLD_EVERY {
            self.told = Instant::now();
            eprintln!("at seed {number}: {}", self.summary());
        }
    }

    /// Keeps an input that broke a promise, made as small as is quickly done.
    fn fail(&mut self, number: u64, case: &Case, broken: Broken) {
        let small = if broken.is_hang {
            case.clone()
        } else {
            shrink::shrink(case, &broken.promise, &mut self.worker)
        };
        let path = file(&format!("{number}.feed"));
        fs::write(&path, &small.bytes).unwrap();
        let told = format!(
            "CATALOG_FUZZ_SEED={number} ({}, {:?}), made smaller in {}: {}",
            small.name,
            small.form,
            path.display(),
            broken.what
        );
        eprintln!("{}: {told}", broken.promise);
        let is_hang = broken.is_hang;
        self.failures.insert(broken.promise, told);
        assert!(!is_hang, "{:#?}", self.failures);
    }

    fn summary(&self) -> String {
        let seconds = self.started.elapsed().as_secs_f64();
        let Found {
            products,
            rejected,
            ended,
            panics,
        } = self.found;
        let per_second = self.inputs as f64 / seconds;
        format!(
            "{} inputs of {} bytes in {seconds:.0} s ({per_second:.0}/s): {products} products, {rejected} rows \
             rejected, {ended} feeds ended by an error, {panics} panics of libraries told as errors; {} failures; \
             read to the end: {:?}",
            self.inputs,
            self.bytes,
            self.failures.len(),
            self.read
        )
    }
}

/// The file with the number of the input that is being read.
fn current() -> PathBuf {
    file(&format!("current-{}", process::id()))
}

fn file(name: &str) -> PathBuf {
    let folder = env::temp_dir().join("catalog-fuzz");
    fs::create_dir_all(&folder).unwrap();
    folder.join(name)
}
