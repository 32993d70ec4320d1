//! `grpc-status`: how an rpc that failed is told in HTTP. Without it the usual mapping holds: each gRPC code has its
//! HTTP status, `google.rpc` details become fields of the problem, and `RetryInfo` becomes `Retry-After`. With it single
//! codes may get another status, and the body another form.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use axum::{body::Body, response::Response};
use bytes::Bytes;
use http::{
    HeaderName, HeaderValue, StatusCode,
    header::{CONTENT_LENGTH, CONTENT_TYPE},
};
use kong::{Field, schema::Type};
use serde::Deserialize;
use serde_json::{Value, json};
use tonic::{Code, Status};

use crate::{
    plugin::{BadConfig, Definition, Exchange, Plugin, Resources, read},
    proxy::RpcStatus,
};

/// See the module.
pub const DEFINITION: Definition =
    Definition { name: "grpc-status", priority: 997, about: "Says in HTTP how an rpc failed.", fields, make };

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
/// The forms of a body.
const BODIES: &[&str] = &["problem", "message", "none"];
/// The codes by their names, as `google.rpc.Code` has them.
const CODES: [(&str, Code); 16] = [
    ("CANCELLED", Code::Cancelled),
    ("UNKNOWN", Code::Unknown),
    ("INVALID_ARGUMENT", Code::InvalidArgument),
    ("DEADLINE_EXCEEDED", Code::DeadlineExceeded),
    ("NOT_FOUND", Code::NotFound),
    ("ALREADY_EXISTS", Code::AlreadyExists),
    ("PERMISSION_DENIED", Code::PermissionDenied),
    ("RESOURCE_EXHAUSTED", Code::ResourceExhausted),
    ("FAILED_PRECONDITION", Code::FailedPrecondition),
    ("ABORTED", Code::Aborted),
    ("OUT_OF_RANGE", Code::OutOfRange),
    ("UNIMPLEMENTED", Code::Unimplemented),
    ("INTERNAL", Code::Internal),
    ("UNAVAILABLE", Code::Unavailable),
    ("DATA_LOSS", Code::DataLoss),
    ("UNAUTHENTICATED", Code::Unauthenticated),
];

fn fields() -> Vec<Field> {
    vec![
        Field::new(
            "statuses",
            Type::Map(Box::new(Type::Integer)),
            "other HTTP statuses, by the name of the gRPC code, such as `FAILED_PRECONDITION: 412`",
        )
        .between(400.0, 599.0),
        Field::text(
            "body",
            "`problem`: problem+json; `message`: as Kong, `{\"code\", \"message\"}`; or none",
        )
        .default("problem")
        .one_of(BODIES),
        Field::boolean("expose_code", "whether the answer says the code as `grpc-status`").default(true),
    ]
}

#[derive(Deserialize)]
struct Config {
    statuses: Option<BTreeMap<String, u16>>,
    body: Option<String>,
    expose_code: Option<bool>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Problem,
    Message,
    Nothing,
}

struct GrpcStatus {
    statuses: Vec<(Code, StatusCode)>,
    form: Form,
    exposes_code: bool,
}

fn make(config: &Value, _: &Resources) -> Result<Arc<dyn Plugin>, BadConfig> {
    let config: Config = read(config)?;
    let mut statuses = Vec::new();
    for (name, status) in config.statuses.into_iter().flatten() {
        let wrong = |why: String| BadConfig::new("statuses", why);
        let code = CODES.iter().find(|(known, _)| *known == name);
        let (_, code) = code.ok_or_else(|| wrong(format!("{name} is no gRPC code, such as NOT_FOUND")))?;
        let status = StatusCode::from_u16(status).map_err(|error| wrong(error.to_string()))?;
        statuses.push((*code, status));
    }
    let form = match config.body.as_deref() {
        Some("message") => Form::Message,
        Some("none") => Form::Nothing,
        _ => Form::Problem,
    };
    Ok(Arc::new(GrpcStatus { statuses, form, exposes_code: config.expose_code.unwrap_or(true) }))
}

#[async_trait]
impl Plugin for GrpcStatus {
    async fn response(&self, _: &mut Exchange, answer: &mut Response) {
        let Some(RpcStatus(status)) = answer.extensions().get().cloned() else { return };
        if let Some((_, other)) = self.statuses.iter().find(|(code, _)| *code == status.code()) {
            *answer.status_mut() = *other;
        }
        if self.exposes_code {
            answer.headers_mut().insert(GRPC_STATUS, HeaderValue::from(status.code() as i32));
        }
        match self.form {
            Form::Problem => self.correct(answer).await,
            Form::Message => say(answer, &message(&status)),
            Form::Nothing => {
                answer.headers_mut().remove(CONTENT_TYPE);
                *answer.body_mut() = Body::empty();
            }
        }
    }
}

impl GrpcStatus {
    /// A problem says its status in the body too.
    async fn correct(&self, answer: &mut Response) {
        if self.statuses.is_empty() {
            return;
        }
        /// Problems are made here, and short.
        const MOST_BYTES: usize = 256 * 1024;
        let body = std::mem::take(answer.body_mut());
        let Ok(bytes) = axum::body::to_bytes(body, MOST_BYTES).await else { return };
        match serde_json::from_slice::<Value>(&bytes) {
            Ok(Value::Object(mut problem)) => {
                problem.insert("status".to_owned(), answer.status().as_u16().into());
                *answer.body_mut() = Body::from(Value::Object(problem).to_string());
            }
            _ => *answer.body_mut() = Body::from(bytes),
        }
    }
}

fn message(status: &Status) -> Value {
    json!({"code": status.code() as i32, "message": status.message()})
}

fn say(answer: &mut Response, body: &Value) {
    let json = HeaderValue::from_static("application/json; charset=utf-8");
    answer.headers_mut().insert(CONTENT_TYPE, json);
    answer.headers_mut().remove(CONTENT_LENGTH);
    *answer.body_mut() = Body::from(Bytes::from(body.to_string()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugins::testing::{exchange, made, refused};

    async fn told(config: Value) -> (HeaderValue, Value) {
        let plugin = made(&DEFINITION, config);
        let mut answer = Response::new(Body::from(r#"{"status":400,"code":"bad_input"}"#));
        *answer.status_mut() = StatusCode::BAD_REQUEST;
        answer.extensions_mut().insert(RpcStatus(Arc::new(Status::failed_precondition("it is lent"))));
        plugin.response(&mut exchange("/"), &mut answer).await;
        let code = answer.headers().get(GRPC_STATUS).cloned().unwrap_or(HeaderValue::from_static(""));
        let bytes = axum::body::to_bytes(answer.into_parts().1, 1_000).await.unwrap();
        (code, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    #[tokio::test]
    async fn a_code_gets_the_status_that_is_configured_and_the_body_its_form() {
        let (code, body) = told(json!({"statuses": {"FAILED_PRECONDITION": 412}})).await;
        assert_eq!((code, &body["status"]), (HeaderValue::from_static("9"), &json!(412)));
        let (code, body) = told(json!({"body": "message", "expose_code": false})).await;
        assert_eq!((code, body), (HeaderValue::from_static(""), json!({"code": 9, "message": "it is lent"})));
        assert_eq!(told(json!({"body": "none"})).await.1, Value::Null);
    }

    #[test]
    fn a_code_that_there_is_not_is_refused() {
        assert_eq!(refused(&DEFINITION, json!({"statuses": {"LOST": 404}})), "statuses");
    }
}
