//! Shows the progress of a long command: a bar where a person watches, a plain line now and then
//! elsewhere.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

const PLAIN_LINE_SECONDS: u64 = 5;
const TICK_MS: u64 = 200;

/// A progress display on standard error.
pub struct Meter {
    bar: Option<ProgressBar>,
    last_line: Instant,
    label: &'static str,
}

impl Meter {
    pub fn new(label: &'static str) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new_spinner().with_prefix(label);
            bar.enable_steady_tick(Duration::from_millis(TICK_MS));
            bar
        });
        Self {
            bar,
            last_line: Instant::now(),
            label,
        }
    }

    /// Shows `done` of `total`, which is none where the end is not known.
    pub fn set(&mut self, done: u64, total: Option<u64>, text: &str) {
        match &self.bar {
            Some(bar) => {
                if bar.length() != total {
                    bar.set_style(style(total.is_some()));
                    match total {
                        Some(total) => bar.set_length(total),
                        None => bar.unset_length(),
                    }
                }
                bar.set_position(done);
                bar.set_message(text.to_owned());
            }
            None if self.last_line.elapsed().as_secs() >= PLAIN_LINE_SECONDS => {
                self.last_line = Instant::now();
                match total {
                    Some(total) => eprintln!("{} {} %: {text}", self.label, percent(done, total)),
                    None => eprintln!("{}: {text}", self.label),
                }
            }
            None => {}
        }
    }

    /// Prints a line that stays, above the bar.
    pub fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("{text}")),
            None => eprintln!("{text}"),
        }
    }

    pub fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.clear();
    }
}

fn style(with_end: bool) -> ProgressStyle {
    let template = if with_end {
        "{prefix} {wide_bar} {percent} % {msg}, {eta} left"
    } else {
        "{prefix} {spinner} {msg}"
    };
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

fn percent(done: u64, total: u64) -> u64 {
    (done.min(total) * 100).checked_div(total).unwrap_or(100)
}
