//! Signing in, refreshing, signing out, and guessing.

use domain::user::MAX_SESSIONS;
use tokio::task::JoinSet;

use super::*;

async fn signed_in() -> (World, Client, Tokens) {
    let world = World::new();
    let client = world.process();
    register(&client, "ada@example.org").await;
    let tokens = login(&client, "ada@example.org", PASSWORD).await.unwrap();
    (world, client, tokens)
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_get_one_answer() {
    let (_world, client, _) = signed_in().await;
    let wrong = login(&client, "ada@example.org", "wrong horse").await.unwrap_err();
    assert_eq!((wrong.code, wrong.reason.as_ref()), (Code::Unauthenticated, "wrong_credentials"));
    for email in ["bob@example.org", "no address at all"] {
        assert_eq!(login(&client, email, PASSWORD).await.unwrap_err(), wrong, "{email}");
    }
}

#[tokio::test]
async fn an_access_token_expires_and_its_bearer_goes_on_by_refreshing() {
    let (world, client, tokens) = signed_in().await;
    world.pass_seconds(299);
    assert!(me(&client, &tokens).await.is_ok());
    world.pass_seconds(1);
    assert_eq!(me(&client, &tokens).await.unwrap_err().code, Code::Unauthenticated);
    let anonymous = client.clone().get_me(GetMeRequest {}).await.unwrap_err();
    assert_eq!(read(anonymous).code, Code::Unauthenticated);
    let next = refresh(&client, &tokens.refresh_token).await.unwrap();
    assert_ne!(next.refresh_token, tokens.refresh_token);
    assert!(me(&client, &next).await.is_ok());
    assert!(refresh(&client, &next.refresh_token).await.is_ok());
}

#[tokio::test]
async fn a_spent_token_ends_its_family_and_no_other() {
    let (world, client, first) = signed_in().await;
    let other = login(&client, "ada@example.org", PASSWORD).await.unwrap();
    let second = refresh(&client, &first.refresh_token).await.unwrap();
    let reused = refresh(&client, &first.refresh_token).await.unwrap_err();
    assert_eq!((reused.code, reused.reason.as_ref()), (Code::Unauthenticated, "invalid_refresh_token"));
    assert_eq!(refresh(&client, &second.refresh_token).await.unwrap_err(), reused, "no answer says why");
    for garbage in ["x", "a.b", &first.access_token] {
        assert_eq!(refresh(&client, garbage).await.unwrap_err(), reused);
    }
    assert!(refresh(&client, &other.refresh_token).await.is_ok());
    assert_eq!(world.rows(), [1, 1, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_parallel_refreshes_with_one_token_one_succeeds_and_the_family_ends() {
    let (world, client, tokens) = signed_in().await;
    let processes = [client, world.process()];
    let mut tries = JoinSet::new();
    for number in 0..20 {
        let (client, token) = (processes[number % 2].clone(), tokens.refresh_token.clone());
        tries.spawn(async move { refresh(&client, &token).await });
    }
    let outcomes = tries.join_all().await;
    let renewed: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().ok()).collect();
    assert_eq!(renewed.len(), 1);
    for refused in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
        assert_eq!(refused.reason, "invalid_refresh_token");
    }
    assert!(refresh(&processes[0], &renewed[0].refresh_token).await.is_err());
    assert_eq!(world.rows(), [1, 1, 0]);
}

#[tokio::test]
async fn logging_out_ends_the_family_and_an_unknown_token_is_no_error() {
    let (world, client, tokens) = signed_in().await;
    logout(&client, &tokens.refresh_token).await.unwrap();
    assert_eq!(world.rows(), [1, 1, 0]);
    assert_eq!(refresh(&client, &tokens.refresh_token).await.unwrap_err().code, Code::Unauthenticated);
    logout(&client, &tokens.refresh_token).await.unwrap();
    logout(&client, "nonsense").await.unwrap();
}

#[tokio::test]
async fn a_family_that_is_idle_too_long_is_over_and_swept() {
    let (world, client, tokens) = signed_in().await;
    let handle = world.runtime.start(world.pipeline());
    world.pass_seconds(29 * 86_400);
    assert_eq!(crate::sweep::sweep(&handle).await.unwrap(), 0);
    let kept = login(&client, "ada@example.org", PASSWORD).await.unwrap();
    world.pass_seconds(2 * 86_400);
    assert_eq!(crate::sweep::sweep(&handle).await.unwrap(), 1);
    assert_eq!(world.rows(), [1, 1, 1]);
    assert!(refresh(&client, &tokens.refresh_token).await.is_err());
    assert!(refresh(&client, &kept.refresh_token).await.is_ok());
    login(&client, "ada@example.org", PASSWORD).await.unwrap();
    let account = crate::find_by_email(world.store.as_ref(), "ada@example.org").await.unwrap().unwrap();
    assert_eq!(account.sessions.len(), 2, "what was swept makes room");
}

#[tokio::test]
async fn the_oldest_family_makes_room() {
    let (world, client, first) = signed_in().await;
    let mut last = first.clone();
    for _ in 0..MAX_SESSIONS {
        last = login(&client, "ada@example.org", PASSWORD).await.unwrap();
    }
    assert_eq!(world.rows(), [1, 1, MAX_SESSIONS]);
    assert!(refresh(&client, &first.refresh_token).await.is_err());
    assert!(refresh(&client, &last.refresh_token).await.is_ok());
}

#[tokio::test]
async fn who_guesses_has_to_wait_and_the_owner_gets_in_afterwards() {
    let (world, client, _) = signed_in().await;
    for email in ["ada@example.org", "bob@example.org"] {
        for number in 0..10 {
            let spelling = if number % 2 == 0 { email.to_owned() } else { email.replace('o', "\u{ff2f}") };
            let error = login(&client, &spelling, "wrong horse").await.unwrap_err();
            assert_eq!(error.reason, "wrong_credentials");
        }
        let error = login(&client, email, PASSWORD).await.unwrap_err();
        assert_eq!((error.code, error.reason.as_ref()), (Code::TooMany, "too_many_requests"), "{email}");
        assert_eq!(error.retry_after.unwrap().as_secs(), 1);
    }
    register(&client, "carol@example.org").await;
    assert!(login(&client, "carol@example.org", PASSWORD).await.is_ok(), "others do not wait");
    world.pass_seconds(1);
    assert!(login(&client, "ada@example.org", PASSWORD).await.is_ok());
    assert!(login(&client, "ada@example.org", "wrong horse").await.unwrap_err().retry_after.is_none());
}

#[tokio::test]
async fn a_dearer_hash_replaces_a_cheap_one_at_the_next_sign_in() {
    let world = World::new();
    register(&world.process(), "ada@example.org").await;
    let cost = Cost { memory_kib: 16, passes: 1, lanes: 1 };
    let config = Config { cost, ..Config::default() };
    let client = world.process_as_configured(Vec::new(), config);
    assert!(login(&client, "ada@example.org", PASSWORD).await.is_ok());
    let account = crate::find_by_email(world.store.as_ref(), "ada@example.org").await.unwrap().unwrap();
    assert!(account.password_hash.0.contains("m=16,"));
    assert!(login(&client, "ada@example.org", PASSWORD).await.is_ok());
}
