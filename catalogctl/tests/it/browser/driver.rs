//! A headless browser of its own for each test, which ends with it.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::browser::page::Page;
use crate::browser::webdriver::Session;

const STARTED: &str = "was started successfully on port ";
const START_SECONDS_MAX: u64 = 30;
const STARTS_MAX: usize = 5;

/// The driver, the browser that it runs, and what that keeps.
pub(crate) struct Browser {
    pub(crate) page: Page,
    folder: TempDir,
    _driver: Child,
}

impl Browser {
    pub(crate) async fn open() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (driver, port) = driver().await;
        let url = format!("http://127.0.0.1:{port}");
        let session = Session::begin(&url, capabilities(folder.path())).await;
        Self {
            page: Page::new(session.expect("a browser")),
            folder,
            _driver: driver,
        }
    }

    /// Where downloads lie.
    pub(crate) fn downloads(&self) -> PathBuf {
        self.folder.path().join("downloads")
    }
}

/// Starts a driver. Two that start at once may choose the same port: then one ends, and another is started.
async fn driver() -> (Child, u16) {
    for _ in 0..STARTS_MAX {
        let started = start_driver();
        let limit = Duration::from_secs(START_SECONDS_MAX);
        let started = tokio::time::timeout(limit, started).await;
        if let Some(started) = started.expect("chromedriver starts in time") {
            return started;
        }
    }
    panic!("chromedriver ends before it has told its port");
}

/// The driver and its port; none where it ended.
async fn start_driver() -> Option<(Child, u16)> {
    let mut child = Command::new("chromedriver")
        .arg("--port=0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("chromedriver: install Chromium and its driver (Debian: apt-get install chromium chromium-driver)");
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    while let Some(line) = lines.next_line().await.expect("its output") {
        if let Some((_, port)) = line.split_once(STARTED) {
            let port = port.trim_end_matches('.').parse().expect("a port");
            return Some((child, port));
        }
    }
    None
}

fn capabilities(folder: &Path) -> Value {
    let profile = format!("--user-data-dir={}", folder.join("profile").display());
    let arguments = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--window-size=1280,900",
        "--lang=en",
        "--accept-lang=en",
        &profile,
    ];
    let downloads = folder.join("downloads");
    json!({
        "browserName": "chrome",
        "unhandledPromptBehavior": "accept",
        "goog:loggingPrefs": {"browser": "ALL"},
        "goog:chromeOptions": {
            "args": arguments,
            "prefs": {"download.default_directory": downloads, "intl.accept_languages": "en"},
        },
    })
}
