//! What two processes may do to one account at once, one step at a time.

use domain::{
    SessionId, UserId,
    user::{Edit, NewPassword, PasswordHash},
};
use store::{Change, Commit, CommitId, Store};

use super::*;
use crate::{
    machine::{Command, Reply, SignIn},
    rows::account_key,
    tokens::Secret,
};

fn sign_in(world: &World, user_id: UserId, secret: &Secret) -> (SessionId, Command) {
    let session = SessionId(world.environment.id());
    let secret = secret.hash.clone();
    (session, Command::SignIn(SignIn { user_id, checked: 0, rehashed: None, session, secret }))
}

#[tokio::test]
async fn a_password_that_was_changed_while_it_was_checked_starts_no_session() {
    let world = World::new();
    let user_id = register(&world.process(), "ada@example.org").await.id.parse().unwrap();
    let handle = world.runtime.start(world.pipeline());
    let hash = PasswordHash("new".to_owned());
    let change =
        |checked| Edit { password: Some(NewPassword { checked, hash: hash.clone() }), ..Edit::default() };
    let (_, late) = sign_in(&world, user_id, &Secret::random(&world.environment));
    handle.command(Command::Update(user_id, change(0))).await.unwrap();
    assert_eq!(handle.command(late).await.unwrap_err().reason, "wrong_credentials");
    let second = handle.command(Command::Update(user_id, change(0))).await.unwrap_err();
    assert_eq!(fields(&second), ["current_password"]);
    assert_eq!(world.rows(), [1, 1, 0]);
}

#[tokio::test]
async fn a_session_that_its_account_does_not_list_cannot_go_on() {
    let world = World::new();
    let user_id = register(&world.process(), "ada@example.org").await.id.parse().unwrap();
    let handle = world.runtime.start(world.pipeline());
    let secret = Secret::random(&world.environment);
    let (session, command) = sign_in(&world, user_id, &secret);
    handle.command(command).await.unwrap();
    // Another process ended every session without having seen this one's row.
    let mut loaded = world.store.load(&[account_key(user_id)], &[]).await.unwrap().rows;
    let account = loaded.pop().flatten().unwrap();
    let UserRow::Account(mut ended) = account.clone().into_row() else { panic!("an account") };
    ended.sessions.clear();
    let mut commit = Commit::new(CommitId(world.environment.id()), 0);
    let (key, expected) = (account_key(user_id), account.version);
    commit.changes.push(Change::new(key, expected, Some(ended.into())));
    world.store.commit(commit).await.unwrap();
    let (presented, next) = (secret.hash.clone(), secret.hash.clone());
    let reply = handle.command(Command::Refresh { session, presented, next }).await.unwrap();
    assert_eq!(reply, Reply::NotSignedIn);
    assert_eq!(world.rows(), [1, 1, 0]);
}
