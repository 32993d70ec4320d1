//! The OpenAPI 3.1 document.

mod example;
mod problems;

use serde_json::{Map, Value, json};

use crate::{
    docs::ErrorPage,
    model::{Answer, Field, Model, Operation, Type},
};

/// Renders the model, with the kinds of problems that have a page.
pub(crate) fn document(model: &Model, errors: &[ErrorPage]) -> Value {
    let mut paths = Map::new();
    let mut tags = Vec::new();
    for service in &model.services {
        tags.push(json!({"name": service.tag, "description": service.comment}));
        for operation in &service.operations {
            let path = paths.entry(operation.path.clone()).or_insert_with(|| json!({}));
            path[operation.method.to_lowercase()] = render(model, operation, &service.tag);
        }
    }
    let mut schemas = Map::new();
    for (name, message) in &model.messages {
        let mut schema = object(&message.fields, &message.comment);
        schema["examples"] = json!([example::object(model, &message.fields)]);
        if message.in_requests {
            schema["additionalProperties"] = json!(false);
        } else {
            let always: Vec<_> =
                message.fields.iter().filter(|field| !field.optional).map(|f| &f.name).collect();
            schema["required"] = json!(always);
        }
        schemas.insert(name.clone(), schema);
    }
    schemas.insert("Problem".to_owned(), problems::schema(errors));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Boxoffice",
            "version": "1",
            "summary": "Event ticketing",
            "description": "JSON in snake_case; times in RFC 3339, UTC; money in minor units. \
                Errors are RFC 9457 problems, and each `type` is a page that says what to do.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"bearer": {
                "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                "description": "An access token from `POST /v1/auth/login`.",
            }},
            "responses": {"Problem": problems::response(errors)},
            "examples": problems::examples(errors),
        },
    })
}

fn render(model: &Model, operation: &Operation, tag: &str) -> Value {
    let mut parameters: Vec<Value> = Vec::new();
    parameters.extend(operation.path_parameters.iter().map(|field| parameter(field, "path")));
    parameters.extend(operation.query_parameters.iter().map(|field| parameter(field, "query")));
    for (name, comment) in headers_of(&operation.method) {
        let schema = json!({"type": "string"});
        parameters.push(json!({"name": name, "in": "header", "description": comment, "schema": schema}));
    }
    let (summary, _) = operation.comment.split_once(". ").unwrap_or((&operation.comment, ""));
    let bearer = json!({"bearer": []});
    let security = if operation.signed_in { json!([bearer]) } else { json!([{}, bearer]) };
    let mut rendered = json!({
        "operationId": operation.id,
        "tags": [tag],
        "summary": summary.trim_end_matches('.'),
        "description": operation.comment,
        "parameters": parameters,
        "security": security,
        "responses": responses(model, operation),
    });
    if let Some(fields) = &operation.body {
        let mut schema = object(fields, "");
        schema["additionalProperties"] = json!(false);
        let required = fields.iter().any(|field| !field.optional && !matches!(field.holds, Type::List(_)));
        let shown = example::object(model, fields);
        let content = json!({"application/json": {"schema": schema, "example": shown}});
        rendered["requestBody"] = json!({"required": required, "content": content});
    }
    rendered
}

/// The headers with a meaning for calls of a method.
pub(crate) fn headers_of(method: &str) -> &'static [(&'static str, &'static str)] {
    match method {
        "POST" => &[
            (
                "Idempotency-Key",
                "The same key with the same body is carried out once and answered alike. \
                1 to 255 characters.",
            ),
            ("Prefer", "`wait=5` waits up to 5 seconds for a decision, 30 at most (RFC 7240)."),
        ],
        "PATCH" => {
            &[("If-Match", "The `ETag` of the version to change; another version is refused with 412.")]
        }
        "GET" => {
            &[("If-None-Match", "An `ETag` that is known; while it is the current one the answer is 304.")]
        }
        _ => &[],
    }
}

fn responses(model: &Model, operation: &Operation) -> Value {
    let problem = json!({"$ref": "#/components/responses/Problem"});
    let (status, answer) = match &operation.answer {
        Answer::Nothing => ("204", json!({"description": "Done."})),
        Answer::File => ("200", json!({"description": "A file.", "content": {"*/*": {}}})),
        Answer::Stream(holds) => {
            let (lines, events) = (schema(holds), json!({"type": "string"}));
            let content = json!({
                "application/x-ndjson": {"schema": lines, "example": example::value(model, "", holds)},
                "text/event-stream": {"schema": events},
            });
            ("200", json!({"description": "A stream, until the client goes.", "content": content}))
        }
        Answer::Json(holds) => {
            // POST answers 200, 201 or 202: done, made, or being decided.
            let status = if operation.method == "POST" { "2XX" } else { "200" };
            let shown = example::value(model, "", holds);
            let content = json!({"application/json": {"schema": schema(holds), "example": shown}});
            (status, json!({"description": "Done.", "content": content}))
        }
    };
    let mut responses = Map::new();
    responses.insert(status.to_owned(), answer);
    if operation.method == "GET" {
        responses.insert("304".to_owned(), json!({"description": "It is as the client knows it."}));
    }
    responses.insert("default".to_owned(), problem);
    Value::Object(responses)
}

fn parameter(field: &Field, place: &str) -> Value {
    let schema = schema(&field.holds);
    let mut rendered =
        json!({"name": field.name, "in": place, "required": place == "path", "schema": schema});
    if !field.comment.is_empty() {
        rendered["description"] = json!(field.comment);
    }
    rendered
}

fn object(fields: &[Field], comment: &str) -> Value {
    let mut properties = Map::new();
    for field in fields {
        let mut property = schema(&field.holds);
        if !field.comment.is_empty() {
            property["description"] = json!(field.comment);
        }
        properties.insert(field.name.clone(), property);
    }
    let mut rendered = json!({"type": "object", "properties": properties});
    if !comment.is_empty() {
        rendered["description"] = json!(comment);
    }
    rendered
}

fn schema(holds: &Type) -> Value {
    match holds {
        Type::Integer(format) if format.starts_with('u') => {
            json!({"type": "integer", "format": format, "minimum": 0})
        }
        Type::Integer(format) => json!({"type": "integer", "format": format}),
        Type::Number(format) => json!({"type": "number", "format": format}),
        Type::Bool => json!({"type": "boolean"}),
        Type::String("") => json!({"type": "string"}),
        Type::String(format) => json!({"type": "string", "format": format}),
        Type::Enum(values) => {
            let names: Vec<&str> = values.iter().map(|value| value.0.as_str()).collect();
            json!({"type": "string", "enum": names})
        }
        Type::Message(name) => json!({"$ref": format!("#/components/schemas/{name}")}),
        Type::Any => json!({}),
        Type::List(one) => json!({"type": "array", "items": schema(one)}),
        Type::Map(one) => json!({"type": "object", "additionalProperties": schema(one)}),
    }
}
