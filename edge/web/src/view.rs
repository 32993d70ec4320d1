//! What every page needs to be rendered, and nothing that it could change: so samples are easily made.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{
    HeaderValue, StatusCode,
    header::{CONTENT_LANGUAGE, CONTENT_TYPE},
};
use jiff::Timestamp;
use kit::Environment;
use maud::{Markup, html};

use crate::{
    failure::Answer,
    form::{KEY_FIELD, TOKEN_FIELD},
    i18n::{Locale, Text},
    layout,
};

const HTML: &str = "text/html; charset=utf-8";

/// Light or dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Theme {
    /// As the system has it.
    System,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl Theme {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// As in cookies, forms and `data-theme`.
    pub fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// By its name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.name() == name)
    }
}

/// Who is signed in, as pages show it.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    /// The name.
    pub name: String,
    /// Whether there is more to see.
    pub is_admin: bool,
}

/// What a page is rendered with.
#[derive(Clone)]
pub(crate) struct View {
    /// The language's texts.
    pub text: Text,
    /// The colours.
    pub theme: Theme,
    /// Who is signed in.
    pub person: Option<Person>,
    /// Path and query of the page.
    pub path: String,
    /// Scheme, host and port as people see them.
    pub origin: String,
    /// The moment.
    pub now: Timestamp,
    /// What happened a moment ago, from the query `done`.
    pub notice: Option<Notice>,
    /// The token of forms.
    pub token: String,
    /// For fresh keys.
    pub environment: Environment,
}

impl View {
    /// The language.
    pub fn locale(&self) -> Locale {
        self.text.0
    }

    /// The hidden field that says that a form is of this session. Every form that is posted has it.
    pub fn form_token(&self) -> Markup {
        html! { input type="hidden" name=(TOKEN_FIELD) value=(self.token); }
    }

    /// The hidden field by which a form that is sent twice acts once.
    pub fn form_key(&self) -> Markup {
        html! { input type="hidden" name=(KEY_FIELD) value=(self.environment.id()); }
    }

    /// A page with a status of its own.
    pub fn show_with(&self, status: StatusCode, page: &impl Page) -> Response {
        let html = layout::page(self, page.head(self), &page.main(self)).into_string();
        let mut response = (status, Body::from(html)).into_response();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(HTML));
        response.headers_mut().insert(CONTENT_LANGUAGE, HeaderValue::from_static(self.locale().code()));
        response
    }

    /// A page.
    #[allow(clippy::unnecessary_wraps, reason = "it is the last line of handlers")]
    pub fn show(&self, page: &impl Page) -> Answer {
        Ok(self.show_with(StatusCode::OK, page))
    }
}

/// A page: a plain value with all that it shows, and how it is rendered. A value that it lacks does not compile.
pub(crate) trait Page {
    /// What is said about the page.
    fn head(&self, view: &View) -> Head;

    /// What is between header and footer.
    fn main(&self, view: &View) -> Markup;

    /// The page in each of its shapes, for the test that renders all of them.
    #[cfg(test)]
    fn samples() -> Vec<Self>
    where
        Self: Sized;
}

/// How much a page has around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Frame {
    /// Header and footer.
    Site,
    /// Nothing: it is framed by another site.
    Bare,
}

/// What is said about a page.
pub(crate) struct Head {
    /// Its name, for the tab and for search engines.
    pub title: String,
    /// What it is about, in a sentence.
    pub description: Option<String>,
    /// Scripts of its own, by their names in `assets`. The page is complete without them.
    pub scripts: &'static [&'static str],
    /// Styles of its own, by their names in `assets`.
    pub styles: &'static [&'static str],
    /// More for `<head>`.
    pub more: Option<Markup>,
    /// What is around it.
    pub frame: Frame,
}

impl Head {
    /// A page with a title and nothing else.
    pub fn titled(title: impl Into<String>) -> Self {
        let title = title.into();
        Self { title, description: None, scripts: &[], styles: &[], more: None, frame: Frame::Site }
    }
}

macro_rules! notices {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $text:ident;)+) => {
        /// What happened a moment ago, as the page after a form says it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Notice {
            $($(#[$doc])* $name,)+
        }

        impl Notice {
            /// All of them.
            #[cfg(test)]
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// As in the query `done`.
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// By its code.
            pub fn from_code(code: &str) -> Option<Self> {
                match code { $($code => Some(Self::$name),)+ _ => None }
            }

            /// What the page says.
            pub fn said(self, text: Text) -> &'static str {
                match self { $(Self::$name => text.$text(),)+ }
            }
        }
    };
}

notices! {
    /// An account was opened.
    SignedUp = "signed-up", notice_signed_up;
    /// Signed in.
    LoggedIn = "logged-in", notice_logged_in;
    /// Signed out.
    LoggedOut = "logged-out", notice_logged_out;
    /// The account was changed.
    AccountSaved = "account-saved", notice_account_saved;
    /// The password was changed.
    PasswordChanged = "password-changed", notice_password_changed;
    /// The account was erased.
    AccountDeleted = "account-deleted", notice_account_deleted;
    /// A booking was paid.
    Paid = "paid", notice_paid;
    /// A booking, or a part of it, was cancelled.
    Cancelled = "cancelled", notice_cancelled;
    /// A ticket was given to somebody else.
    Transferred = "transferred", notice_transferred;
    /// An event was rated.
    Rated = "rated", notice_rated;
    /// An event was written.
    Saved = "saved", notice_saved;
    /// An event is on sale.
    Published = "published", notice_published;
    /// An event was called off.
    CalledOff = "called-off", notice_called_off;
    /// An event was cloned.
    Cloned = "cloned", notice_cloned;
    /// Parked facts were tried again.
    Redriven = "redriven", notice_redriven;
}
