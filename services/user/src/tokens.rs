//! Refresh tokens: `<session id>.<32 random bytes in base64url>`. Only the secret's hash is stored.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use domain::{SessionId, user::SecretHash};
use kit::Environment;

/// The length of a secret: nobody guesses 256 bits.
const SECRET_BYTES: usize = 32;
/// The longest token, in characters: an id, a point and a secret. A longer one is refused unread.
const MAX_TOKEN_CHARS: usize = 36 + 1 + 43;

/// A fresh secret: what its owner gets, and what is stored.
pub(crate) struct Secret {
    text: String,
    /// Its hash.
    pub(crate) hash: SecretHash,
}

impl Secret {
    /// A secret that nobody knows yet.
    pub(crate) fn random(environment: &Environment) -> Self {
        let bytes = environment.random::<SECRET_BYTES>();
        Self { text: BASE64_URL_SAFE_NO_PAD.encode(bytes), hash: hash(&bytes) }
    }

    /// The token of a session with this secret.
    pub(crate) fn token(&self, session: SessionId) -> String {
        format!("{session}.{}", self.text)
    }
}

/// The session and the secret's hash of a token; none when it has not the form of one.
pub(crate) fn read(token: &str) -> Option<(SessionId, SecretHash)> {
    if token.len() > MAX_TOKEN_CHARS {
        return None;
    }
    let (session, secret) = token.split_once('.')?;
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(secret).ok().filter(|bytes| bytes.len() == SECRET_BYTES)?;
    Some((session.parse().ok()?, hash(&bytes)))
}

fn hash(secret: &[u8]) -> SecretHash {
    SecretHash(BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, secret)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_leads_back_to_its_session_and_not_to_its_secret() {
        let session = SessionId(uuid::Uuid::from_u128(7));
        let secret = Secret::random(&Environment::system());
        let token = secret.token(session);
        let (found, hash) = read(&token).unwrap();
        assert!(found == session && hash.matches(&secret.hash));
        assert!(!token.contains(&hash.0), "what is stored is not what is sent");
        assert_eq!(token.len(), MAX_TOKEN_CHARS);
    }

    #[test]
    fn what_has_not_the_form_of_a_token_is_none() {
        let id = "00000000-0000-0000-0000-000000000007";
        let secret = "A".repeat(43);
        assert!(read(&format!("{id}.{secret}")).is_some());
        for token in [
            String::new(),
            id.to_owned(),
            format!("{id}."),
            format!("{id}.{}", "A".repeat(42)),
            format!("{id}.{}", "A".repeat(44)),
            format!("{id}.{}!", "A".repeat(42)),
            format!("x.{secret}"),
            format!("{id}.{secret}.{secret}"),
        ] {
            assert!(read(&token).is_none(), "{token}");
        }
    }
}
