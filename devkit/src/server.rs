//! A server process from launch to stop, whichever program it is. Invariant: a launch happens under
//! the server lock of its folder, so no process of an earlier server is left and its run file can
//! be removed.

use std::fs::{self, File};
use std::io::{PipeWriter, Read as _, Seek as _, SeekFrom};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::error::{DevkitError, IoContext as _, Result, blocking};
use crate::folder::Folder;
use crate::supervisor::{Pause, Program, Supervisor, signal};

/// How long a start may take: crash recovery of a large database takes its time.
const READY_MS_MAX: u64 = 60_000;
/// How long the port of a restarted server may stay taken.
const PORT_FREE_MS_MAX: u64 = 10_000;
const POLL_MS: u64 = 5;
const PORT_RETRY_MS: u64 = 100;
const PORT_TRIES_MAX: u32 = 20;
/// The ports to choose from, below those that systems give to outgoing connections. A client that
/// keeps trying to reach a dead server on such a port can end up connected to itself, and then the
/// server cannot return.
const PORTS: std::ops::Range<u16> = 15_000..32_000;
const LOG_BYTES_MAX: u64 = 16 << 20;
const LOG_TAIL_BYTES_MAX: u64 = 64 << 10;
const LOG_TAIL_LINES: usize = 5;

/// The differences between the servers. `-p PORT` is appended to the command of the program.
#[derive(Debug)]
pub(crate) struct Spec {
    pub(crate) name: &'static str,
    pub(crate) program: Program,
    /// The file in which the server writes its process id.
    pub(crate) run_file: PathBuf,
    /// Tells the process id once the texts of the run file and of the log of this launch say that
    /// the server is ready.
    pub(crate) ready: fn(&str, &str) -> Option<u32>,
}

/// A running server. Dropping it stops it.
#[derive(Debug)]
pub(crate) struct Server {
    supervisor: Supervisor,
    spec: Spec,
    folder: Folder,
    port: u16,
    pid: u32,
    janitor: Option<PipeWriter>,
}

impl Server {
    /// Starts the server on `port`, or on a free port.
    pub(crate) async fn launch(
        spec: Spec,
        folder: Folder,
        port: Option<u16>,
        janitor: Option<PipeWriter>,
    ) -> Result<Self> {
        let launched = match port {
            Some(port) => try_launch(&spec, &folder, port, janitor.as_ref()).await?,
            None => launch_on_free_port(&spec, &folder, janitor.as_ref()).await?,
        };
        Ok(Self {
            supervisor: launched.supervisor,
            spec,
            folder,
            port: launched.port,
            pid: launched.pid,
            janitor,
        })
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.spec.program.folder
    }

    pub(crate) fn log_path(&self) -> &Path {
        &self.spec.program.log
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.supervisor.is_running()
    }

    /// Sends SIGKILL. Nothing happens when the server is down already.
    pub(crate) async fn kill(&mut self) -> Result<()> {
        if self.is_running() {
            let pid = self.pid;
            blocking(move || Ok(signal("-9", pid))).await?;
            self.supervisor.gone().await;
        }
        Ok(())
    }

    pub(crate) async fn pause(&self) -> Result<Pause> {
        let pid = self.pid;
        blocking(move || Pause::of(pid)).await
    }

    /// Starts the server again on the same port; stops it first when it is up.
    pub(crate) async fn restart(&mut self) -> Result<()> {
        self.supervisor.stop().await;
        let launched =
            launch_again(&self.spec, &self.folder, self.port, self.janitor.as_ref()).await?;
        self.pid = launched.pid;
        self.supervisor = launched.supervisor;
        Ok(())
    }

    pub(crate) async fn stop(mut self) {
        self.supervisor.stop().await;
    }
}

struct Launched {
    supervisor: Supervisor,
    port: u16,
    pid: u32,
}

async fn launch_on_free_port(
    spec: &Spec,
    folder: &Folder,
    janitor: Option<&PipeWriter>,
) -> Result<Launched> {
    let mut tries = 0;
    loop {
        tries += 1;
        let port = free_port(spec.name)?;
        match try_launch(spec, folder, port, janitor).await {
            Err(DevkitError::PortTaken { .. }) if tries < PORT_TRIES_MAX => {}
            outcome => return outcome,
        }
    }
}

