//! What a handler answers instead of a page. It becomes a page where the visitor's language is known.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use kit::{Code, ServiceError};

/// What a handler answers.
pub(crate) type Answer = Result<Response, Failure>;

/// Why there is no page.
#[derive(Debug, Clone)]
pub(crate) enum Failure {
    /// A service refused or could not.
    Service(ServiceError),
    /// There is no such page.
    NoPage,
    /// The page is there, but not for this method; the header `Allow` says for which.
    WrongMethod,
    /// Signing in comes first, then the same address again.
    SignInFirst,
    /// The form is not from a page of ours, or from one that is too old.
    Forged,
    /// The request cannot be read as what it should be.
    BadRequest,
    /// The form is longer than forms are.
    TooLong,
}

impl Failure {
    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Service(error) => {
                StatusCode::from_u16(error.code.http()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }
            Self::NoPage => StatusCode::NOT_FOUND,
            Self::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::SignInFirst => StatusCode::UNAUTHORIZED,
            Self::Forged => StatusCode::FORBIDDEN,
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
        }
    }

    /// The code of what happened, as docs/errors has it.
    pub fn reason(&self) -> &str {
        match self {
            Self::Service(error) => &error.reason,
            Self::NoPage => "not_found",
            Self::WrongMethod => "method_not_allowed",
            Self::SignInFirst => "unauthenticated",
            Self::Forged => "forged_form",
            Self::BadRequest => "bad_input",
            Self::TooLong => "body_too_large",
        }
    }

    /// Whether it is cured by signing in.
    pub fn wants_sign_in(&self) -> bool {
        matches!(self, Self::SignInFirst)
            || matches!(self, Self::Service(error) if error.code == Code::Unauthenticated)
    }
}

impl From<ServiceError> for Failure {
    fn from(error: ServiceError) -> Self {
        Self::Service(error)
    }
}

/// A placeholder that carries the failure to where pages are made.
impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}
