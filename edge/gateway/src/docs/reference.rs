//! The API reference: one page, with every call in a sidebar.

use super::html::{escape, page, prose};
use crate::{
    model::{Answer, Field, Message, Model, Operation, Type},
    openapi::headers_of,
};

/// How deep an example nests before it gives up.
const EXAMPLE_DEPTH: usize = 4;

/// Renders the model.
pub(crate) fn reference(model: &Model) -> String {
    let mut body =
        String::from("<div class=\"reference\"><nav><p class=\"brand\"><a href=\"/\">Boxoffice</a></p>");
    for service in &model.services {
        body.push_str(&format!("<h2>{}</h2><ul>", escape(&service.tag)));
        for operation in &service.operations {
            let (id, method) = (escape(&operation.id), badge(&operation.method));
            body.push_str(&format!("<li><a href=\"#{id}\">{method} {}</a></li>", escape(&operation.path)));
        }
        body.push_str("</ul>");
    }
    body.push_str("<h2>Types</h2><ul>");
    for name in model.messages.keys() {
        body.push_str(&format!("<li><a href=\"#type-{0}\">{0}</a></li>", escape(name)));
    }
    body.push_str("</ul></nav><main>");
    body.push_str(INTRODUCTION);
    for service in &model.services {
        body.push_str(&format!("<h2>{}</h2><p>{}</p>", escape(&service.tag), prose(&service.comment)));
        for operation in &service.operations {
            body.push_str(&section(model, operation));
        }
    }
    body.push_str("<h2>Types</h2>");
    for (name, message) in &model.messages {
        body.push_str(&type_section(name, message));
    }
    body.push_str("</main></div>");
    page("API reference - Boxoffice", &body)
}

const INTRODUCTION: &str = "<h1>API reference</h1>\
    <p>JSON in snake_case; times in RFC 3339, in UTC; money in minor units of its currency. Calls marked \
    <span class=\"lock\">token</span> need <code>Authorization: Bearer</code> with an access token from \
    <a href=\"#UserService_Login\"><code>POST /v1/auth/login</code></a>. Errors are RFC 9457 problems; \
    <a href=\"/docs/errors\">each code has a page</a>. The same as a document for programs: \
    <a href=\"/openapi.json\">openapi.json</a>.</p>";

fn badge(method: &str) -> String {
    format!("<span class=\"method {}\">{}</span>", escape(&method.to_lowercase()), escape(method))
}

fn section(model: &Model, operation: &Operation) -> String {
    let lock = if operation.signed_in { " <span class=\"lock\">token</span>" } else { "" };
    let mut html = format!(
        "<section id=\"{}\"><h3>{} <code>{}</code>{lock}</h3><p>{}</p>",
        escape(&operation.id),
        badge(&operation.method),
        escape(&operation.path),
        prose(&operation.comment),
    );
    let headers = headers_of(&operation.method);
    let has_parameters = !(operation.path_parameters.is_empty()
        && operation.query_parameters.is_empty()
        && headers.is_empty());
    if has_parameters {
        html.push_str(
            "<h4>Parameters</h4>\
             <table><thead><tr><th>Name</th><th>In</th><th>Type</th><th></th></tr></thead><tbody>",
        );
        for (place, fields) in [("path", &operation.path_parameters), ("query", &operation.query_parameters)]
        {
            for field in fields {
                html.push_str(&row(&field.name, place, &type_html(&field.holds), &description(field)));
            }
        }
        for (name, comment) in headers {
            html.push_str(&row(name, "header", "string", &prose(comment)));
        }
        html.push_str("</tbody></table>");
    }
    if let Some(fields) = operation.body.as_ref().filter(|fields| !fields.is_empty()) {
        html.push_str("<h4>Body</h4>");
        html.push_str(&field_table(fields));
    }
    let answer = match &operation.answer {
        Answer::Nothing => "Nothing: 204.".to_owned(),
        Answer::File => "A file.".to_owned(),
        Answer::Json(holds) => type_html(holds),
        Answer::Stream(holds) => {
            format!("A stream of {}: server-sent events, or one in each line.", type_html(holds))
        }
    };
    html.push_str(&format!("<h4>Answer</h4><p>{answer}</p>"));
    html.push_str(&format!(
        "<h4>Example</h4><pre><code>{}</code></pre></section>",
        escape(&curl(model, operation))
    ));
    html
}

