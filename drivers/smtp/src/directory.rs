//! Mail as files: for a machine without a mail server, and for looking at mail while developing.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use domain::notification::{Mail, MailError, Mailer, Sending};
use lettre::message::Mailbox;
use tokio::sync::Mutex;

use crate::{SetupError, message};

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
