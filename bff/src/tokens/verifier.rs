//! Checks a token against a key set.

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Validation, decode, decode_header};

use crate::tokens::claims::{Claims, Token};
use crate::tokens::key_set::KeySet;

/// Whom tokens must be from and for.
#[derive(Clone, Debug)]
pub(super) struct Verifier {
    pub(super) issuer: String,
    pub(super) audience: String,
    pub(super) leeway_s: u64,
}

/// Why a token is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Its key is not in the set; a newer set may have it.
    UnknownKey,
    /// The reason, for the bearer.
    Invalid(&'static str),
}

impl Verifier {
    pub(super) fn check(&self, token: &str, keys: &KeySet) -> Result<Token, Refusal> {
        // An algorithm that is not known, such as `none`, makes a header that cannot be read.
        let header = decode_header(token).map_err(|err| reason(err.kind()))?;
        let signing = keys
            .find(header.kid.as_deref())
            .ok_or(Refusal::UnknownKey)?;
        if !signing.algorithms.contains(&header.alg) {
            return Err(reason(&ErrorKind::InvalidAlgorithm));
        }
        let mut validation = Validation::new(header.alg);
        validation.leeway = self.leeway_s;
        validation.validate_nbf = true;
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[&self.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        let read = decode::<Claims>(token, &signing.key, &validation);
        let read = read.map_err(|err| reason(err.kind()))?;
        Ok(read.claims.into_token(self.leeway_s))
    }
}

fn reason(kind: &ErrorKind) -> Refusal {
    Refusal::Invalid(match kind {
        ErrorKind::ExpiredSignature => "The token is expired",
        ErrorKind::ImmatureSignature => "The token is not valid yet",
        ErrorKind::InvalidIssuer => "The token is of another issuer",
        ErrorKind::InvalidAudience => "The token is for another audience",
        ErrorKind::MissingRequiredClaim(_) => "The token lacks one of exp, iss, aud and sub",
        ErrorKind::InvalidAlgorithm
        | ErrorKind::InvalidAlgorithmName
        | ErrorKind::UnsupportedAlgorithm => {
            "The token is signed by an algorithm that its key is not for"
        }
        ErrorKind::InvalidSignature => "The signature of the token is wrong",
        _ => "The token is no JSON Web Token that can be checked",
    })
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::jwk::Jwk;
    use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
    use serde_json::{Value, json};

    use super::*;

    /// PKCS #8 of an Ed25519 key, up to its seed.
    const ED25519: [u8; 16] = [
        0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04,
        0x20,
    ];
    const FAR: u64 = 4_000_000_000;

    fn key(seed: u8) -> EncodingKey {
        EncodingKey::from_ed_der(&[&ED25519[..], &[seed; 32]].concat())
    }

    fn published(key: &EncodingKey, algorithm: Algorithm, id: &str) -> Value {
        let jwk = Jwk::from_encoding_key(key, algorithm).expect("a key");
        let mut jwk = serde_json::to_value(jwk).expect("JSON");
        jwk["kid"] = id.into();
        jwk
    }

    fn set(keys: &[Value]) -> KeySet {
        let document = json!({"keys": keys}).to_string();
        KeySet::read(document.as_bytes()).expect("a key set")
    }

    fn verifier() -> Verifier {
        Verifier {
            issuer: "https://id.example".to_owned(),
            audience: "catalog".to_owned(),
            leeway_s: 60,
        }
    }

    fn claims() -> Value {
        json!({"iss": "https://id.example", "aud": ["catalog", "shop"], "sub": "jane",
            "exp": FAR, "scope": "write"})
    }

    fn signed(claims: &Value, seed: u8, id: &str) -> String {
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(id.to_owned());
        encode(&header, claims, &key(seed)).expect("a token")
    }

    fn check_refused(token: &str, keys: &KeySet, expected: &str) {
        let refused = verifier().check(token, keys).expect_err("refused");
        assert_eq!(format!("{refused:?}"), expected, "{token}");
    }

    #[test]
    fn a_token_of_the_provider_is_taken() {
        let keys = set(&[published(&key(1), Algorithm::EdDSA, "one")]);
        let token = verifier().check(&signed(&claims(), 1, "one"), &keys);
        assert_eq!(token.expect("valid").actor, "jwt:jane");
    }

    #[test]
    fn every_other_token_is_refused_with_its_reason() {
        let keys = set(&[
            published(&key(1), Algorithm::EdDSA, "one"),
            published(&key(2), Algorithm::EdDSA, "two"),
        ]);
        let changed = |name: &str, value: Value| {
            let mut claims = claims();
            claims[name] = value;
            signed(&claims, 1, "one")
        };
        let invalid = |told: &str| format!("Invalid(\"{told}\")");
        for (token, told) in [
            (changed("exp", 1_000.into()), "The token is expired"),
            (changed("nbf", FAR.into()), "The token is not valid yet"),
            (
                changed("iss", "https://id.example/".into()),
                "The token is of another issuer",
            ),
            (
                changed("aud", "shop".into()),
                "The token is for another audience",
            ),
            (
                changed("aud", Value::Null),
                "The token lacks one of exp, iss, aud and sub",
            ),
            (
                changed("exp", Value::Null),
                "The token lacks one of exp, iss, aud and sub",
            ),
            (
                signed(&claims(), 2, "one"),
                "The signature of the token is wrong",
            ),
            (
                "a.b.c".to_owned(),
                "The token is no JSON Web Token that can be checked",
            ),
        ] {
            check_refused(&token, &keys, &invalid(told));
        }
        check_refused(&signed(&claims(), 1, "three"), &keys, "UnknownKey");
    }

    #[test]
    fn nothing_but_a_signature_by_the_key_counts() {
        let keys = set(&[published(&key(1), Algorithm::EdDSA, "one")]);
        let signed = signed(&claims(), 1, "one");
        let (_, body) = signed.split_once('.').expect("three parts");
        let (body, _) = body.split_once('.').expect("three parts");
        // {"alg":"none"} and {"alg":"none","kid":"one"}
        for header in ["eyJhbGciOiJub25lIn0", "eyJhbGciOiJub25lIiwia2lkIjoib25lIn0"] {
            let told = "Invalid(\"The token is no JSON Web Token that can be checked\")";
            check_refused(&format!("{header}.{body}."), &keys, told);
        }
        // A shared secret that is what everybody can read: the public key.
        let public = published(&key(1), Algorithm::EdDSA, "one");
        let secret = public["x"].as_str().expect("a public key").as_bytes();
        let secret = EncodingKey::from_secret(secret).expect("a secret");
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some("one".to_owned());
        let forged = encode(&header, &claims(), &secret).expect("a token");
        let told = "Invalid(\"The token is signed by an algorithm that its key is not for\")";
        check_refused(&forged, &keys, told);
        let oct = json!({"kty": "oct", "kid": "one", "k": "c2VjcmV0"});
        let document = json!({"keys": [oct]}).to_string();
        assert!(KeySet::read(document.as_bytes()).is_err());
    }

    /// Made once with `openssl genrsa` and `openssl dgst -sha256 -sign`; the private key is gone.
    #[test]
    fn signatures_by_rsa_are_checked_too() {
        let modulus = "5nfzfxFs6ni3tnS0YnjWoFDhYMX9LH7c-Pt7PC8h9hHGNDuHJ_m5-tI5J0aln75f-l1iroRPVqnqob_rN-AB1XQesnMb-FGMU0wj04jYQzWhvfKomGtpzihXEsUxwLSTaa1uuw8KzqZzlpp3ZuLnE4f_3dNTftwrA-KJC92qTBeGNApmfopZmKxF6_7xH-nKgv13y43V-A8EjPKRiJwMikEwNsxfxqbScUpqoZL2yaSv-I5mm9eTMr70jEs-J0rHpqtU6V2pA6nq45GQNYUKXqkhLPXO-2HupJT_9bWZZ-dp7r35e_a_0OBreSbWLebGa9gIUR3iQcGCvRQ8qiIXuw";
        let token = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiAiaHR0cHM6Ly9pZC5leGFtcGxlIiwgImF1ZCI6ICJjYXRhbG9nIiwgInN1YiI6ICJqb2UiLCAiZXhwIjogNDAwMDAwMDAwMH0.R2MXoKn15qR1-vrTpu4JmFjPWKENh-3fgf0uIhYYYlasRI3DPk4HL4V75eNwV-SDmQUbQaxQPbKmPTDVMw7gsBIsan7bXkkNTfBgIC5c6WxiMX6E6eZT8VZAN_jhmyED_blCpPPgiXjhn6t78bev0_p6ju2FkofW6EJIk7FMRrqzbS3K7aNOy5CiwNz3yHCS3G89RsVrpfzE8h6LS4XDgOc8nZ7DnVVx_qG26Ot4IeGXAOc1ZKg_PD7KRp-uiaxTbEO5kbfsY36JYGxkxims1qPS06G2B52uyNdXhGy3feAkPCjFjBtc9etTT8aVFvZXTZMyi0e7d66VzYBpFe0I0w";
        let keys = set(&[json!({"kty": "RSA", "e": "AQAB", "n": modulus})]);
        let read = verifier().check(token, &keys).expect("valid");
        assert_eq!(read.actor, "jwt:joe");
        let (message, signature) = token.rsplit_once('.').expect("three parts");
        let other = format!("AA{}", &signature[2..]);
        let told = "Invalid(\"The signature of the token is wrong\")";
        check_refused(&format!("{message}.{other}"), &keys, told);
    }
}
