//! A private PostgreSQL 18 with pgvector, reachable over TCP on 127.0.0.1 only.
//! Invariant: unless throw-away, a commit that was acknowledged survives a power cut.

use std::ffi::OsString;
use std::fs;
use std::io::PipeWriter;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::artifact;
use crate::database;
use crate::error::{DevkitError, IoContext as _, Result, blocking};
use crate::folder::{Folder, put_in_place, set_mode};
use crate::server::{Server, Spec, last_lines};
use crate::supervisor::{Pause, Program};
use crate::user::Unprivileged;

const SUPERUSER: &str = "postgres";
/// The folder of the database files, inside the data folder.
const CLUSTER: &str = "pgdata";
const PASSWORD_FILE: &str = "password";

const SETTINGS: [&str; 9] = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "max_connections=200",
    "max_wal_size=1GB",
    // Containers have a /dev/shm of 64 MB, which is too small for a parallel build of an HNSW
    // index.
    "dynamic_shared_memory_type=mmap",
    // This build of PostgreSQL has no lz4.
    "wal_compression=pglz",
    "timezone=UTC",
    "log_timezone=UTC",
    "log_line_prefix=%m [%p] %d ",
];
/// Settings without safety in a power cut. Synchronous commit stays on, so that the order of
/// commits and replies is the real one.
const THROWAWAY_SETTINGS: [&str; 2] = ["fsync=off", "full_page_writes=off"];

const SHARED_BUFFERS_MB_MIN: u64 = 128;
const SHARED_BUFFERS_MB_MAX: u64 = 4_096;

#[derive(Clone, Copy, Debug, Default)]
pub struct PostgresOptions {
    /// The port; a free one unless set.
    pub port: Option<u16>,
    /// A throw-away server is quicker but corrupt after a power cut; a kill -9 loses nothing.
    pub throwaway: bool,
}

/// A running server; dropping it stops it, as does the end of this process.
#[derive(Debug)]
pub struct Postgres {
    server: Server,
    password: String,
}

impl Postgres {
    /// Starts the server whose files are in `data_dir`, creating them on first use. The folder
    /// becomes private to the user who runs the server.
    pub async fn start(data_dir: &Path) -> Result<Self> {
        Self::start_with(data_dir, PostgresOptions::default()).await
    }

    pub async fn start_with(data_dir: &Path, options: PostgresOptions) -> Result<Self> {
        Self::start_in(data_dir, options, None).await
    }

    pub(crate) async fn start_in(
        data_dir: &Path,
        options: PostgresOptions,
        janitor: Option<PipeWriter>,
    ) -> Result<Self> {
        let programs = artifact::POSTGRES.programs().await?;
        let data_dir = data_dir.to_owned();
        let (spec, folder, password) =
            blocking(move || prepare(&data_dir, &programs, options)).await?;
        let server = Server::launch(spec, folder, options.port, janitor).await?;
        Ok(Self { server, password })
    }

    /// The URL of a database of this server, with the password, whether the database exists or not.
    pub fn url(&self, database: &str) -> String {
        format!(
            "postgres://{SUPERUSER}:{}@127.0.0.1:{}/{database}?sslmode=disable",
            self.password,
            self.server.port()
        )
    }

    /// Creates a database unless it exists. Its name is 1 to 63 characters of `a-z 0-9 _`,
    /// beginning with a letter.
    pub async fn create_database_if_missing(&self, name: &str) -> Result<()> {
        database::create_if_missing(&self.url("postgres"), name).await
    }

    pub fn port(&self) -> u16 {
        self.server.port()
    }

    /// The process id of the postmaster.
    pub fn pid(&self) -> u32 {
        self.server.pid()
    }

    pub fn log_path(&self) -> &Path {
        self.server.log_path()
    }

    pub fn is_running(&mut self) -> bool {
        self.server.is_running()
    }

    /// Sends SIGKILL to the postmaster, as a crash would end it.
    pub async fn kill(&mut self) -> Result<()> {
        self.server.kill().await
    }

    /// Sends SIGSTOP to every process of the server; they go on when the returned value is dropped.
    pub async fn pause(&self) -> Result<Pause> {
        self.server.pause().await
    }

    /// Starts the server again on the same port and files; stops it first when it is up.
    pub async fn restart(&mut self) -> Result<()> {
        self.server.restart().await
    }

