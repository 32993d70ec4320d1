//! The message of a mail (RFC 5322): headers, and the text twice, plain and as HTML.

use domain::notification::{Mail, MailError};
use lettre::{
    Address, Message,
    message::{Mailbox, MultiPart},
};

use crate::SetupError;

/// The longest header text that a mail may bring, in characters.
const MAX_HEADER_CHARS: usize = 500;

/// Reads the configured sender.
///
/// # Errors
/// When it is not an address.
pub(crate) fn sender(from: &str) -> Result<Mailbox, SetupError> {
    from.parse().map_err(|_| SetupError::BadSender)
}

/// The complete message of a mail.
///
/// # Errors
/// A permanent one when the recipient's address is none.
pub(crate) fn message(from: &Mailbox, mail: &Mail) -> Result<Message, MailError> {
    let address: Address = mail.to_email.parse().map_err(|_| permanent("the address is not one"))?;
    let name = one_line(&mail.to_name);
    let to = Mailbox::new((!name.is_empty()).then_some(name), address);
    Message::builder()
        .from(from.clone())
        .to(to)
        .subject(one_line(&mail.subject))
        .message_id(Some(format!("<{}>", safe_id(&mail.message_id))))
        .date_now()
        .multipart(MultiPart::alternative_plain_html(mail.text.clone(), mail.html.clone()))
        .map_err(|_| permanent("the message cannot be written"))
}

/// A text as one line: nothing in it can begin another header.
fn one_line(text: &str) -> String {
    let spaced: String =
        text.chars().take(MAX_HEADER_CHARS).map(|c| if c.is_control() { ' ' } else { c }).collect();
    spaced.trim().to_owned()
}

/// A message id in characters that need no quoting, in headers and in file names alike.
pub(crate) fn safe_id(id: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '@') { c } else { '_' };
    id.chars().take(MAX_HEADER_CHARS).map(safe).collect()
}

fn permanent(why: &str) -> MailError {
    MailError::Permanent(why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail() -> Mail {
        Mail {
            message_id: "0192.booked@boxoffice".to_owned(),
            to_name: "Ada".to_owned(),
            to_email: "ada@example.org".to_owned(),
            subject: "Your tickets".to_owned(),
            text: "Hello".to_owned(),
            html: "<p>Hello</p>".to_owned(),
        }
    }

    fn written(mail: &Mail) -> String {
        let from = sender("Boxoffice <tickets@example.org>").unwrap();
        String::from_utf8(message(&from, mail).unwrap().formatted()).unwrap()
    }

    #[test]
    fn a_message_has_its_headers_and_both_texts() {
        let message = written(&mail());
        for line in [
            "From: Boxoffice <tickets@example.org>\r\n",
            "To: Ada <ada@example.org>\r\n",
            "Subject: Your tickets\r\n",
            "Message-ID: <0192.booked@boxoffice>\r\n",
            "MIME-Version: 1.0\r\n",
            "Content-Type: multipart/alternative;",
            "Content-Type: text/plain; charset=utf-8\r\n",
            "Content-Type: text/html; charset=utf-8\r\n",
        ] {
            assert!(message.contains(line), "{line} in {message}");
        }
        assert!(message.contains("\r\nDate: "), "{message}");
    }

    #[test]
    fn other_letters_are_encoded() {
        let mail = Mail {
            to_name: "Zoë Müller".to_owned(),
            subject: "Karten für „Käthchen“".to_owned(),
            text: "Grüße".to_owned(),
            ..mail()
        };
        let message = written(&mail);
        assert!(message.is_ascii(), "{message}");
        assert!(
            message.contains("To: =?utf-8?") && message.contains("Subject: Karten =?utf-8?"),
            "{message}"
        );
    }

    #[test]
    fn no_field_can_bring_a_header() {
        let evil = "x\r\nBcc: victim@example.org\r\n\r\nbody";
        let in_headers = Mail {
            to_name: evil.to_owned(),
            subject: evil.to_owned(),
            message_id: evil.to_owned(),
            ..mail()
        };
        let message = written(&in_headers);
        let (headers, _) = message.split_once("\r\n\r\n").unwrap();
        assert!(!headers.to_lowercase().contains("\nbcc:"), "{headers}");
        assert!(headers.contains("\r\nDate: ") && headers.contains("multipart/alternative"), "{headers}");
        let from = sender("tickets@example.org").unwrap();
        let in_address = Mail { to_email: format!("ada@example.org{evil}"), ..mail() };
        assert!(matches!(super::message(&from, &in_address), Err(MailError::Permanent(_))));
    }

    #[test]
    fn a_sender_must_be_an_address() {
        assert_eq!(sender("nobody"), Err(SetupError::BadSender));
        assert!(sender("tickets@example.org").is_ok());
    }
}
