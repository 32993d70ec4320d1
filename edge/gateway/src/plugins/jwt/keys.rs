//! The keys that tokens are verified with: of credentials, and fetched from somewhere (RFC 7517).

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{Jwk, JwkSet, KeyAlgorithm},
};
use kit::Environment;
use kong::Entity;

use super::token::Token;
use crate::plugin::BadConfig;

/// How long fetched keys are good.
const GOOD_FOR_S: f64 = 300.0;
/// How long at least passes between two attempts to fetch them: an unknown key id must not become a storm.
const PAUSE_S: f64 = 10.0;
/// How long fetching may take.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest set of keys, in bytes.
const MAX_SET_BYTES: usize = 256 * 1024;

/// A key with the one algorithm that it is for.
pub(super) struct Verifying {
    pub key: DecodingKey,
    pub algorithm: Algorithm,
}

/// The key of a credential.
pub(super) fn of_credential(credential: &Entity, secret_is_base64: bool) -> Result<Verifying, &'static str> {
    let algorithm: Algorithm =
        credential.text("algorithm").and_then(|name| name.parse().ok()).ok_or("Invalid algorithm")?;
    let pem = credential.text("rsa_public_key").unwrap_or_default().as_bytes();
    let key = match algorithm {
        Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => {
            let secret = credential.text("secret").unwrap_or_default();
            match secret_is_base64 {
                true => DecodingKey::from_secret(
                    &BASE64_STANDARD.decode(secret).map_err(|_| "Invalid key/secret")?,
                ),
                false => DecodingKey::from_secret(secret.as_bytes()),
            }
        }
        Algorithm::ES256 | Algorithm::ES384 => {
            DecodingKey::from_ec_pem(pem).map_err(|_| "Invalid key/secret")?
        }
        Algorithm::EdDSA => DecodingKey::from_ed_pem(pem).map_err(|_| "Invalid key/secret")?,
        _ => DecodingKey::from_rsa_pem(pem).map_err(|_| "Invalid key/secret")?,
    };
    Ok(Verifying { key, algorithm })
}

/// No key for a token.
#[derive(Debug)]
pub(super) struct KeyError;

/// Keys that are fetched.
pub(super) struct Remote {
    uri: String,
    client: reqwest::Client,
    environment: Environment,
    known: Mutex<Known>,
    /// One fetches, and the others wait for it.
    fetching: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Known {
    set: Option<Arc<JwkSet>>,
    fetched_s: f64,
    tried_s: f64,
}

impl Remote {
    /// Keys at an address, which is an administrator's choice and no client's.
    pub fn new(uri: &str, environment: Environment) -> Result<Self, BadConfig> {
        if !uri.starts_with("https://") && !uri.starts_with("http://") {
            return Err(BadConfig::new("jwks_uri", "must be an http or https URL"));
        }
        let client = reqwest::Client::builder()
            .timeout(FETCH_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| BadConfig::new("jwks_uri", error.to_string()))?;
        let fetching = tokio::sync::Mutex::default();
        Ok(Self { uri: uri.to_owned(), client, environment, known: Mutex::default(), fetching })
    }

    /// The key of a token, by its id.
    pub async fn key(&self, token: &Token) -> Result<Verifying, KeyError> {
        let id = token.key_id().ok_or(KeyError)?;
        if let Some(key) = self.find(id, GOOD_FOR_S) {
            return key;
        }
        self.fetch().await;
        // When they cannot be fetched, those from before are better than nobody coming in.
        self.find(id, f64::INFINITY).unwrap_or(Err(KeyError))
    }

    fn now_s(&self) -> f64 {
        self.environment.now().micros() as f64 / 1e6
    }

    fn find(&self, id: &str, good_for_s: f64) -> Option<Result<Verifying, KeyError>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let set = known.set.as_ref().filter(|_| self.now_s() - known.fetched_s < good_for_s)?;
        set.find(id).map(verifying)
    }

    async fn fetch(&self) {
        let _alone = self.fetching.lock().await;
        {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            if self.now_s() - known.tried_s < PAUSE_S {
                return;
            }
            known.tried_s = self.now_s();
        }
        match self.fetched().await {
            Ok(set) => {
                let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
                known.set = Some(Arc::new(set));
                known.fetched_s = self.now_s();
            }
            Err(why) => tracing::warn!(why, "the keys of tokens cannot be fetched"),
        }
    }

    async fn fetched(&self) -> Result<JwkSet, String> {
        let mut answer =
            self.client.get(&self.uri).send().await.map_err(|error| error.without_url().to_string())?;
        if !answer.status().is_success() {
            return Err(format!("the answer is {}", answer.status()));
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| error.without_url().to_string())? {
            if bytes.len() + chunk.len() > MAX_SET_BYTES {
                return Err(format!("they have more than {MAX_SET_BYTES} bytes"));
            }
            bytes.extend_from_slice(&chunk);
        }
        serde_json::from_slice(&bytes).map_err(|error| error.to_string())
    }
}

/// A key for signatures with the algorithm that it says, or the one that its type has.
fn verifying(jwk: &Jwk) -> Result<Verifying, KeyError> {
    let algorithm = match jwk.common.key_algorithm {
        Some(KeyAlgorithm::RS256) => Algorithm::RS256,
        Some(KeyAlgorithm::RS384) => Algorithm::RS384,
        Some(KeyAlgorithm::RS512) => Algorithm::RS512,
        Some(KeyAlgorithm::PS256) => Algorithm::PS256,
        Some(KeyAlgorithm::ES256) => Algorithm::ES256,
        Some(KeyAlgorithm::ES384) => Algorithm::ES384,
        Some(KeyAlgorithm::EdDSA) => Algorithm::EdDSA,
        // A shared secret has no place in a public set.
        _ => return Err(KeyError),
    };
    let key = DecodingKey::from_jwk(jwk).map_err(|_| KeyError)?;
    Ok(Verifying { key, algorithm })
}
