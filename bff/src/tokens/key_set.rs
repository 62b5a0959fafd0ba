//! The keys of an identity provider, by their ids.

use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

const KEYS_MAX: usize = 100;

/// The keys that signatures are checked with.
#[derive(Default)]
pub(super) struct KeySet(Vec<SigningKey>);

pub(super) struct SigningKey {
    id: Option<String>,
    pub(super) key: DecodingKey,
    /// The algorithms that a signature by the key may have.
    pub(super) algorithms: Vec<Algorithm>,
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

impl KeySet {
    /// Reads a JWKS document. Keys that cannot sign a token are passed over, and so are shared secrets: who
    /// knows the set could sign with them.
    pub(super) fn read(document: &[u8]) -> Result<Self, String> {
        let document: Document =
            serde_json::from_slice(document).map_err(|err| format!("no JWKS document: {err}"))?;
        let keys = document.keys.into_iter().take(KEYS_MAX);
        // A key of a kind that is not known here keeps no other from being used.
        let keys = keys.filter_map(|key| serde_json::from_value::<Jwk>(key).ok());
        let keys: Vec<SigningKey> = keys.filter_map(|key| SigningKey::of(&key)).collect();
        if keys.is_empty() {
            return Err("the JWKS document has no key that a token can be checked with".to_owned());
        }
        Ok(Self(keys))
    }

    /// Finds the key of an id. A token without one is checked with the only key of the set.
    pub(super) fn find(&self, id: Option<&str>) -> Option<&SigningKey> {
        match (id, &self.0[..]) {
            (Some(id), keys) => keys.iter().find(|key| key.id.as_deref() == Some(id)),
            (None, [only]) => Some(only),
            (None, _) => None,
        }
    }
}

impl SigningKey {
    fn of(jwk: &Jwk) -> Option<Self> {
        let signs = matches!(
            jwk.common.public_key_use,
            None | Some(PublicKeyUse::Signature)
        );
        let possible: &[Algorithm] = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => &[
                Algorithm::RS256,
                Algorithm::RS384,
                Algorithm::RS512,
                Algorithm::PS256,
                Algorithm::PS384,
                Algorithm::PS512,
            ],
            AlgorithmParameters::EllipticCurve(_) => &[Algorithm::ES256, Algorithm::ES384],
            AlgorithmParameters::OctetKeyPair(_) => &[Algorithm::EdDSA],
            _ => &[],
        };
        let stated = match jwk.common.key_algorithm {
            None => None,
            Some(stated) => Some(stated.to_string().parse::<Algorithm>().ok()?),
        };
        let possible = possible.iter().copied();
        let allowed = possible.filter(|one| stated.is_none_or(|stated| stated == *one));
        let algorithms: Vec<Algorithm> = allowed.collect();
        let key = DecodingKey::from_jwk(jwk).ok()?;
        (signs && !algorithms.is_empty()).then(|| Self {
            id: jwk.common.key_id.clone(),
            key,
            algorithms,
        })
    }
}
