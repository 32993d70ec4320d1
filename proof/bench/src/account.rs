//! Accounts of the generator, with access tokens that are refreshed before they expire.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::Context;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::{
    http::{Call, Connection},
    progress::Progress,
    target::Target,
};

/// A token is renewed when this part of its life is over.
const RENEW_AFTER: f64 = 0.6;
/// The pause before a failed renewal is tried again.
const RETRY_PAUSE: Duration = Duration::from_secs(1);
/// How many accounts are made at a time; the platform hashes few passwords at once and lets some wait.
const REGISTER_AT_ONCE: usize = 16;
/// Long enough to be accepted, and of no worth: the accounts are made for one run.
const PASSWORD: &str = "load generator, one run only";

/// Somebody who is signed in until it is dropped.
pub struct Account {
    /// Its id.
    pub id: String,
    credentials: Vec<u8>,
    authorization: Arc<Mutex<Arc<str>>>,
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
        let account = json!({ "name": name, "email": email, "password": PASSWORD }).to_string();
        let registered = connection.json(&Call::post("/v1/auth/register", account.as_bytes())).await?;
        let id = registered["id"].as_str().context("an account has no id")?.to_owned();
        let credentials = json!({ "email": email, "password": PASSWORD }).to_string().into_bytes();
        let signed_in = connection.json(&Call::post("/v1/auth/login", &credentials)).await?;
        let tokens = Tokens::read(&signed_in)?;
        let authorization = Arc::new(Mutex::new(Arc::clone(&tokens.authorization)));
        let renewal = tokio::spawn(renew(target.clone(), Arc::clone(&authorization), tokens));
        Ok(Self { id, credentials, authorization, renewal })
    }

    /// Registers so many, several at a time: hashing their passwords is what takes long.
    ///
    /// # Errors
    /// When the platform refuses.
    pub async fn register_many(target: &Target, name: &str, count: u32) -> anyhow::Result<Vec<Self>> {
        let progress = Progress::new("accounts", count.into());
        let registered = (0..count).map(|number| {
            let progress = &progress;
            async move {
                let account = Self::register(target, &format!("{name}-{number}")).await?;
                progress.step(1);
                anyhow::Ok(account)
            }
        });
        stream::iter(registered).buffered(REGISTER_AT_ONCE).try_collect().await
    }

    /// The current `Authorization`.
    pub fn authorization(&self) -> Arc<str> {
        Arc::clone(&self.authorization.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The body with which it signs in.
    pub fn credentials(&self) -> &[u8] {
        &self.credentials
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.renewal.abort();
    }
}

struct Tokens {
    authorization: Arc<str>,
    refresh: String,
    lives: Duration,
}

impl Tokens {
    fn read(answer: &Value) -> anyhow::Result<Self> {
        let access = answer["access_token"].as_str().context("an answer has no access_token")?;
        let refresh = answer["refresh_token"].as_str().context("an answer has no refresh_token")?.to_owned();
        let seconds = answer["expires_in"].as_u64().context("an answer has no expires_in")?;
        let authorization = format!("Bearer {access}").into();
        Ok(Self { authorization, refresh, lives: Duration::from_secs(seconds) })
    }
}

async fn renew(target: Target, authorization: Arc<Mutex<Arc<str>>>, mut tokens: Tokens) {
    loop {
        tokio::time::sleep(tokens.lives.mul_f64(RENEW_AFTER)).await;
        tokens = loop {
            match renewed(&target, &tokens).await {
                Ok(tokens) => break tokens,
                Err(error) => eprintln!("a token was not renewed: {error:#}"),
            }
            tokio::time::sleep(RETRY_PAUSE).await;
        };
        let current = Arc::clone(&tokens.authorization);
        *authorization.lock().unwrap_or_else(PoisonError::into_inner) = current;
    }
}

async fn renewed(target: &Target, tokens: &Tokens) -> anyhow::Result<Tokens> {
    let body = json!({ "refresh_token": tokens.refresh }).to_string();
    let call = Call::post("/v1/auth/refresh", body.as_bytes());
    Tokens::read(&Connection::to(target).json(&call).await?)
}

/// Differs from run to run, so that a deployment can be measured again.
pub fn unique() -> String {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    format!("{:x}-{:x}", since.as_nanos(), std::process::id())
}
