//! Access tokens (RFC 9068) signed with Ed25519: made by the user service, verified by everyone.
//!
//! No identity means [`Caller::Anonymous`], never "internal".

use std::sync::Arc;

use aws_lc_rs::{
    digest::{SHA256, digest},
    rand::SystemRandom,
    signature::{Ed25519KeyPair, KeyPair},
};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use domain::{Refusal, RefusalKind, Time, UserId};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How long an access token is valid.
pub const ACCESS_TOKEN_SECONDS: i64 = 300;
/// How far the clocks of two machines may differ.
const LEEWAY_SECONDS: i64 = 5;
/// A longer token is refused unread.
const MAX_TOKEN_BYTES: usize = 4 * 1024;
/// How many verified tokens are remembered.
const VERIFIED_TOKENS: usize = 10_000;
/// The most public keys that are believed at a time.
const MAX_KEYS: usize = 8;
const PEM_BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const PEM_END: &str = "-----END PUBLIC KEY-----";
/// What stands before an Ed25519 key in its SubjectPublicKeyInfo (RFC 8410, section 4).
const SPKI_PREFIX: &[u8] = &[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
const ISSUER: &str = "boxoffice";
const AUDIENCE: &str = "boxoffice";
const TOKEN_TYPE: &str = "at+jwt";

/// What a user may do beyond their own things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Role {
    /// Everybody with an account.
    User,
    /// Sees all.
    Admin,
}

/// The claims of an access token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    iss: String,
    aud: String,
    /// Whose token it is.
    pub sub: UserId,
    /// Seconds since 1970: issued, valid from, expires.
    pub iat: i64,
    nbf: i64,
    /// Seconds since 1970 at which it expires.
    pub exp: i64,
    /// Unique to the token.
    pub jti: Uuid,
    /// The roles.
    pub roles: Vec<Role>,
}

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// Nobody in particular.
    Anonymous,
    /// Somebody with a valid token.
    User {
        /// Who.
        id: UserId,
        /// May see all.
        admin: bool,
    },
}

impl Caller {
    /// The identity that the access guard put into the request.
    #[must_use]
    pub fn of<T>(request: &tonic::Request<T>) -> Self {
        request.extensions().get::<Self>().cloned().unwrap_or(Self::Anonymous)
    }

    /// The user who calls.
    ///
    /// # Errors
    /// `unauthenticated` when nobody does.
    pub fn user(&self) -> Result<UserId, Refusal> {
        match self {
            Self::User { id, .. } => Ok(*id),
            Self::Anonymous => Err(Refusal::new(
                RefusalKind::Unauthenticated,
                "unauthenticated",
                "this call needs an access token: send `Authorization: Bearer` with one from /v1/auth/login",
            )),
        }
    }

    /// Whether this is that user.
    #[must_use]
    pub fn is(&self, user: UserId) -> bool {
        matches!(self, Self::User { id, .. } if *id == user)
    }

    /// Whether the caller may see all.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        matches!(self, Self::User { admin: true, .. })
    }
}

/// Why a token is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not a token of ours, or changed.
    #[error("the access token is not valid")]
    Invalid,
    /// It was one of ours, once.
    #[error("the access token has expired: refresh it at /v1/auth/refresh")]
    Expired,
}

/// A signing key could not be read or made.
#[derive(Debug, thiserror::Error)]
#[error("the key is not an Ed25519 private key in PKCS #8")]
pub struct BadKey;

/// Makes access tokens.
#[derive(Clone)]
pub struct Signer {
    key: Arc<EncodingKey>,
    public: [u8; 32],
    key_id: String,
}

