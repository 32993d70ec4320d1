//! Accounts of the generator, with access tokens that are refreshed before they expire.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::Context;
use hyper::header::HeaderValue;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::{
    client::{Call, Connection},
    target::Target,
};

/// A token is renewed when this part of its life is over.
const RENEW_AFTER: f64 = 0.6;
/// The pause before a failed renewal is tried again.
const RETRY_PAUSE: Duration = Duration::from_secs(1);
/// Long enough to be accepted, and of no worth: the accounts are made for one run.
const PASSWORD: &str = "load generator, one run only";

/// Somebody who is signed in until it is dropped.
pub struct Account {
    authorization: Arc<Mutex<HeaderValue>>,
    renewal: JoinHandle<()>,
}

impl Account {
    /// Registers a new account and signs in.
    ///
    /// # Errors
    /// When the platform refuses.
    pub async fn register(target: &Target, name: &str) -> anyhow::Result<Self> {
        let email = format!("{name}-{}@bench.example", unique());
        let mut connection = Connection::to(target);
        let account = json!({ "name": name, "email": email, "password": PASSWORD });
        connection.json(&Call::post("/v1/auth/register", &account)?).await?;
        let login = json!({ "email": email, "password": PASSWORD });
        let signed_in = Tokens::read(&connection.json(&Call::post("/v1/auth/login", &login)?).await?)?;
        let authorization = Arc::new(Mutex::new(signed_in.authorization.clone()));
        let renewal = tokio::spawn(renew(connection, Arc::clone(&authorization), signed_in));
        Ok(Self { authorization, renewal })
    }

    /// The current `Authorization`.
    pub fn authorization(&self) -> HeaderValue {
        self.authorization.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.renewal.abort();
    }
}

struct Tokens {
    authorization: HeaderValue,
    refresh: String,
    lives: Duration,
}

impl Tokens {
    fn read(answer: &Value) -> anyhow::Result<Self> {
        let access = answer["access_token"].as_str().context("an answer has no access_token")?;
        let mut authorization = HeaderValue::try_from(format!("Bearer {access}"))?;
        authorization.set_sensitive(true);
        let refresh = answer["refresh_token"].as_str().context("an answer has no refresh_token")?.to_owned();
        let seconds = answer["expires_in"].as_u64().context("an answer has no expires_in")?;
        Ok(Self { authorization, refresh, lives: Duration::from_secs(seconds) })
    }
}

async fn renew(mut connection: Connection, authorization: Arc<Mutex<HeaderValue>>, mut tokens: Tokens) {
    loop {
        tokio::time::sleep(tokens.lives.mul_f64(RENEW_AFTER)).await;
        tokens = loop {
            match renewed(&mut connection, &tokens).await {
                Ok(tokens) => break tokens,
                Err(error) => eprintln!("a token was not renewed: {error:#}"),
            }
            tokio::time::sleep(RETRY_PAUSE).await;
        };
        let current = tokens.authorization.clone();
        *authorization.lock().unwrap_or_else(PoisonError::into_inner) = current;
    }
}

async fn renewed(connection: &mut Connection, tokens: &Tokens) -> anyhow::Result<Tokens> {
    let body = json!({ "refresh_token": tokens.refresh });
    Tokens::read(&connection.json(&Call::post("/v1/auth/refresh", &body)?).await?)
}

/// Differs from run to run, so that a deployment can be measured again.
pub fn unique() -> String {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    format!("{:x}-{:x}", since.as_nanos(), std::process::id())
}
