//! The unprivileged user that runs PostgreSQL when this process runs as root, which PostgreSQL
//! refuses. Invariant: under any other user, nothing here changes an owner or a user.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use crate::error::{DevkitError, IoContext as _, Result};

const NAME: &str = "nobody";
const ID_FALLBACK: u32 = 65_534;

#[derive(Clone, Debug)]
pub(crate) struct Unprivileged {
    uid: u32,
    gid: u32,
}

impl Unprivileged {
    /// Picks the user; none unless this process runs as root.
    pub(crate) fn if_root() -> Option<Self> {
        is_root().then(|| {
            let accounts = fs::read_to_string("/etc/passwd").unwrap_or_default();
            find_in(&accounts).unwrap_or(Self {
                uid: ID_FALLBACK,
                gid: ID_FALLBACK,
            })
        })
    }

    /// Makes `command` run as this user, without the groups of root.
    pub(crate) fn run(&self, command: &mut Command) {
        command.uid(self.uid).gid(self.gid);
    }

    pub(crate) fn own(&self, path: &Path) -> Result<()> {
        chown(path, Some(self.uid), Some(self.gid)).doing("change the owner of", path)
    }

    /// Checks that this user can pass through `folder` and each folder above it.
    pub(crate) fn ensure_reaches(&self, folder: &Path) -> Result<()> {
        let folder = folder.canonicalize().doing("find", folder)?;
        for directory in folder.ancestors() {
            let metadata = fs::metadata(directory).doing("look at", directory)?;
            let search_bit = if metadata.uid() == self.uid {
                0o100
            } else if metadata.gid() == self.gid {
                0o010
            } else {
                0o001
            };
            if metadata.mode() & search_bit == 0 {
                return Err(DevkitError::Unreachable {
                    directory: directory.to_owned(),
                    user: NAME.to_owned(),
                });
            }
        }
        Ok(())
    }
}

/// Whether the effective user id is 0. The standard library does not tell; `id` of POSIX does.
pub(crate) fn is_root() -> bool {
    Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

fn find_in(accounts: &str) -> Option<Unprivileged> {
    let account = accounts
        .lines()
        .find_map(|line| line.strip_prefix(NAME)?.strip_prefix(':'))?;
    // The line is `name:password:uid:gid:…`; macOS writes the ids of nobody as -2, which the
    // fallback covers.
    let mut fields = account.split(':').skip(1);
    Some(Unprivileged {
        uid: fields.next()?.parse().ok()?,
        gid: fields.next()?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn finds_nobody_among_the_accounts() {
        let accounts =
            "root:x:0:0::/root:/bin/sh\nnobody2:x:1:1::/:\nnobody:x:99:98:N:/:/sbin/nologin\n";
        let found = find_in(accounts).map(|user| (user.uid, user.gid));
        assert_eq!(found, Some((99, 98)));
        assert!(find_in("nobody:*:-2:-2:N:/:/usr/bin/false\n").is_none());
    }

    #[test]
    fn a_folder_closed_to_others_is_named() {
        let root = tempfile::tempdir().unwrap();
        let inner = root.path().join("inner");
        fs::create_dir(&inner).unwrap();
        fs::set_permissions(root.path(), fs::Permissions::from_mode(0o700)).unwrap();
        fs::set_permissions(&inner, fs::Permissions::from_mode(0o755)).unwrap();
        let stranger = Unprivileged {
            uid: u32::MAX,
            gid: u32::MAX,
        };
        let refused = stranger.ensure_reaches(&inner).unwrap_err();
        let DevkitError::Unreachable { directory, .. } = refused else {
            panic!("{refused}");
        };
        assert_eq!(directory, root.path().canonicalize().unwrap());
    }
}
