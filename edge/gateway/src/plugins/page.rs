//! The page of a plugin, made from its schema.

use kong::{Field, schema::Type};
use serde_json::Value;

use crate::plugin::Definition;

/// The page in Markdown.
#[must_use]
pub fn of(definition: &Definition) -> String {
    let mut page = format!("# {}\n\n{}\n\n", definition.name, definition.about);
    page += &format!("Priority {}: plugins with a higher one come first.\n\n", definition.priority);
    let fields = (definition.fields)();
    if fields.is_empty() {
        page += "It has no configuration.\n\n";
    } else {
        page += "| `config` | what it holds | left out | meaning |\n| --- | --- | --- | --- |\n";
        rows("", &fields, &mut page);
        page.push('\n');
    }
    page += "```sh\n";
    page += &format!(
        "curl -X POST http://127.0.0.1:8001/services/SERVICE/plugins --data name={}\n",
        definition.name
    );
    page += "```\n";
    page
}

fn rows(prefix: &str, fields: &[Field], page: &mut String) {
    for field in fields {
        let name = format!("{prefix}{}", field.name);
        if let Type::Record(inner) = &field.kind {
            rows(&format!("{name}."), inner, page);
            continue;
        }
        let left_out = match &field.default {
            Some(Value::String(text)) => format!("`{text}`"),
            Some(value) => format!("`{value}`"),
            None if field.required => "must be given".to_owned(),
            None => "nothing".to_owned(),
        };
        let about = field.about.replace('|', "\\|");
        *page += &format!("| `{name}` | {} | {left_out} | {about} |\n", holds(field));
    }
}

fn holds(field: &Field) -> String {
    let mut text = kind(&field.kind);
    if !field.one_of.is_empty() {
        let values: Vec<String> = field.one_of.iter().map(|value| format!("`{value}`")).collect();
        text += &format!(": {}", values.join(", "));
    }
    if let Some((least, most)) = field.between {
        text += &format!(", {least} to {most}");
    }
    text
}

fn kind(kind: &Type) -> String {
    match kind {
        Type::Text => "text".to_owned(),
        Type::Integer => "whole number".to_owned(),
        Type::Number => "number".to_owned(),
        Type::Boolean => "true or false".to_owned(),
        Type::Array(element) | Type::Set(element) => format!("list of {}s", self::kind(element)),
        Type::Map(element) => format!("names, each with {}", self::kind(element)),
        Type::Record(_) => "fields of its own".to_owned(),
        Type::Foreign(collection) => format!("one of {collection}"),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    /// `UPDATE_PAGES=1 cargo test -p gateway plugins::page` writes them.
    #[test]
    #[allow(clippy::disallowed_methods, reason = "somebody asks for the pages by it")]
    fn the_pages_in_docs_are_what_the_schemas_say() {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/plugins");
        let is_asked_for = std::env::var_os("UPDATE_PAGES").is_some();
        let mut names = Vec::new();
        for definition in crate::plugins::ALL {
            let (file, page) = (directory.join(format!("{}.md", definition.name)), of(definition));
            if is_asked_for {
                fs::create_dir_all(&directory).unwrap();
                fs::write(&file, &page).unwrap();
            }
            let known = fs::read_to_string(&file).unwrap_or_default();
            assert_eq!(
                known,
                page,
                "UPDATE_PAGES=1 cargo test -p gateway plugins::page writes {}",
                file.display()
            );
            names.push(format!("{}.md", definition.name));
        }
        for entry in fs::read_dir(&directory).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            assert!(names.contains(&name), "docs/plugins/{name} is of no plugin");
        }
    }
}
