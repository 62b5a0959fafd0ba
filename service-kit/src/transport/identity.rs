//! A certificate and its key, by which one side of a connection shows who it is.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::sign::CertifiedKey;

use crate::Env;
use crate::transport::error::TlsError;
use crate::transport::pem;

/// The files of a certificate (with those of the authorities between) and of its key.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

impl Identity {
    /// Reads the two variables, of which both are set or neither.
    pub(super) fn read(
        env: &mut Env,
        (certificate, certificate_help): (&str, &'static str),
        (key, key_help): (&str, &'static str),
    ) -> Option<Self> {
        let certificate_file: Option<PathBuf> = env.optional(certificate, certificate_help);
        let key_file: Option<PathBuf> = env.optional(key, key_help);
        match (certificate_file, key_file) {
            (Some(certificate), Some(key)) => Some(Self { certificate, key }),
            (None, None) => None,
            (Some(_), None) => {
                env.reject(key, "is not set: a certificate needs its key");
                None
            }
            (None, Some(_)) => {
                env.reject(certificate, "is not set: a key needs its certificate");
                None
            }
        }
    }

    pub(super) fn files(&self) -> [PathBuf; 2] {
        [self.certificate.clone(), self.key.clone()]
    }

    /// Reads both files, and checks that they belong together.
    pub(super) fn load(&self) -> Result<Arc<CertifiedKey>, TlsError> {
        let chain = pem::certificates(&self.certificate)?;
        let key = pem::key(&self.key)?;
        let certified = CertifiedKey::from_der(chain, key, &provider());
        let certified = certified.map_err(|source| TlsError::WrongKey {
            certificate: self.certificate.clone(),
            key: self.key.clone(),
            source,
        })?;
        Ok(Arc::new(certified))
    }
}

/// The cryptography of all TLS here.
pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}
