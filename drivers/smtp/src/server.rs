//! Mail by SMTP (RFC 5321), with TLS where the URL asks for it.

use std::time::Duration;

use domain::notification::{Mail, MailError, Mailer, Sending};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor, message::Mailbox, transport::smtp::Error};

use crate::{SetupError, message};

/// How long a connection may be silent. It is shorter than a try of the notification service.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Hands mail to an SMTP server. Connections are kept for the next mail.
pub struct SmtpMailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl SmtpMailer {
    /// A mailer for the server of a URL, which may hold a user and a password: `smtps://` is TLS from the
    /// first byte; `smtp://` is plain, or with `?tls=required` changes to TLS before it says anything.
    ///
    /// Within a Tokio runtime.
    ///
    /// # Errors
    /// When the URL or the sender cannot be read.
    pub fn new(url: &str, from: &str) -> Result<Self, SetupError> {
        let from = message::sender(from)?;
        let is_smtp = url.starts_with("smtp://") || url.starts_with("smtps://");
        if !is_smtp {
            return Err(SetupError::BadUrl("the scheme must be smtp or smtps".to_owned()));
        }
        // The cause may quote the URL with its password, so it is left out.
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url)
            .map_err(|_| SetupError::BadUrl("it cannot be read".to_owned()))?;
        Ok(Self { transport: builder.timeout(Some(TIMEOUT)).build(), from })
    }
}

impl Mailer for SmtpMailer {
    fn send(&self, mail: Mail) -> Sending {
        let message = message::message(&self.from, &mail);
        let transport = self.transport.clone();
        Box::pin(async move {
            match transport.send(message?).await {
                Ok(_) => Ok(()),
                Err(error) => Err(mail_error(&error)),
            }
        })
    }
}

/// Only what the server refuses for good is permanent. Servers quote addresses in what they say, so
/// only the code is passed on.
fn mail_error(error: &Error) -> MailError {
    let why = match error.status() {
        Some(code) => format!("the mail server answered {code}"),
        None if error.is_timeout() => "the mail server did not answer in time".to_owned(),
        None if error.is_tls() => "no secure connection to the mail server".to_owned(),
        None => "the mail server cannot be reached, or does not speak SMTP".to_owned(),
    };
    if error.is_permanent() { MailError::Permanent(why) } else { MailError::Transient(why) }
}
