//! Forms as browsers send them, and what is wrong with them.
//!
//! [`Form`] is an extractor: a handler that takes one runs only when the form's token is that of the visitor's session,
//! so no handler can forget to check. In the page, `view.form_token()` makes the hidden field.

use axum::{
    body::to_bytes,
    extract::{FromRequest, Request},
};
use http::header::CONTENT_TYPE;
use kit::ServiceError;

use crate::{
    failure::Failure,
    limits::{BODY_DEADLINE, MAX_FORM_BYTES, MAX_FORM_FIELDS},
    visit::Visit,
};

/// The name of the field with the token.
pub(crate) const TOKEN_FIELD: &str = "form_token";
/// The name of the field by which a form that is sent twice acts once.
pub(crate) const KEY_FIELD: &str = "idempotency_key";
const FORM_TYPE: &str = "application/x-www-form-urlencoded";

/// The fields of a form or of a query, in their order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads `a=1&b=2`; what is over the limit is left out.
    pub fn parse(encoded: &[u8]) -> Self {
        Self(url::form_urlencoded::parse(encoded).into_owned().take(MAX_FORM_FIELDS).collect())
    }

    /// The value of a field without white space around it; empty where it is not there.
    pub fn text(&self, name: &str) -> &str {
        self.raw(name).trim()
    }

    /// The value of a field as it was typed, such as a password.
    pub fn raw(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// The value of a field; none where it is empty.
    pub fn filled(&self, name: &str) -> Option<&str> {
        Some(self.text(name)).filter(|text| !text.is_empty())
    }

    /// All values of a field that may be there several times.
    pub fn all<'f>(&'f self, name: &'f str) -> impl Iterator<Item = &'f str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Names and values, as they came.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// The fields of a form that was sent from a page of ours.
pub(crate) struct Form(pub Fields);

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        let visit = request.extensions().get::<Visit>().cloned().ok_or(Failure::BadRequest)?;
        let media_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if !media_type.is_some_and(|media_type| media_type.starts_with(FORM_TYPE)) {
            return Err(Failure::BadRequest);
        }
        let body = tokio::time::timeout(BODY_DEADLINE, to_bytes(request.into_body(), MAX_FORM_BYTES));
        let body = body.await.map_err(|_| Failure::BadRequest)?.map_err(|_| Failure::TooLong)?;
        let fields = Fields::parse(&body);
        visit.check_token(fields.raw(TOKEN_FIELD))?;
        Ok(Self(fields))
    }
}

/// What is wrong with a form, by field.
#[derive(Debug, Clone, Default)]
pub(crate) struct Errors(Vec<(String, String)>);

impl Errors {
    /// Nothing yet.
    pub fn none() -> Self {
        Self::default()
    }

    /// Notes what a field needs, in the visitor's language.
    pub fn add(&mut self, field: &str, mend: impl Into<String>) {
        self.0.push((field.to_owned(), mend.into()));
    }

    /// What a service said of the input, in the page's words where it has some for the field: pairs of the service's
    /// field and what to say. None where the error is about something else.
    pub fn of(error: &ServiceError, words: &[(&str, &str)]) -> Option<Self> {
        if error.fields.is_empty() {
            return None;
        }
        let mut errors = Self::none();
        for wrong in &error.fields {
            let said = words.iter().find(|(field, _)| *field == wrong.field);
            errors.add(&wrong.field, said.map_or(wrong.reason.as_ref(), |(_, words)| *words));
        }
        Some(errors)
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is wrong with a field.
    pub fn on(&self, field: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == field).map(|(_, mend)| mend.as_str())
    }

    /// Everything, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(field, mend)| (field.as_str(), mend.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_as_browsers_send_them() {
        let fields = Fields::parse(b"name=+Ana+Mar%C3%ADa+&t=1&t=2&empty=");
        assert_eq!(fields.text("name"), "Ana María");
        assert_eq!(fields.raw("name"), " Ana María ");
        assert_eq!(fields.all("t").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!((fields.filled("empty"), fields.filled("none")), (None, None));
    }
}
