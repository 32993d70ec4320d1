//! What the user service keeps.

use domain::{
    UserId,
    user::{Account, Email, Session},
};
use serde::{Deserialize, Serialize};
use store::Key;

/// That an address belongs to an account: two accounts cannot both make this row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmailClaim {
    /// The address in its canonical form.
    pub email: Email,
    /// Whose account.
    pub user_id: UserId,
}

store::rows! {
    /// What the user service keeps. An erased account and all that belongs to it are removed.
    pub enum UserRow in "user" {
        /// A person's account.
        Account(Account) in "account" by |account| account.id.0 => {
            email: Unique = account.canonical_email.as_str().into(),
        } indexes [],
        /// Whose an address is.
        Email(EmailClaim) in "email" by |claim| claim.email.as_str() => {} indexes [],
        /// A family of refresh tokens.
        Session(Session) in "session" by |session| session.id.0 => {
            user_id: Text = session.user_id.0.into(),
            expires_at: Int = store::Value::Int(session.expires_at.micros()),
        } indexes [],
    }
}

/// The key of an account.
#[must_use]
pub fn account_key(id: UserId) -> Key {
    Key::new("account", id.0)
}

/// The key of the claim on an address.
#[must_use]
pub fn email_key(email: &Email) -> Key {
    Key::new("email", email.as_str())
}

/// The key of a session.
#[must_use]
pub fn session_key(id: domain::SessionId) -> Key {
    Key::new("session", id.0)
}
