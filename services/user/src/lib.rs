//! The user service: accounts, signing in, and the keys that access tokens are verified with.
//!
//! Start at [`start`]; what is decided is in [`domain::user`], and on which rows in [`machine`].

mod accounts;
mod admin;
mod convert;
mod export;
mod figures;
pub mod machine;
mod passwords;
mod read;
pub mod rows;
mod service;
mod sign_in;
mod sweep;
#[cfg(test)]
mod tests;
mod throttle;
mod tokens;

use std::{collections::BTreeSet, sync::Arc};

use domain::{
    Refusal,
    user::{Email, Role},
};
use kit::{
    Environment, Item, Pipeline, Runtime, ServiceError, Transport,
    identity::Signer,
    pipeline::Done,
    transport::{MAX_REQUEST_BYTES, MAX_RESPONSE_BYTES, Rpcs},
};
use proto::v1::user_service_server::UserServiceServer;
use store::Store;

pub use machine::UserMachine;
pub use passwords::Cost;
pub use read::find_by_email;
pub use rows::UserRow;

use crate::{
    machine::Command,
    passwords::Passwords,
    service::{Service, body_key},
    throttle::Throttle,
};

/// The topics of its outbox.
pub const PUBLISHES: &[bus::Topic] = &[bus::Topic::UpsertData];
/// The topics that it reads: none.
pub const CONSUMES: &[bus::Topic] = &[];

/// What may be chosen about the service.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// What hashing a password costs.
    pub cost: Cost,
    /// Addresses whose owners get the role ADMIN when they register.
    pub admin_emails: BTreeSet<String>,
}

/// Starts the service on its store; its rpcs are to be put behind the access guard.
///
/// `peers` are the other services by name (`event`, `ticket`, `feedback`, `notification`,
/// `analytics`), which an export asks.
#[must_use]
pub fn start(
    runtime: &Runtime,
    store: Arc<dyn Store<UserRow>>,
    log: Arc<dyn bus::Log>,
    environment: Environment,
    signer: Signer,
    peers: Vec<(String, Transport)>,
    config: Config,
) -> impl Rpcs + use<> {
    let handle = runtime.start(Pipeline::new(Arc::new(UserMachine), store, environment.clone()));
    runtime.consume(&handle, &log, CONSUMES, kit::Pace::Prompt);
    runtime.tasks.spawn(sweep::run(handle.clone(), runtime.shutdown.clone()));
    let service = Service {
        handle,
        logins: figures::Logins::new(&runtime.metrics),
        body_key: body_key(&signer, &environment),
        signer,
        passwords: Passwords::new(config.cost, environment),
        throttle: Throttle::default(),
        peers,
        admin_emails: addresses(&config.admin_emails),
    };
    UserServiceServer::new(service)
        .max_decoding_message_size(MAX_REQUEST_BYTES)
        .max_encoding_message_size(MAX_RESPONSE_BYTES)
}

fn addresses(emails: &BTreeSet<String>) -> BTreeSet<Email> {
    let known: BTreeSet<Email> = emails.iter().filter_map(|email| Email::parse(email).ok()).collect();
    if known.len() < emails.len() {
        tracing::warn!(
            "some addresses of administrators are no email addresses, or the same: see the config"
        );
    }
    known
}

/// Gives the role ADMIN to whom an address belongs.
///
/// # Errors
/// When it is no address, nobody's, or the store cannot be reached.
pub async fn grant_admin(pipeline: &Pipeline<UserMachine>, email: &str) -> Result<(), ServiceError> {
    let email = Email::parse(email).map_err(|reason| Refusal::field("email", reason))?;
    let command = Command::Grant(email, Role::Admin);
    let request = kit::Request { command, idempotency: None, traceparent: None };
    for outcome in pipeline.run(&[Item::Request(request)]).await {
        let (Done::Answered { .. } | Done::Delivered(_)) = outcome?;
    }
    Ok(())
}
