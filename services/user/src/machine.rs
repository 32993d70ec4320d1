//! The user service's decisions on rows: which rows a command needs, and what becomes of them.

use async_trait::async_trait;
use domain::{
    Refusal, SessionId, Time, UserId,
    facts::Published,
    planted::{Defect, planted},
    user::{
        self, Account, Application, Edit, Email, PasswordHash, Role, Rotation, SecretHash, Session,
        account_gone, email_taken, wrong_credentials,
    },
};
use kit::{Machine, View};
use serde::{Deserialize, Serialize};
use store::{Key, Store, StoreError};

use crate::{
    read,
    rows::{EmailClaim, UserRow, account_key, email_key, session_key},
};

/// What can be asked of the user service. Hashes and ids are made before, for deciding is pure.
#[derive(Clone)]
pub enum Command {
    /// Opens an account.
    Register(Box<Registration>),
    /// Starts a session for a user whose password was found right.
    SignIn(SignIn),
    /// Spends a refresh token.
    Refresh {
        /// The family.
        session: SessionId,
        /// The token's secret.
        presented: SecretHash,
        /// The next token's.
        next: SecretHash,
    },
    /// Ends the family of a refresh token.
    Logout(SessionId),
    /// Changes an account.
    Update(UserId, Edit),
    /// Erases an account.
    Erase(UserId),
    /// Gives a role to whom an address belongs.
    Grant(Email, Role),
    /// Removes sessions that are over.
    Sweep(Vec<SessionId>),
}

/// What an account is opened with.
#[derive(Clone)]
pub struct Registration {
    /// The account's id.
    pub id: UserId,
    /// What the person told, found right.
    pub application: Application,
    /// The address in its canonical form.
    pub email: Email,
    /// Of the password.
    pub password_hash: PasswordHash,
    /// What they may do.
    pub roles: Vec<Role>,
}

/// A password that was found right, and the session that it is to start.
#[derive(Clone)]
pub struct SignIn {
    /// Whose password.
    pub user_id: UserId,
    /// [`Account::password_changes`] of the password that was checked.
    pub checked: u32,
    /// The same password hashed at today's cost, when the stored hash is of another.
    pub rehashed: Option<PasswordHash>,
    /// The session's id.
    pub session: SessionId,
    /// Its first token's secret.
    pub secret: SecretHash,
}

/// What the user service answers. It is stored with idempotency keys, so it holds nothing personal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// An account was opened.
    Registered(UserId),
    /// A refresh token was given.
    SignedIn {
        /// Whose.
        user_id: UserId,
        /// What they may do.
        roles: Vec<Role>,
    },
    /// The refresh token is not valid. It is no refusal, for its family may have ended by it.
    NotSignedIn,
    /// It is done.
    Done,
}

/// The user service's behaviour.
#[derive(Debug, Clone, Copy, Default)]
pub struct UserMachine;

#[async_trait]
impl Machine for UserMachine {
    type Row = UserRow;
    type Command = Command;
    type Reply = Reply;

    fn keys(&self, command: &Command) -> Vec<Key> {
        match command {
            Command::Register(new) => vec![account_key(new.id), email_key(&new.email)],
            Command::SignIn(sign_in) => vec![account_key(sign_in.user_id), session_key(sign_in.session)],
            Command::Refresh { session, .. } | Command::Logout(session) => vec![session_key(*session)],
            Command::Update(user_id, _) | Command::Erase(user_id) => vec![account_key(*user_id)],
            Command::Grant(email, _) => vec![email_key(email)],
            Command::Sweep(sessions) => sessions.iter().copied().map(session_key).collect(),
        }
    }

    fn searches(&self, command: &Command) -> bool {
        !matches!(command, Command::Register(_) | Command::Sweep(_))
    }

    async fn search(&self, store: &dyn Store<UserRow>, command: &Command) -> Result<Vec<Key>, StoreError> {
        match command {
            Command::Refresh { session, .. } | Command::Logout(session) => {
                let session = read::session(store, *session).await?;
                Ok(session.map(|session| account_key(session.user_id)).into_iter().collect())
            }
            Command::SignIn(SignIn { user_id, .. })
            | Command::Update(user_id, Edit { password: Some(_), .. })
            | Command::Erase(user_id) => {
                let account = read::account(store, *user_id).await?;
                Ok(account.as_ref().map(belongings).unwrap_or_default())
            }
            Command::Grant(email, _) => {
                let owner = read::owner_of(store, email).await?;
                Ok(owner.map(account_key).into_iter().collect())
            }
            Command::Register(_) | Command::Update(..) | Command::Sweep(_) => Ok(Vec::new()),
        }
    }

    fn decide(&self, view: &mut View<UserRow>, command: &Command, now: Time) -> Result<Reply, Refusal> {
        match command {
            Command::Register(new) => register(view, new, now),
            Command::SignIn(asked) => sign_in(view, asked, now),
            Command::Refresh { session, presented, next } => {
                Ok(refresh(view, *session, presented, next, now))
            }
            Command::Logout(session) => {
                end_session(view, *session);
                Ok(Reply::Done)
            }
            Command::Update(user_id, edit) => update(view, *user_id, edit),
            Command::Erase(user_id) => erase(view, *user_id),
            Command::Grant(email, role) => grant(view, email, *role),
            Command::Sweep(sessions) => {
                sweep(view, sessions, now);
                Ok(Reply::Done)
            }
        }
    }

