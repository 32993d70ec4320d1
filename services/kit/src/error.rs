//! One small enum owns both mappings of an error, to gRPC and to HTTP.

use std::{borrow::Cow, collections::HashMap, time::Duration};

use domain::{FieldError, Refusal, RefusalKind};
use tonic::Status;
use tonic_types::{ErrorDetails, StatusExt};

/// The `domain` of our `google.rpc.ErrorInfo`.
const ERROR_DOMAIN: &str = "boxoffice";
/// The `ErrorInfo` metadata key that carries [`Code::name`].
const CODE_KEY: &str = "code";
/// The longest detail, in bytes. A status travels in the trailers of an answer, its detail twice. All of it is kept below 16
/// KiB, which our own servers and clients take; Envoy was seen to end a call with longer ones, which made a refusal of bad
/// input a 5xx.
const MAX_DETAIL: usize = 1_024;
/// The longest name of a field, in bytes.
const MAX_FIELD: usize = 96;
/// The longest reason of a field, in bytes.
const MAX_REASON: usize = 240;

/// The kind of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// The input is wrong in itself.
    BadInput,
    /// No token, or a bad one.
    Unauthenticated,
    /// Known, but not allowed.
    Forbidden,
    /// No such thing, or another's private thing.
    NotFound,
    /// The state does not allow it.
    Conflict,
    /// `If-Match` names another version.
    VersionMismatch,
    /// An idempotency key came again with another body.
    KeyReused,
    /// Too many requests; later it may work.
    TooMany,
    /// The service cannot answer now; later it may.
    Unavailable,
    /// A defect of ours.
    Internal,
}

impl Code {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::BadInput,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::NotFound,
        Self::Conflict,
        Self::VersionMismatch,
        Self::KeyReused,
        Self::TooMany,
        Self::Unavailable,
        Self::Internal,
    ];

    /// The gRPC code.
    #[must_use]
    pub fn grpc(self) -> tonic::Code {
        match self {
            Self::BadInput => tonic::Code::InvalidArgument,
            Self::Unauthenticated => tonic::Code::Unauthenticated,
            Self::Forbidden => tonic::Code::PermissionDenied,
            Self::NotFound => tonic::Code::NotFound,
            Self::Conflict | Self::KeyReused => tonic::Code::FailedPrecondition,
            Self::VersionMismatch => tonic::Code::Aborted,
            Self::TooMany => tonic::Code::ResourceExhausted,
            Self::Unavailable => tonic::Code::Unavailable,
            Self::Internal => tonic::Code::Internal,
        }
    }

    /// The HTTP status.
    #[must_use]
    pub fn http(self) -> u16 {
        match self {
            Self::BadInput => 400,
            Self::Unauthenticated => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::Conflict => 409,
            Self::VersionMismatch => 412,
            Self::KeyReused => 422,
            Self::TooMany => 429,
            Self::Internal => 500,
            Self::Unavailable => 503,
        }
    }

    /// A short title for people.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::BadInput => "The input is not right",
            Self::Unauthenticated => "Sign in first",
            Self::Forbidden => "Not allowed",
            Self::NotFound => "Not found",
            Self::Conflict => "The state does not allow it",
            Self::VersionMismatch => "It was changed meanwhile",
            Self::KeyReused => "The idempotency key was used for another request",
            Self::TooMany => "Too many requests",
            Self::Unavailable => "Not available now",
            Self::Internal => "Something went wrong here",
        }
    }

    /// The name by which it travels in `google.rpc.ErrorInfo`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::BadInput => "BAD_INPUT",
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::NotFound => "NOT_FOUND",
            Self::Conflict => "CONFLICT",
            Self::VersionMismatch => "VERSION_MISMATCH",
            Self::KeyReused => "KEY_REUSED",
            Self::TooMany => "TOO_MANY",
            Self::Unavailable => "UNAVAILABLE",
            Self::Internal => "INTERNAL",
        }
    }

    /// For a status of a server that is not ours.
    fn from_grpc(code: tonic::Code) -> Self {
        match code {
            tonic::Code::InvalidArgument | tonic::Code::OutOfRange => Self::BadInput,
            tonic::Code::Unauthenticated => Self::Unauthenticated,
            tonic::Code::PermissionDenied => Self::Forbidden,
            tonic::Code::NotFound => Self::NotFound,
            tonic::Code::AlreadyExists | tonic::Code::FailedPrecondition | tonic::Code::Aborted => {
                Self::Conflict
            }
            tonic::Code::ResourceExhausted => Self::TooMany,
            tonic::Code::Unavailable | tonic::Code::DeadlineExceeded | tonic::Code::Cancelled => {
                Self::Unavailable
            }
            _ => Self::Internal,
        }
    }
}

