//! Reading accounts and sessions from the store.

use domain::{
    SessionId, UserId,
    user::{Account, Email, Session},
};
use store::{Key, Store, StoreError};

use crate::rows::{UserRow, account_key, email_key, session_key};

/// The account with an address, in whatever spelling; none also when it is no address.
///
/// # Errors
/// When the store cannot be read.
pub async fn find_by_email(store: &dyn Store<UserRow>, email: &str) -> Result<Option<Account>, StoreError> {
    let owner = match Email::parse(email) {
        Ok(email) => owner_of(store, &email).await?,
        Err(_) => None,
    };
    // An unknown address takes the same two reads as a known one, so that time does not tell them apart.
    account(store, owner.unwrap_or(UserId(uuid::Uuid::nil()))).await
}

/// Whose an address is.
pub(crate) async fn owner_of(
    store: &dyn Store<UserRow>,
    email: &Email,
) -> Result<Option<UserId>, StoreError> {
    match row(store, email_key(email)).await? {
        Some(UserRow::Email(claim)) => Ok(Some(claim.user_id)),
        _ => Ok(None),
    }
}

/// An account.
pub(crate) async fn account(store: &dyn Store<UserRow>, id: UserId) -> Result<Option<Account>, StoreError> {
    match row(store, account_key(id)).await? {
        Some(UserRow::Account(account)) => Ok(Some(account)),
        _ => Ok(None),
    }
}

/// A session, if it has not ended.
pub(crate) async fn session(
    store: &dyn Store<UserRow>,
    id: SessionId,
) -> Result<Option<Session>, StoreError> {
    match row(store, session_key(id)).await? {
        Some(UserRow::Session(session)) => Ok(Some(session)),
        _ => Ok(None),
    }
}

/// The sessions of an account, oldest first.
pub(crate) async fn sessions(
    store: &dyn Store<UserRow>,
    account: &Account,
) -> Result<Vec<Session>, StoreError> {
    let keys: Vec<Key> = account.sessions.iter().copied().map(session_key).collect();
    let rows = store.load(&keys, &[]).await?.rows;
    let sessions = rows.into_iter().flatten().filter_map(|versioned| match versioned.into_row() {
        UserRow::Session(session) => Some(session),
        _ => None,
    });
    Ok(sessions.collect())
}

async fn row(store: &dyn Store<UserRow>, key: Key) -> Result<Option<UserRow>, StoreError> {
    let loaded = store.load(&[key], &[]).await?;
    Ok(loaded.rows.into_iter().flatten().next().map(store::Versioned::into_row))
}
