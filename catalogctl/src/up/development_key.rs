//! The key of whoever tries the catalog out: it may do everything, and lies beside the data of
//! `catalogctl up`.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::Context as _;
use catalog_proto::v1::api_key_service_client::ApiKeyServiceClient;
use catalog_proto::v1::{ApiScope, CreateApiKeyRequest, ListApiKeysRequest};
use client_kit::{Target, bounded};
use tonic::transport::Channel;

const FILE: &str = "development-key";
const NAME: &str = "development";
const LISTED_MAX: i32 = 1_000;

/// Returns the key in the folder, which is made where there is none that is valid.
pub(super) async fn find_or_make(write_side: &Target, data_dir: &Path) -> anyhow::Result<String> {
    let file = data_dir.join(FILE);
    let mut client = ApiKeyServiceClient::new(write_side.channel()?);
    if let Some(kept) = read(&file)?
        && is_valid(&mut client, write_side, &kept).await?
    {
        return Ok(kept);
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
    let made = client.create_api_key(bounded(request)).await;
    let made = made.map_err(|status| write_side.error(&status))?;
    let secret = made.into_inner().secret_token;
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

/// Whether the write service still knows the key: it may have been revoked, or the database be another.
async fn is_valid(
    client: &mut ApiKeyServiceClient<Channel>,
    write_side: &Target,
    secret: &str,
) -> anyhow::Result<bool> {
    let request = ListApiKeysRequest {
        limit: LISTED_MAX,
        ..ListApiKeysRequest::default()
    };
    let listed = client.list_api_keys(bounded(request)).await;
    let listed = listed.map_err(|status| write_side.error(&status))?;
    let prefix = secret.split('_').nth(1).unwrap_or_default();
    let mut keys = listed.into_inner().keys.into_iter();
    Ok(keys.any(|key| key.prefix == prefix))
}

/// Writes the key so that nobody else can read it.
fn write(file: &Path, secret: &str) -> anyhow::Result<()> {
    let failed = || format!("cannot write {}", file.display());
    let mut options = OpenOptions::new();
    let options = options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(file).with_context(failed)?;
    writeln!(file, "{secret}").with_context(failed)
}