impl From<RefusalKind> for Code {
    fn from(kind: RefusalKind) -> Self {
        match kind {
            RefusalKind::BadInput => Self::BadInput,
            RefusalKind::Unauthenticated => Self::Unauthenticated,
            RefusalKind::Forbidden => Self::Forbidden,
            RefusalKind::NotFound => Self::NotFound,
            RefusalKind::Conflict => Self::Conflict,
            RefusalKind::VersionMismatch => Self::VersionMismatch,
            RefusalKind::KeyReused => Self::KeyReused,
        }
    }
}

/// What a service answers instead of a result. It travels as a gRPC status with `google.rpc` details.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceError {
    /// The kind.
    pub code: Code,
    /// Stable and documented in docs/errors, such as `sold_out`.
    pub reason: Cow<'static, str>,
    /// For people.
    pub detail: String,
    /// For bad input, each field that is wrong.
    pub fields: Vec<FieldError>,
    /// When trying again may help.
    pub retry_after: Option<Duration>,
}

impl ServiceError {
    /// An error without fields.
    #[must_use]
    pub fn new(code: Code, reason: &'static str, detail: impl Into<String>) -> Self {
        Self {
            code,
            reason: Cow::Borrowed(reason),
            detail: detail.into(),
            fields: Vec::new(),
            retry_after: None,
        }
    }

    /// A defect of ours. The cause goes to the log, not to the client.
    #[must_use]
    pub fn internal(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(%cause, "internal error");
        Self::new(
            Code::Internal,
            "internal",
            "the request could not be carried out; its trace id leads to the cause in the log",
        )
    }

    /// The service is overloaded or cannot reach its store.
    #[must_use]
    pub fn unavailable(reason: &'static str, detail: impl Into<String>) -> Self {
        Self { retry_after: Some(Duration::from_secs(1)), ..Self::new(Code::Unavailable, reason, detail) }
    }

    /// There is no valid token.
    #[must_use]
    pub fn unauthenticated(detail: impl Into<String>) -> Self {
        Self::new(Code::Unauthenticated, "unauthenticated", detail)
    }

    /// Reads back what [`Status::from`] wrote; a foreign status is mapped by its gRPC code.
    #[must_use]
    pub fn from_status(status: &Status) -> Self {
        let details = status.get_error_details();
        let info = details.error_info().filter(|info| info.domain == ERROR_DOMAIN);
        let named = info.and_then(|info| info.metadata.get(CODE_KEY));
        let code = named
            .and_then(|name| Code::ALL.into_iter().find(|code| code.name() == name))
            .unwrap_or_else(|| Code::from_grpc(status.code()));
        let reason = match info {
            Some(info) => Cow::Owned(info.reason.clone()),
            None => Cow::Borrowed(foreign_reason(code)),
        };
        let fields = details.bad_request().map(|bad| &bad.field_violations[..]).unwrap_or_default();
        Self {
            code,
            reason,
            detail: status.message().to_owned(),
            fields: fields
                .iter()
                .map(|v| FieldError { field: v.field.clone(), reason: Cow::Owned(v.description.clone()) })
                .collect(),
            retry_after: details.retry_info().and_then(|info| info.retry_delay),
        }
    }
}

