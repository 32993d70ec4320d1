//! Mail as files: for a machine without a mail server, and for looking at mail while developing.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use domain::notification::{Captured, Mail, MailError, Mailbox as CapturedMail, Mailer, Reading, Sending};
use lettre::message::Mailbox;
use tokio::sync::Mutex;

use crate::{SetupError, message};

/// The digits of the time in a file's name.
const SECONDS_DIGITS: usize = 12;
/// The longest name of a file that is read, in bytes.
const MAX_NAME: usize = 200;

/// Writes each mail as a file that any mail program opens.
pub struct MailDirectory {
    directory: PathBuf,
    from: Mailbox,
    /// One file at a time: threads that make files in one directory only wait for each other, busily.
    turn: Arc<Mutex<()>>,
}

impl MailDirectory {
    /// A mailer that writes into a directory, which is made if it is missing.
    ///
    /// # Errors
    /// When it cannot be made, or the sender cannot be read.
    pub fn new(directory: impl Into<PathBuf>, from: &str) -> Result<Self, SetupError> {
        let (directory, from) = (directory.into(), message::sender(from)?);
        std::fs::create_dir_all(&directory).map_err(|error| SetupError::BadDirectory(error.kind()))?;
        Ok(Self { directory, from, turn: Arc::default() })
    }
}

impl Mailer for MailDirectory {
    fn send(&self, mail: Mail) -> Sending {
        let message = message::message(&self.from, &mail);
        let path = self.directory.join(file_name(now_seconds(), &mail.message_id));
        let turn = Arc::clone(&self.turn);
        Box::pin(async move {
            let bytes = message?.formatted();
            let _turn = turn.lock().await;
            write_whole(path, bytes).await.map_err(|error| {
                MailError::Transient(format!("the mail directory cannot be written: {}", error.kind()))
            })
        })
    }

    fn mailbox(&self) -> Option<&dyn CapturedMail> {
        Some(self)
    }
}

impl CapturedMail for MailDirectory {
    fn newest(&self, most: usize) -> Reading<Vec<Captured>> {
        let directory = self.directory.clone();
        reading(move || {
            let entries = std::fs::read_dir(&directory)?;
            let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
            let mut names: Vec<String> = names.filter(|name| is_name(name)).collect();
            names.sort_unstable_by(|one, other| other.cmp(one));
            let mails = names.iter().take(most).filter_map(|name| read_one(&directory, name).transpose());
            // A list shows who and what, not the text.
            mails.map(|mail| mail.map(|mail| Captured { text: String::new(), ..mail })).collect()
        })
    }

    fn read(&self, id: &str) -> Reading<Option<Captured>> {
        let (directory, name) = (self.directory.clone(), id.to_owned());
        reading(move || if is_name(&name) { read_one(&directory, &name) } else { Ok(None) })
    }
}

fn reading<T: Send + 'static>(work: impl FnOnce() -> std::io::Result<T> + Send + 'static) -> Reading<T> {
    Box::pin(async move {
        let unreadable = |kind| MailError::Transient(format!("the mail directory cannot be read: {kind}"));
        let read =
            tokio::task::spawn_blocking(work).await.map_err(|_| unreadable(std::io::ErrorKind::Other))?;
        read.map_err(|error| unreadable(error.kind()))
    })
}

/// Whether a file may be one of ours: nothing else is opened, and no way leads out of the directory.
fn is_name(name: &str) -> bool {
    let stem = name.strip_suffix(".eml").unwrap_or_default();
    stem.len() > SECONDS_DIGITS
        && stem.len() <= MAX_NAME
        && stem.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// A mail; none when it is not there any more, or is no mail.
fn read_one(directory: &Path, name: &str) -> std::io::Result<Option<Captured>> {
    let bytes = match std::fs::read(directory.join(name)) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        bytes => bytes?,
    };
    let Some(mail) = mail_parser::MessageParser::default().parse(&bytes) else { return Ok(None) };
    let to = mail.to().and_then(|to| to.first()).and_then(|to| to.address());
    Ok(Some(Captured {
        id: name.to_owned(),
        at_seconds: name.get(..SECONDS_DIGITS).and_then(|digits| digits.parse().ok()).unwrap_or_default(),
        to: to.unwrap_or_default().to_owned(),
        subject: mail.subject().unwrap_or_default().to_owned(),
        text: mail.body_text(0).unwrap_or_default().into_owned(),
    }))
}

/// `<seconds since 1970>-<kind>-<message id>.eml`, so that a listing is in the order of time.
fn file_name(seconds: u64, message_id: &str) -> String {
    let id = message::safe_id(message_id);
    let local = id.split('@').next().unwrap_or_default();
    let (booking, kind) = local.rsplit_once('.').unwrap_or((local, "mail"));
    let safe = |part: &str| part.replace(['@', '.'], "_");
    format!("{seconds:012}-{}-{}.eml", safe(kind), safe(booking))
}

#[allow(clippy::disallowed_methods, reason = "the name of a file outside the product's data")]
fn now_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// Writes a file at once. It is not synced: that a mail was sent is on record, and what a power loss takes
/// from this directory is a copy.
async fn write_whole(path: PathBuf, bytes: Vec<u8>) -> std::io::Result<()> {
    tokio::task::spawn_blocking(move || std::fs::write(path, bytes)).await?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn mail_is_read_back_newest_first_and_nothing_else_is() {
        let directory = tempfile::tempdir().unwrap();
        let mailer =
            MailDirectory::new(directory.path().join("mail"), "Boxoffice <box@office.example>").unwrap();
        let mail = Mail {
            message_id: "0192-ab.booked@boxoffice".to_owned(),
            to_name: "Zoë".to_owned(),
            to_email: "zoe@example.org".to_owned(),
            subject: "Deine Karten für Köln".to_owned(),
            text: "Grüße\n".to_owned(),
            html: "<p>Grüße</p>".to_owned(),
        };
        mailer.send(mail).await.unwrap();
        std::fs::write(directory.path().join("secret.eml"), "Subject: no\r\n\r\n").unwrap();
        let mailbox = mailer.mailbox().unwrap();
        let listed = mailbox.newest(5).await.unwrap();
        assert_eq!(listed.len(), 1);
        assert_eq!((listed[0].to.as_str(), listed[0].text.as_str()), ("zoe@example.org", ""));
        let read = mailbox.read(&listed[0].id).await.unwrap().unwrap();
        assert_eq!((read.subject.as_str(), read.text.trim()), ("Deine Karten für Köln", "Grüße"));
        for evil in ["../secret.eml", "", "000000000007-x-y.txt", "/etc/passwd", "000000000007-a-b.eml"] {
            assert_eq!(mailbox.read(evil).await.unwrap(), None, "{evil}");
        }
    }

    #[test]
    fn a_file_name_stays_in_its_directory() {
        assert_eq!(file_name(7, "0192-ab.booked@boxoffice"), "000000000007-booked-0192-ab.eml");
        for evil in ["../../etc/passwd", "a/b\\c:d", "\0\r\n", "", "...", "ü.ß@x"] {
            let name = file_name(7, evil);
            assert!(name.starts_with("000000000007-") && name.ends_with(".eml"), "{name}");
            assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)), "{name}");
            assert!(!name.contains(".."), "{name}");
        }
    }
}