/// Launches the server on a port that connections to its killed predecessor may still occupy, and
/// tries again until the port is free.
async fn launch_again(
    spec: &Spec,
    folder: &Folder,
    port: u16,
    janitor: Option<&PipeWriter>,
) -> Result<Launched> {
    let deadline = Instant::now() + Duration::from_millis(PORT_FREE_MS_MAX);
    loop {
        match try_launch(spec, folder, port, janitor).await {
            Err(DevkitError::PortTaken { .. }) if Instant::now() < deadline => {
                tokio::time::sleep(Duration::from_millis(PORT_RETRY_MS)).await;
            }
            outcome => return outcome,
        }
    }
}

/// A random port that is free now; another program may still take it first.
fn free_port(server: &'static str) -> Result<u16> {
    let mut port = 0;
    for _ in 0..PORT_TRIES_MAX {
        port = fastrand::u16(PORTS);
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    Err(DevkitError::PortTaken { server, port })
}

async fn try_launch(
    spec: &Spec,
    folder: &Folder,
    port: u16,
    janitor: Option<&PipeWriter>,
) -> Result<Launched> {
    let lock = lock(folder).await?;
    remove_if_there(&spec.run_file)?;
    let log_start = start_of_log(&spec.program.log)?;
    let mut program = spec.program.clone();
    program
        .command
        .extend(["-p".into(), port.to_string().into()]);
    let mut supervisor = Supervisor::spawn(&program, lock, janitor)?;

    let deadline = Instant::now() + Duration::from_millis(READY_MS_MAX);
    loop {
        // This comes first: a server that has ended has written its last words.
        let running = supervisor.is_running();
        let log = read_log(&spec.program.log, log_start);
        if !running {
            return Err(failure(spec, port, &log, "it ended"));
        }
        let run_file = fs::read_to_string(&spec.run_file).unwrap_or_default();
        if let Some(pid) = (spec.ready)(&run_file, &log) {
            tracing::debug!(port, pid, "{} is ready", spec.name);
            return Ok(Launched {
                supervisor,
                port,
                pid,
            });
        }
        if Instant::now() > deadline {
            return Err(failure(spec, port, &log, "no answer within 60 s"));
        }
        tokio::time::sleep(Duration::from_millis(POLL_MS)).await;
    }
}

/// Waits for the lock without holding up the async threads.
async fn lock(folder: &Folder) -> Result<File> {
    let folder = folder.server_lock();
    blocking(move || folder.wait()).await
}

fn failure(spec: &Spec, port: u16, log: &str, reason: &str) -> DevkitError {
    if log.to_ascii_lowercase().contains("address already in use") {
        return DevkitError::PortTaken {
            server: spec.name,
            port,
        };
    }
    DevkitError::NotReady {
        server: spec.name,
        reason: reason.to_owned(),
        log: spec.program.log.clone(),
        tail: last_lines(log),
    }
}

pub(crate) fn last_lines(text: &str) -> String {
    let mut lines: Vec<_> = text
        .lines()
        .rev()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .take(LOG_TAIL_LINES)
        .collect();
    lines.reverse();
    lines.join(" | ")
}

/// The offset where the log of the next launch begins. A long log is set aside.
fn start_of_log(log: &Path) -> Result<u64> {
    let length = fs::metadata(log).map_or(0, |metadata| metadata.len());
    if length < LOG_BYTES_MAX {
        return Ok(length);
    }
    fs::rename(log, log.with_extension("log.old")).doing("rename", log)?;
    Ok(0)
}

/// The end of the log since `start`; empty when there is no log yet.
fn read_log(log: &Path, start: u64) -> String {
    let read = || {
        let mut file = File::open(log)?;
        let end = file.seek(SeekFrom::End(0))?;
        file.seek(SeekFrom::Start(
            start.max(end.saturating_sub(LOG_TAIL_BYTES_MAX)),
        ))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok::<_, std::io::Error>(String::from_utf8_lossy(&bytes).into_owned())
    };
    read().unwrap_or_default()
}

fn remove_if_there(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(err) if err.kind() != std::io::ErrorKind::NotFound => Err(err).doing("remove", path),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_words_of_a_log_become_one_line() {
        let log = "1\n2\n\n3\n  4  \n5\n6\n\n";
        assert_eq!(last_lines(log), "2 | 3 | 4 | 5 | 6");
        assert_eq!(last_lines(""), "");
    }

    #[test]
    fn only_the_log_of_this_launch_is_read() {
        let root = tempfile::tempdir().unwrap();
        let log = root.path().join("server.log");
        assert_eq!(read_log(&log, 0), "");
        fs::write(&log, "earlier\n").unwrap();
        let start = start_of_log(&log).unwrap();
        fs::write(&log, "earlier\nnow\n").unwrap();
        assert_eq!(read_log(&log, start), "now\n");
    }
}