/// The stable code of an error that carries none of ours.
fn foreign_reason(code: Code) -> &'static str {
    match code {
        Code::BadInput => "bad_input",
        Code::Unauthenticated => "unauthenticated",
        Code::Forbidden => "forbidden",
        Code::NotFound => "not_found",
        Code::Conflict => "conflict",
        Code::VersionMismatch => "version_mismatch",
        Code::KeyReused => "idempotency_key_reused",
        Code::TooMany => "too_many_requests",
        Code::Unavailable => "unavailable",
        Code::Internal => "internal",
    }
}

impl From<Refusal> for ServiceError {
    fn from(refusal: Refusal) -> Self {
        Self {
            code: refusal.kind.into(),
            reason: Cow::Borrowed(refusal.code),
            detail: refusal.detail,
            fields: refusal.fields,
            retry_after: None,
        }
    }
}

impl From<store::StoreError> for ServiceError {
    fn from(error: store::StoreError) -> Self {
        match error {
            store::StoreError::Unavailable(cause) => {
                tracing::warn!(cause, "store unavailable");
                Self::unavailable("unavailable", "the service cannot reach its store now")
            }
            store::StoreError::Corrupt(cause) => Self::internal(&cause),
        }
    }
}

impl From<ServiceError> for Status {
    fn from(error: ServiceError) -> Self {
        let mut details = ErrorDetails::new();
        let metadata = HashMap::from([(CODE_KEY.to_owned(), error.code.name().to_owned())]);
        details.set_error_info(error.reason.clone(), ERROR_DOMAIN, metadata);
        for field in &error.fields {
            details.add_bad_request_violation(
                shortened(&field.field, MAX_FIELD),
                shortened(&field.reason, MAX_REASON),
            );
        }
        if error.retry_after.is_some() {
            details.set_retry_info(error.retry_after);
        }
        Self::with_error_details(error.code.grpc(), shortened(&error.detail, MAX_DETAIL), details)
    }
}

/// A text that may repeat what a client sent, of at most so many bytes.
fn shortened(text: &str, most: usize) -> String {
    const MORE: &str = "…";
    if text.len() <= most {
        return text.to_owned();
    }
    format!("{}{MORE}", &text[..text.floor_char_boundary(most - MORE.len())])
}

#[cfg(test)]
mod tests {
    use domain::Check;

    use super::*;

    #[test]
    fn an_error_survives_the_wire() {
        let mut sent = ServiceError::from(Refusal::field("lines[0].quantity", "must be from 1 to 50"));
        sent.retry_after = Some(Duration::from_secs(3));
        let status = Status::from(sent.clone());
        assert_eq!(status.code(), tonic::Code::InvalidArgument);
        assert_eq!(ServiceError::from_status(&status), sent);
    }

    #[test]
    fn a_status_that_repeats_much_of_what_was_sent_fits_the_headers_that_clients_take() {
        let long = "ü".repeat(20_000);
        let mut check = Check::default();
        (0..100).for_each(|_| check.fail(long.clone(), long.clone()));
        let status = Status::from(ServiceError::from(check.finish().unwrap_err()));
        let headers = status.into_http::<()>().into_parts().0.headers;
        let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 32).sum();
        assert!(bytes < 16 << 10, "{bytes} bytes");
        let read = ServiceError::from_status(&Status::from_header_map(&headers).unwrap());
        assert!(read.detail.ends_with("ü…") && read.fields[0].reason.ends_with("ü…"), "{read:?}");
    }

    #[test]
    fn a_foreign_status_is_mapped_by_its_code() {
        let error = ServiceError::from_status(&Status::deadline_exceeded("late"));
        assert_eq!((error.code, error.reason.as_ref()), (Code::Unavailable, "unavailable"));
    }
}
