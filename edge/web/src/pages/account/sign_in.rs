//! Opening an account, signing in and out.

use axum::{Router, response::Response, routing::get, routing::post};
use http::StatusCode;
use kit::{Code, ServiceError};
use maud::{Markup, html};
use proto::v1::{GetMeRequest, LoginRequest, LogoutRequest, RegisterRequest, user};
use tonic::metadata::AsciiMetadataValue;

use super::return_to;
use crate::{
    components::{Field, error_summary, select, submit},
    failure::{Answer, Failure},
    form::{Errors, Fields, Form},
    i18n::Text,
    session::SignedIn,
    urls::{self, Url},
    view::{Head, Notice, Page, View},
    visit::{Visit, see_other},
};

/// The routes of this file.
pub(super) fn routes() -> Router {
    Router::new()
        .route(urls::SignUp::ROUTE, get(show_sign_up).post(sign_up))
        .route(urls::LogIn::ROUTE, get(show_log_in).post(log_in))
        .route(urls::LogOut::ROUTE, post(log_out))
}

async fn show_sign_up(visit: Visit, query: Fields) -> Answer {
    visit.view().show(&SignUpPage { typed: query, errors: Errors::none() })
}

async fn sign_up(visit: Visit, Form(form): Form) -> Answer {
    let text = visit.text();
    let message = RegisterRequest {
        name: form.text("name").to_owned(),
        email: form.text("email").to_owned(),
        password: form.raw("password").to_owned(),
        gender: gender(&form),
        birth_year: match birth_year(&form) {
            Ok(year) => year,
            Err(()) => {
                let mut errors = Errors::none();
                errors.add("birth_year", text.birth_year_mend());
                return Ok(refused_sign_up(&visit, form, errors));
            }
        },
    };
    let (email, password) = (message.email.clone(), message.password.clone());
    let request = visit.request_once(message, &form);
    if let Err(error) = visit.ask(visit.services().user().register(request)).await {
        return match account_errors(text, &error) {
            Some(errors) => Ok(refused_sign_up(&visit, form, errors)),
            None => Err(error.into()),
        };
    }
    start_session(&visit, email, password).await?;
    Ok(see_other(return_to(&form), Some(Notice::SignedUp)))
}

fn refused_sign_up(visit: &Visit, typed: Fields, errors: Errors) -> Response {
    visit.view().show_with(StatusCode::UNPROCESSABLE_ENTITY, &SignUpPage { typed, errors })
}

/// What a service says of an account's fields, in the visitor's language.
pub(super) fn account_errors(text: Text, error: &ServiceError) -> Option<Errors> {
    if error.reason == "email_taken" {
        let mut errors = Errors::none();
        errors.add("email", text.email_taken());
        return Some(errors);
    }
    let words = [
        ("name", text.name_mend()),
        ("email", text.email_mend()),
        ("password", text.password_mend()),
        ("birth_year", text.birth_year_mend()),
        ("current_password", text.password_current_mend()),
    ];
    Errors::of(error, &words)
}

/// What was chosen; none where there is no answer.
pub(super) fn gender(form: &Fields) -> Option<i32> {
    user::Gender::from_str_name(form.text("gender")).map(i32::from).filter(|gender| *gender != 0)
}

/// What was typed, if anything; an error where it is no year.
pub(super) fn birth_year(form: &Fields) -> Result<Option<i32>, ()> {
    form.filled("birth_year").map(|year| year.parse().map_err(|_| ())).transpose()
}

async fn show_log_in(visit: Visit, query: Fields) -> Answer {
    visit.view().show(&LogInPage { typed: query, errors: Errors::none() })
}

async fn log_in(visit: Visit, Form(form): Form) -> Answer {
    let text = visit.text();
    match start_session(&visit, form.text("email").to_owned(), form.raw("password").to_owned()).await {
        Ok(()) => Ok(see_other(return_to(&form), Some(Notice::LoggedIn))),
        Err(error) if matches!(error.code, Code::Unauthenticated | Code::BadInput) => {
            let mut errors = Errors::none();
            errors.add("email", text.log_in_wrong());
            let page = LogInPage { typed: form, errors };
            Ok(visit.view().show_with(StatusCode::UNPROCESSABLE_ENTITY, &page))
        }
        Err(error) => Err(error.into()),
    }
}

/// Signs in, and learns who that is.
pub(super) async fn start_session(
    visit: &Visit,
    email: String,
    password: String,
) -> Result<(), ServiceError> {
    let request = visit.request(LoginRequest { email, password });
    let tokens = visit.ask(visit.services().user().login(request)).await?;
    let mut request = visit.request(GetMeRequest {});
    let bearer = AsciiMetadataValue::try_from(format!("Bearer {}", tokens.access_token));
    request.metadata_mut().insert("authorization", bearer.map_err(|error| ServiceError::internal(&error))?);
    let me = visit.ask(visit.services().user().get_me(request)).await?;
    visit.become_person(Some(SignedIn {
        access_token: tokens.access_token,
        refresh_token: tokens.refresh_token,
        expires_at: visit.view().now.as_second() + tokens.expires_in,
        is_admin: me.roles.contains(&i32::from(user::Role::Admin)),
        user_id: me.id,
        name: me.name,
    }));
    Ok(())
}

