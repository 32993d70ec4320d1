//! The port by which mail leaves, and what it carries.

use std::pin::Pin;

/// One mail, complete but for its sender.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    /// Stable, such as `<booking>.booked@boxoffice`, without the angle brackets of the header.
    pub message_id: String,
    /// The recipient's name.
    pub to_name: String,
    /// The recipient's address.
    pub to_email: String,
    /// The subject.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
}

/// Shows no personal data, so that a mail can be logged.
impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mail").field("message_id", &self.message_id).finish_non_exhaustive()
    }
}

/// Why a mail was not taken. The text names neither the recipient nor the content: it is logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailError {
    /// It may be taken later.
    Transient(String),
    /// It will never be.
    Permanent(String),
}

impl std::fmt::Display for MailError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Transient(why) => write!(f, "not now: {why}"),
            Self::Permanent(why) => write!(f, "never: {why}"),
        }
    }
}

impl std::error::Error for MailError {}

/// What a mailer is still doing.
pub type Sending = Pin<Box<dyn Future<Output = Result<(), MailError>> + Send>>;

/// The port by which mail leaves.
///
/// After `Ok` somebody else answers for the mail. After an error it may have left nevertheless (a lost
/// reply), so a mail that is tried again keeps its message id.
pub trait Mailer: Send + Sync + 'static {
    /// Hands a mail over.
    fn send(&self, mail: Mail) -> Sending;

    /// Where it keeps the mail instead of sending it; none when it sends it.
    fn mailbox(&self) -> Option<&dyn Mailbox> {
        None
    }
}

/// A mail that was kept instead of sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Captured {
    /// Names it in its mailbox.
    pub id: String,
    /// When, in seconds since 1970 UTC.
    pub at_seconds: i64,
    /// The recipient's address.
    pub to: String,
    /// The subject.
    pub subject: String,
    /// The plain text; empty in a list.
    pub text: String,
}

/// Shows no personal data, so that it can be logged.
impl std::fmt::Debug for Captured {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Captured").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What a mailbox is still reading; the error is for the log.
pub type Reading<T> = Pin<Box<dyn Future<Output = Result<T, MailError>> + Send>>;

/// Mail that was kept instead of sent.
pub trait Mailbox: Send + Sync {
    /// The newest, at most so many.
    fn newest(&self, most: usize) -> Reading<Vec<Captured>>;

    /// One of them with its text; none when there is no such mail. Any text may be asked for as an id.
    fn read(&self, id: &str) -> Reading<Option<Captured>>;
}
