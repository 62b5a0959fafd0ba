//! The service token of `catalogctl up`: it lies beside the data, where only their owner can read it.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use service_kit::ServiceTokens;
use uuid::Uuid;

const FILE: &str = "service-token";

/// Finds the token in the folder; none where there is none that this user may read.
pub(super) fn find(data_dir: &Path) -> anyhow::Result<Option<ServiceTokens>> {
    match fs::read_to_string(file(data_dir)) {
        Ok(text) => Ok(Some(parse(data_dir, &text)?)),
        // It is not there, or in the folder of another user.
        Err(_) => Ok(None),
    }
}

/// Returns the text of the token in the folder, which is made where there is none.
pub(crate) fn find_or_make(data_dir: &Path) -> anyhow::Result<String> {
    let file = file(data_dir);
    match fs::read_to_string(&file) {
        Ok(text) => {
            parse(data_dir, &text)?;
            Ok(text.trim().to_owned())
        }
        Err(err) if err.kind() == ErrorKind::NotFound => {
            // 244 random bits.
            let token = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
            write(&file, &token).with_context(|| format!("cannot write {}", file.display()))?;
            Ok(token)
        }
        Err(err) => Err(err).with_context(|| format!("cannot read {}", file.display())),
    }
}

fn parse(data_dir: &Path, text: &str) -> anyhow::Result<ServiceTokens> {
    let broken = || {
        format!(
            "{} holds no service token: remove it, and start `catalogctl up` again",
            file(data_dir).display()
        )
    };
    text.trim().parse().with_context(broken)
}

fn write(file: &Path, token: &str) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    let options = options.write(true).create_new(true).mode(0o600);
    writeln!(options.open(file)?, "{token}")
}

fn file(data_dir: &Path) -> PathBuf {
    data_dir.join(FILE)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_token_is_made_once_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        assert!(find(folder.path()).unwrap().is_none());
        let made = find_or_make(folder.path()).unwrap();
        assert_eq!(find_or_make(folder.path()).unwrap(), made);
        assert!(find(folder.path()).unwrap().is_some());
        let mode = fs::metadata(file(folder.path())).unwrap().permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);

        fs::write(file(folder.path()), "short").unwrap();
        let broken = find(folder.path()).expect_err("no token").to_string();
        assert!(broken.contains("remove it"), "{broken}");
    }
}
