//! Language and colours.

use axum::{Router, response::Response, routing::post};
use http::header::SET_COOKIE;

use crate::{
    failure::Answer,
    form::Form,
    i18n::Locale,
    limits::CHOICE_COOKIE_SECONDS,
    pages::account::return_to,
    urls::{self, Url},
    view::Theme,
    visit::{LANGUAGE_COOKIE, THEME_COOKIE, Visit, see_other},
};

/// The routes of this file.
pub(crate) fn routes() -> Router {
    Router::new().route(urls::Preferences::ROUTE, post(choose))
}

async fn choose(visit: Visit, Form(form): Form) -> Answer {
    let mut response = see_other(return_to(&form), None);
    if let Some(locale) = Locale::from_code(form.text("language")) {
        remember(&visit, &mut response, LANGUAGE_COOKIE, locale.code());
    }
    if let Some(theme) = Theme::from_name(form.text("theme")) {
        remember(&visit, &mut response, THEME_COOKIE, theme.name());
    }
    Ok(response)
}

fn remember(visit: &Visit, response: &mut Response, name: &str, value: &str) {
    if let Some(line) = visit.choice_cookie(name, value, CHOICE_COOKIE_SECONDS) {
        response.headers_mut().append(SET_COOKIE, line);
    }
}
