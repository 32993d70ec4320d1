//! Tokens of all kinds at the door.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use http::HeaderValue;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use kong::Config as Configuration;
use serde_json::{Value, json};

use super::*;
use crate::plugins::testing::{exchange, made, refused, status_of, with_consumer};

const SECRET: &str = "a secret that is long enough for everybody";

fn signed(claims: &Value, algorithm: Algorithm, secret: &str) -> String {
    encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
}

/// The status of the answer to a token, and the claims that were believed.
async fn sent(config: Value, token: &str) -> (Option<u16>, Option<Value>) {
    let plugin = made(&DEFINITION, config);
    let mut asked = exchange("/");
    let credential = json!({"key": "issuer", "algorithm": "HS256", "secret": SECRET});
    with_consumer(&mut asked, Kind::JwtSecrets, credential);
    let value = HeaderValue::try_from(format!("Bearer {token}")).unwrap();
    asked.headers.insert("authorization", value);
    let status = status_of(plugin.access(&mut asked).await);
    (status, asked.claims.map(|claims| Value::Object((*claims).clone())))
}

#[tokio::test]
async fn a_good_token_is_its_consumer() {
    let claims = json!({"iss": "issuer", "sub": "7"});
    assert_eq!(
        sent(json!({}), &signed(&claims, Algorithm::HS256, SECRET)).await,
        (None, Some(claims.clone()))
    );
    let named = json!({"kid": "issuer"});
    let by_kid = signed(&named, Algorithm::HS256, SECRET);
    assert_eq!(sent(json!({"key_claim_name": "kid"}), &by_kid).await.0, None);
}

#[tokio::test]
async fn a_bad_token_is_nobody() {
    let good = json!({"iss": "issuer"});
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let none = format!("{}.{}.", part(&json!({"alg": "none"})), part(&good));
    let critical =
        format!("{}.{}.x", part(&json!({"alg": "HS256", "crit": ["b64"], "b64": false})), part(&good));
    let token = signed(&good, Algorithm::HS256, SECRET);
    let cut = token.rsplit_once('.').unwrap().0;
    let bad = [
        none,
        critical,
        format!("{cut}."),
        cut.to_owned(),
        "nonsense".to_owned(),
        "a.b.c".to_owned(),
        signed(&good, Algorithm::HS256, "another secret that is long enough too"),
        signed(&good, Algorithm::HS512, SECRET),
        signed(&json!({"iss": "nobody"}), Algorithm::HS256, SECRET),
        signed(&json!({"sub": "issuer"}), Algorithm::HS256, SECRET),
        signed(&json!({"iss": 7}), Algorithm::HS256, SECRET),
        format!("{token}{}", "x".repeat(MAX_TOKEN_BYTES)),
    ];
    for token in bad {
        assert_eq!(sent(json!({}), &token).await, (Some(401), None), "{token:.80}");
    }
}

#[tokio::test]
async fn times_are_checked_where_it_is_asked_for() {
    let config = json!({"claims_to_verify": ["exp", "nbf"], "maximum_expiration": 600});
    let now_s = kit::Environment::system().now().micros() / 1_000_000;
    let token = |exp: Value, nbf: Value| {
        signed(&json!({"iss": "issuer", "exp": exp, "nbf": nbf}), Algorithm::HS256, SECRET)
    };
    assert_eq!(sent(config.clone(), &token(json!(now_s + 60), json!(now_s - 1))).await.0, None);
    let bad = [
        token(json!(now_s - 1), json!(now_s - 1)),
        token(json!(now_s + 60), json!(now_s + 60)),
        token(json!(now_s + 6_000), json!(now_s - 1)),
        token(json!((now_s + 60).to_string()), json!(now_s - 1)),
        token(json!(null), json!(now_s - 1)),
    ];
    for token in bad {
        assert_eq!(sent(config.clone(), &token).await.0, Some(401), "{token}");
    }
    assert_eq!(refused(&DEFINITION, json!({"maximum_expiration": 5})), "maximum_expiration");
}

#[tokio::test]
async fn two_tokens_are_none_and_cookies_count_where_they_are_named() {
    let token = signed(&json!({"iss": "issuer"}), Algorithm::HS256, SECRET);
    let plugin = made(&DEFINITION, json!({"cookie_names": ["session"]}));
    let ask = |target: String, cookie: Option<String>| {
        let mut asked = exchange(&target);
        let credential = json!({"key": "issuer", "algorithm": "HS256", "secret": SECRET});
        with_consumer(&mut asked, Kind::JwtSecrets, credential);
        asked
            .headers
            .extend(cookie.map(|cookie| (http::header::COOKIE, HeaderValue::try_from(cookie).unwrap())));
        asked
    };
    let cookie = |token: &str| Some(format!("a=b; session={token}"));
    assert_eq!(status_of(plugin.access(&mut ask("/".to_owned(), cookie(&token))).await), None);
    let mut twice = ask(format!("/?jwt={token}x"), cookie(&token));
    assert_eq!(status_of(plugin.access(&mut twice).await), Some(401));
}

#[tokio::test]
async fn without_a_token_there_may_be_somebody_for_nobody() {
    let plugin = made(&DEFINITION, json!({"anonymous": "ada"}));
    let mut asked = exchange("/");
    with_consumer(&mut asked, Kind::Acls, json!({"group": "guests"}));
    asked.headers.insert("x-consumer-username", HeaderValue::from_static("root"));
    assert_eq!(status_of(plugin.access(&mut asked).await), None);
    assert_eq!(asked.metadata["x-anonymous-consumer"], "true");
    assert!(!asked.headers.contains_key("x-consumer-username"));
    // A consumer that is not there lets nobody in.
    assert_eq!(status_of(plugin.access(&mut exchange("/")).await), Some(401));
}

#[tokio::test]
async fn a_token_that_is_remembered_is_good_by_what_its_credential_is_now() {
    let plugin = made(&DEFINITION, json!({}));
    let token = signed(&json!({"iss": "issuer"}), Algorithm::HS256, SECRET);
    let ask = async |config: Option<Arc<Configuration>>, secret: &str| {
        let mut asked = exchange("/");
        let credential = json!({"key": "issuer", "algorithm": "HS256", "secret": secret});
        with_consumer(&mut asked, Kind::JwtSecrets, credential);
        asked.config = config.unwrap_or(asked.config);
        asked.headers.insert("authorization", HeaderValue::try_from(format!("Bearer {token}")).unwrap());
        let status = status_of(plugin.access(&mut asked).await);
        (status, asked.config)
    };
    let (status, config) = ask(None, SECRET).await;
    assert_eq!(status, None);
    assert_eq!(ask(Some(config), SECRET).await.0, None, "the same configuration");
    assert_eq!(ask(None, "another secret that is long enough too").await.0, Some(401), "another secret");
    let without = Arc::new(crate::builtin::config());
    assert_eq!(ask(Some(without), SECRET).await.0, Some(401), "the credential is gone");
    assert_eq!(ask(None, SECRET).await.0, None, "it is back");
}
