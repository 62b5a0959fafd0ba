//! Makes an input smaller that breaks a promise.

use std::time::{Duration, Instant};

use super::case::Case;
use super::worker::Worker;

const SECONDS_MAX: u64 = 20;

/// Leaves out what the promise is broken without.
pub(super) fn shrink(case: &Case, promise: &str, worker: &mut Worker) -> Case {
    let until = Instant::now() + Duration::from_secs(SECONDS_MAX);
    let mut small = case.clone();
    let mut part = small.bytes.len() / 2;
    while part > 0 && Instant::now() < until {
        let mut at = 0;
        while at < small.bytes.len() && Instant::now() < until {
            let mut less = small.clone();
            let end = (at + part).min(less.bytes.len());
            less.bytes.drain(at..end);
            let broken = worker.read(0, &less).err();
            if broken.is_some_and(|broken| broken.promise == promise) {
                small = less;
            } else {
                at += part;
            }
        }
        part /= 2;
    }
    small
}
