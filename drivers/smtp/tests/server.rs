//! The SMTP mailer against a real mail server.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use domain::notification::{Mail, MailError, Mailer};
use engines::aiosmtpd::{self, Aiosmtpd};
use smtp::SmtpMailer;

fn mail() -> Mail {
    Mail {
        message_id: "0192-ab.booked@boxoffice".to_owned(),
        to_name: "Zoë".to_owned(),
        to_email: "zoe@example.org".to_owned(),
        subject: "Karten für „Käthchen“".to_owned(),
        text: "Hello\n.\n..there".to_owned(),
        html: "<p>Grüße</p>".to_owned(),
    }
}

#[tokio::test]
async fn a_mail_is_taken_and_kept_as_it_was_written() {
    if engines::wanted("aiosmtpd", aiosmtpd::program()).is_none() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let server = Aiosmtpd::start(directory.path(), &[]).unwrap();
    let url = format!("smtp://127.0.0.1:{}", server.port);
    let mailer = SmtpMailer::new(&url, "Boxoffice <tickets@example.org>").unwrap();
    assert_eq!(mailer.send(mail()).await, Ok(()));
    let second = Mail { message_id: "0192-ab.cancelled@boxoffice".to_owned(), ..mail() };
    assert_eq!(mailer.send(second).await, Ok(()), "on the connection that was kept");

    let mut kept = server.mails().unwrap();
    kept.sort_by_key(|mail| mail.contains("cancelled"));
    assert_eq!(kept.len(), 2);
    for part in [
        "X-MailFrom: tickets@example.org\n",
        "X-RcptTo: zoe@example.org\n",
        "Message-ID: <0192-ab.booked@boxoffice>\n",
        "From: Boxoffice <tickets@example.org>\n",
        "multipart/alternative",
        "\n.\n..there\n",
    ] {
        assert!(kept[0].contains(part), "{part} in {}", kept[0]);
    }
    assert!(kept[1].contains("Message-ID: <0192-ab.cancelled@boxoffice>\n"), "{}", kept[1]);
}

#[tokio::test]
async fn a_mail_that_the_server_finds_too_large_is_refused_for_good() {
    if engines::wanted("aiosmtpd", aiosmtpd::program()).is_none() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let server = Aiosmtpd::start(directory.path(), &["--size", "2000"]).unwrap();
    let mailer = SmtpMailer::new(&format!("smtp://127.0.0.1:{}", server.port), "t@example.org").unwrap();
    let large = Mail { text: "Hello\n".repeat(1_000), ..mail() };
    assert_eq!(
        mailer.send(large).await,
        Err(MailError::Permanent("the mail server answered 552".to_owned()))
    );
    assert_eq!(mailer.send(mail()).await, Ok(()), "the next one goes");
    assert_eq!(server.mails().unwrap().len(), 1);
}

#[tokio::test]
async fn no_mail_leaves_in_the_clear_when_tls_is_asked_for() {
    if engines::wanted("aiosmtpd", aiosmtpd::program()).is_none() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let server = Aiosmtpd::start(directory.path(), &[]).unwrap();
    let url = format!("smtp://user:secret@127.0.0.1:{}?tls=required", server.port);
    let error = SmtpMailer::new(&url, "t@example.org").unwrap().send(mail()).await.unwrap_err();
    assert!(matches!(error, MailError::Transient(_)) && !error.to_string().contains("secret"), "{error}");
    assert!(server.mails().unwrap().is_empty());
}
