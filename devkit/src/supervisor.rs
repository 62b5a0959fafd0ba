//! The shell script between the owner and a server, which makes sure that a server never outlives
//! its owner: it reads a pipe that only the owner can write to, and end-of-file means stop.
//! Invariant: every process of a server inherits the server lock and the janitor's pipe, so the
//! lock is free, and the janitor cleans up, only when all of them are gone.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead as _, PipeReader, PipeWriter};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::{IoContext as _, Result};
use crate::user::Unprivileged;

/// How long dropping waits for a server to end; a server that takes longer still ends.
const DROP_WAIT_MS_MAX: u64 = 2_000;
const POLL_MS: u64 = 5;

/// The script. `$1` is the log file, `$2` the signal that asks the server to stop, the rest its
/// command.
///
/// A shell gives background commands /dev/null as input, hence the owner's pipe moves to descriptor
/// 3. The lock (4) and the janitor's pipe (5) stay open in the server; the rest of the shell closes
/// them early. The server gets 10 seconds to stop.
const SCRIPT: &str = r#"
log=$1 signal=$2
shift 2
exec 3<&0 4>&1 5>&2 </dev/null >>"$log" 2>&1
"$@" 3<&- &
server=$!
(
    exec 4>&- 5>&- 2>/dev/null
    while read -r _; do :; done <&3
    kill -"$signal" "$server"
    ticks=0
    while [ "$ticks" -lt 100 ] && kill -0 "$server"; do
        sleep 0.1
        ticks=$((ticks + 1))
    done
    kill -KILL "$server"
) &
watcher=$!
wait "$server"
status=$?
kill "$watcher" 2>/dev/null
exit "$status"
"#;

const JANITOR_SCRIPT: &str = r#"
while read -r _; do :; done
rm -rf -- "$1"
"#;

/// A program to run, and how to stop it.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) command: Vec<OsString>,
    pub(crate) folder: PathBuf,
    pub(crate) log: PathBuf,
    /// The name of the signal that asks the program to stop, as `kill` takes it.
    pub(crate) stop_signal: &'static str,
    pub(crate) user: Option<Unprivileged>,
}

/// A server that runs under the script.
#[derive(Debug)]
pub(crate) struct Supervisor {
    shell: Child,
    /// The owner's pipe; closing it stops the server.
    pipe: Option<ChildStdin>,
}

impl Supervisor {
    /// Starts a program under the script. Every process of the server keeps `lock` and `janitor`
    /// open.
    pub(crate) fn spawn(
        program: &Program,
        lock: File,
        janitor: Option<&PipeWriter>,
    ) -> Result<Self> {
        let stderr = match janitor {
            Some(pipe) => Stdio::from(pipe.try_clone().doing("share the pipe of", &program.log)?),
            None => Stdio::null(),
        };
        let mut command = script(SCRIPT, "devkit-supervisor");
        command
            .arg(&program.log)
            .arg(program.stop_signal)
            .args(&program.command)
            .current_dir(&program.folder)
            .env("LC_ALL", "C")
            .stdin(Stdio::piped())
            .stdout(lock)
            .stderr(stderr);
        for (name, _) in std::env::vars_os() {
            // PGOPTIONS, PGDATA and the like are meant for other servers.
            if name.as_encoded_bytes().starts_with(b"PG") {
                command.env_remove(name);
            }
        }
        if let Some(user) = &program.user {
            user.run(&mut command);
        }
        let mut shell = command.spawn().doing("start a shell in", &program.folder)?;
        let pipe = shell.stdin.take();
        Ok(Self { shell, pipe })
    }

    pub(crate) fn is_running(&mut self) -> bool {
        is_running(&mut self.shell)
    }

    /// Asks the server to stop and waits until it is gone, which takes 10 s at most.
    pub(crate) async fn stop(&mut self) {
        self.pipe = None;
        self.gone().await;
    }

    /// Waits for the server to end.
    pub(crate) async fn gone(&mut self) {
        gone(&mut self.shell).await;
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.pipe = None;
        wait_briefly(&mut self.shell);
    }
}

