//! What can be wrong with the files of TLS. Every error names the file.

use std::io;
use std::path::PathBuf;

use rustls::pki_types::pem;

/// Files that TLS cannot use.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file is missing, or not for this user.
    #[error("cannot read {file}: {source}", file = file.display())]
    Unreadable {
        /// The file of a certificate or key.
        file: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// What stands in the file between the lines of dashes is no Base64.
    #[error("{file} is damaged: {source}", file = file.display())]
    Damaged {
        /// The file of a certificate or key.
        file: PathBuf,
        /// Where it is.
        source: pem::Error,
    },
    /// No `-----BEGIN CERTIFICATE-----` in the file.
    #[error("{file} holds no certificate: it has to be a PEM file", file = file.display())]
    NoCertificate {
        /// The file.
        file: PathBuf,
    },
    /// No private key in the file.
    #[error(
        "{file} holds no private key: it has to be a PEM file whose key is not encrypted by a password",
        file = file.display()
    )]
    NoKey {
        /// The file.
        file: PathBuf,
    },
    /// The certificate is not one that TLS can use.
    #[error("the certificate in {file} cannot be used: {source}", file = file.display())]
    BadCertificate {
        /// The file.
        file: PathBuf,
        /// Why not.
        source: rustls::Error,
    },
    /// The key is of a kind that TLS cannot use, or belongs to another certificate.
    #[error(
        "the key in {key} does not belong to the certificate in {certificate}: {source}",
        key = key.display(),
        certificate = certificate.display()
    )]
    WrongKey {
        /// The file of the certificate.
        certificate: PathBuf,
        /// The file of the key.
        key: PathBuf,
        /// Why not.
        source: rustls::Error,
    },
    /// Those who may call cannot be told by this file.
    #[error("{file} cannot tell which clients may call: {why}", file = file.display())]
    BadClientAuthority {
        /// The file of the authority's certificates.
        file: PathBuf,
        /// Why not.
        why: String,
    },
    /// The system has no certificates of authorities.
    #[error(
        "this system knows no certificate authorities ({why}): name the file of one with …TLS_CA"
    )]
    NoAuthorities {
        /// What the system says.
        why: String,
    },
    /// The library refuses its own defaults.
    #[error("cannot set TLS up: {0}")]
    Setup(rustls::Error),
}
