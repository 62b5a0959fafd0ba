//! TLS as a client speaks it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ClientConfig;
use tokio_rustls::TlsConnector;

use crate::Env;
use crate::transport::error::TlsError;
use crate::transport::identity::{Identity, provider};
use crate::transport::pem;
use crate::transport::reload::{Reloaded, Source};

/// The files by which a client knows servers, and by which it shows who it is. The default trusts whom the
/// system trusts and shows nothing.
#[derive(Clone, Debug, Default)]
pub struct ClientTls {
    authority: Option<PathBuf>,
    identity: Option<Identity>,
}

impl ClientTls {
    /// Reads `TLS_CA`, `TLS_CLIENT_CERT` and `TLS_CLIENT_KEY`, and the files that they name, so that a mistake
    /// in these is one of the configuration.
    pub fn read(env: &mut Env) -> Self {
        Self::read_for(env, "")
    }

    /// Reads the variables of the same names behind `kind`: `NATS_TLS_CA` for `NATS_`.
    pub fn read_for(env: &mut Env, kind: &str) -> Self {
        let name = |name: &str| format!("{kind}{name}");
        let authority = env.optional(
            &name("TLS_CA"),
            "PEM file of the authority of a server by TLS; unset, those that the system trusts.",
        );
        let identity = Identity::read(
            env,
            (
                &name("TLS_CLIENT_CERT"),
                "PEM file of the certificate that a server by TLS is shown.",
            ),
            (
                &name("TLS_CLIENT_KEY"),
                "PEM file of the key of that certificate.",
            ),
        );
        let tls = Self {
            authority,
            identity,
        };
        if let Some(file) = &tls.authority
            && let Err(err) = pem::authorities(file)
        {
            env.reject(&name("TLS_CA"), err);
        }
        if let Some(identity) = &tls.identity
            && let Err(err) = identity.load()
        {
            env.reject(&name("TLS_CLIENT_CERT"), err);
        }
        tls
    }

    /// The file of the authority, for a library that reads it itself.
    pub fn authority(&self) -> Option<&Path> {
        self.authority.as_deref()
    }

    /// The files of certificate and key, for a library that reads them itself.
    pub fn identity(&self) -> Option<(&Path, &Path)> {
        let identity = self.identity.as_ref();
        identity.map(|identity| (identity.certificate.as_path(), identity.key.as_path()))
    }

    /// The files as a command line names them.
    pub fn of_files(authority: Option<PathBuf>, identity: Option<(PathBuf, PathBuf)>) -> Self {
        Self {
            authority,
            identity: identity.map(|(certificate, key)| Identity { certificate, key }),
        }
    }

    /// Makes connections of HTTP/1.1 with these files as they are now.
    pub fn http1_connector(&self) -> Result<TlsConnector, TlsError> {
        let mut config = self.load()?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsConnector::from(Arc::new(config)))
    }

    /// The configuration of each new connection.
    pub(super) fn start(&self) -> Result<Reloaded<ClientConfig>, TlsError> {
        let mut files: Vec<PathBuf> = self.authority.clone().into_iter().collect();
        files.extend(self.identity.iter().flat_map(Identity::files));
        let tls = self.clone();
        Reloaded::start(Source {
            name: "TLS of the client",
            files,
            load: move || tls.load(),
        })
    }

    fn load(&self) -> Result<ClientConfig, TlsError> {
        let authorities = match &self.authority {
            Some(file) => pem::authorities(file)?,
            None => pem::authorities_of_system()?,
        };
        let builder = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Setup)?
            .with_root_certificates(authorities);
        let mut config = match &self.identity {
            None => builder.with_no_client_auth(),
            Some(identity) => {
                identity.load()?;
                let chain = pem::certificates(&identity.certificate)?;
                let key = pem::key(&identity.key)?;
                builder
                    .with_client_auth_cert(chain, key)
                    .map_err(TlsError::Setup)?
            }
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(config)
    }
}
