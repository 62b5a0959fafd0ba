//! What the process costs, under the names that every Prometheus client gives it.

use std::fmt;
use std::fs;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// Tells of this process at each scrape, where the system says what it costs.
#[derive(Debug)]
pub(crate) struct ProcessMetrics;

impl Collector for ProcessMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let Some(cost) = Cost::now() else {
            return Ok(());
        };
        let resident = ConstGauge::new(cost.resident_bytes);
        let descriptor = encoder.encode_descriptor(
            "process_resident_memory_bytes",
            "Resident memory",
            None,
            resident.metric_type(),
        )?;
        resident.encode(descriptor)?;
        let open = ConstGauge::new(cost.open_files);
        let descriptor = encoder.encode_descriptor(
            "process_open_fds",
            "Open files and connections",
            None,
            open.metric_type(),
        )?;
        open.encode(descriptor)?;
        let seconds = ConstCounter::new(cost.cpu_seconds);
        let descriptor = encoder.encode_descriptor(
            "process_cpu_seconds",
            "Processor time of the process and the system for it",
            None,
            seconds.metric_type(),
        )?;
        seconds.encode(descriptor)
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Cost {
    resident_bytes: i64,
    cpu_seconds: f64,
    open_files: i64,
}

/// Ticks of the processor time in a second, which is the same for all that Linux tells to programs.
const TICKS_PER_SECOND: f64 = 100.0;

impl Cost {
    /// None where the system has no `/proc`.
    fn now() -> Option<Self> {
        let stat = fs::read_to_string("/proc/self/stat").ok()?;
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let open_files = fs::read_dir("/proc/self/fd").ok()?.count() as i64;
        Self::read(&stat, &status, open_files)
    }

    /// Reads what proc(5) describes. The name of the program stands in brackets in `stat`, and may have any other
    /// brackets and spaces.
    fn read(stat: &str, status: &str, open_files: i64) -> Option<Self> {
        let (_, behind_name) = stat.rsplit_once(')')?;
        let mut fields = behind_name.split_ascii_whitespace();
        // Counted from 1 with the process id, the state is the third, and these are 14 and 15.
        let user: f64 = fields.nth(11)?.parse().ok()?;
        let system: f64 = fields.next()?.parse().ok()?;
        let resident = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kilobytes: i64 = resident.trim().strip_suffix(" kB")?.parse().ok()?;
        Some(Self {
            resident_bytes: kilobytes * 1_024,
            cpu_seconds: (user + system) / TICKS_PER_SECOND,
            open_files,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_of_proc_are_found_behind_any_name() {
        let stat = "42 (a (b) c) S 1 2 3 4 5 6 7 8 9 10 250 50 13 14 15 16 17 18 19 20 1000 22";
        let status = "Name:\ta\nVmPeak:\t    9000 kB\nVmRSS:\t    4000 kB\nThreads:\t3\n";
        let cost = Cost::read(stat, status, 7);
        let expected = Cost {
            resident_bytes: 4_096_000,
            cpu_seconds: 3.0,
            open_files: 7,
        };
        assert_eq!(cost, Some(expected));
        assert_eq!(Cost::read("42 (a) S 1 2", status, 7), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_costs_something() {
        let cost = Cost::now().expect("Linux tells");
        assert!(
            cost.resident_bytes > 1_000_000 && cost.open_files > 2,
            "{cost:?}"
        );
    }
}
