//! The user service's rpcs. Each does the same five moves: authenticate, load, decide, commit, reply.

use std::collections::BTreeSet;

use aws_lc_rs::hmac;
use domain::{
    UserId,
    user::{Account, Email, account_gone},
};
use kit::{Caller, Environment, Handle, ServiceError, Transport, identity::Signer};
use proto::{
    google_api::HttpBody,
    v1::{
        DeleteMeRequest, ExportMeRequest, GetJwksRequest, GetMeRequest, GetSystemRequest, ListUsersRequest,
        ListUsersResponse, LoginRequest, LogoutRequest, RedriveParkedFactsRequest, RedriveResponse,
        RefreshRequest, RegisterRequest, System, Tokens, UpdateMeRequest, User,
        user_service_server::UserService,
    },
};
use store::StoreError;
use tonic::{Request, Response, Status, metadata::MetadataValue};

use crate::{
    figures::Logins,
    machine::UserMachine,
    passwords::{Checked, Passwords},
    rows::{UserRow, account_key},
    throttle::Throttle,
};

/// How long the public keys may be kept by whoever fetched them.
const JWKS_CACHE_CONTROL: &str = "public, max-age=300";

/// The user service.
pub(crate) struct Service {
    pub(crate) handle: Handle<UserMachine>,
    pub(crate) logins: Logins,
    pub(crate) signer: Signer,
    pub(crate) passwords: Passwords,
    pub(crate) throttle: Throttle,
    /// The other services, by name, for the export.
    pub(crate) peers: Vec<(String, Transport)>,
    /// Who gets the role ADMIN when they register.
    pub(crate) admin_emails: BTreeSet<Email>,
    /// Hides bodies that hold a password where their hash is stored.
    pub(crate) body_key: hmac::Key,
}

#[tonic::async_trait]
impl UserService for Service {
    async fn register(&self, request: Request<RegisterRequest>) -> Result<Response<User>, Status> {
        Ok(self.open_account(request).await?)
    }

    async fn login(&self, request: Request<LoginRequest>) -> Result<Response<Tokens>, Status> {
        let outcome = self.sign_in(request.into_inner()).await;
        self.logins.count(&outcome);
        Ok(outcome?)
    }

    async fn refresh(&self, request: Request<RefreshRequest>) -> Result<Response<Tokens>, Status> {
        Ok(self.spend_refresh_token(request.into_inner()).await?)
    }

    async fn logout(&self, request: Request<LogoutRequest>) -> Result<Response<()>, Status> {
        Ok(self.sign_out(request.into_inner()).await?)
    }

    async fn get_me(&self, request: Request<GetMeRequest>) -> Result<Response<User>, Status> {
        Ok(self.own_account(request).await?)
    }

    async fn update_me(&self, request: Request<UpdateMeRequest>) -> Result<Response<User>, Status> {
        Ok(self.change_account(request).await?)
    }

    async fn delete_me(&self, request: Request<DeleteMeRequest>) -> Result<Response<()>, Status> {
        Ok(self.erase_account(request).await?)
    }

    async fn export_me(&self, request: Request<ExportMeRequest>) -> Result<Response<HttpBody>, Status> {
        Ok(self.export(request).await?)
    }

    async fn list_users(
        &self,
        request: Request<ListUsersRequest>,
    ) -> Result<Response<ListUsersResponse>, Status> {
        Ok(self.everybody(request).await?)
    }

    async fn get_system(&self, request: Request<GetSystemRequest>) -> Result<Response<System>, Status> {
        Ok(self.system(request).await?)
    }

    async fn redrive_parked_facts(
        &self,
        request: Request<RedriveParkedFactsRequest>,
    ) -> Result<Response<RedriveResponse>, Status> {
        Ok(self.redrive(request).await?)
    }

    async fn get_jwks(&self, _: Request<GetJwksRequest>) -> Result<Response<HttpBody>, Status> {
        let mut response = Response::new(json_body(self.signer.jwks()));
        let caching = MetadataValue::from_static(JWKS_CACHE_CONTROL);
        response.metadata_mut().insert("cache-control", caching);
        Ok(response)
    }
}

impl Service {
    /// The account of who calls.
    pub(crate) async fn caller<T>(&self, request: &Request<T>) -> Result<Account, ServiceError> {
        let user_id = Caller::of(request).user()?;
        self.account(user_id).await?.ok_or_else(|| account_gone().into())
    }

    /// An account, if it has not been erased.
    pub(crate) async fn account(&self, id: UserId) -> Result<Option<Account>, ServiceError> {
        let rows = self.handle.rows(&[account_key(id)]).await.map_err(unreadable)?;
        Ok(rows.into_iter().flatten().find_map(|versioned| match versioned.into_row() {
            UserRow::Account(account) => Some(account),
            _ => None,
        }))
    }

    /// Checks a password, slower for an address for which many were wrong.
    pub(crate) async fn check_password(
        &self,
        address: &str,
        account: Option<&Account>,
        password: String,
    ) -> Result<Checked, ServiceError> {
        let environment = self.handle.environment();
        self.throttle.admit(address, environment.now())?;
        let hash = account.map(|account| account.password_hash.clone());
        let checked = self.passwords.check(password, hash).await?;
        match checked {
            Checked::Wrong => self.throttle.failed(address, environment.now()),
            Checked::Right | Checked::RightRehashed(_) => self.throttle.succeeded(address),
        }
        Ok(checked)
    }
}

/// The key that hides the bodies of registrations: a hash of a password alone could be guessed from a
/// stolen database, and this key is not in it. It follows from the signing key, which all processes share.
pub(crate) fn body_key(signer: &Signer, environment: &Environment) -> hmac::Key {
    let nobody = UserId(uuid::Uuid::nil());
    let long_ago = domain::Time::from_micros(0);
    // Ed25519 gives the same signature each time. The token expired in 1970 and is not shown to anybody.
    match signer.sign(nobody, &[], uuid::Uuid::nil(), long_ago) {
        Ok(known_to_us_only) => hmac::Key::new(hmac::HMAC_SHA256, known_to_us_only.as_bytes()),
        // Keys that clients repeat are then known until the next start only.
        Err(_) => hmac::Key::new(hmac::HMAC_SHA256, &environment.random::<32>()),
    }
}

/// A JSON file.
pub(crate) fn json_body(json: String) -> HttpBody {
    HttpBody { content_type: "application/json".to_owned(), data: json.into_bytes(), extensions: Vec::new() }
}

/// The store did not answer.
pub(crate) fn unreadable(error: StoreError) -> ServiceError {
    match error {
        StoreError::Unavailable(_) => {
            tracing::warn!("the user store is unavailable");
            ServiceError::unavailable(
                "unavailable",
                "the service cannot reach its store now; nothing was changed",
            )
        }
        // The cause may quote what is stored, which is personal.
        StoreError::Corrupt(_) => ServiceError::internal(&"a row of the user store cannot be read"),
    }
}

/// The machine answered another command than it was given.
pub(crate) fn odd_reply() -> ServiceError {
    ServiceError::internal(&"the machine gave a reply of another command")
}
