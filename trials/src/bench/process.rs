//! Reads processor time and memory of a process from `/proc`.

use std::fmt;
use std::fs;
use std::time::Duration;

use anyhow::Context as _;
use serde::Serialize;

use crate::cluster::{Cluster, Part};

/// The unit of processor times, `sysconf(_SC_CLK_TCK)`: 100 on every Linux that Rust runs on.
const TICKS_PER_SECOND: u64 = 100;

#[derive(Debug, Serialize)]
pub(super) struct Machine {
    cores: usize,
    optimised_build: bool,
}

impl Machine {
    pub(super) fn read() -> Self {
        Self {
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            optimised_build: !cfg!(debug_assertions),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let build = if self.optimised_build {
            "optimised"
        } else {
            "development"
        };
        write!(
            f,
            "{} cores, {build} build; load, services, database and broker share them",
            self.cores
        )
    }
}

/// The resident memory of one service.
#[derive(Debug, Serialize)]
pub(super) struct Memory {
    pub(super) service: &'static str,
    pub(super) resident_mb: f64,
    pub(super) peak_mb: f64,
}

pub(super) fn memory(cluster: &Cluster) -> anyhow::Result<Vec<Memory>> {
    let parts = Part::ALL.into_iter();
    parts.map(|part| memory_of(cluster, part)).collect()
}

pub(super) fn memory_of(cluster: &Cluster, part: Part) -> anyhow::Result<Memory> {
    let pid = pid(cluster, part)?;
    Ok(Memory {
        service: part.name(),
        resident_mb: megabytes(pid, "VmRSS:")?,
        peak_mb: peak_mb(pid)?,
    })
}

/// The most memory that the process has held at once since it began, or since [`reset_peak`].
pub(super) fn peak_mb(pid: u32) -> anyhow::Result<f64> {
    megabytes(pid, "VmHWM:")
}

/// Starts a new measurement of the peak (proc(5), `clear_refs`).
pub(super) fn reset_peak(pid: u32) -> anyhow::Result<()> {
    let path = format!("/proc/{pid}/clear_refs");
    fs::write(&path, "5").with_context(|| format!("cannot write {path}: bench needs Linux"))
}

fn megabytes(pid: u32, field: &str) -> anyhow::Result<f64> {
    let status = read(pid, "status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let number = line.and_then(|rest| rest.split_whitespace().next());
    let kilobytes = number.and_then(|number| number.parse::<f64>().ok());
    Ok(kilobytes.map_or(f64::NAN, |kilobytes| kilobytes / 1024.0))
}

/// User and system time since the process began.
pub(super) fn cpu_time(pid: u32) -> anyhow::Result<Duration> {
    let stat = read(pid, "stat")?;
    // The name in parentheses may hold anything, so fields are counted after it.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let ticks: u64 = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum();
    Ok(Duration::from_millis(ticks * 1_000 / TICKS_PER_SECOND))
}

fn read(pid: u32, file: &str) -> anyhow::Result<String> {
    let path = format!("/proc/{pid}/{file}");
    fs::read_to_string(&path).with_context(|| format!("cannot read {path}: bench needs Linux"))
}

/// The process id of a running service.
pub(super) fn pid(cluster: &Cluster, part: Part) -> anyhow::Result<u32> {
    cluster
        .pid(part)
        .with_context(|| format!("{} is not running", part.name()))
}
