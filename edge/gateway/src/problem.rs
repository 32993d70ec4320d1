//! Errors as clients see them: `application/problem+json` (RFC 9457).

use std::{borrow::Cow, time::Duration};

use axum::{body::Body, response::Response};
use http::{
    HeaderValue, StatusCode,
    header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
};
use kit::{Code, ServiceError};
use serde::Serialize;
use tonic::Status;

use crate::{limits, scalar::Reason, trace::Trace};

const CAUSE_IN_LOG: &str = "the request could not be carried out; its trace id leads to the cause in the log";
const NOT_NOW: &str = "the service that answers this cannot be reached now";

/// One field that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct FieldProblem {
    /// The path of the field, such as `lines[0].quantity`.
    pub field: String,
    /// What is wrong.
    pub reason: Reason,
}

/// Why a request is not answered with what it asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The HTTP status.
    pub status: StatusCode,
    /// The same for each occurrence of the code's kind.
    pub title: &'static str,
    /// Stable, with a page in docs/errors.
    pub code: Cow<'static, str>,
    /// About this occurrence.
    pub detail: Cow<'static, str>,
    /// For bad input, each field that is wrong.
    pub fields: Vec<FieldProblem>,
    /// When trying again may help, in whole seconds.
    pub retry_after_seconds: Option<u32>,
    /// For a wrong method, the right ones.
    pub allow: Option<Box<str>>,
    /// The token that was sent is why.
    pub bad_token: bool,
}

/// The JSON of a problem.
#[derive(Serialize)]
struct Document<'p> {
    r#type: String,
    title: &'p str,
    status: u16,
    detail: &'p str,
    instance: &'p str,
    code: &'p str,
    #[serde(skip_serializing_if = "<[FieldProblem]>::is_empty")]
    errors: &'p [FieldProblem],
    trace_id: &'p str,
}

