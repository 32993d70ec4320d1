//! Opening an account, signing in and out, and changing what an account says.

use crate::fixture::{Read, actor::PASSWORD, hours_from_now, json, play};

#[test]
fn who_registers_gets_an_account_without_their_password_in_it() {
    play(async |stage| {
        let details = json!({"name": "Ana Ní Bhriain", "email": "ana@example.org", "password": PASSWORD,
            "gender": "FEMALE", "birth_year": 1990});
        let user = stage.anonymous().post("/v1/auth/register", details).await.expect(201);
        assert_eq!(user["name"], "Ana Ní Bhriain");
        assert_eq!(user["email"], "ana@example.org");
        assert_eq!(user["roles"], json!(["USER"]));
        assert_eq!(user["gender"], "FEMALE");
        assert_eq!(user["birth_year"], 1990);
        assert!(!user.id().is_empty());
        assert!(!user.to_string().contains("password"), "{user}");
    });
}

#[test]
fn an_address_has_one_account_whatever_its_case() {
    play(async |stage| {
        let anna = stage.user("Anna").await;
        for email in [anna.email.clone(), anna.email.to_uppercase(), format!(" {} ", anna.email)] {
            let body = json!({"name": "Other", "email": email, "password": PASSWORD});
            let answer = stage.anonymous().post("/v1/auth/register", body).await;
            assert!(matches!(answer.status, 400 | 409), "{answer}");
        }
        let body = json!({"name": "Other", "email": "ANNA@example.org", "password": PASSWORD});
        stage.anonymous().post("/v1/auth/register", body).await.problem(409, "email_taken");
    });
}

#[test]
fn a_registration_names_everything_that_is_wrong_with_it() {
    play(async |stage| {
        let body = json!({"name": "", "email": "nowhere", "password": "short", "birth_year": 1492});
        let refused = stage.anonymous().post("/v1/auth/register", body).await;
        for field in ["name", "email", "password", "birth_year"] {
            refused.bad_field(field);
        }
        let next_year = hours_from_now(366 * 24)[..4].parse::<i32>().unwrap();
        for (field, value) in [("birth_year", json!(next_year)), ("gender", json!("WOMAN"))] {
            let mut body = json!({"name": "Anna", "email": "anna@example.org", "password": PASSWORD});
            body[field] = value;
            stage.anonymous().post("/v1/auth/register", body).await.bad_field(field);
        }
        let long = json!({"name": "Anna", "email": "anna@example.org", "password": "x".repeat(257)});
        stage.anonymous().post("/v1/auth/register", long).await.bad_field("password");
    });
}

#[test]
fn a_login_gives_a_bearer_token_for_five_minutes_and_the_caller_is_known_by_it() {
    play(async |stage| {
        let anna = stage.user("Anna").await;
        let tokens = anna.logs_in(PASSWORD).await.expect(200);
        assert_eq!(tokens["token_type"], "Bearer");
        assert_eq!(tokens["expires_in"], 300);
        assert_ne!(tokens.text("access_token"), tokens.text("refresh_token"));
        let me = anna.with_token(tokens.text("access_token")).get("/v1/users/me").await.expect(200);
        assert_eq!(me.id(), anna.id);
        assert_eq!(me["email"], "anna@example.org");
    });
}

#[test]
fn a_wrong_password_and_an_unknown_address_are_answered_alike() {
    play(async |stage| {
        let anna = stage.user("Anna").await;
        let wrong = anna.logs_in("not the password").await.problem(401, "wrong_credentials");
        let body = json!({"email": "nobody@example.org", "password": "not the password"});
        let unknown = stage.anonymous().post("/v1/auth/login", body).await.problem(401, "wrong_credentials");
        assert_eq!(wrong["detail"], unknown["detail"]);
        assert_eq!(wrong["title"], unknown["title"]);
    });
}

#[test]
fn who_guesses_passwords_has_to_wait_and_is_told_how_long() {
    play(async |stage| {
        let anna = stage.user("Anna").await;
        let mut refused = anna.logs_in("guess 0").await;
        for guess in 1..50 {
            if refused.status == 429 {
                break;
            }
            refused.problem(401, "wrong_credentials");
            refused = anna.logs_in(&format!("guess {guess}")).await;
        }
        refused.problem(429, "too_many_requests");
        assert!(refused.header("retry-after").parse::<u32>().unwrap() >= 1);
        let ben = stage.user("Ben").await;
        ben.logs_in(PASSWORD).await.expect(200);
    });
}

#[test]
fn a_refresh_token_is_spent_when_it_is_used() {
    play(async |stage| {
        let anna = stage.user("Anna").await;
        let first = anna.logs_in(PASSWORD).await.expect(200);
        let refresh =
            |token: &str| stage.anonymous().post("/v1/auth/refresh", json!({"refresh_token": token}));
        let second = refresh(first.text("refresh_token")).await.expect(200);
        assert_eq!(second["token_type"], "Bearer");
        assert_ne!(first["refresh_token"], second["refresh_token"]);
        let anna = anna.with_token(second.text("access_token"));
        assert_eq!(anna.get("/v1/users/me").await.expect(200).id(), anna.id);
    });
}