async fn log_out(visit: Visit, Form(_): Form) -> Answer {
    if let Some(signed_in) = visit.signed_in() {
        let request = visit.request(LogoutRequest { refresh_token: signed_in.refresh_token });
        visit.ask(visit.services().user().logout(request)).await.map_err(Failure::from)?;
        visit.become_person(None);
    }
    Ok(see_other(urls::Events, Some(Notice::LoggedOut)))
}

/// The form for a new account.
pub(crate) struct SignUpPage {
    typed: Fields,
    errors: Errors,
}

impl Page for SignUpPage {
    fn head(&self, view: &View) -> Head {
        Head::titled(view.text.sign_up_title())
    }

    fn main(&self, view: &View) -> Markup {
        let (text, errors, typed) = (view.text, &self.errors, &self.typed);
        html! {
            section.narrow {
                (error_summary(text, errors))
                h1 { (text.sign_up_title()) }
                p.lead { (text.sign_up_why()) }
                form.stack method="post" action=(urls::SignUp) id="sign-up" novalidate {
                    (view.form_token()) (view.form_key())
                    input type="hidden" name="return_to" value=(return_to(typed));
                    (Field::new("name", text.name()).hint(text.name_hint()).autocomplete("name").required()
                        .with("maxlength", 200).shown(errors, typed))
                    (Field::new("email", text.email()).kind("email").autocomplete("email").required()
                        .shown(errors, typed))
                    (Field::new("password", text.password()).kind("password").hint(text.password_hint())
                        .autocomplete("new-password").required().with("minlength", 8).shown(errors, typed))
                    (about_you(text, typed, errors))
                    (submit(text.sign_up_action()))
                }
                p { (text.sign_up_have_one()) " " a href={ (urls::LogIn) "?return_to=" (urls::encoded(&return_to(typed))) } { (text.nav_log_in()) } }
            }
        }
    }

    #[cfg(test)]
    fn samples() -> Vec<Self> {
        let mut errors = Errors::none();
        errors.add("email", "Enter it <b>");
        errors.add("birth_year", "Enter it");
        let typed = Fields::parse(b"name=%3Cscript%3E&email=x&return_to=/bookings");
        vec![Self { typed: Fields::default(), errors: Errors::none() }, Self { typed, errors }]
    }
}

/// What organisers see as sums.
pub(super) fn about_you(text: Text, typed: &Fields, errors: &Errors) -> Markup {
    let genders = [
        ("", text.gender_none()),
        ("FEMALE", text.gender_female()),
        ("MALE", text.gender_male()),
        ("OTHER", text.gender_other()),
    ];
    let (gender, year) = (
        format!("{} ({})", text.gender(), text.optional()),
        format!("{} ({})", text.birth_year(), text.optional()),
    );
    html! {
        p.hint { (text.about_you_hint()) }
        div.pair {
            (select("gender", &gender, &genders, typed.text("gender"), errors))
            (Field::new("birth_year", &year).with("inputmode", "numeric").autocomplete("bday-year")
                .with("maxlength", 4).shown(errors, typed))
        }
    }
}

/// The form to sign in.
pub(crate) struct LogInPage {
    typed: Fields,
    errors: Errors,
}

impl Page for LogInPage {
    fn head(&self, view: &View) -> Head {
        Head::titled(view.text.log_in_title())
    }

    fn main(&self, view: &View) -> Markup {
        let (text, errors, typed) = (view.text, &self.errors, &self.typed);
        html! {
            section.narrow {
                (error_summary(text, errors))
                h1 { (text.log_in_title()) }
                @if typed.filled("return_to").is_some_and(|path| path != "/") { p.lead { (text.log_in_first()) } }
                form.stack method="post" action=(urls::LogIn) id="log-in" novalidate {
                    (view.form_token())
                    input type="hidden" name="return_to" value=(return_to(typed));
                    (Field::new("email", text.email()).kind("email").autocomplete("username").required()
                        .shown(errors, typed))
                    (Field::new("password", text.password()).kind("password").autocomplete("current-password")
                        .required().shown(errors, typed))
                    (submit(text.nav_log_in()))
                }
                p { (text.log_in_none()) " " a href={ (urls::SignUp) "?return_to=" (urls::encoded(&return_to(typed))) } { (text.nav_sign_up()) } }
            }
        }
    }

    #[cfg(test)]
    fn samples() -> Vec<Self> {
        let mut errors = Errors::none();
        errors.add("email", "Wrong");
        vec![
            Self { typed: Fields::parse(b"return_to=/bookings"), errors: Errors::none() },
            Self { typed: Fields::parse(b"email=%22%3E%3Cscript%3E"), errors },
        ]
    }
}