/// Removes a folder once its owner and all processes of the servers in it are gone.
#[derive(Debug)]
pub(crate) struct Janitor {
    folder: PathBuf,
    shell: Child,
    pipe: PipeWriter,
}

impl Janitor {
    pub(crate) fn of(folder: &Path) -> Result<Self> {
        let (reader, writer): (PipeReader, PipeWriter) =
            io::pipe().doing("make a pipe for", folder)?;
        let shell = script(JANITOR_SCRIPT, "devkit-janitor")
            .arg(folder)
            .current_dir("/")
            .stdin(reader)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .doing("start a shell for", folder)?;
        Ok(Self {
            folder: folder.to_owned(),
            shell,
            pipe: writer,
        })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// A writing end of the janitor's pipe for [`Supervisor::spawn`].
    pub(crate) fn share_pipe(&self) -> Result<PipeWriter> {
        self.pipe
            .try_clone()
            .doing("share the pipe of", &self.folder)
    }

    /// Waits until the folder is removed. The servers must have been stopped before.
    pub(crate) async fn finish(mut self) {
        drop(self.pipe);
        gone(&mut self.shell).await;
    }
}

/// Sends a signal, such as `-9` or `-STOP`, to one process. Returns false when there is no such
/// process.
pub fn signal(signal: &str, pid: u32) -> bool {
    Command::new("sh")
        .args(["-c", r#"kill "$1" "$2""#, "sh", signal, &pid.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

const PAUSE_SCRIPT: &str = r#"
kill -STOP "$@"
echo stopped
read -r _
kill -CONT "$@"
"#;

/// A process that is stopped, with all its descendants: they exist and answer nothing. They go on
/// when this value is dropped or this process ends, kill -9 included, so nothing stays stopped for
/// ever.
#[derive(Debug)]
pub struct Pause {
    shell: Child,
}

impl Pause {
    /// Sends SIGSTOP. Blocks for a moment.
    pub fn of(pid: u32) -> Result<Self> {
        let here = Path::new("/");
        let mut shell = script(PAUSE_SCRIPT, "devkit-pause")
            .args(family(pid).iter().map(u32::to_string))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .doing("start a shell in", here)?;
        if let Some(stdout) = shell.stdout.take() {
            let mut stopped = String::new();
            let _ = io::BufReader::new(stdout).read_line(&mut stopped);
        }
        Ok(Self { shell })
    }
}

impl Drop for Pause {
    fn drop(&mut self) {
        self.shell.stdin = None;
        wait_briefly(&mut self.shell);
    }
}

/// The ids of a process and its descendants: Postgres has one process a session. Where the system
/// has no `/proc`, only the process itself is known.
fn family(pid: u32) -> Vec<u32> {
    let parents: Vec<(u32, u32)> = std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let child = entry.ok()?.file_name().to_str()?.parse().ok()?;
            Some((child, parent_of(child)?))
        })
        .collect();
    let mut family = vec![pid];
    let mut next = 0;
    while let Some(&parent) = family.get(next) {
        let children = parents.iter().filter(|(_, of)| *of == parent);
        family.extend(children.map(|(child, _)| *child));
        next += 1;
    }
    family
}

/// The parent of a process: the fourth field of `/proc/PID/stat`. The second, the name in brackets,
/// may hold anything.
fn parent_of(pid: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(1)?.parse().ok()
}

/// A command that runs a shell script in a process group of its own: Ctrl-C then reaches only the
/// owner, which drains first.
fn script(text: &str, name: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", text, name]).process_group(0);
    command
}

fn is_running(shell: &mut Child) -> bool {
    matches!(shell.try_wait(), Ok(None))
}

async fn gone(shell: &mut Child) {
    while is_running(shell) {
        tokio::time::sleep(Duration::from_millis(POLL_MS)).await;
    }
}

fn wait_briefly(shell: &mut Child) {
    let deadline = Instant::now() + Duration::from_millis(DROP_WAIT_MS_MAX);
    while is_running(shell) && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(POLL_MS));
    }
}
