//! Mail by SMTP ([`SmtpMailer`]), or into a directory of `.eml` files ([`MailDirectory`]).
//!
//! Both are `domain::notification::Mailer`s and write the same message, which is in `message.rs`.

mod directory;
mod message;
mod server;

pub use directory::MailDirectory;
pub use server::SmtpMailer;

/// Why a mailer cannot be made of its configuration. It names no password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// The sender is not an address.
    #[error("the sender of mail must be an address such as `Boxoffice <tickets@example.org>`")]
    BadSender,
    /// The URL is not one of a mail server.
    #[error("the mail server must be a URL such as `smtps://user:password@mail.example.org`: {0}")]
    BadUrl(String),
    /// The directory cannot be made.
    #[error("the mail directory cannot be made: {0}")]
    BadDirectory(std::io::ErrorKind),
}
