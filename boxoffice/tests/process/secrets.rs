//! What must stay secret: keys in files of their owner only, and nothing about people in the log.

use reqwest::Method;
use serde_json::json;

use crate::support::{Home, Running, Visitor};

#[cfg(unix)]
#[tokio::test]
async fn keys_are_readable_by_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    home.up_with(&["--demo"]).stop();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&home.data()), 0o700, "nobody else looks into the data directory");
    assert_eq!(mode(&home.data().join("keys")), 0o700);
    let keys: Vec<_> = std::fs::read_dir(home.data().join("keys")).unwrap().map(|key| key.unwrap()).collect();
    assert_eq!(keys.len(), 4, "tokens, tickets, sessions and the demo's password: {keys:?}");
    for key in keys {
        assert_eq!(mode(&key.path()), 0o600, "{}", key.path().display());
    }
}

#[tokio::test]
async fn the_log_names_no_person_and_no_secret() {
    for format in ["text", "json"] {
        let home = Home::new();
        let data = home.data_arg();
        let mut command = home.command(&["up", "--listen", "127.0.0.1:0", "--data-dir", &data]);
        command.env("BOXOFFICE_LOG", "debug").env("BOXOFFICE_LOG_FORMAT", format);
        let mut running = Running::start(command);
        let secrets = journey(&running).await;
        running.signal(rustix::process::Signal::TERM);
        assert!(running.wait().success());
        let log = running.err() + &running.out();
        for secret in secrets {
            assert!(secret.len() > 8, "`{secret}` would be found anywhere");
            assert!(!log.contains(&secret), "the log has `{secret}`");
        }
    }
}

/// Does what people do, right and wrong; everything of it that no log may have.
async fn journey(running: &Running) -> Vec<String> {
    let vera = Visitor::register(&running.url, "vera-vandermeer").await;
    let sale = vera.publish(5, 0).await;
    let paid = vera.publish(5, 1_000).await;
    let booking = vera.book(&sale, "journey").await;
    let held = vera.book(&paid, "journey-paid").await;
    let card = "4000000000000002";
    let pay = format!("/v1/bookings/{}:pay", held["id"].as_str().unwrap());
    vera.post(&pay, &json!({ "payment_method": card })).await;
    let ticket = format!("/v1/tickets/{}", booking["tickets"][0]["id"].as_str().unwrap());
    let code = vera.see(&ticket).await["code"].as_str().unwrap().to_owned();
    let check_in = format!("/v1/events/{}/check-ins", sale.event_id);
    vera.post(&check_in, &json!({ "code": code })).await;
    vera.post(&check_in, &json!({ "code": "forged" })).await;

    let mistyped = "the wrong password of vera";
    let (status, _) =
        vera.post("/v1/auth/login", &json!({ "email": vera.email, "password": mistyped })).await;
    assert_eq!(status, 401);
    let refresh = json!({ "refresh_token": vera.refresh_token });
    let (status, renewed) = vera.post("/v1/auth/refresh", &refresh).await;
    assert_eq!(status, 200, "{renewed}");
    // Spent, forged and broken tokens are refused, and are not logged either.
    vera.post("/v1/auth/refresh", &refresh).await;
    let forged = format!("{}x", vera.access_token);
    let broken =
        vera.request(Method::GET, "/v1/users/me").header("Authorization", format!("Bearer {forged}"));
    broken.send().await.unwrap();
    let query = format!("/v1/events?q={}", "vera-vandermeer@visitor.example");
    vera.get(&query).await;
    vera.request(Method::POST, "/v1/auth/login").body("{ broken").send().await.unwrap();

    let made = |field: &str| renewed[field].as_str().unwrap().to_owned();
    let signature = vera.access_token.rsplit_once('.').unwrap().1.to_owned();
    vec![
        vera.email.clone(),
        "vera-vandermeer".to_owned(),
        vera.password.clone(),
        mistyped.to_owned(),
        vera.access_token.clone(),
        signature,
        vera.refresh_token.clone(),
        made("access_token"),
        made("refresh_token"),
        code,
        card.to_owned(),
    ]
}
