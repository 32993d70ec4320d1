//! Between the contract's messages and the domain's types.

use domain::{
    Check, Refusal, Time,
    facts::Gender,
    user::{
        Account, Application, Edit, Email, MAX_EMAIL_BYTES, MAX_PASSWORD_CHARS, Patch, Role, check_password,
    },
};
use prost_types::Timestamp;
use proto::v1::{LoginRequest, RegisterRequest, UpdateMeRequest, User, user};

/// The fields that a user may change.
const EDITABLE: [&str; 5] = ["name", "gender", "birth_year", "password", "current_password"];

/// An account as its owner sees it.
pub(crate) fn user(account: &Account) -> User {
    let role = |role: &Role| match role {
        Role::User => user::Role::User,
        Role::Admin => user::Role::Admin,
    };
    let gender = |gender| match gender {
        Gender::Male => user::Gender::Male,
        Gender::Female => user::Gender::Female,
        Gender::Other => user::Gender::Other,
    };
    User {
        id: account.id.to_string(),
        name: account.name.clone(),
        email: account.email.clone(),
        roles: account.roles.iter().map(|known| role(known).into()).collect(),
        gender: account.gender.map(|known| gender(known).into()),
        birth_year: account.birth_year,
        created_at: Some(Timestamp {
            seconds: account.created_at.seconds(),
            nanos: account.created_at.subsecond_nanos(),
        }),
    }
}

/// Roles as tokens name them.
pub(crate) fn token_roles(roles: &[Role]) -> Vec<kit::identity::Role> {
    let role = |role: &Role| match role {
        Role::User => kit::identity::Role::User,
        Role::Admin => kit::identity::Role::Admin,
    };
    roles.iter().map(role).collect()
}

/// What somebody tells to open an account, and the address in its canonical form.
///
/// # Errors
/// Names every field that is wrong.
pub(crate) fn application(message: &RegisterRequest, now: Time) -> Result<(Application, Email), Refusal> {
    let mut check = Check::default();
    let application = Application {
        name: message.name.clone(),
        email: message.email.clone(),
        gender: gender(&mut check, message.gender),
        birth_year: message.birth_year,
    };
    let email = application.check(&mut check, &message.password, now);
    check.finish()?;
    email.map(|email| (application, email)).ok_or_else(|| Refusal::field("email", "must be an email address"))
}

/// Whether an address and a password can be looked at. What they are is not judged here.
///
/// # Errors
/// Names every field that is missing or too long.
pub(crate) fn check_credentials(message: &LoginRequest) -> Result<(), Refusal> {
    let mut check = Check::default();
    check.require(!message.email.trim().is_empty(), "email", "must not be empty");
    let is_short = message.email.len() <= MAX_EMAIL_BYTES;
    check.require(is_short, "email", format!("must have at most {MAX_EMAIL_BYTES} bytes"));
    check.require(!message.password.is_empty(), "password", "must not be empty");
    require_hashable(&mut check, "password", &message.password);
    check.finish()
}

/// Whether a refresh token was sent at all.
///
/// # Errors
/// When it was not.
pub(crate) fn check_refresh_token(token: &str) -> Result<(), Refusal> {
    if token.is_empty() { Err(Refusal::field("refresh_token", "must not be empty")) } else { Ok(()) }
}

/// A password to change: the one that is, and the one that is to be.
pub(crate) struct PasswordChange {
    /// The password that the account has, as far as the caller knows.
    pub(crate) current: String,
    /// The password that it is to have.
    pub(crate) new: String,
}

/// What an update changes.
///
/// # Errors
/// Names every field that is wrong.
pub(crate) fn edit(message: UpdateMeRequest, now: Time) -> Result<(Edit, Option<PasswordChange>), Refusal> {
    let mut check = Check::default();
    let mask = message.update_mask.as_ref().map(|mask| &mask.paths[..]).unwrap_or_default();
    if mask.iter().any(|path| !EDITABLE.contains(&path.as_str())) {
        check.fail("update_mask", format!("must name only {}", EDITABLE.join(", ")));
    }
    // Without a mask, what is there was sent.
    let is_named = |field: &str| mask.iter().any(|path| path == field);
    let is_sent = |field: &str, is_there: bool| if mask.is_empty() { is_there } else { is_named(field) };
    let mut edit = Edit::default();
    if is_sent("name", message.name.is_some()) {
        edit.name = Some(message.name.unwrap_or_default());
    }
    if is_sent("gender", message.gender.is_some()) {
        edit.gender = gender(&mut check, message.gender).map_or(Patch::Clear, Patch::Set);
    }
    if is_sent("birth_year", message.birth_year.is_some()) {
        edit.birth_year = message.birth_year.map_or(Patch::Clear, Patch::Set);
    }
    edit.check(&mut check, now);
    let mut change = None;
    // Also where no password is to be changed.
    let current = message.current_password.unwrap_or_default();
    require_hashable(&mut check, "current_password", &current);
    if is_sent("password", message.password.is_some()) {
        let new = message.password.unwrap_or_default();
        check_password(&mut check, &new);
        check.require(!current.is_empty(), "current_password", "must be sent to change the password");
        change = Some(PasswordChange { current, new });
    }
    check.finish()?;
    Ok((edit, change))
}

/// A password longer than any is refused before it costs anything.
fn require_hashable(check: &mut Check, field: &str, password: &str) {
    let is_short = password.len() <= MAX_PASSWORD_CHARS * 4 && password.chars().count() <= MAX_PASSWORD_CHARS;
    check.require(is_short, field, format!("must have at most {MAX_PASSWORD_CHARS} characters"));
}

fn gender(check: &mut Check, sent: Option<i32>) -> Option<Gender> {
    match user::Gender::try_from(sent?) {
        Ok(user::Gender::Male) => Some(Gender::Male),
        Ok(user::Gender::Female) => Some(Gender::Female),
        Ok(user::Gender::Other) => Some(Gender::Other),
        Ok(user::Gender::Unspecified) | Err(_) => {
            check.fail("gender", "must be MALE, FEMALE or OTHER");
            None
        }
    }
}
