//! Signing in, staying signed in, and signing out.

use domain::{
    SessionId, UserId,
    user::{Email, Role, invalid_refresh_token, wrong_credentials},
};
use kit::{ServiceError, identity::ACCESS_TOKEN_SECONDS};
use proto::v1::{LoginRequest, LogoutRequest, RefreshRequest, Tokens};
use tonic::Response;

use crate::{
    convert,
    machine::{Command, Reply, SignIn},
    passwords::Checked,
    read,
    service::{Service, odd_reply, unreadable},
    tokens::{self, Secret},
};

/// The scheme of access tokens (RFC 6750).
const TOKEN_TYPE: &str = "Bearer";

impl Service {
    /// Starts a session. An unknown address and a wrong password take the same time and get one answer.
    pub(crate) async fn sign_in(&self, message: LoginRequest) -> Result<Response<Tokens>, ServiceError> {
        convert::check_credentials(&message)?;
        let store = self.handle.store().as_ref();
        let account = read::find_by_email(store, &message.email).await.map_err(unreadable)?;
        // Known or not, every spelling of an address is counted as one.
        let address = match Email::parse(&message.email) {
            Ok(email) => email.to_string(),
            Err(_) => message.email.trim().to_lowercase(),
        };
        let checked = self.check_password(&address, account.as_ref(), message.password).await?;
        let (account, rehashed) = match (account, checked) {
            (Some(account), Checked::Right) => (account, None),
            (Some(account), Checked::RightRehashed(hash)) => (account, Some(hash)),
            (None, _) | (_, Checked::Wrong) => return Err(wrong_credentials().into()),
        };
        let environment = self.handle.environment();
        let (session, secret) = (SessionId(environment.id()), Secret::random(environment));
        let sign_in = SignIn {
            user_id: account.id,
            checked: account.password_changes,
            rehashed,
            session,
            secret: secret.hash.clone(),
        };
        match self.handle.command(Command::SignIn(sign_in)).await? {
            Reply::SignedIn { user_id, roles } => self.tokens(user_id, &roles, secret.token(session)),
            _ => Err(odd_reply()),
        }
    }

    /// Spends a refresh token for the next.
    pub(crate) async fn spend_refresh_token(
        &self,
        message: RefreshRequest,
    ) -> Result<Response<Tokens>, ServiceError> {
        convert::check_refresh_token(&message.refresh_token)?;
        let (session, presented) = tokens::read(&message.refresh_token).ok_or_else(invalid_refresh_token)?;
        let secret = Secret::random(self.handle.environment());
        let command = Command::Refresh { session, presented, next: secret.hash.clone() };
        match self.handle.command(command).await? {
            Reply::SignedIn { user_id, roles } => self.tokens(user_id, &roles, secret.token(session)),
            Reply::NotSignedIn => Err(invalid_refresh_token().into()),
            _ => Err(odd_reply()),
        }
    }

    /// Ends a session. A token that is not known, or not a token, has ended already.
    pub(crate) async fn sign_out(&self, message: LogoutRequest) -> Result<Response<()>, ServiceError> {
        convert::check_refresh_token(&message.refresh_token)?;
        if let Some((session, _)) = tokens::read(&message.refresh_token) {
            self.handle.command(Command::Logout(session)).await?;
        }
        Ok(Response::new(()))
    }

    fn tokens(
        &self,
        user_id: UserId,
        roles: &[Role],
        refresh_token: String,
    ) -> Result<Response<Tokens>, ServiceError> {
        let environment = self.handle.environment();
        let roles = convert::token_roles(roles);
        let access_token = self
            .signer
            .sign(user_id, &roles, environment.id(), environment.now())
            .map_err(|error| ServiceError::internal(&error))?;
        let token_type = TOKEN_TYPE.to_owned();
        let expires_in = ACCESS_TOKEN_SECONDS;
        Ok(Response::new(Tokens { access_token, refresh_token, token_type, expires_in }))
    }
}
