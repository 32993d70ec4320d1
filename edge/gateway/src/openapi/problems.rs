//! Every kind of problem, as clients see it: those of the pages below `docs/errors`.

use std::borrow::Cow;

use http::StatusCode;
use kit::Code;
use serde_json::{Map, Value, json};

use crate::{docs::ErrorPage, problem::Problem};

const PROBLEM: &str = "#/components/schemas/Problem";

/// The schema of problems, with the codes that there are.
pub(super) fn schema(pages: &[ErrorPage]) -> Value {
    let text = |comment: &str| json!({"type": "string", "description": comment});
    let codes: Vec<&str> = pages.iter().map(|page| page.code.as_str()).collect();
    json!({
        "type": "object",
        "description": "RFC 9457.",
        "required": ["type", "title", "status", "detail", "instance", "code", "trace_id"],
        "properties": {
            "type": text("The page that explains the code."),
            "title": text("The same for each occurrence."),
            "status": {"type": "integer"},
            "detail": text("About this occurrence."),
            "instance": text("The path of the request."),
            // Not an `enum`: clients must bear a code that comes with a later version.
            "code": {
                "type": "string", "description": "Stable, for programs, such as `sold_out`.", "examples": codes,
            },
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["field", "reason"],
                    "properties": {
                        "field": text("Such as `lines[0].quantity`."),
                        "reason": text("What is wrong."),
                    },
                },
            },
            "trace_id": text("Leads to the request in the logs."),
        },
    })
}

/// The answer of any call that is not carried out.
pub(super) fn response(pages: &[ErrorPage]) -> Value {
    let shown = pages.iter().filter(|page| page.status.is_some());
    let examples = shown.map(|page| {
        let reference = format!("#/components/examples/{}", page.code);
        (page.code.clone(), json!({ "$ref": reference }))
    });
    json!({
        "description": "The request was not carried out.",
        "content": {"application/problem+json": {
            "schema": {"$ref": PROBLEM},
            "examples": examples.collect::<Map<_, _>>(),
        }},
    })
}

/// One of each kind.
pub(super) fn examples(pages: &[ErrorPage]) -> Map<String, Value> {
    let examples = pages.iter().filter_map(|page| {
        let problem = sample(page.status?, page);
        let value = problem.document("/v1/events", "4bf92f3577b34da6a3ce929d0e0e4736");
        Some((page.code.clone(), json!({"summary": page.summary, "value": value})))
    });
    examples.collect()
}

/// What the gateway says in its own name is as it says it.
fn sample(status: u16, page: &ErrorPage) -> Problem {
    match page.code.as_str() {
        "bad_input" => Problem::field("lines[0].quantity", "must be 1 at least"),
        "malformed_json" => Problem::malformed_json("expected a value at line 1 column 1"),
        "method_not_allowed" => Problem::method_not_allowed("GET, POST".to_owned()),
        "unsupported_media_type" => Problem::unsupported_media_type(),
        "body_too_large" => Problem::body_too_large(),
        "uri_too_long" => Problem::uri_too_long(),
        "request_timeout" => Problem::request_timeout(),
        "deadline_exceeded" => Problem::deadline_exceeded(),
        "upstream_lost" => {
            Problem::upstream_lost("the connection to the service broke before it had answered")
        }
        _ => Problem {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            title: code_of(status).title(),
            code: Cow::Owned(page.code.clone()),
            detail: Cow::Owned(page.summary.clone()),
            ..Problem::not_found()
        },
    }
}

fn code_of(status: u16) -> Code {
    match status {
        400 => Code::BadInput,
        401 => Code::Unauthenticated,
        403 => Code::Forbidden,
        404 => Code::NotFound,
        409 => Code::Conflict,
        412 => Code::VersionMismatch,
        422 => Code::KeyReused,
        429 => Code::TooMany,
        503 => Code::Unavailable,
        _ => Code::Internal,
    }
}
