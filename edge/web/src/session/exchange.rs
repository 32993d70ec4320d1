//! A refresh token is spent once, however many requests carry it.
//!
//! A browser asks for several things at once, all with the same cookie. The user service ends a whole family of tokens
//! when one is used twice, so here the first request begins the exchange, and all that carry the same token wait for
//! its outcome. It stays at hand for a while for requests that were on their way, and for a browser that left before
//! its new cookie arrived. The exchange runs by itself: whoever began it may go.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use kit::{Code, ServiceError};
use proto::v1::RefreshRequest;

use super::SignedIn;
use crate::{
    limits::{CALL_DEADLINE, KEEP_EXCHANGES_SECONDS, MAX_EXCHANGES},
    services::Services,
};

type Outcome = Result<SignedIn, ServiceError>;

struct Exchange {
    began_at: i64,
    outcome: Shared<BoxFuture<'static, Outcome>>,
}

/// The exchanges of this process that run, or ran a moment ago, by the token that was spent.
pub(crate) struct Exchanges {
    by_token: Mutex<HashMap<String, Exchange>>,
}

impl Exchanges {
    /// None yet.
    pub fn new() -> Self {
        Self { by_token: Mutex::new(HashMap::new()) }
    }

    /// The same person with fresh tokens, by spending the old one, which is done once.
    ///
    /// # Errors
    /// `unauthenticated` when the token is spent elsewhere or has ended; else when the service does not answer.
    pub async fn exchange<F>(
        &self,
        old: &SignedIn,
        now_seconds: i64,
        spend: impl FnOnce(SignedIn) -> F,
    ) -> Result<SignedIn, ServiceError>
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        let outcome = {
            let mut by_token = self.locked();
            by_token.retain(|_, exchange| now_seconds - exchange.began_at < KEEP_EXCHANGES_SECONDS);
            match by_token.get(&old.refresh_token) {
                Some(exchange) => exchange.outcome.clone(),
                None if by_token.len() >= MAX_EXCHANGES => {
                    return Err(ServiceError::unavailable(
                        "unavailable",
                        "too many sessions are being renewed",
                    ));
                }
                None => {
                    let task = tokio::spawn(spend(old.clone()));
                    let ended = |error| Err(ServiceError::internal(&error));
                    let outcome = task.map(move |joined| joined.unwrap_or_else(ended)).boxed().shared();
                    let exchange = Exchange { began_at: now_seconds, outcome: outcome.clone() };
                    by_token.insert(old.refresh_token.clone(), exchange);
                    outcome
                }
            }
        };
        let outcome = outcome.await;
        if outcome.as_ref().is_err_and(|error| error.code == Code::Unavailable) {
            // Whether it was spent is not known; asking again is the only way to find out.
            self.locked().remove(&old.refresh_token);
        }
        outcome
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<String, Exchange>> {
        // Nothing panics while the lock is held.
        self.by_token.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Spends a refresh token at the user service.
pub(crate) async fn spend(services: Services, old: SignedIn, now_seconds: i64) -> Outcome {
    let mut request = tonic::Request::new(RefreshRequest { refresh_token: old.refresh_token.clone() });
    request.set_timeout(CALL_DEADLINE);
    let answered = tokio::time::timeout(CALL_DEADLINE, async { services.user().refresh(request).await });
    let late = |_| ServiceError::unavailable("deadline_exceeded", "the service did not answer in time");
    let tokens = answered.await.map_err(late)?.map_err(|status| ServiceError::from_status(&status))?;
    let tokens = tokens.into_inner();
    Ok(SignedIn {
        access_token: tokens.access_token,
        refresh_token: tokens.refresh_token,
        expires_at: now_seconds + tokens.expires_in,
        ..old
    })
}

#[cfg(test)]
mod tests;
