//! The mailer against a double of EmailJS that holds each request against the documentation.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod double;

use std::time::{Duration, Instant};

use domain::notification::{Mail, MailError, Mailer};
use double::EmailJs;
use emailjs::{EmailJsMailer, Settings, SetupError};

fn mail() -> Mail {
    Mail {
        message_id: "0192-ab.booked@boxoffice".to_owned(),
        to_name: "Zoë".to_owned(),
        to_email: "zoe@example.org".to_owned(),
        subject: "Your tickets for „Käthchen“".to_owned(),
        text: "Hello\n\"there\"".to_owned(),
        html: "<p>Hello &amp; welcome</p>".to_owned(),
    }
}

fn mailer(double: &EmailJs) -> EmailJsMailer {
    EmailJsMailer::new(double.settings()).unwrap()
}

fn text(error: &MailError) -> &str {
    match error {
        MailError::Transient(why) | MailError::Permanent(why) => why,
    }
}

#[tokio::test]
async fn a_mail_arrives_as_it_is_documented() {
    let double = EmailJs::start().await;
    assert_eq!(mailer(&double).send(mail()).await, Ok(()), "{:?}", double.refused());
    let taken = double.taken();
    let expected = serde_json::json!({
        "to_email": "zoe@example.org",
        "to_name": "Zoë",
        "subject": "Your tickets for „Käthchen“",
        "text": "Hello\n\"there\"",
        "html": "<p>Hello &amp; welcome</p>",
        "message_id": "0192-ab.booked@boxoffice",
    });
    assert_eq!(taken.len(), 1);
    assert_eq!(serde_json::Value::Object(taken[0].clone()), expected);
}

#[tokio::test]
async fn mails_that_come_together_leave_one_a_second() {
    let double = EmailJs::start().await;
    let (mailer, began) = (mailer(&double), Instant::now());
    let (one, two, three) = tokio::join!(mailer.send(mail()), mailer.send(mail()), mailer.send(mail()));
    assert_eq!((one, two, three), (Ok(()), Ok(()), Ok(())), "{:?}", double.refused());
    assert_eq!((double.taken().len(), double.refused().len()), (3, 0));
    assert!(began.elapsed() >= Duration::from_secs(2));
}

#[tokio::test]
async fn after_a_429_everybody_waits_as_long_as_it_says() {
    let double = EmailJs::answering(&[(429, "Too Many Requests")]).await;
    let (mailer, began) = (mailer(&double), Instant::now());
    let (refused, taken) = tokio::join!(mailer.send(mail()), mailer.send(mail()));
    assert_eq!(refused, Err(MailError::Transient("EmailJS answered 429: too many requests".to_owned())));
    assert_eq!(taken, Ok(()), "{:?}", double.refused());
    assert!(began.elapsed() >= Duration::from_secs(2), "{:?}", began.elapsed());
}

#[tokio::test]
async fn what_may_go_later_and_what_never() {
    let double = EmailJs::answering(&[
        (500, "oops zoe@example.org"),
        (403, "API calls are disabled for non-browser applications"),
        (422, "The recipients address is corrupted: zoe@example.org"),
    ])
    .await;
    let mailer = mailer(&double);
    for is_permanent in [false, false, true] {
        let error = mailer.send(mail()).await.unwrap_err();
        assert_eq!(matches!(error, MailError::Permanent(_)), is_permanent, "{error}");
        let secrets = ["zoe", "example.org", double::PUBLIC_KEY, double::PRIVATE_KEY];
        assert!(secrets.iter().all(|secret| !text(&error).contains(secret)), "{error}");
    }
    assert_eq!(mailer.send(mail()).await, Ok(()), "{:?}", double.refused());
}

#[tokio::test]
async fn a_wrong_key_is_said_without_saying_it() {
    let double = EmailJs::start().await;
    let wrong = Settings { private_key: "wrong-key".to_owned(), ..double.settings() };
    let error = EmailJsMailer::new(wrong).unwrap().send(mail()).await.unwrap_err();
    assert!(matches!(&error, MailError::Transient(why) if why.contains("403")), "{error}");
    assert!(!text(&error).contains("wrong-key"), "{error}");
    assert!(double.taken().is_empty());
}

#[tokio::test]
async fn a_mail_that_is_too_large_or_for_nobody_is_not_even_sent() {
    let double = EmailJs::start().await;
    let mailer = mailer(&double);
    let large = Mail { html: "ü".repeat(25_000), ..mail() };
    assert!(matches!(mailer.send(large).await, Err(MailError::Permanent(_))));
    let for_nobody = Mail { to_email: " ".to_owned(), ..mail() };
    assert!(matches!(mailer.send(for_nobody).await, Err(MailError::Permanent(_))));
    assert!(double.taken().is_empty() && double.refused().is_empty());
    let largest = Mail { html: "x".repeat(49_000), ..mail() };
    assert_eq!(mailer.send(largest).await, Ok(()), "{:?}", double.refused());
}

#[tokio::test]
async fn a_server_that_is_away_may_come_back() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let double = EmailJs::start().await;
    let away = Settings { url: Some(format!("http://127.0.0.1:{port}/send")), ..double.settings() };
    let error = EmailJsMailer::new(away).unwrap().send(mail()).await.unwrap_err();
    assert_eq!(error, MailError::Transient("EmailJS cannot be reached".to_owned()));
}

#[tokio::test]
async fn the_keys_do_not_follow_a_redirect() {
    let double = EmailJs::start().await;
    let target = double.url.clone();
    let redirect = move || async move { axum::response::Redirect::temporary(&target) };
    let router = axum::Router::new().route("/", axum::routing::post(redirect));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let settings = Settings { url: Some(url), ..double.settings() };
    let error = EmailJsMailer::new(settings).unwrap().send(mail()).await.unwrap_err();
    assert!(matches!(&error, MailError::Transient(why) if why.contains("307")), "{error}");
    assert!(double.taken().is_empty() && double.refused().is_empty());
}

#[test]
fn a_wrong_setting_is_named() {
    let settings = Settings {
        service_id: "service_1".to_owned(),
        template_id: String::new(),
        public_key: "a".to_owned(),
        private_key: "b".to_owned(),
        url: None,
    };
    assert_eq!(EmailJsMailer::new(settings).err(), Some(SetupError::BadKey("template id")));
}