impl Signer {
    /// A fresh private key, in PKCS #8 (RFC 8410).
    ///
    /// # Errors
    /// When the operating system gives no randomness.
    pub fn generate() -> Result<Vec<u8>, BadKey> {
        let key = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| BadKey)?;
        Ok(key.as_ref().to_vec())
    }

    /// A signer with a private key in PKCS #8.
    ///
    /// # Errors
    /// When it is not one.
    pub fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, BadKey> {
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8).map_err(|_| BadKey)?;
        let public: [u8; 32] = pair.public_key().as_ref().try_into().map_err(|_| BadKey)?;
        Ok(Self { key: Arc::new(EncodingKey::from_ed_der(pkcs8)), public, key_id: key_id(&public) })
    }

    /// A token for a user, valid for [`ACCESS_TOKEN_SECONDS`].
    ///
    /// # Errors
    /// When signing fails.
    pub fn sign(&self, user: UserId, roles: &[Role], jti: Uuid, now: Time) -> Result<String, BadKey> {
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TOKEN_TYPE.to_owned());
        header.kid = Some(self.key_id.clone());
        let iat = now.seconds();
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: user,
            iat,
            nbf: iat,
            exp: iat + ACCESS_TOKEN_SECONDS,
            jti,
            roles: roles.to_vec(),
        };
        jsonwebtoken::encode(&header, &claims, &self.key).map_err(|_| BadKey)
    }

    /// The verifier of this signer's tokens.
    #[must_use]
    pub fn verifier(&self) -> Verifier {
        Verifier::of(&[self.public])
    }

    /// The public key for those who only verify, in PEM; see [`Verifier::from_pem`].
    #[must_use]
    pub fn public_pem(&self) -> String {
        let der = [SPKI_PREFIX, &self.public[..]].concat();
        format!("{PEM_BEGIN}\n{}\n{PEM_END}\n", BASE64_STANDARD.encode(der))
    }

    /// The public key as a JSON Web Key Set (RFC 7517, RFC 8037).
    #[must_use]
    pub fn jwks(&self) -> String {
        serde_json::json!({"keys": [{
            "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig",
            "kid": self.key_id, "x": BASE64_URL_SAFE_NO_PAD.encode(self.public),
        }]})
        .to_string()
    }
}

/// Verifies access tokens, and remembers by hash those that were valid until they expire.
#[derive(Clone)]
pub struct Verifier {
    keys: Arc<[(String, DecodingKey)]>,
    verified: Arc<Cache<[u8; 32], Arc<Claims>>>,
}

/// A verifying key could not be read.
#[derive(Debug, thiserror::Error)]
#[error("it must have from 1 to {MAX_KEYS} Ed25519 public keys in PEM (`-----BEGIN PUBLIC KEY-----`)")]
pub struct BadPublicKey;

impl Verifier {
    /// A verifier with the public keys of a PEM file (RFC 7468, RFC 8410). Several keys are believed alike, so that
    /// a new one can be made known before it signs.
    ///
    /// # Errors
    /// When there is none, too many, or something else.
    pub fn from_pem(pem: &str) -> Result<Self, BadPublicKey> {
        let blocks = pem.split(PEM_BEGIN).skip(1).take(MAX_KEYS + 1);
        let keys = blocks.map(public_key).collect::<Option<Vec<_>>>().ok_or(BadPublicKey)?;
        if keys.is_empty() || keys.len() > MAX_KEYS { Err(BadPublicKey) } else { Ok(Self::of(&keys)) }
    }

    fn of(keys: &[[u8; 32]]) -> Self {
        let keys = keys.iter().filter_map(|public| {
            // A public key always has the right length.
            let key = DecodingKey::from_ed_components(&BASE64_URL_SAFE_NO_PAD.encode(public)).ok()?;
            Some((key_id(public), key))
        });
        Self { keys: keys.collect(), verified: Arc::new(Cache::new(VERIFIED_TOKENS)) }
    }

    /// The claims of a token that is valid now.
    ///
    /// # Errors
    /// When it is not.
    pub fn verify(&self, token: &str, now: Time) -> Result<Arc<Claims>, TokenError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::Invalid);
        }
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        let claims = match self.verified.get(&hash) {
            Some(claims) => claims,
            None => {
                let claims = Arc::new(self.check_signature(token)?);
                self.verified.insert(hash, Arc::clone(&claims));
                claims
            }
        };
        check_times(&claims, now)?;
        Ok(claims)
    }

    /// Everything but the times, which are checked at each use.
    fn check_signature(&self, token: &str) -> Result<Claims, TokenError> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| TokenError::Invalid)?;
        let is_access_token = header.typ.as_deref() == Some(TOKEN_TYPE) && header.alg == Algorithm::EdDSA;
        if !is_access_token {
            return Err(TokenError::Invalid);
        }
        let known = |(id, _): &&(String, DecodingKey)| Some(id) == header.kid.as_ref();
        let (_, key) = self.keys.iter().find(known).ok_or(TokenError::Invalid)?;
        let mut rules = Validation::new(Algorithm::EdDSA);
        rules.set_issuer(&[ISSUER]);
        rules.set_audience(&[AUDIENCE]);
        rules.set_required_spec_claims(&["iss", "aud", "sub", "exp", "nbf"]);
        // Ours to check, by the service's own clock and leeway.
        rules.validate_exp = false;
        rules.validate_nbf = false;
        let token = jsonwebtoken::decode::<Claims>(token, key, &rules).map_err(|_| TokenError::Invalid)?;
        Ok(token.claims)
    }
}