fn type_section(name: &str, message: &Message) -> String {
    let name = escape(name);
    let table = field_table(&message.fields);
    format!(
        "<section id=\"type-{name}\"><h3><code>{name}</code></h3><p>{}</p>{table}</section>",
        prose(&message.comment)
    )
}

fn field_table(fields: &[Field]) -> String {
    let mut html = String::from("<table><thead><tr><th>Field</th><th>Type</th><th></th></tr></thead><tbody>");
    for field in fields {
        let (name, holds) = (escape(&field.name), type_html(&field.holds));
        html.push_str(&format!(
            "<tr><td><code>{name}</code></td><td>{holds}</td><td>{}</td></tr>",
            description(field)
        ));
    }
    html.push_str("</tbody></table>");
    html
}

fn row(name: &str, place: &str, holds: &str, comment: &str) -> String {
    format!(
        "<tr><td><code>{}</code></td><td>{place}</td><td>{holds}</td><td>{comment}</td></tr>",
        escape(name)
    )
}

/// The comment, and for an enum those of its values.
fn description(field: &Field) -> String {
    let mut html = prose(&field.comment);
    let holds = match &field.holds {
        Type::List(one) => one.as_ref(),
        one => one,
    };
    let Type::Enum(values) = holds else {
        return html;
    };
    for (name, comment) in values.iter().filter(|value| !value.1.is_empty()) {
        let separator = if html.is_empty() { "" } else { "<br>" };
        html.push_str(&format!("{separator}<code>{}</code>: {}", escape(name), prose(comment)));
    }
    html
}

fn type_html(holds: &Type) -> String {
    match holds {
        Type::Integer(format) | Type::Number(format) => escape(format),
        Type::Bool => "bool".to_owned(),
        Type::String("") => "string".to_owned(),
        Type::String(format) => escape(format),
        Type::Enum(values) => {
            let names: Vec<String> =
                values.iter().map(|(name, _)| format!("<code>{}</code>", escape(name))).collect();
            names.join(" ")
        }
        Type::Message(name) => format!("<a href=\"#type-{0}\">{0}</a>", escape(name)),
        Type::Any => "any".to_owned(),
        Type::List(one) => format!("list of {}", type_html(one)),
        Type::Map(one) => format!("map of {}", type_html(one)),
    }
}

fn curl(model: &Model, operation: &Operation) -> String {
    let mut command = String::from("curl");
    if operation.method != "GET" {
        command.push_str(&format!(" -X {}", operation.method));
    }
    let path = operation.path.replace('{', "$").replace('}', "");
    command.push_str(&format!(" \"$BOXOFFICE{path}\""));
    if operation.signed_in {
        command.push_str(" \\\n  -H \"Authorization: Bearer $TOKEN\"");
    }
    if let Some(fields) = operation.body.as_ref().filter(|fields| !fields.is_empty()) {
        let json = example_object(model, fields, 0);
        command.push_str(&format!(" \\\n  -H 'Content-Type: application/json' \\\n  -d '{json}'"));
    }
    command
}

fn example_object(model: &Model, fields: &[Field], depth: usize) -> String {
    let pairs: Vec<String> = fields
        .iter()
        .map(|field| format!("\"{}\": {}", field.name, example(model, &field.name, &field.holds, depth)))
        .collect();
    format!("{{{}}}", pairs.join(", "))
}

fn example(model: &Model, name: &str, holds: &Type, depth: usize) -> String {
    match holds {
        Type::Integer(_) => "1".to_owned(),
        Type::Number(_) => "1.5".to_owned(),
        Type::Bool => "false".to_owned(),
        Type::String("date-time") => "\"2030-05-01T18:00:00Z\"".to_owned(),
        Type::String(_) => format!("\"{}\"", example_text(name)),
        Type::Enum(values) => format!("\"{}\"", values.first().map_or("", |value| value.0.as_str())),
        Type::Message(message) => match model.messages.get(message).filter(|_| depth < EXAMPLE_DEPTH) {
            Some(message) => example_object(model, &message.fields, depth + 1),
            None => "{}".to_owned(),
        },
        Type::Any | Type::Map(_) => "{}".to_owned(),
        Type::List(one) => format!("[{}]", example(model, name, one, depth)),
    }
}

fn example_text(name: &str) -> &str {
    match name {
        "email" => "ada@example.com",
        "currency" => "EUR",
        "country" => "DE",
        "city" => "Berlin",
        "time_zone" => "Europe/Berlin",
        "image_url" | "website_url" => "https://example.com/",
        _ => "...",
    }
}
