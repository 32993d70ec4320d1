//! Mail by the REST API of EmailJS (<https://www.emailjs.com/docs/rest-api/send/>), for who has no mail server.
//!
//! EmailJS fills a template of the account with parameters. It needs one template, whose fields are:
//!
//! | field of the template | value |
//! | --- | --- |
//! | To Email | `{{to_email}}` |
//! | Subject | `{{subject}}` |
//! | Content, in the code editor | `{{{html}}}`: with three braces, so that it is not escaped again |
//!
//! `{{to_name}}`, `{{text}}` and `{{message_id}}` are there as well. The sender is the one of the EmailJS service.
//! In the account, "Allow EmailJS API for non-browser applications" must be on (Account, Security).
//!
//! Attachments exist in EmailJS only as variables of the template; mails of Boxoffice carry none.

mod answer;
mod mailer;
mod pace;
mod request;
mod settings;

pub use mailer::EmailJsMailer;
pub use settings::{Settings, SetupError};
