//! A data folder: its locks and its secrets. Invariant: the lock of the owner is released when the
//! owner ends; the lock of the servers is released when the last process of the server ends, since
//! each of them inherits it.

use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::{DevkitError, IoContext as _, Result};

/// How long to wait for the server of an owner that was killed: it has 10 s to end, and a busy
/// machine needs a little more.
const SERVER_GONE_MS_MAX: u64 = 20_000;
const POLL_MS: u64 = 10;
const SECRET_CHARS: usize = 32;

/// A folder that this process alone uses.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    _owner: File,
}

impl Folder {
    /// Takes the folder for this process, and creates it if need be. Fails at once when another
    /// owner has it.
    pub(crate) fn claim(path: &Path) -> Result<Self> {
        let path = create(path)?;
        let lock = path.join("owner.lock");
        let owner = open_lock(&lock)?;
        if !try_lock(&owner, &lock)? {
            return Err(DevkitError::InUse { folder: path });
        }
        Ok(Self {
            path,
            _owner: owner,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The lock that every process of a server inherits.
    pub(crate) fn server_lock(&self) -> ServerLock {
        ServerLock(self.path.clone())
    }

    /// The secret in the file `name`, which only its owner can read; it is made on first use.
    pub(crate) fn secret(&self, name: &str) -> Result<String> {
        let path = self.join(name);
        if let Ok(secret) = fs::read_to_string(&path)
            && secret.len() == SECRET_CHARS
        {
            return Ok(secret);
        }
        let secret = random_secret()?;
        write_private(&path, &secret)?;
        Ok(secret)
    }
}

pub(crate) struct ServerLock(PathBuf);

impl ServerLock {
    /// Takes the lock once what is left of an earlier server has ended.
    pub(crate) fn wait(self) -> Result<File> {
        let lock = self.0.join("server.lock");
        let file = open_lock(&lock)?;
        let deadline = Instant::now() + Duration::from_millis(SERVER_GONE_MS_MAX);
        while !try_lock(&file, &lock)? {
            if Instant::now() > deadline {
                return Err(DevkitError::InUse { folder: self.0 });
            }
            thread::sleep(Duration::from_millis(POLL_MS));
        }
        Ok(file)
    }
}

/// Writes a file with mode 0600, whole or not at all.
pub(crate) fn write_private(path: &Path, text: &str) -> Result<()> {
    let partial = path.with_extension("partial");
    // A leftover may belong to another user or have a wider mode.
    let _ = fs::remove_file(&partial);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&partial)
        .doing("create", &partial)?;
    file.write_all(text.as_bytes()).doing("write", &partial)?;
    file.sync_all().doing("write", &partial)?;
    put_in_place(&partial, path)
}

/// Renames within one folder so that a power cut does not undo it.
pub(crate) fn put_in_place(partial: &Path, path: &Path) -> Result<()> {
    fs::rename(partial, path).doing("put in place", path)?;
    let folder = path.parent().unwrap_or(path);
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .doing("sync", folder)
}

/// Locks an advisory lock file, waiting as long as another process holds it.
pub(crate) fn wait_for_lock(path: &Path) -> Result<File> {
    let file = open_lock(path)?;
    file.lock().doing("lock", path)?;
    Ok(file)
}

/// Creates the missing folders of a path, passable for every user whatever the umask.
pub(crate) fn create(path: &Path) -> Result<PathBuf> {
    let path = std::path::absolute(path).doing("find", path)?;
    let missing: Vec<_> = path.ancestors().take_while(|path| !path.exists()).collect();
    for &folder in missing.iter().rev() {
        match fs::create_dir(folder) {
            Ok(()) => set_mode(folder, 0o755)?,
            Err(err) if err.kind() == ErrorKind::AlreadyExists => {}
            Err(err) => return Err(err).doing("create the folder", folder),
        }
    }
    path.canonicalize().doing("find the folder", &path)
}

fn open_lock(path: &Path) -> Result<File> {
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
        .doing("open", path)?;
    Ok(file)
}

fn try_lock(file: &File, path: &Path) -> Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(err)) => Err(err).doing("lock", path),
    }
}

/// Makes 32 letters and digits (190 bits) from the system's generator; nothing in them needs
/// escaping in a URL.
fn random_secret() -> Result<String> {
    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let source = Path::new("/dev/urandom");
    let mut random = File::open(source).doing("open", source)?;
    let mut secret = String::with_capacity(SECRET_CHARS);
    while secret.len() < SECRET_CHARS {
        let mut byte = [0_u8];
        random.read_exact(&mut byte).doing("read", source)?;
        // Bytes beyond the last whole multiple of 62 would make some letters likelier.
        let index = usize::from(byte[0]);
        if index < 4 * ALPHABET.len() {
            secret.push(char::from(ALPHABET[index % ALPHABET.len()]));
        }
    }
    Ok(secret)
}

pub(crate) fn set_mode(path: &Path, mode: u32) -> Result<()> {
    fs::set_permissions(path, Permissions::from_mode(mode)).doing("change the mode of", path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_owner_is_refused_until_the_first_is_gone() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("deep/data");
        let first = Folder::claim(&path).unwrap();
        let refused = Folder::claim(&path).unwrap_err();
        assert!(
            refused.to_string().contains("deep/data is in use"),
            "{refused}"
        );
        drop(first);
        Folder::claim(&path).unwrap();
    }

    #[test]
    fn a_secret_is_made_once_and_private() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::claim(root.path()).unwrap();
        let secret = folder.secret("password").unwrap();
        assert_eq!(secret.len(), SECRET_CHARS);
        assert!(secret.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert_eq!(folder.secret("password").unwrap(), secret);
        assert_ne!(folder.secret("token").unwrap(), secret);
        let mode = fs::metadata(folder.join("password"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
