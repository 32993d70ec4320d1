//! Answers as Kong words them.

use axum::{body::Body, response::Response};
use http::{HeaderValue, StatusCode, header};
use kong::Refusal;
use serde_json::{Value, json};

use crate::{body::BadBody, state::ChangeError};

const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// Why a call has no result.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It is refused.
    Refused(Refusal),
    /// Its body cannot be read.
    Body(BadBody),
    /// Nobody may call it like this: the status and why.
    Denied(StatusCode, &'static str),
    /// There is something at this path, but not for this method.
    Method(&'static str),
    /// The store cannot be reached.
    Unavailable(String),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<BadBody> for Failure {
    fn from(bad: BadBody) -> Self {
        Self::Body(bad)
    }
}

impl From<ChangeError> for Failure {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Refused(refusal) => Self::Refused(refusal),
            ChangeError::Unavailable(why) => Self::Unavailable(why),
        }
    }
}

/// An answer with a JSON body.
pub(crate) fn json_answer(status: u16, body: &Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    response
}

/// An answer without a body.
pub(crate) fn nothing() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

impl Failure {
    /// The answer.
    pub fn into_response(self) -> Response {
        let message = |message: &str| json!({ "message": message });
        match self {
            Self::Refused(refusal) => json_answer(refusal.status(), &refusal.body()),
            Self::Body(bad) => json_answer(bad.status(), &message(&bad.to_string())),
            Self::Denied(status, why) => {
                let mut response = json_answer(status.as_u16(), &message(why));
                if status == StatusCode::UNAUTHORIZED {
                    let challenge = HeaderValue::from_static("Bearer realm=\"admin\"");
                    response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
                }
                response
            }
            Self::Method(allow) => {
                let mut response = json_answer(405, &message("Method not allowed"));
                response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
                response
            }
            Self::Unavailable(why) => {
                tracing::warn!(%why, "a change of the configuration was not stored");
                let mut response =
                    json_answer(503, &message("the configuration cannot be stored now; try again"));
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
                response
            }
        }
    }
}
