//! One's own account: change, take along, erase.

use axum::{
    Router,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use http::{
    HeaderValue, StatusCode,
    header::{CONTENT_DISPOSITION, CONTENT_TYPE},
};
use maud::{Markup, html};
use prost_types::FieldMask;
use proto::v1::{DeleteMeRequest, ExportMeRequest, GetMeRequest, UpdateMeRequest, User, user};

use super::sign_in::{about_you, account_errors, birth_year, gender};
use crate::{
    components::{Field, error_summary, submit},
    failure::Answer,
    form::{Errors, Fields, Form},
    urls::{self, Url},
    view::{Head, Notice, Page, View},
    visit::{Visit, see_other},
};

/// The routes of this file.
pub(super) fn routes() -> Router {
    Router::new()
        .route(urls::Account::ROUTE, get(show).post(save))
        .route(urls::AccountPassword::ROUTE, post(change_password).get(back))
        .route(urls::AccountExport::ROUTE, get(export))
        .route(urls::AccountDelete::ROUTE, post(erase).get(back))
}

/// Reloading what a refused form answered with leads to the account.
async fn back() -> Answer {
    Ok(see_other(urls::Account, None))
}

async fn show(visit: Visit) -> Answer {
    visit.person()?;
    let user = me(&visit).await?;
    let typed = typed(&user);
    visit.view().show(&AccountPage { email: user.email, typed, errors: Errors::none() })
}

async fn me(visit: &Visit) -> Result<User, kit::ServiceError> {
    visit.ask(visit.services().user().get_me(visit.request(GetMeRequest {}))).await
}

/// An account as its form has it.
fn typed(user: &User) -> Fields {
    let gender = user.gender.and_then(|gender| user::Gender::try_from(gender).ok());
    let year = user.birth_year.map(|year| year.to_string()).unwrap_or_default();
    let encoded = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("name", &user.name)
        .append_pair("gender", gender.map_or("", |gender| gender.as_str_name()))
        .append_pair("birth_year", &year)
        .finish();
    Fields::parse(encoded.as_bytes())
}

async fn save(visit: Visit, Form(form): Form) -> Answer {
    visit.person()?;
    let Ok(birth_year) = birth_year(&form) else {
        let mut errors = Errors::none();
        errors.add("birth_year", visit.text().birth_year_mend());
        return refused(&visit, form, errors).await;
    };
    let message = UpdateMeRequest {
        name: Some(form.text("name").to_owned()),
        gender: gender(&form),
        birth_year,
        update_mask: Some(mask(&["name", "gender", "birth_year"])),
        ..UpdateMeRequest::default()
    };
    match visit.ask(visit.services().user().update_me(visit.request(message))).await {
        Ok(user) => {
            visit.rename(&user.name);
            Ok(see_other(urls::Account, Some(Notice::AccountSaved)))
        }
        Err(error) => match account_errors(visit.text(), &error) {
            Some(errors) => refused(&visit, form, errors).await,
            None => Err(error.into()),
        },
    }
}

async fn change_password(visit: Visit, Form(form): Form) -> Answer {
    visit.person()?;
    let message = UpdateMeRequest {
        password: Some(form.raw("password").to_owned()),
        current_password: Some(form.raw("current_password").to_owned()),
        update_mask: Some(mask(&["password", "current_password"])),
        ..UpdateMeRequest::default()
    };
    match visit.ask(visit.services().user().update_me(visit.request(message))).await {
        Ok(user) => {
            super::sign_in::start_session(&visit, user.email, form.raw("password").to_owned()).await?;
            Ok(see_other(urls::Account, Some(Notice::PasswordChanged)))
        }
        Err(error) => match password_errors(&visit, &error) {
            Some(errors) => {
                let user = me(&visit).await?;
                refused(&visit, typed(&user), errors).await
            }
            None => Err(error.into()),
        },
    }
}

/// A wrong current password is the form's fault, not a lack of a session.
fn password_errors(visit: &Visit, error: &kit::ServiceError) -> Option<Errors> {
    if error.reason == "wrong_credentials" {
        let mut errors = Errors::none();
        errors.add("current_password", visit.text().password_current_mend());
        return Some(errors);
    }
    account_errors(visit.text(), error)
}

async fn refused(visit: &Visit, typed: Fields, errors: Errors) -> Answer {
    let email = me(visit).await?.email;
    let page = AccountPage { email, typed, errors };
    Ok(visit.view().show_with(StatusCode::UNPROCESSABLE_ENTITY, &page))
}

fn mask(paths: &[&str]) -> FieldMask {
    FieldMask { paths: paths.iter().map(|path| (*path).to_owned()).collect() }
}

async fn export(visit: Visit) -> Answer {
    visit.person()?;
    let file = visit.ask(visit.services().user().export_me(visit.request(ExportMeRequest {}))).await?;
    let mut response: Response = file.data.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let name = HeaderValue::from_static("attachment; filename=\"boxoffice-export.json\"");
    headers.insert(CONTENT_DISPOSITION, name);
    Ok(response)
}

async fn erase(visit: Visit, Form(form): Form) -> Answer {
    visit.person()?;
    if form.filled("sure").is_none() {
        let mut errors = Errors::none();
        errors.add("sure", visit.text().delete_confirm_mend());
        let user = me(&visit).await?;
        return refused(&visit, typed(&user), errors).await;
    }
    visit.ask(visit.services().user().delete_me(visit.request(DeleteMeRequest {}))).await?;
    visit.become_person(None);
    Ok(see_other(urls::Events, Some(Notice::AccountDeleted)))
}

/// One's own account.
pub(crate) struct AccountPage {
    email: String,
    typed: Fields,
    errors: Errors,
}

impl Page for AccountPage {
    fn head(&self, view: &View) -> Head {
        Head::titled(view.text.account_title())
    }

    fn main(&self, view: &View) -> Markup {
        let (text, errors) = (view.text, &self.errors);
        html! {
            div.narrow {
                (error_summary(text, errors))
                h1 { (text.account_title()) }
                form.stack method="post" action=(urls::Account) id="account" novalidate {
                    (view.form_token())
                    div.field { p.label { (text.email()) } p.fixed id="account-email" { (self.email) } p.hint { (text.email_fixed()) } }
                    (Field::new("name", text.name()).hint(text.name_hint()).autocomplete("name").required()
                        .with("maxlength", 200).shown(errors, &self.typed))
                    (about_you(text, &self.typed, errors))
                    (submit(text.save()))
                }
                (self.password(view))
                section aria-labelledby="export-title" {
                    h2 id="export-title" { (text.export_title()) }
                    p { (text.export_text()) }
                    p { a.button.quiet href=(urls::AccountExport) download { (text.export_action()) } }
                }
                (self.erase(view))
            }
        }
    }

    #[cfg(test)]
    fn samples() -> Vec<Self> {
        let mut errors = Errors::none();
        errors.add("sure", "Tick it");
        errors.add("current_password", "Wrong");
        let typed = Fields::parse(b"name=Bruno&gender=MALE&birth_year=1995");
        let email = "b@example.org".to_owned();
        vec![
            Self { email: email.clone(), typed: typed.clone(), errors: Errors::none() },
            Self { email, typed, errors },
        ]
    }
}

impl AccountPage {
    fn password(&self, view: &View) -> Markup {
        let (text, errors, none) = (view.text, &self.errors, Fields::default());
        html! {
            section aria-labelledby="password-title" {
                h2 id="password-title" { (text.password_title()) }
                form.stack method="post" action=(urls::AccountPassword) id="account-password" novalidate {
                    (view.form_token())
                    (Field::new("current_password", text.password_current()).kind("password")
                        .autocomplete("current-password").required().shown(errors, &none))
                    (Field::new("password", text.password_new()).kind("password").hint(text.password_hint())
                        .autocomplete("new-password").required().with("minlength", 8).shown(errors, &none))
                    (submit(text.password_action()))
                }
            }
        }
    }

    fn erase(&self, view: &View) -> Markup {
        let (text, error) = (view.text, self.errors.on("sure"));
        html! {
            section.danger aria-labelledby="delete-title" {
                h2 id="delete-title" { (text.delete_title()) }
                p { (text.delete_text()) }
                form.stack method="post" action=(urls::AccountDelete) id="account-delete" novalidate {
                    (view.form_token())
                    div.field.wrong[error.is_some()] {
                        @if let Some(error) = error { p.error id="sure-error" { (error) } }
                        div.tick {
                            input type="checkbox" id="sure" name="sure" value="yes"
                                aria-describedby=[error.map(|_| "sure-error")];
                            label for="sure" { (text.delete_confirm()) }
                        }
                    }
                    button.button.warn type="submit" { (text.delete_action()) }
                }
            }
        }
    }
}
