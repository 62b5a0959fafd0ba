//! TLS as a listener speaks it.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::sign::SingleCertAndKey;

use crate::Env;
use crate::transport::error::TlsError;
use crate::transport::identity::{Identity, provider};
use crate::transport::pem;
use crate::transport::reload::{Reloaded, Source};

/// The protocols that a listener speaks over TLS.
#[derive(Clone, Copy, Debug)]
pub enum Alpn {
    /// HTTP/2 alone.
    Grpc,
    /// HTTP/2 and HTTP/1.1.
    Http,
}

/// The files by which a listener shows who it is, and by which it knows its clients.
#[derive(Clone, Debug)]
pub struct ServerTls {
    identity: Identity,
    client_authority: Option<PathBuf>,
}

impl ServerTls {
    /// Reads `TLS_CERT` and `TLS_KEY`; none where they are not set. The files are read too, so that a mistake
    /// in them is one of the configuration.
    pub fn read(env: &mut Env) -> Option<Self> {
        let identity = Identity::read(
            env,
            (
                "TLS_CERT",
                "PEM file of the certificate of the listener; with it, it speaks TLS only.",
            ),
            ("TLS_KEY", "PEM file of the key of that certificate."),
        )?;
        let tls = Self {
            identity,
            client_authority: None,
        };
        tls.checked(env)
    }

    /// Reads `TLS_CLIENT_CA` besides, whose certificates clients have to have then.
    pub fn read_mutual(env: &mut Env) -> Option<Self> {
        let tls = Self::read(env);
        let client_authority: Option<PathBuf> = env.optional(
            "TLS_CLIENT_CA",
            "PEM file of the authority whose certificates clients have to show.",
        );
        match (tls, client_authority) {
            (None, Some(_)) => {
                env.reject(
                    "TLS_CLIENT_CA",
                    "needs TLS_CERT and TLS_KEY beside it, both of which can be used",
                );
                None
            }
            (None, None) => None,
            (Some(tls), client_authority) => {
                let tls = Self {
                    client_authority,
                    ..tls
                };
                tls.checked(env)
            }
        }
    }

    /// Whether clients have to show a certificate.
    pub fn knows_clients(&self) -> bool {
        self.client_authority.is_some()
    }

    /// The configuration of each new connection.
    pub(super) fn start(&self, alpn: Alpn) -> Result<Reloaded<ServerConfig>, TlsError> {
        let mut files = self.identity.files().to_vec();
        files.extend(self.client_authority.clone());
        let tls = self.clone();
        Reloaded::start(Source {
            name: "TLS of the listener",
            files,
            load: move || tls.load(alpn),
        })
    }

    fn checked(self, env: &mut Env) -> Option<Self> {
        match self.load(Alpn::Http) {
            Ok(_) => Some(self),
            Err(err) => {
                env.reject("TLS_CERT", err);
                None
            }
        }
    }

    fn load(&self, alpn: Alpn) -> Result<ServerConfig, TlsError> {
        let builder = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Setup)?;
        let builder = match self.client_verifier()? {
            Some(verifier) => builder.with_client_cert_verifier(verifier),
            None => builder.with_no_client_auth(),
        };
        let certified = SingleCertAndKey::from(self.identity.load()?);
        let mut config = builder.with_cert_resolver(Arc::new(certified));
        config.alpn_protocols = match alpn {
            Alpn::Grpc => vec![b"h2".to_vec()],
            Alpn::Http => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        };
        Ok(config)
    }

    fn client_verifier(&self) -> Result<Option<Arc<dyn ClientCertVerifier>>, TlsError> {
        let Some(file) = &self.client_authority else {
            return Ok(None);
        };
        let authorities = Arc::new(pem::authorities(file)?);
        let verifier = WebPkiClientVerifier::builder_with_provider(authorities, provider()).build();
        verifier
            .map(Some)
            .map_err(|err| TlsError::BadClientAuthority {
                file: file.clone(),
                why: err.to_string(),
            })
    }
}
