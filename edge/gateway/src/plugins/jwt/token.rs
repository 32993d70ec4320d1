//! A token, taken apart before anything of it is believed.

use std::sync::Arc;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::Algorithm;
use serde_json::{Map, Value};

use super::keys::Verifying;

/// A token as it was sent.
pub(super) struct Token {
    /// What is signed.
    signed: String,
    signature: String,
    /// How it says that it is signed.
    algorithm: Algorithm,
    /// Its header.
    pub header: Map<String, Value>,
    /// Its claims. Nothing may go by them before [`Token::verify`].
    pub claims: Arc<Map<String, Value>>,
}

impl Token {
    /// Takes a token apart. `crit` is refused, since nothing critical is understood here (RFC 7515, section 4.1.11).
    pub fn read(text: &str) -> Option<Self> {
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let object = |part: &str| match serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).ok()?) {
            Ok(Value::Object(fields)) => Some(fields),
            _ => None,
        };
        let (header, claims) = (object(header)?, Arc::new(object(claims)?));
        let algorithm = header.get("alg")?.as_str()?.parse().ok()?;
        if header.contains_key("crit") {
            return None;
        }
        Some(Self { signed: signed.to_owned(), signature: signature.to_owned(), algorithm, header, claims })
    }

    /// The id of the key, where the token says one.
    pub fn key_id(&self) -> Option<&str> {
        self.header.get("kid")?.as_str()
    }

    /// Checks the signature. A key has one algorithm, so a token cannot choose another.
    pub fn verify(&self, key: &Verifying) -> Result<(), &'static str> {
        if self.algorithm != key.algorithm {
            return Err("Invalid algorithm");
        }
        let good =
            jsonwebtoken::crypto::verify(&self.signature, self.signed.as_bytes(), &key.key, key.algorithm);
        match good {
            Ok(true) => Ok(()),
            _ => Err("Invalid signature"),
        }
    }
}
