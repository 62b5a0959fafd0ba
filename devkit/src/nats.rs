//! A private NATS server with JetStream, reachable on 127.0.0.1 only.
//! Invariant: unless throw-away, a message that was acknowledged survives a power cut.

use std::fs;
use std::io::PipeWriter;
use std::path::{Path, PathBuf};

use crate::artifact;
use crate::error::{IoContext as _, Result, blocking};
use crate::folder::{Folder, set_mode, write_private};
use crate::server::{Server, Spec};
use crate::supervisor::{Pause, Program};

/// The folder of the streams, inside the data folder.
const STORE: &str = "streams";
const CONFIG: &str = "nats.conf";

#[derive(Clone, Copy, Debug, Default)]
pub struct NatsOptions {
    /// The port; a free one unless set.
    pub port: Option<u16>,
    /// A throw-away server is quicker but loses acknowledged messages in a power cut; a kill -9
    /// loses nothing.
    pub throwaway: bool,
}

/// A running server; dropping it stops it, as does the end of this process.
#[derive(Debug)]
pub struct Nats {
    server: Server,
    token: String,
}

impl Nats {
    /// Starts the server whose streams are in `data_dir`. The folder becomes private.
    pub async fn start(data_dir: &Path) -> Result<Self> {
        Self::start_with(data_dir, NatsOptions::default()).await
    }

    pub async fn start_with(data_dir: &Path, options: NatsOptions) -> Result<Self> {
        Self::start_in(data_dir, options, None).await
    }

    pub(crate) async fn start_in(
        data_dir: &Path,
        options: NatsOptions,
        janitor: Option<PipeWriter>,
    ) -> Result<Self> {
        let programs = artifact::NATS.programs().await?;
        let data_dir = data_dir.to_owned();
        let (spec, folder, token) =
            blocking(move || prepare(&data_dir, &programs, options)).await?;
        let server = Server::launch(spec, folder, options.port, janitor).await?;
        Ok(Self { server, token })
    }

    /// The URL `nats://TOKEN@127.0.0.1:PORT`. async-nats reads no credentials from a URL: a client
    /// takes the token out and passes it to `ConnectOptions::with_token`.
    pub fn url(&self) -> String {
        format!("nats://{}@127.0.0.1:{}", self.token, self.server.port())
    }

    pub fn token(&self) -> &str {
        &self.token
    }

    pub fn port(&self) -> u16 {
        self.server.port()
    }

    pub fn pid(&self) -> u32 {
        self.server.pid()
    }

    /// The folder of the streams; it may be changed only while the server is down.
    pub fn store_dir(&self) -> PathBuf {
        self.server.folder().join(STORE)
    }

    pub fn log_path(&self) -> &Path {
        self.server.log_path()
    }

    pub fn is_running(&mut self) -> bool {
        self.server.is_running()
    }

    /// Sends SIGKILL, as a crash would end it.
    pub async fn kill(&mut self) -> Result<()> {
        self.server.kill().await
    }

    /// Sends SIGSTOP to every process of the server; they go on when the returned value is dropped.
    pub async fn pause(&self) -> Result<Pause> {
        self.server.pause().await
    }

    /// Starts the server again on the same port and streams; stops it first when it is up.
    pub async fn restart(&mut self) -> Result<()> {
        self.server.restart().await
    }

    /// Starts the server again with another configuration, made of the one it has. It lasts until the value
    /// is dropped.
    pub async fn restart_with(&mut self, change: impl FnOnce(String) -> String) -> Result<()> {
        let config = self.server.folder().join(CONFIG);
        let text = fs::read_to_string(&config).doing("read", &config)?;
        write_private(&config, &change(text))?;
        self.restart().await
    }

    /// Writes everything to disk, and waits until the server is gone.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}

fn prepare(
    data_dir: &Path,
    programs: &Path,
    options: NatsOptions,
) -> Result<(Spec, Folder, String)> {
    let folder = Folder::claim(data_dir)?;
    set_mode(folder.path(), 0o700)?;
    let token = folder.secret("token")?;
    let config = folder.join(CONFIG);
    write_private(&config, &config_text(&token, options))?;
    let spec = Spec {
        name: "NATS server",
        run_file: folder.join("nats.pid"),
        ready: ready_pid,
        program: Program {
            command: vec![
                programs.join("nats-server").into(),
                "-c".into(),
                config.into(),
            ],
            folder: folder.path().to_owned(),
            log: folder.join("nats.log"),
            stop_signal: if options.throwaway { "KILL" } else { "TERM" },
            user: None,
        },
    };
    Ok((spec, folder, token))
}

/// The configuration file. Its paths are relative to the folder in which the server runs, so
/// nothing in them needs quoting.
fn config_text(token: &str, options: NatsOptions) -> String {
    let sync_interval = if options.throwaway { "2m" } else { "always" };
    format!(
        r#"# Written anew at each start.
host: "127.0.0.1"
authorization {{ token: "{token}" }}
pid_file: "nats.pid"
max_payload: 8MB
jetstream {{
    store_dir: "{STORE}"
    # Acknowledged means on disk; the default syncs every 2 minutes.
    sync_interval: {sync_interval}
    max_memory_store: 256MB
    max_file_store: 10GB
}}
"#
    )
}

/// The process id, once the log shows the last line of a start: the port is open and the streams
/// are recovered.
fn ready_pid(run_file: &str, log: &str) -> Option<u32> {
    let pid = run_file.trim().parse().ok()?;
    log.contains("Server is ready").then_some(pid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_throwaway_server_acknowledges_before_it_syncs() {
        let config = |throwaway| {
            config_text(
                "t",
                NatsOptions {
                    throwaway,
                    port: None,
                },
            )
        };
        assert!(config(false).contains("sync_interval: always"));
        assert!(config(true).contains("sync_interval: 2m"));
    }
}