impl Problem {
    fn new(
        status: StatusCode,
        title: &'static str,
        code: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            status,
            title,
            code: Cow::Borrowed(code),
            detail: detail.into(),
            fields: Vec::new(),
            retry_after_seconds: None,
            allow: None,
            bad_token: false,
        }
    }

    fn of_code(code: Code, name: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(status_of(code), code.title(), name, detail)
    }

    /// One field is wrong.
    pub fn field(field: impl Into<String>, reason: impl Into<Reason>) -> Self {
        let field = FieldProblem { field: field.into(), reason: reason.into() };
        let detail = format!("{} {}", field.field, field.reason);
        Self { fields: vec![field], ..Self::of_code(Code::BadInput, "bad_input", detail) }
    }

    /// The request is wrong as a whole.
    pub fn bad_input(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::of_code(Code::BadInput, "bad_input", detail)
    }

    /// The body is not JSON.
    pub fn malformed_json(why: &str) -> Self {
        Self::of_code(Code::BadInput, "malformed_json", format!("the body is not JSON: {why}"))
    }

    /// No rule allows the call.
    pub fn forbidden() -> Self {
        Self::of_code(Code::Forbidden, "forbidden", "no rule allows this call")
    }

    /// There is nothing at this path.
    pub fn not_found() -> Self {
        Self::of_code(Code::NotFound, "not_found", "there is nothing at this path; /docs lists what there is")
    }

    /// There is something at this path, but not for this method.
    pub fn method_not_allowed(allow: String) -> Self {
        let detail = format!("this path answers {allow} only");
        let problem = Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "The method is not allowed",
            "method_not_allowed",
            detail,
        );
        Self { allow: Some(allow.into()), ..problem }
    }

    /// The body is of another type than JSON.
    pub fn unsupported_media_type() -> Self {
        Self::wrong_type("send the body as JSON, with `Content-Type: application/json`")
    }

    /// The body is compressed (RFC 9110, 15.5.16).
    pub fn content_encoding() -> Self {
        Self::wrong_type("send the body as it is, without `Content-Encoding`")
    }

    fn wrong_type(mend: &'static str) -> Self {
        let title = "The body is of the wrong type";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, title, "unsupported_media_type", mend)
    }

    /// The body is too long.
    pub fn body_too_large() -> Self {
        let detail = format!("a body may have {} bytes at most", limits::MAX_BODY_BYTES);
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "The body is too large", "body_too_large", detail)
    }

    /// The path with its query is too long.
    pub fn uri_too_long() -> Self {
        let detail = format!("a path with its query may have {} bytes at most", limits::MAX_URI_BYTES);
        Self::new(StatusCode::URI_TOO_LONG, "The path is too long", "uri_too_long", detail)
    }

    /// The body did not arrive in time.
    pub fn request_timeout() -> Self {
        let detail = format!("the body did not arrive within {} seconds", limits::BODY_DEADLINE.as_secs());
        Self::new(StatusCode::REQUEST_TIMEOUT, "The request took too long", "request_timeout", detail)
    }

    /// The service did not answer in time.
    pub fn deadline_exceeded() -> Self {
        let detail = "the service did not answer in time; what was asked for may have happened";
        Self::of_code(Code::Unavailable, "deadline_exceeded", detail)
    }

    /// It cannot be answered now.
    pub fn unavailable(detail: &'static str) -> Self {
        Self::of_code(Code::Unavailable, "unavailable", detail)
    }

    /// A defect of ours. The cause goes to the log, not to the client.
    pub fn internal(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(%cause, "internal error");
        Self::of_code(Code::Internal, "internal", CAUSE_IN_LOG)
    }

    /// What a service answered instead of a result.
    pub fn from_status(status: &Status) -> Self {
        let error = ServiceError::from_status(status);
        let is_ours = tonic_types::StatusExt::get_details_error_info(status).is_some();
        match (is_ours, status.code()) {
            (_, tonic::Code::DeadlineExceeded) => Self::deadline_exceeded(),
            // These come from the transport; their text tells of our network, not of the request.
            (false, _) if error.code == Code::Unavailable => {
                tracing::warn!(cause = %status, "an upstream cannot be reached");
                Self::unavailable(NOT_NOW)
            }
            // An answer over the size limit comes as this.
            (false, tonic::Code::OutOfRange) => Self::internal(status),
            (false, _) if error.code == Code::Internal => Self::internal(status),
            _ => Self::from(error),
        }
    }

    /// An upstream was called, and did not answer as it should.
    pub fn upstream_lost(detail: &'static str) -> Self {
        Self::new(StatusCode::BAD_GATEWAY, "The service did not answer", "upstream_lost", detail)
    }

    /// The same for who speaks gRPC.
    pub fn into_status(self) -> Status {
        let code = match self.status.as_u16() {
            400 | 413 | 414 | 415 => tonic::Code::InvalidArgument,
            401 => tonic::Code::Unauthenticated,
            403 => tonic::Code::PermissionDenied,
            404 | 405 => tonic::Code::Unimplemented,
            408 => tonic::Code::DeadlineExceeded,
            409 => tonic::Code::Aborted,
            429 => tonic::Code::ResourceExhausted,
            502 | 503 => tonic::Code::Unavailable,
            _ => tonic::Code::Internal,
        };
        let code = if self.code == "deadline_exceeded" { tonic::Code::DeadlineExceeded } else { code };
        Status::new(code, self.detail.into_owned())
    }

    /// The answer.
    pub fn into_response(self, instance: &str, trace: &Trace) -> Response {
        self.into_response_of(instance, trace.trace_id())
    }

    /// The JSON of it.
    pub fn document(&self, instance: &str, trace_id: &str) -> serde_json::Value {
        serde_json::to_value(self.document_of(instance, trace_id)).unwrap_or_default()
    }

    fn document_of<'p>(&'p self, instance: &'p str, trace_id: &'p str) -> Document<'p> {
        Document {
            r#type: format!("/docs/errors/{}", self.code),
            title: self.title,
            status: self.status.as_u16(),
            detail: &self.detail,
            instance,
            code: &self.code,
            errors: &self.fields,
            trace_id,
        }
    }

    /// The answer, by the id of the trace alone.
    pub fn into_response_of(self, instance: &str, trace_id: &str) -> Response {
        // A document of strings and numbers always has a JSON form.
        let json = serde_json::to_vec(&self.document_of(instance, trace_id)).unwrap_or_default();
        let mut response = Response::new(Body::from(json));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = if self.bad_token { "Bearer error=\"invalid_token\"" } else { "Bearer" };
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        let later = matches!(self.status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
        if later || self.retry_after_seconds.is_some() {
            let least = limits::RETRY_AFTER.as_secs();
            let seconds = self.retry_after_seconds.map_or(least, |seconds| least.max(seconds.into()));
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(allow) = self.allow.and_then(|allow| HeaderValue::from_str(&allow).ok()) {
            headers.insert(ALLOW, allow);
        }
        response
    }
}

impl From<ServiceError> for Problem {
    fn from(error: ServiceError) -> Self {
        let is_internal = error.code == Code::Internal;
        let detail = if is_internal { Cow::Borrowed(CAUSE_IN_LOG) } else { Cow::Owned(error.detail) };
        let fields = error.fields.into_iter();
        Self {
            status: status_of(error.code),
            title: error.code.title(),
            code: error.reason,
            detail,
            fields: fields.map(|field| FieldProblem { field: field.field, reason: field.reason }).collect(),
            retry_after_seconds: error.retry_after.map(whole_seconds),
            allow: None,
            bad_token: false,
        }
    }
}

fn status_of(code: Code) -> StatusCode {
    StatusCode::from_u16(code.http()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Rounded up: who comes back too early is sent away again.
fn whole_seconds(wait: Duration) -> u32 {
    u32::try_from(wait.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX)
}