    fn hear(&self, _fact: &Published) -> Option<Command> {
        None
    }
}

/// The keys of what an account owns beside itself.
fn belongings(account: &Account) -> Vec<Key> {
    let sessions = account.sessions.iter().copied().map(session_key);
    sessions.chain([email_key(&account.canonical_email)]).collect()
}

fn register(view: &mut View<UserRow>, new: &Registration, now: Time) -> Result<Reply, Refusal> {
    if view.get(&email_key(&new.email)).is_some() {
        return Err(email_taken());
    }
    let (email, hash) = (new.email.clone(), new.password_hash.clone());
    let account = user::register(new.id, &new.application, email.clone(), hash, new.roles.clone(), now);
    view.publish(account.upserted());
    view.put(EmailClaim { email, user_id: new.id });
    view.put(account);
    Ok(Reply::Registered(new.id))
}

fn sign_in(view: &mut View<UserRow>, asked: &SignIn, now: Time) -> Result<Reply, Refusal> {
    let mut account = account_in(view, asked.user_id).ok_or_else(wrong_credentials)?;
    // The password was changed while it was checked: what was right then is wrong now.
    if account.password_changes != asked.checked {
        return Err(wrong_credentials());
    }
    if let Some(hash) = &asked.rehashed {
        account.password_hash = hash.clone();
    }
    // Sessions that were swept make room before one that may go on does.
    account.sessions.retain(|id| !view.knows(&session_key(*id)) || session_in(view, *id).is_some());
    for pushed_out in account.add_session(asked.session) {
        view.remove(session_key(pushed_out));
    }
    let reply = Reply::SignedIn { user_id: account.id, roles: account.roles.clone() };
    view.put(Session::open(asked.session, asked.user_id, asked.secret.clone(), now));
    view.put(account);
    Ok(reply)
}

fn refresh(
    view: &mut View<UserRow>,
    id: SessionId,
    presented: &SecretHash,
    next: &SecretHash,
    now: Time,
) -> Reply {
    let Some(session) = session_in(view, id) else { return Reply::NotSignedIn };
    // The account's list decides which sessions may go on; the rows follow it.
    let account = account_in(view, session.user_id).filter(|account| account.sessions.contains(&id));
    match (account, session.rotate(presented, next.clone(), now)) {
        (Some(account), Rotation::Renewed(renewed)) => {
            view.put(renewed);
            Reply::SignedIn { user_id: account.id, roles: account.roles }
        }
        _ => {
            end_session(view, id);
            Reply::NotSignedIn
        }
    }
}

fn end_session(view: &mut View<UserRow>, id: SessionId) {
    let Some(session) = session_in(view, id) else { return };
    if planted(Defect::SignedOutGoesOn) {
        return;
    }
    view.remove(session_key(id));
    if let Some(mut account) = account_in(view, session.user_id)
        && account.sessions.contains(&id)
    {
        account.sessions.retain(|other| *other != id);
        view.put(account);
    }
}

fn update(view: &mut View<UserRow>, user_id: UserId, edit: &Edit) -> Result<Reply, Refusal> {
    let before = account_in(view, user_id).ok_or_else(account_gone)?;
    let after = before.update(edit)?;
    if after == before {
        return Ok(Reply::Done);
    }
    for ended in before.sessions.iter().filter(|id| !after.sessions.contains(id)) {
        view.remove(session_key(*ended));
    }
    if after.version != before.version {
        view.publish(after.upserted());
    }
    view.put(after);
    Ok(Reply::Done)
}

fn erase(view: &mut View<UserRow>, user_id: UserId) -> Result<Reply, Refusal> {
    let account = account_in(view, user_id).ok_or_else(account_gone)?;
    for key in belongings(&account).into_iter().filter(|_| !planted(Defect::ErasureLeavesAddress)) {
        view.remove(key);
    }
    view.remove(account_key(user_id));
    if !planted(Defect::ErasureNotTold) {
        view.publish(account.erased());
    }
    Ok(Reply::Done)
}

fn grant(view: &mut View<UserRow>, email: &Email, role: Role) -> Result<Reply, Refusal> {
    let owner = match view.get(&email_key(email)) {
        Some(UserRow::Email(claim)) => Some(claim.user_id),
        _ => None,
    };
    let account = owner.and_then(|owner| account_in(view, owner));
    let mut account = account.ok_or_else(|| Refusal::not_found("account with this email address"))?;
    account.grant(role);
    view.put(account);
    Ok(Reply::Done)
}

fn sweep(view: &mut View<UserRow>, sessions: &[SessionId], now: Time) {
    for id in sessions {
        // It may have been used since it was found.
        if session_in(view, *id).is_some_and(|session| session.expires_at <= now) {
            view.remove(session_key(*id));
        }
    }
}

/// An account, if it is there and was looked for; somebody may have made it after the search.
fn account_in(view: &View<UserRow>, id: UserId) -> Option<Account> {
    let key = account_key(id);
    match view.knows(&key).then(|| view.get(&key))? {
        Some(UserRow::Account(account)) => Some(account.clone()),
        _ => None,
    }
}

/// A session, as [`account_in`] gives an account.
fn session_in(view: &View<UserRow>, id: SessionId) -> Option<Session> {
    let key = session_key(id);
    match view.knows(&key).then(|| view.get(&key))? {
        Some(UserRow::Session(session)) => Some(session.clone()),
        _ => None,
    }
}
