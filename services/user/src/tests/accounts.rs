//! Opening, changing and erasing accounts.

use std::collections::BTreeSet;

use prost_types::FieldMask;
use proto::v1::{DeleteMeRequest, user};
use tokio::task::JoinSet;

use super::*;
use crate::{find_by_email, grant_admin};

#[tokio::test]
async fn who_registers_can_sign_in_and_see_themselves() {
    let world = World::new();
    let client = world.process();
    let application = RegisterRequest {
        gender: Some(user::Gender::Female.into()),
        birth_year: Some(1_990),
        ..application(" Ada@Example.org ")
    };
    let response = client.clone().register(application).await.unwrap();
    assert_eq!(response.metadata().get(proto::HTTP_STATUS_HEADER).unwrap(), "201");
    let registered = response.into_inner();
    assert_eq!(registered.email, "Ada@Example.org");
    assert_eq!(registered.roles, [i32::from(user::Role::User)]);
    let tokens = login(&client, "ada@EXAMPLE.org", PASSWORD).await.unwrap();
    assert_eq!((tokens.token_type.as_str(), tokens.expires_in), ("Bearer", 300));
    assert_eq!(me(&client, &tokens).await.unwrap(), registered);
    let (kind, fact) = world.facts().remove(0);
    assert_eq!((kind.as_str(), &fact["user_id"]), ("user.upserted", &registered.id.into()));
    assert!(!fact.to_string().contains("argon2"));
}

#[tokio::test]
async fn every_wrong_field_is_named() {
    let client = World::new().process();
    let wrong = RegisterRequest {
        name: String::new(),
        email: "ada".to_owned(),
        password: "short".to_owned(),
        gender: Some(7),
        birth_year: Some(1_066),
    };
    let error = read(client.clone().register(wrong).await.unwrap_err());
    assert_eq!(fields(&error), ["gender", "name", "email", "password", "birth_year"]);
    let long = RegisterRequest { password: "a".repeat(257), ..application("ada@example.org") };
    assert_eq!(fields(&read(client.clone().register(long).await.unwrap_err())), ["password"]);
    assert_eq!(fields(&login(&client, "", "").await.unwrap_err()), ["email", "password"]);
    let error = login(&client, "ada@example.org", &"a".repeat(257)).await.unwrap_err();
    assert_eq!(fields(&error), ["password"]);
    assert_eq!(fields(&refresh(&client, "").await.unwrap_err()), ["refresh_token"]);
}