#[test]
fn a_refresh_token_used_twice_ends_the_whole_family() {
    play(async |stage| {
        let anna = stage.user("Anna").await;
        let refresh =
            |token: String| stage.anonymous().post("/v1/auth/refresh", json!({"refresh_token": token}));
        let stolen = anna.logs_in(PASSWORD).await.expect(200).text("refresh_token").to_owned();
        let other_device = anna.logs_in(PASSWORD).await.expect(200).text("refresh_token").to_owned();
        let second = refresh(stolen.clone()).await.expect(200).text("refresh_token").to_owned();
        refresh(stolen).await.problem(401, "invalid_refresh_token");
        refresh(second).await.problem(401, "invalid_refresh_token");
        refresh(other_device).await.expect(200);
        refresh("made up".to_owned()).await.problem(401, "invalid_refresh_token");
    });
}

#[test]
fn a_logout_ends_the_session_and_is_no_error_twice() {
    play(async |stage| {
        let anna = stage.user("Anna").await;
        let token = anna.logs_in(PASSWORD).await.expect(200).text("refresh_token").to_owned();
        let body = json!({"refresh_token": token});
        for _ in 0..2 {
            let answer = stage.anonymous().post("/v1/auth/logout", body.clone()).await;
            answer.expect(204);
            assert!(answer.bytes.is_empty());
        }
        stage.anonymous().post("/v1/auth/refresh", body).await.problem(401, "invalid_refresh_token");
    });
}

#[test]
fn a_profile_changes_only_in_the_fields_sent() {
    play(async |stage| {
        let anna = stage.user_with("Anna", json!({"gender": "FEMALE", "birth_year": 1990})).await;
        let me = anna.patch("/v1/users/me", json!({"name": "Anna Schmidt"})).await.expect(200);
        assert_eq!(me["name"], "Anna Schmidt");
        assert_eq!(me["gender"], "FEMALE");
        assert_eq!(me["birth_year"], 1990);
        let me = anna.patch("/v1/users/me", json!({"gender": "OTHER", "birthYear": 1991})).await.expect(200);
        assert_eq!((me["gender"].as_str(), me["birth_year"].as_i64()), (Some("OTHER"), Some(1991)));
        assert_eq!(anna.get("/v1/users/me").await.expect(200)["name"], "Anna Schmidt");
        anna.patch("/v1/users/me", json!({"email": "new@example.org"})).await.bad_field("email");
        anna.patch("/v1/users/me", json!({"roles": ["ADMIN"]})).await.bad_field("roles");
    });
}

#[test]
fn a_new_password_needs_the_current_one_and_replaces_it() {
    play(async |stage| {
        let anna = stage.user("Anna").await;
        let change = |current: &str| json!({"password": "a brand new one", "current_password": current});
        anna.patch("/v1/users/me", json!({"password": "a brand new one"}))
            .await
            .bad_field("current_password");
        anna.patch("/v1/users/me", change("wrong")).await.bad_field("current_password");
        anna.logs_in(PASSWORD).await.expect(200);
        anna.patch("/v1/users/me", change(PASSWORD)).await.expect(200);
        anna.logs_in(PASSWORD).await.problem(401, "wrong_credentials");
        anna.logs_in("a brand new one").await.expect(200);
    });
}

#[test]
fn the_public_keys_are_published_and_name_the_key_of_the_tokens() {
    play(async |stage| {
        let anna = stage.user("Anna").await;
        let keys = stage.anonymous().get("/.well-known/jwks.json").await.expect(200);
        let key = &keys.list("keys")[0];
        assert_eq!((key.text("kty"), key.text("crv"), key.text("use")), ("OKP", "Ed25519", "sig"));
        let head = anna.token().split('.').next().unwrap();
        let head = base64::Engine::decode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, head).unwrap();
        let head: serde_json::Value = serde_json::from_slice(&head).unwrap();
        assert_eq!((head.text("kid"), head.text("alg")), (key.text("kid"), "EdDSA"));
        assert!(key.get("d").is_none(), "the private key stays private");
    });
}

#[test]
fn an_address_of_the_configuration_becomes_admin_and_nobody_else() {
    play(async |stage| {
        let admin = stage.admin().await;
        let anna = stage.user("Anna").await;
        let roles_of = async |actor: &crate::fixture::Actor| {
            actor.get("/v1/users/me").await.expect(200)["roles"].clone()
        };
        assert_eq!(roles_of(&admin).await, json!(["USER", "ADMIN"]));
        assert_eq!(roles_of(&anna).await, json!(["USER"]));
    });
}
