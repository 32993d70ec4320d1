//! The user service's rules: who may have which account, and how long somebody stays signed in.

pub mod email;
pub mod session;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use email::{Email, MAX_EMAIL_BYTES};
pub use session::{MAX_SESSIONS, Rotation, SecretHash, Session};

use crate::{
    facts::{Gender, UserErased, UserUpserted},
    ids::{SessionId, UserId},
    planted::{Defect, planted},
    refusal::{Check, Refusal, RefusalKind},
    text::require_line,
    time::Time,
};

/// The longest name, in characters.
pub const MAX_NAME_CHARS: usize = 120;
/// The shortest password, in characters.
pub const MIN_PASSWORD_CHARS: usize = 8;
/// The longest password, in characters. A longer one is refused before it is hashed.
pub const MAX_PASSWORD_CHARS: usize = 256;
/// The earliest year of birth.
pub const MIN_BIRTH_YEAR: i32 = 1_900;

/// What a user may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Role {
    /// Everybody with an account.
    User,
    /// Sees all.
    Admin,
}

/// The hash of a password with its parameters, as the service makes it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PasswordHash(pub String);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}

/// A person's account.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Whose.
    pub id: UserId,
    /// Their name.
    pub name: String,
    /// Their address, as they wrote it.
    pub email: String,
    /// The form of the address that no other account has.
    pub canonical_email: Email,
    /// Of their password.
    pub password_hash: PasswordHash,
    /// Counts the changes of the password from 0, so that a check of an old one is told from a new one.
    pub password_changes: u32,
    /// What they may do, in order.
    pub roles: Vec<Role>,
    /// If told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gender: Option<Gender>,
    /// If told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birth_year: Option<i32>,
    /// The families of refresh tokens that may go on, oldest first, at most [`MAX_SESSIONS`].
    pub sessions: Vec<SessionId>,
    /// When it was opened.
    pub created_at: Time,
    /// Grows with each change that is published.
    pub version: u64,
}

impl fmt::Debug for Account {
    /// An account is personal: a log may name it and no more.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What somebody tells to open an account.
#[derive(Clone)]
pub struct Application {
    /// Their name.
    pub name: String,
    /// Their address.
    pub email: String,
    /// If told.
    pub gender: Option<Gender>,
    /// If told.
    pub birth_year: Option<i32>,
}

/// A change of one thing that may be absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Patch<T> {
    /// It stays.
    #[default]
    Keep,
    /// It goes.
    Clear,
    /// It becomes this.
    Set(T),
}

impl<T: Copy> Patch<T> {
    fn apply(self, current: Option<T>) -> Option<T> {
        match self {
            Self::Keep => current,
            Self::Clear => None,
            Self::Set(value) => Some(value),
        }
    }
}

/// A new password, and the one that it replaces.
#[derive(Clone)]
pub struct NewPassword {
    /// [`Account::password_changes`] of the password that was checked.
    pub checked: u32,
    /// The new one's hash.
    pub hash: PasswordHash,
}

/// What a user changes about themselves. The address stays.
#[derive(Clone, Default)]
pub struct Edit {
    /// The new name.
    pub name: Option<String>,
    /// The gender.
    pub gender: Patch<Gender>,
    /// The year of birth.
    pub birth_year: Patch<i32>,
    /// The new password.
    pub password: Option<NewPassword>,
}

impl Application {
    /// Notes every field that no account can be opened with; gives the address in its canonical form.
    pub fn check(&self, check: &mut Check, password: &str, now: Time) -> Option<Email> {
        require_line(check, "name", self.name.trim(), MAX_NAME_CHARS);
        let email = Email::parse(&self.email).map_err(|reason| check.fail("email", reason));
        check_password(check, password);
        check_birth_year(check, self.birth_year, now);
        email.ok()
    }
}

impl Edit {
    /// Notes every field that an account cannot have so.
    pub fn check(&self, check: &mut Check, now: Time) {
        if let Some(name) = &self.name {
            require_line(check, "name", name.trim(), MAX_NAME_CHARS);
        }
        if let Patch::Set(year) = self.birth_year {
            check_birth_year(check, Some(year), now);
        }
    }
}

