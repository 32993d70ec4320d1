//! What an answer of EmailJS means for the mail.
//!
//! Only what is wrong with this one mail is permanent. A wrong key, a template that is gone or a quota that is used up
//! says nothing about the mail: it is tried again, as often as the notification service tries any mail, so that
//! nobody's tickets are lost while the account is mended.

use domain::notification::MailError;
use reqwest::StatusCode;

/// What 422 says when the template has no recipient; every request brings one, so the template is wrong, not the mail.
const TEMPLATE_WITHOUT_RECIPIENT: &str = "recipients address is empty";

/// The outcome of a request that was answered. Nothing of the text is passed on: it may quote the request.
pub(crate) fn outcome(status: StatusCode, text: &str) -> Result<(), MailError> {
    let code = status.as_u16();
    let say = |why: &str| format!("EmailJS answered {code}: {why}");
    match code {
        200 => Ok(()),
        413 => Err(MailError::Permanent(say("the mail is too large"))),
        422 if text.contains(TEMPLATE_WITHOUT_RECIPIENT) => {
            Err(MailError::Transient(say("the template's field To Email must be {{to_email}}")))
        }
        422 => Err(MailError::Permanent(say("it cannot send to this recipient, or not this content"))),
        400 | 404 => {
            Err(MailError::Transient(say("it does not know the service, the template or the public key")))
        }
        401 | 403 => Err(MailError::Transient(say(
            "it refuses the private key, or the account does not allow calls from outside a browser",
        ))),
        412 => Err(MailError::Transient(say("the EmailJS service must be connected to its mailbox again"))),
        402 | 426 => Err(MailError::Transient(say("the quota of the account is used up"))),
        429 => Err(MailError::Transient(say("too many requests"))),
        500..=599 => Err(MailError::Transient(say("it is in trouble"))),
        _ => Err(MailError::Transient(say("that is not in its documentation"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_wrong_with_the_mail_is_permanent() {
        let of = |code: u16, text: &str| outcome(StatusCode::from_u16(code).unwrap(), text);
        assert_eq!(of(200, "OK"), Ok(()));
        for code in [413, 422] {
            assert!(
                matches!(of(code, "The recipients address is corrupted"), Err(MailError::Permanent(_))),
                "{code}"
            );
        }
        for code in [201, 302, 400, 401, 402, 403, 404, 412, 418, 426, 429, 500, 502, 503, 504] {
            assert!(matches!(of(code, ""), Err(MailError::Transient(_))), "{code}");
        }
        assert!(matches!(of(422, "The recipients address is empty"), Err(MailError::Transient(_))));
    }

    #[test]
    fn nothing_of_the_answer_is_passed_on() {
        for code in [400, 403, 413, 422, 500] {
            let error =
                outcome(StatusCode::from_u16(code).unwrap(), "zoe@example.org and key-1").unwrap_err();
            let error = error.to_string();
            assert!(
                !error.contains("zoe") && !error.contains("key-1") && error.contains(&code.to_string()),
                "{error}"
            );
        }
    }
}