#[tokio::test]
async fn a_taken_address_is_refused_in_every_spelling() {
    let world = World::new();
    let client = world.process();
    register(&client, "ada@example.org").await;
    for email in ["ada@example.org", "ADA@example.org", " ada@Example.Org", "\u{ff41}da@example.org"] {
        let error = read(client.clone().register(application(email)).await.unwrap_err());
        assert_eq!((error.code, error.reason.as_ref()), (Code::Conflict, "email_taken"), "{email}");
    }
    assert_eq!(world.rows(), [1, 1, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_parallel_registrations_of_an_address_one_succeeds() {
    let world = World::new();
    let processes = [world.process(), world.process()];
    let mut tries = JoinSet::new();
    for number in 0..10 {
        let mut client = processes[number % 2].clone();
        tries.spawn(async move { client.register(application("ada@example.org")).await });
    }
    let outcomes = tries.join_all().await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    for refused in outcomes.into_iter().filter_map(Result::err) {
        assert_eq!(read(refused).reason, "email_taken");
    }
    assert_eq!(world.rows(), [1, 1, 0]);
    assert_eq!(world.facts().len(), 1);
}

#[tokio::test]
async fn a_repeated_registration_gives_the_first_answer() {
    let world = World::new();
    let mut client = world.process();
    let mut send = async |application: RegisterRequest| client.register(with_key(application, "key-1")).await;
    let first = send(application("ada@example.org")).await.unwrap();
    assert!(first.metadata().get(kit::request::IDEMPOTENCY_REPLAYED).is_none());
    let again = send(application("ada@example.org")).await.unwrap();
    assert_eq!(again.metadata().get(kit::request::IDEMPOTENCY_REPLAYED).unwrap(), "true");
    assert_eq!(again.metadata().get(proto::HTTP_STATUS_HEADER).unwrap(), "201");
    assert_eq!(again.into_inner(), first.into_inner());
    let other = RegisterRequest { password: "another horse".to_owned(), ..application("ada@example.org") };
    for other in [other, application("bob@example.org")] {
        let error = read(send(other).await.unwrap_err());
        assert_eq!((error.code, error.reason.as_ref()), (Code::KeyReused, "idempotency_key_reused"));
    }
    assert_eq!(world.rows(), [1, 1, 0]);
    let mut restarted = world.process();
    let later = restarted.register(with_key(application("ada@example.org"), "key-1")).await.unwrap();
    assert!(later.metadata().contains_key(kit::request::IDEMPOTENCY_REPLAYED));
}

#[tokio::test]
async fn an_update_changes_what_the_mask_names() {
    let world = World::new();
    let client = world.process();
    register(&client, "ada@example.org").await;
    let tokens = login(&client, "ada@example.org", PASSWORD).await.unwrap();
    let mask =
        |paths: &[&str]| Some(FieldMask { paths: paths.iter().map(|&path| path.to_owned()).collect() });
    let change = UpdateMeRequest {
        name: Some("Ada".to_owned()),
        gender: Some(user::Gender::Other.into()),
        birth_year: Some(1_990),
        ..UpdateMeRequest::default()
    };
    let changed = update(&client, &tokens, change.clone()).await.unwrap();
    assert_eq!((changed.name.as_str(), changed.birth_year), ("Ada", Some(1_990)));
    let clear =
        UpdateMeRequest { update_mask: mask(&["gender", "birth_year"]), ..UpdateMeRequest::default() };
    let cleared = update(&client, &tokens, clear).await.unwrap();
    assert_eq!((cleared.name.as_str(), cleared.gender, cleared.birth_year), ("Ada", None, None));
    let only_name = UpdateMeRequest { update_mask: mask(&["name"]), ..change };
    assert_eq!(update(&client, &tokens, only_name).await.unwrap().birth_year, None);
    let versions: Vec<_> = world.facts().iter().map(|(_, fact)| fact["version"].clone()).collect();
    assert_eq!(versions, [1, 2, 3], "the last update changed nothing");
    for (wrong, field) in [
        (UpdateMeRequest { update_mask: mask(&["email"]), ..UpdateMeRequest::default() }, "update_mask"),
        (UpdateMeRequest { update_mask: mask(&["name"]), ..UpdateMeRequest::default() }, "name"),
        (UpdateMeRequest { gender: Some(0), ..UpdateMeRequest::default() }, "gender"),
        (UpdateMeRequest { birth_year: Some(3_000), ..UpdateMeRequest::default() }, "birth_year"),
    ] {
        assert_eq!(fields(&update(&client, &tokens, wrong).await.unwrap_err()), [field]);
    }
}

#[tokio::test]
async fn a_new_password_needs_the_current_one_and_ends_every_session() {
    let world = World::new();
    let client = world.process();
    register(&client, "ada@example.org").await;
    let tokens = login(&client, "ada@example.org", PASSWORD).await.unwrap();
    let other = login(&client, "ada@example.org", PASSWORD).await.unwrap();
    let change = |current: Option<&str>, new: &str| UpdateMeRequest {
        password: Some(new.to_owned()),
        current_password: current.map(str::to_owned),
        ..UpdateMeRequest::default()
    };
    for wrong in [change(None, "new horse"), change(Some("wrong horse"), "new horse")] {
        assert_eq!(fields(&update(&client, &tokens, wrong).await.unwrap_err()), ["current_password"]);
    }
    let short = change(Some(PASSWORD), "short");
    assert_eq!(fields(&update(&client, &tokens, short).await.unwrap_err()), ["password"]);
    assert!(refresh(&client, &other.refresh_token).await.is_ok(), "nothing was changed so far");
    update(&client, &tokens, change(Some(PASSWORD), "new horse")).await.unwrap();
    assert_eq!(refresh(&client, &tokens.refresh_token).await.unwrap_err().reason, "invalid_refresh_token");
    assert_eq!(world.rows(), [1, 1, 0]);
    assert_eq!(world.facts().len(), 1, "a password is nobody else's business");
    assert_eq!(login(&client, "ada@example.org", PASSWORD).await.unwrap_err().reason, "wrong_credentials");
    assert!(login(&client, "ada@example.org", "new horse").await.is_ok());
}

#[tokio::test]
async fn an_erased_account_leaves_nothing_and_its_address_is_free() {
    let world = World::new();
    let client = world.process();
    client.clone().register(with_key(application("ada@example.org"), "key-1")).await.unwrap();
    let tokens = login(&client, "ada@example.org", PASSWORD).await.unwrap();
    client.clone().delete_me(with_token(DeleteMeRequest {}, &tokens)).await.unwrap();
    assert_eq!(world.rows(), [0, 0, 0]);
    let kinds: Vec<_> = world.facts().into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, ["user.erased"], "what was told before names the person, so it is gone from the log");
    assert_eq!(login(&client, "ada@example.org", PASSWORD).await.unwrap_err().reason, "wrong_credentials");
    assert_eq!(me(&client, &tokens).await.unwrap_err().code, Code::Unauthenticated);
    let again = client.clone().delete_me(with_token(DeleteMeRequest {}, &tokens)).await;
    assert_eq!(read(again.unwrap_err()).code, Code::Unauthenticated);
    assert_eq!(refresh(&client, &tokens.refresh_token).await.unwrap_err().code, Code::Unauthenticated);
    let replay = client.clone().register(with_key(application("ada@example.org"), "key-1")).await;
    assert_eq!(read(replay.unwrap_err()).code, Code::NotFound);
    register(&client, "ada@example.org").await;
}

#[tokio::test]
async fn administrators_are_named_in_the_config_or_by_command() {
    let world = World::new();
    let admin_emails = BTreeSet::from(["Root@example.org".to_owned()]);
    let client = world.process_with(Vec::new(), Config { admin_emails, ..Config::default() });
    let roles = async |email: &str| {
        let tokens = login(&client, email, PASSWORD).await.unwrap();
        world.signer.verifier().verify(&tokens.access_token, world.environment.now()).unwrap().roles.clone()
    };
    register(&client, "root@example.org").await;
    register(&client, "ada@example.org").await;
    assert_eq!(roles("root@example.org").await, [kit::identity::Role::User, kit::identity::Role::Admin]);
    assert_eq!(roles("ada@example.org").await, [kit::identity::Role::User]);
    grant_admin(&world.pipeline(), " ADA@example.org").await.unwrap();
    assert_eq!(roles("ada@example.org").await, [kit::identity::Role::User, kit::identity::Role::Admin]);
    assert_eq!(grant_admin(&world.pipeline(), "bob@example.org").await.unwrap_err().code, Code::NotFound);
    assert_eq!(fields(&grant_admin(&world.pipeline(), "bob").await.unwrap_err()), ["email"]);
}

#[tokio::test]
async fn an_account_is_found_by_its_address() {
    let world = World::new();
    let registered = register(&world.process(), "ada@example.org").await;
    let found = find_by_email(world.store.as_ref(), " ADA@example.org ").await.unwrap().unwrap();
    assert_eq!(found.id.to_string(), registered.id);
    for email in ["bob@example.org", "bob", ""] {
        assert!(find_by_email(world.store.as_ref(), email).await.unwrap().is_none());
    }
}