/// The name of a key follows from it.
fn key_id(public: &[u8; 32]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(&digest(&SHA256, public).as_ref()[..12])
}

/// The key of one PEM block, after its first line.
fn public_key(block: &str) -> Option<[u8; 32]> {
    let (text, _) = block.split_once(PEM_END)?;
    let text: String = text.split_ascii_whitespace().collect();
    let der = BASE64_STANDARD.decode(text).ok()?;
    der.strip_prefix(SPKI_PREFIX)?.try_into().ok()
}

fn check_times(claims: &Claims, now: Time) -> Result<(), TokenError> {
    let now = now.seconds();
    if claims.exp <= now {
        return Err(TokenError::Expired);
    }
    let starts_at = claims.nbf.max(claims.iat);
    if starts_at > now + LEEWAY_SECONDS || claims.exp - claims.iat > ACCESS_TOKEN_SECONDS {
        return Err(TokenError::Invalid);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time::from_micros(1_800_000_000_000_000);

    fn signer() -> Signer {
        Signer::from_pkcs8(&Signer::generate().unwrap()).unwrap()
    }

    fn token(signer: &Signer) -> String {
        signer.sign(UserId(Uuid::from_u128(7)), &[Role::User], Uuid::from_u128(1), NOW).unwrap()
    }

    #[test]
    fn a_token_is_believed_until_it_expires() {
        let signer = signer();
        let (token, verifier) = (token(&signer), signer.verifier());
        assert_eq!(verifier.verify(&token, NOW).unwrap().sub, UserId(Uuid::from_u128(7)));
        assert!(verifier.verify(&token, NOW.plus_seconds(299)).is_ok());
        assert_eq!(verifier.verify(&token, NOW.plus_seconds(300)), Err(TokenError::Expired));
        assert_eq!(verifier.verify(&token, NOW.plus_seconds(-6)), Err(TokenError::Invalid));
    }

    #[test]
    fn who_has_the_public_key_alone_verifies_also_while_keys_change() {
        let (old, new) = (signer(), signer());
        let both = format!("the old one\n{}the new one\n{}", old.public_pem(), new.public_pem());
        let verifier = Verifier::from_pem(&both).unwrap();
        assert!(verifier.verify(&token(&old), NOW).is_ok());
        assert!(verifier.verify(&token(&new), NOW).is_ok());
        let verifier = Verifier::from_pem(&new.public_pem()).unwrap();
        assert_eq!(verifier.verify(&token(&old), NOW), Err(TokenError::Invalid));
        let private = format!("-----BEGIN PRIVATE KEY-----\n{}", &both[40..]);
        for wrong in
            ["", "PUBLIC KEY", &both[..60], &new.public_pem().replace("MCow", "MCox"), &private[..90]]
        {
            assert!(Verifier::from_pem(wrong).is_err(), "{wrong}");
        }
        assert!(Verifier::from_pem(&new.public_pem().repeat(MAX_KEYS + 1)).is_err());
    }

    #[test]
    fn a_changed_or_foreign_token_is_refused() {
        let mine = signer();
        let token = token(&mine);
        assert_eq!(signer().verifier().verify(&token, NOW), Err(TokenError::Invalid));
        let parts: Vec<&str> = token.split('.').collect();
        let encode = |json: &str| BASE64_URL_SAFE_NO_PAD.encode(json);
        let admin = format!(
            "{}.{}.{}",
            parts[0],
            encode(r#"{"sub":"00000000-0000-0000-0000-000000000007","roles":["ADMIN"]}"#),
            parts[2]
        );
        let unsigned = format!("{}.{}.", encode(r#"{"alg":"none","typ":"at+jwt"}"#), parts[1]);
        let other_type = format!("{}.{}.{}", encode(r#"{"alg":"EdDSA","typ":"JWT"}"#), parts[1], parts[2]);
        let long = "a".repeat(MAX_TOKEN_BYTES + 1);
        for forged in [admin.as_str(), &unsigned, &other_type, &long, "", "a.b.c", &format!("{token}x")] {
            assert_eq!(mine.verifier().verify(forged, NOW), Err(TokenError::Invalid), "{forged}");
        }
    }
}
