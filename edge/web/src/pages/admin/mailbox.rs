//! Mail that was written into a directory instead of sent. For administrators alone: mails hold names, addresses and what
//! people booked, and a demonstration on a laptop may be reached by others too.

use axum::{Router, extract::Path, routing::get};
use maud::{Markup, html};
use proto::v1::{CapturedMail, GetCapturedMailRequest, ListCapturedMailRequest};

use super::must_be_admin;
use crate::{
    failure::Answer,
    format::local,
    urls::{self, Url},
    view::{Head, Page, View},
    visit::Visit,
};

/// The routes of this file.
pub(super) fn routes() -> Router {
    Router::new().route(urls::Mailbox::ROUTE, get(list)).route(urls::Mail::ROUTE, get(show))
}

async fn list(visit: Visit) -> Answer {
    must_be_admin(&visit)?;
    let message = ListCapturedMailRequest {};
    let listed =
        visit.ask(visit.services().notification().list_captured_mail(visit.request(message))).await?;
    visit.view().show(&MailboxPage { captures: listed.captures, mails: listed.mails })
}

async fn show(visit: Visit, Path(mail_id): Path<String>) -> Answer {
    must_be_admin(&visit)?;
    let message = GetCapturedMailRequest { mail_id };
    let mail = visit.ask(visit.services().notification().get_captured_mail(visit.request(message))).await?;
    visit.view().show(&MailPage { mail })
}

/// All captured mail.
pub(crate) struct MailboxPage {
    captures: bool,
    mails: Vec<CapturedMail>,
}

impl Page for MailboxPage {
    fn head(&self, view: &View) -> Head {
        Head::titled(view.text.mailbox_title())
    }

    fn main(&self, view: &View) -> Markup {
        let text = view.text;
        html! {
            p.back { a href=(urls::Admin) { (text.nav_admin()) } }
            h1 { (text.mailbox_title()) }
            p.lead { @if self.captures { (text.mailbox_lead()) } @else { (text.mailbox_sends()) } }
            @if self.captures && self.mails.is_empty() { div.empty { p { (text.mailbox_none()) } } }
            ul.stubs id="mails" {
                @for mail in &self.mails {
                    li.stub {
                        div.stub-name { a href=(urls::Mail { mail_id: &mail.id }) { (mail.subject) } span.hint { (mail.to) } }
                        span.hint { (text.day_and_clock(&local(mail.at.as_ref(), "UTC"))) " UTC" }
                    }
                }
            }
        }
    }

    #[cfg(test)]
    fn samples() -> Vec<Self> {
        let mail = CapturedMail {
            id: "1-a.eml".to_owned(),
            subject: "<b>Yours</b>".to_owned(),
            ..CapturedMail::default()
        };
        let of = |captures, mails| Self { captures, mails };
        vec![of(false, vec![]), of(true, vec![]), of(true, vec![mail])]
    }
}

/// One mail.
pub(crate) struct MailPage {
    mail: CapturedMail,
}

impl Page for MailPage {
    fn head(&self, _: &View) -> Head {
        Head { styles: &["work.css"], ..Head::titled(self.mail.subject.clone()) }
    }

    fn main(&self, view: &View) -> Markup {
        let mail = &self.mail;
        html! {
            p.back { a href=(urls::Mailbox) { (view.text.mailbox_title()) } }
            h1 { (mail.subject) }
            p.hint { (mail.to) " · " (view.text.day_and_clock(&local(mail.at.as_ref(), "UTC"))) " UTC" }
            div.mail { (mail.text) }
        }
    }

    #[cfg(test)]
    fn samples() -> Vec<Self> {
        let mail = CapturedMail {
            subject: "Hello".to_owned(),
            text: "<script>alert(1)</script>\n".to_owned(),
            ..CapturedMail::default()
        };
        vec![Self { mail }]
    }
}
