//! Reads inputs on a thread of its own, so that one that never ends is noticed, and catches panics.

use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use super::case::Case;
use super::reading::{self, Broken, Found};
use crate::feed::SPREADSHEET_THREAD;

/// Far more than any input needs, also on a machine that is busy.
const READ_S_MAX: u64 = 60;
const NAME: &str = "feed fuzzer";

thread_local! {
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}
/// The panics of the threads that read spreadsheets.
static CAUGHT: AtomicU64 = AtomicU64::new(0);

pub(super) struct Worker {
    inputs: Sender<(u64, Case)>,
    outputs: Receiver<Result<Found, Broken>>,
}

impl Worker {
    pub(super) fn new() -> Self {
        listen_to_panics();
        let (inputs, taken) = channel::<(u64, Case)>();
        let (sender, outputs) = channel();
        let work = move || {
            while let Ok((number, case)) = taken.recv() {
                if sender.send(guarded(number, &case)).is_err() {
                    return;
                }
            }
        };
        thread::Builder::new()
            .name(NAME.to_owned())
            .spawn(work)
            .unwrap();
        Self { inputs, outputs }
    }

    /// Reads an input to its end.
    pub(super) fn read(&mut self, number: u64, case: &Case) -> Result<Found, Broken> {
        self.inputs.send((number, case.clone())).unwrap();
        let limit = Duration::from_secs(READ_S_MAX);
        let result = self.outputs.recv_timeout(limit);
        result.unwrap_or_else(|_| {
            Err(Broken {
                is_hang: true,
                ..Broken::new("ends", format!("no end after {READ_S_MAX} s"))
            })
        })
    }
}

fn guarded(number: u64, case: &Case) -> Result<Found, Broken> {
    let before = CAUGHT.load(Ordering::Relaxed);
    let result = panic::catch_unwind(AssertUnwindSafe(|| reading::check(number, case)));
    match result {
        Ok(found) => found.map(|found| Found {
            panics: CAUGHT.load(Ordering::Relaxed) - before,
            ..found
        }),
        Err(_) => {
            let what = PANIC.take().unwrap_or_default();
            Err(Broken::new(&format!("does not panic: {what}"), what))
        }
    }
}

/// Keeps what panics on the thread of the fuzzer say, and counts those of the readers of spreadsheets, which
/// are told as errors.
fn listen_to_panics() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info: &PanicHookInfo<'_>| {
        let current = thread::current();
        match current.name() {
            Some(NAME) => PANIC.set(Some(shown(info))),
            Some(SPREADSHEET_THREAD) => {
                CAUGHT.fetch_add(1, Ordering::Relaxed);
            }
            _ => before(info),
        }
    }));
}

fn shown(info: &PanicHookInfo<'_>) -> String {
    let place = info.location().map(ToString::to_string);
    let text = info.payload_as_str().unwrap_or_default();
    let text: String = text.chars().take(120).collect();
    format!("{} {text}", place.unwrap_or_default())
}
