//! A refresh token is spent once, however many requests carry it.
//!
//! A browser asks for several things at once, all with the same cookie. The user service ends a whole family of tokens
//! when one is used twice, so here the first request begins the exchange, and all that carry the same token wait for
//! its outcome. It stays at hand for a while for requests that were on their way, and for a browser that left before
//! its new cookie arrived. The exchange runs by itself: whoever began it may go.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use kit::{Environment, ServiceError};
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

    /// The same person with fresh tokens.
    ///
    /// # Errors
    /// `unauthenticated` when the token is spent elsewhere or has ended; else when the service does not answer.
    pub async fn exchange(
        &self,
        services: &Services,
        environment: &Environment,
        old: &SignedIn,
    ) -> Result<SignedIn, ServiceError> {
        let now = environment.now().seconds();
        let outcome = {
            // Nothing panics while the lock is held.
            let mut by_token = self.by_token.lock().unwrap_or_else(PoisonError::into_inner);
            by_token.retain(|_, exchange| now - exchange.began_at < KEEP_EXCHANGES_SECONDS);
            match by_token.get(&old.refresh_token) {
                Some(exchange) => exchange.outcome.clone(),
                None if by_token.len() >= MAX_EXCHANGES => {
                    return Err(ServiceError::unavailable(
                        "unavailable",
                        "too many sessions are being renewed",
                    ));
                }
                None => {
                    let outcome = begin(services.clone(), old.clone(), now);
                    let exchange = Exchange { began_at: now, outcome: outcome.clone() };
                    by_token.insert(old.refresh_token.clone(), exchange);
                    outcome
                }
            }
        };
        let outcome = outcome.await;
        if outcome.as_ref().is_err_and(|error| error.code == kit::Code::Unavailable) {
            // Whether it was spent is not known; asking again is the only way to find out.
            self.by_token.lock().unwrap_or_else(PoisonError::into_inner).remove(&old.refresh_token);
        }
        outcome
    }
}

fn begin(services: Services, old: SignedIn, now: i64) -> Shared<BoxFuture<'static, Outcome>> {
    let task = tokio::spawn(async move {
        let mut request = tonic::Request::new(RefreshRequest { refresh_token: old.refresh_token.clone() });
        request.set_timeout(CALL_DEADLINE);
        let answered = tokio::time::timeout(CALL_DEADLINE, async { services.user().refresh(request).await });
        let late = |_| ServiceError::unavailable("deadline_exceeded", "the service did not answer in time");
        let tokens = answered.await.map_err(late)?.map_err(|status| ServiceError::from_status(&status))?;
        let tokens = tokens.into_inner();
        Ok(SignedIn {
            access_token: tokens.access_token,
            refresh_token: tokens.refresh_token,
            expires_at: now + tokens.expires_in,
            ..old
        })
    });
    task.map(|joined| joined.unwrap_or_else(|error| Err(ServiceError::internal(&error)))).boxed().shared()
}
