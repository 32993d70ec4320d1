//! The body of a request, as EmailJS documents it.

use domain::notification::{Mail, MailError};
use serde::Serialize;

use crate::settings::Settings;

/// The most that the parameters of a template may take together, in bytes. The documentation says 50 kb; this is the
/// smaller of the two readings.
pub(crate) const MAX_PARAMS_BYTES: usize = 50_000;

/// A mail for EmailJS. The field names are the API's.
#[derive(Serialize)]
pub(crate) struct Body<'a> {
    service_id: &'a str,
    template_id: &'a str,
    user_id: &'a str,
    #[serde(rename = "accessToken")]
    access_token: &'a str,
    template_params: Params<'a>,
}

/// What the template is filled with.
#[derive(Serialize)]
struct Params<'a> {
    to_email: &'a str,
    to_name: &'a str,
    subject: &'a str,
    text: &'a str,
    html: &'a str,
    /// EmailJS makes its own `Message-ID`; a template may show ours, so that a repeated mail can be told.
    message_id: &'a str,
}

impl<'a> Body<'a> {
    /// The request of a mail.
    ///
    /// # Errors
    /// A permanent one when EmailJS would never take it.
    pub(crate) fn new(settings: &'a Settings, mail: &'a Mail) -> Result<Self, MailError> {
        if mail.to_email.trim().is_empty() {
            return Err(MailError::Permanent("the recipient has no address".to_owned()));
        }
        let params = Params {
            to_email: &mail.to_email,
            to_name: &mail.to_name,
            subject: &mail.subject,
            text: &mail.text,
            html: &mail.html,
            message_id: &mail.message_id,
        };
        if params.bytes() > MAX_PARAMS_BYTES {
            let why = format!("the mail is larger than the {MAX_PARAMS_BYTES} bytes that EmailJS takes");
            return Err(MailError::Permanent(why));
        }
        Ok(Self {
            service_id: &settings.service_id,
            template_id: &settings.template_id,
            user_id: &settings.public_key,
            access_token: &settings.private_key,
            template_params: params,
        })
    }
}

impl Params<'_> {
    fn bytes(&self) -> usize {
        let values = [self.to_email, self.to_name, self.subject, self.text, self.html, self.message_id];
        values.iter().map(|value| value.len()).sum()
    }
}
