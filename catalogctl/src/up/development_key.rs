//! The key of whoever tries the catalog out: it may do everything, and lies beside the data of
//! `catalogctl up`.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::Context as _;
use catalog_proto::v1::{ApiScope, CreateApiKeyRequest};
use client_kit::Target;

use crate::deployment::keys::client::Keys;

const FILE: &str = "development-key";
const NAME: &str = "development";

/// Returns the key in the folder, which is made where there is none that is valid.
pub(super) async fn find_or_make(write_side: Target, data_dir: &Path) -> anyhow::Result<String> {
    let file = data_dir.join(FILE);
    let mut keys = Keys::new(write_side)?;
    if let Some(kept) = read(&file)? {
        // It may have been revoked, or the database be another.
        let prefix = kept.split('_').nth(1).unwrap_or_default();
        let live = keys.list(false).await?;
        if live.iter().any(|key| key.prefix == prefix) {
            return Ok(kept);
        }
    }
    let scopes = [
        ApiScope::Search,
        ApiScope::Read,
        ApiScope::Write,
        ApiScope::Rules,
        ApiScope::Operate,
    ];
    let request = CreateApiKeyRequest {
        name: NAME.to_owned(),
        scopes: scopes.map(i32::from).to_vec(),
        ..CreateApiKeyRequest::default()
    };
    let secret = keys.create(request).await?.secret;
    write(&file, &secret)?;
    Ok(secret)
}

fn read(file: &Path) -> anyhow::Result<Option<String>> {
    match fs::read_to_string(file) {
        Ok(kept) => Ok(Some(kept.trim().to_owned())),
        Err(err) if err.kind() == ErrorKind::NotFound => Ok(None),
        Err(err) => Err(err).with_context(|| format!("cannot read {}", file.display())),
    }
}

/// Writes the key so that nobody else can read it.
fn write(file: &Path, secret: &str) -> anyhow::Result<()> {
    let failed = || format!("cannot write {}", file.display());
    let mut options = OpenOptions::new();
    let options = options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(file).with_context(failed)?;
    writeln!(file, "{secret}").with_context(failed)
}
