//! Accounts: opening, showing, changing and erasing one.

use aws_lc_rs::hmac;
use domain::{
    Refusal, UserId,
    user::{NewPassword, Role, wrong_current_password},
};
use kit::{Caller, Idempotency, ServiceError, request};
use prost::Message;
use proto::v1::{DeleteMeRequest, GetMeRequest, RegisterRequest, UpdateMeRequest, User};
use tonic::{Request, Response, metadata::MetadataValue};

use crate::{
    convert,
    machine::{Command, Registration, Reply},
    passwords::Checked,
    service::{Service, odd_reply},
};

/// The rpc as idempotency keys are bound to it.
const REGISTER: &str = "/boxoffice.v1.UserService/Register";
/// Who sends an idempotency key without being signed in.
const ANONYMOUS: &str = "anonymous";

impl Service {
    /// Opens an account.
    pub(crate) async fn open_account(
        &self,
        request: Request<RegisterRequest>,
    ) -> Result<Response<User>, ServiceError> {
        let environment = self.handle.environment();
        let idempotency = self.idempotency(&request)?;
        let traceparent = request::traceparent(request.metadata());
        let message = request.into_inner();
        let (application, email) = convert::application(&message, environment.now())?;
        let password_hash = self.passwords.hash(message.password).await?;
        let mut roles = vec![Role::User];
        if self.admin_emails.contains(&email) {
            roles.push(Role::Admin);
        }
        let id = UserId(environment.id());
        let command =
            Command::Register(Box::new(Registration { id, application, email, password_hash, roles }));
        let replied = self.handle.submit(kit::Request { command, idempotency, traceparent }).await?;
        let Reply::Registered(id) = replied.reply else { return Err(odd_reply()) };
        // The stored answer holds the id alone, so that erasing the account leaves nothing behind.
        let account = self.account(id).await?.ok_or_else(|| Refusal::not_found("account any more"))?;
        let mut response = Response::new(convert::user(&account));
        response.metadata_mut().insert(proto::HTTP_STATUS_HEADER, MetadataValue::from_static("201"));
        if replied.replayed {
            let replayed = MetadataValue::from_static("true");
            response.metadata_mut().insert(request::IDEMPOTENCY_REPLAYED, replayed);
        }
        Ok(response)
    }

    fn idempotency(&self, request: &Request<RegisterRequest>) -> Result<Option<Idempotency>, Refusal> {
        let Some(key) = request::idempotency_key(request.metadata())? else { return Ok(None) };
        let caller = match Caller::of(request) {
            Caller::User { id, .. } => id.to_string(),
            Caller::Anonymous => ANONYMOUS.to_owned(),
        };
        let body = hmac::sign(&self.body_key, &request.get_ref().encode_to_vec());
        Ok(Some(kit::idempotency(key, &caller, REGISTER, body.as_ref())))
    }

    /// Shows the caller's account.
    pub(crate) async fn own_account(
        &self,
        request: Request<GetMeRequest>,
    ) -> Result<Response<User>, ServiceError> {
        let account = self.caller(&request).await?;
        Ok(Response::new(convert::user(&account)))
    }

    /// Changes the caller's account.
    pub(crate) async fn change_account(
        &self,
        request: Request<UpdateMeRequest>,
    ) -> Result<Response<User>, ServiceError> {
        let account = self.caller(&request).await?;
        let traceparent = request::traceparent(request.metadata());
        let (mut edit, change) = convert::edit(request.into_inner(), self.handle.environment().now())?;
        if let Some(change) = change {
            let address = account.canonical_email.as_str();
            if self.check_password(address, Some(&account), change.current).await? == Checked::Wrong {
                return Err(wrong_current_password().into());
            }
            let hash = self.passwords.hash(change.new).await?;
            edit.password = Some(NewPassword { checked: account.password_changes, hash });
        }
        let command = Command::Update(account.id, edit);
        self.handle.submit(kit::Request { command, idempotency: None, traceparent }).await?;
        let changed = self.account(account.id).await?.ok_or_else(domain::user::account_gone)?;
        Ok(Response::new(convert::user(&changed)))
    }

    /// Erases the caller's account.
    pub(crate) async fn erase_account(
        &self,
        request: Request<DeleteMeRequest>,
    ) -> Result<Response<()>, ServiceError> {
        let user_id = Caller::of(&request).user()?;
        let traceparent = request::traceparent(request.metadata());
        let command = Command::Erase(user_id);
        self.handle.submit(kit::Request { command, idempotency: None, traceparent }).await?;
        Ok(Response::new(()))
    }
}