/// Notes a password that is too short or too long.
pub fn check_password(check: &mut Check, password: &str) {
    // The bytes are counted first: they bound the work of counting characters.
    let is_short_enough =
        password.len() <= MAX_PASSWORD_CHARS * 4 && password.chars().count() <= MAX_PASSWORD_CHARS;
    let is_long_enough = password.chars().nth(MIN_PASSWORD_CHARS - 1).is_some();
    check.require(is_short_enough && is_long_enough, "password", "must have from 8 to 256 characters");
}

fn check_birth_year(check: &mut Check, year: Option<i32>, now: Time) {
    let (this_year, _, _) = now.day().date();
    let is_right = year.is_none_or(|year| (MIN_BIRTH_YEAR..=this_year).contains(&year));
    check.require(is_right, "birth_year", format!("must be from {MIN_BIRTH_YEAR} to {this_year}"));
}

/// Opens an account with what [`Application::check`] found right.
#[must_use]
pub fn register(
    id: UserId,
    application: &Application,
    canonical_email: Email,
    password_hash: PasswordHash,
    roles: Vec<Role>,
    now: Time,
) -> Account {
    Account {
        id,
        name: application.name.trim().to_owned(),
        email: application.email.trim().to_owned(),
        canonical_email,
        password_hash,
        password_changes: 0,
        roles,
        gender: application.gender,
        birth_year: application.birth_year,
        sessions: Vec::new(),
        created_at: now,
        version: 1,
    }
}

impl Account {
    /// The account after a change. A new password ends every session.
    ///
    /// # Errors
    /// When the password that was checked is not the account's any more.
    pub fn update(&self, edit: &Edit) -> Result<Self, Refusal> {
        let mut changed = self.clone();
        if let Some(name) = &edit.name {
            changed.name = name.trim().to_owned();
        }
        changed.gender = edit.gender.apply(self.gender);
        changed.birth_year = edit.birth_year.apply(self.birth_year);
        if changed != *self && !planted(Defect::UserVersionNotRaised) {
            changed.version += 1;
        }
        if let Some(password) = &edit.password {
            if password.checked != self.password_changes {
                return Err(wrong_current_password());
            }
            changed.password_hash = password.hash.clone();
            changed.password_changes += 1;
            if !planted(Defect::PasswordKeepsSessions) {
                changed.sessions.clear();
            }
        }
        Ok(changed)
    }

    /// Adds a family of refresh tokens; gives the families that it pushes out.
    pub fn add_session(&mut self, id: SessionId) -> Vec<SessionId> {
        self.sessions.push(id);
        let surplus = self.sessions.len().saturating_sub(MAX_SESSIONS);
        self.sessions.drain(..surplus).collect()
    }

    /// Gives a role.
    pub fn grant(&mut self, role: Role) {
        if !self.roles.contains(&role) {
            self.roles.push(role);
            self.roles.sort_unstable();
        }
    }

    /// The account as the other services may know it.
    #[must_use]
    pub fn upserted(&self) -> UserUpserted {
        UserUpserted {
            user_id: self.id,
            name: self.name.clone(),
            email: self.email.clone(),
            gender: self.gender,
            birth_year: self.birth_year,
            version: self.version,
        }
    }

    /// That the account is gone.
    #[must_use]
    pub fn erased(&self) -> UserErased {
        UserErased { user_id: self.id }
    }
}

/// The answer to a wrong password and to an unknown address alike.
#[must_use]
pub fn wrong_credentials() -> Refusal {
    Refusal::new(
        RefusalKind::Unauthenticated,
        "wrong_credentials",
        "the email address or the password is wrong: correct them, or register",
    )
}

/// The answer to a refresh token that is spent, expired, ended or never was: it does not say which.
#[must_use]
pub fn invalid_refresh_token() -> Refusal {
    Refusal::new(
        RefusalKind::Unauthenticated,
        "invalid_refresh_token",
        "the refresh token is not valid: sign in again at /v1/auth/login",
    )
}

/// Another account has the address.
#[must_use]
pub fn email_taken() -> Refusal {
    Refusal::conflict("email_taken", "there is an account with this email address: sign in instead")
}

/// The token is of an account that has been erased.
#[must_use]
pub fn account_gone() -> Refusal {
    Refusal::new(
        RefusalKind::Unauthenticated,
        "unauthenticated",
        "the account of this access token does not exist any more: register, or sign in as somebody else",
    )
}

/// A new password was sent without the right current one.
#[must_use]
pub fn wrong_current_password() -> Refusal {
    Refusal::field("current_password", "must be the password that the account has now")
}

#[cfg(test)]
mod tests;
