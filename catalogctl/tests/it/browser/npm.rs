//! Packages from npm that the pages are checked and tried with. They are installed once.

use std::path::PathBuf;
use std::process::Stdio;

use tokio::process::Command;
use tokio::sync::OnceCell;

/// What is installed: the checker of accessibility, and what a front end made of InstantSearch uses.
const PACKAGES: &str = include_str!("../../../../examples/instantsearch/package.json");
const AXE: &str = "axe-core@4.14.1";

static INSTALLED: OnceCell<PathBuf> = OnceCell::const_new();

/// The folder `node_modules`.
pub(crate) async fn modules() -> PathBuf {
    INSTALLED.get_or_init(install).await.clone()
}

async fn install() -> PathBuf {
    let folder = std::env::temp_dir().join("catalog-browser-packages");
    let wanted = format!("{PACKAGES}{AXE}");
    let stamp = folder.join("installed");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return folder.join("node_modules");
    }
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("package.json"), PACKAGES).expect("write");
    let installed = Command::new("npm")
        .args([
            "install",
            "--silent",
            "--no-audit",
            "--no-fund",
            "--no-package-lock",
            "--no-save",
            AXE,
        ])
        .current_dir(&folder)
        .stdin(Stdio::null())
        .output()
        .await
        .expect("npm: install Node.js with npm");
    let complaints = String::from_utf8_lossy(&installed.stderr);
    assert!(installed.status.success(), "npm install: {complaints}");
    std::fs::write(&stamp, wanted).expect("write");
    folder.join("node_modules")
}

/// The checker of accessibility, as a script.
pub(crate) async fn axe() -> String {
    let file = modules().await.join("axe-core/axe.min.js");
    std::fs::read_to_string(file).expect("axe-core")
}