    /// Ends sessions, writes everything to disk, and waits until the server is gone.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}

fn prepare(
    data_dir: &Path,
    programs: &Path,
    options: PostgresOptions,
) -> Result<(Spec, Folder, String)> {
    let folder = Folder::claim(data_dir)?;
    let user = Unprivileged::if_root();
    if let Some(user) = &user {
        user.own(folder.path())?;
        user.ensure_reaches(folder.path())?;
        user.ensure_reaches(programs)?;
    }
    set_mode(folder.path(), 0o700)?;
    let cluster = folder.join(CLUSTER);
    if cluster.exists() && !folder.join(PASSWORD_FILE).exists() {
        return Err(DevkitError::InitFailed {
            folder: folder.path().to_owned(),
            reason: format!("the file {PASSWORD_FILE} is gone, without which nobody can log in"),
        });
    }
    let password = folder.secret(PASSWORD_FILE)?;
    if !cluster.exists() {
        initialise(&folder, programs, user.as_ref(), options)?;
    }
    let spec = Spec {
        name: "PostgreSQL",
        run_file: cluster.join("postmaster.pid"),
        ready: ready_pid,
        program: Program {
            command: command(&programs.join("postgres"), &cluster, options),
            folder: folder.path().to_owned(),
            log: folder.join("postgres.log"),
            // INT asks for the fast shutdown, QUIT for the immediate one, which writes nothing.
            stop_signal: if options.throwaway { "QUIT" } else { "INT" },
            user,
        },
    };
    Ok((spec, folder, password))
}

fn command(postgres: &Path, cluster: &Path, options: PostgresOptions) -> Vec<OsString> {
    let throwaway: &[&str] = if options.throwaway {
        &THROWAWAY_SETTINGS
    } else {
        &[]
    };
    let megabytes = if options.throwaway {
        SHARED_BUFFERS_MB_MIN
    } else {
        shared_buffers_mb(memory_mb())
    };
    let shared_buffers = format!("shared_buffers={megabytes}MB");
    let fixed = SETTINGS.iter().chain(throwaway).copied();
    let settings = fixed.chain([shared_buffers.as_str()]);
    let mut command = vec![postgres.into(), "-D".into(), cluster.into()];
    command.extend(settings.flat_map(|setting| ["-c".into(), setting.into()]));
    command
}

/// The size of the buffer pool: a quarter of the memory, as the manual advises, which is taken only
/// as data needs it. Pages that do not fit are copied from the system's cache one by one, and a
/// search among a million vectors needs thousands of them.
fn shared_buffers_mb(memory_mb: u64) -> u64 {
    (memory_mb / 4).clamp(SHARED_BUFFERS_MB_MIN, SHARED_BUFFERS_MB_MAX)
}

/// The memory of the machine in megabytes, or the limit of its container where that is lower; 0
/// where neither is known.
fn memory_mb() -> u64 {
    let meminfo = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total = meminfo.lines().find_map(|line| {
        let kilobytes = line.strip_prefix("MemTotal:")?.trim().strip_suffix("kB")?;
        kilobytes.trim().parse::<u64>().ok()
    });
    let memory_max = fs::read_to_string("/sys/fs/cgroup/memory.max").unwrap_or_default();
    let limit = memory_max.trim().parse::<u64>().unwrap_or(u64::MAX);
    (total.unwrap_or(0) >> 10).min(limit >> 20)
}

/// Creates the database files. They appear by one rename, so that half of them is never found.
fn initialise(
    folder: &Folder,
    programs: &Path,
    user: Option<&Unprivileged>,
    options: PostgresOptions,
) -> Result<()> {
    let password_file = folder.join(PASSWORD_FILE);
    let partial: PathBuf = folder.join("pgdata.partial");
    if partial.exists() {
        fs::remove_dir_all(&partial).doing("remove", &partial)?;
    }
    let mut initdb = Command::new(programs.join("initdb"));
    initdb
        .arg("-D")
        .arg(&partial)
        .arg("--pwfile")
        .arg(&password_file)
        .args(["-U", SUPERUSER, "-A", "scram-sha-256", "-E", "UTF8"])
        .args(["--locale=C", "--locale-provider=builtin"])
        .args(["--builtin-locale=C.UTF-8"])
        .args(options.throwaway.then_some("--no-sync"))
        .env("LC_ALL", "C")
        .current_dir(folder.path())
        .stdin(Stdio::null());
    if let Some(user) = user {
        user.own(&password_file)?;
        user.run(&mut initdb);
    }
    let output = initdb.output().doing("run initdb in", folder.path())?;
    if !output.status.success() {
        return Err(DevkitError::InitFailed {
            folder: folder.path().to_owned(),
            reason: last_lines(&String::from_utf8_lossy(&output.stderr)),
        });
    }
    let cluster = folder.join(CLUSTER);
    put_in_place(&partial, &cluster)
}

/// The process id once the server is ready. Since PostgreSQL 10, `postmaster.pid` holds the process
/// id in line 1 and the status in line 8.
fn ready_pid(run_file: &str, _log: &str) -> Option<u32> {
    let mut lines = run_file.lines().map(str::trim);
    let pid = lines.next()?.parse().ok()?;
    (lines.nth(6)? == "ready").then_some(pid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_postmaster_is_ready_when_its_file_says_so() {
        let file =
            |status| format!("4711\n/data\n1700000000\n15001\n\n127.0.0.1\n  1  2\n{status}\n");
        assert_eq!(ready_pid(&file("ready   "), ""), Some(4711));
        assert_eq!(ready_pid(&file("starting"), ""), None);
        assert_eq!(ready_pid("4711\n/data\n", ""), None);
        assert_eq!(ready_pid("", ""), None);
    }

    #[test]
    fn a_quarter_of_the_memory_is_for_data_within_bounds() {
        let megabytes = [0, 400, 8_192, 64_000].map(shared_buffers_mb);
        assert_eq!(megabytes, [128, 128, 2_048, 4_096]);
    }
}
