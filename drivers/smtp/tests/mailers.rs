//! Both mailers: files that are whole, and a mail server in this process that answers as it is told.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::{Arc, Mutex};

use domain::notification::{Mail, MailError, Mailer};
use smtp::{MailDirectory, SetupError, SmtpMailer};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

const FROM: &str = "Boxoffice <tickets@example.org>";

fn mail() -> Mail {
    Mail {
        message_id: "0192-ab.booked@boxoffice".to_owned(),
        to_name: "Zoë".to_owned(),
        to_email: "zoe@example.org".to_owned(),
        subject: "Your tickets".to_owned(),
        text: "Hello\n.\nthere".to_owned(),
        html: "<p>Hello</p>".to_owned(),
    }
}

/// A mail server that answers RCPT TO with one line, and notes everything it is told.
struct FakeServer {
    url: String,
    heard: Arc<Mutex<Vec<String>>>,
}

impl FakeServer {
    async fn answering(recipient_answer: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://127.0.0.1:{}", listener.local_addr().unwrap().port());
        let heard = Arc::new(Mutex::new(Vec::new()));
        let notes = Arc::clone(&heard);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(converse(stream, recipient_answer, Arc::clone(&notes)));
            }
        });
        Self { url, heard }
    }

    fn heard(&self) -> String {
        self.heard.lock().unwrap().join("\n")
    }
}

async fn converse(stream: TcpStream, recipient_answer: &str, heard: Arc<Mutex<Vec<String>>>) {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    let mut in_data = false;
    let _ = writer.write_all(b"220 fake ESMTP\r\n").await;
    while let Ok(Some(line)) = lines.next_line().await {
        let answer = match line.split([' ', ':']).next().unwrap_or_default() {
            "." if in_data => {
                in_data = false;
                "250 taken"
            }
            _ if in_data => "",
            "RCPT" => recipient_answer,
            "DATA" => {
                in_data = true;
                "354 go on"
            }
            "QUIT" => "221 bye",
            _ => "250 fine",
        };
        heard.lock().unwrap().push(line);
        if !answer.is_empty() && writer.write_all(format!("{answer}\r\n").as_bytes()).await.is_err() {
            return;
        }
    }
}

#[tokio::test]
async fn a_mail_reaches_the_server_whole() {
    let server = FakeServer::answering("250 fine").await;
    let mailer = SmtpMailer::new(&server.url, FROM).unwrap();
    assert_eq!(mailer.send(mail()).await, Ok(()));
    assert_eq!(mailer.send(mail()).await, Ok(()), "a second mail on the kept connection");
    let heard = server.heard();
    for part in [
        "MAIL FROM:<tickets@example.org>",
        "RCPT TO:<zoe@example.org>",
        "Message-ID: <0192-ab.booked@boxoffice>",
        "multipart/alternative",
    ] {
        assert_eq!(heard.matches(part).count(), 2, "{part} in {heard}");
    }
}

#[tokio::test]
async fn what_the_server_answers_decides_whether_it_is_tried_again() {
    let busy = FakeServer::answering("451 zoe@example.org is busy").await;
    let answer = SmtpMailer::new(&busy.url, FROM).unwrap().send(mail()).await;
    assert_eq!(answer, Err(MailError::Transient("the mail server answered 451".to_owned())));
    let unknown = FakeServer::answering("550 zoe@example.org is unknown").await;
    let answer = SmtpMailer::new(&unknown.url, FROM).unwrap().send(mail()).await;
    assert_eq!(answer, Err(MailError::Permanent("the mail server answered 550".to_owned())));
}

#[tokio::test]
async fn a_server_that_is_away_may_come_back() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let mailer = SmtpMailer::new(&format!("smtp://127.0.0.1:{port}"), FROM).unwrap();
    assert!(matches!(mailer.send(mail()).await, Err(MailError::Transient(_))));
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_for_good() {
    let directory = tempfile::tempdir().unwrap();
    let mailer = MailDirectory::new(directory.path(), FROM).unwrap();
    let nobody = Mail { to_email: "zoe at example".to_owned(), ..mail() };
    assert!(matches!(mailer.send(nobody).await, Err(MailError::Permanent(_))));
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn each_mail_is_a_whole_file() {
    let directory = tempfile::tempdir().unwrap();
    let inside = directory.path().join("mail");
    let mailer = MailDirectory::new(&inside, FROM).unwrap();
    mailer.send(mail()).await.unwrap();
    mailer.send(Mail { message_id: "../../up@boxoffice".to_owned(), ..mail() }).await.unwrap();
    let mut names: Vec<String> = std::fs::read_dir(&inside)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort_by_key(|name| !name.contains("booked"));
    assert_eq!(names.len(), 2);
    assert!(names[0].ends_with("-booked-0192-ab.eml"), "{names:?}");
    let written = std::fs::read_to_string(inside.join(&names[0])).unwrap();
    let (headers, body) = written.split_once("\r\n\r\n").unwrap();
    assert!(headers.contains("To: =?utf-8?") && headers.contains("<zoe@example.org>"), "{headers}");
    assert!(headers.contains("Content-Type: multipart/alternative"), "{headers}");
    assert!(body.contains("text/plain") && body.contains("<p>Hello</p>"), "{body}");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "nothing outside");
}

#[tokio::test]
async fn a_wrong_configuration_is_named_without_its_password() {
    for url in ["", "mail.example.org", "http://mail.example.org", "smtp://user:secret@"] {
        let Err(error) = SmtpMailer::new(url, FROM) else { panic!("{url} is not a mail server") };
        assert!(matches!(error, SetupError::BadUrl(_)), "{url}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
    assert!(SmtpMailer::new("smtps://user:secret@mail.example.org", FROM).is_ok());
    assert_eq!(SmtpMailer::new("smtp://mail.example.org", "x").err(), Some(SetupError::BadSender));
}
