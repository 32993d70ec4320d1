//! The Rust code of the catalogues.

use std::fmt::Write;

use crate::catalogue::{Case, Catalogue, Piece, variables};

/// The enum of languages, and a method of `Text` for each text.
pub fn rust(catalogues: &[Catalogue], english: &Catalogue) -> String {
    let mut code = locales(catalogues);
    code.push_str("impl Text {\n");
    for (id, text) in &english.texts {
        let shown = shown(text).replace('\n', " ");
        let variables = variables(text);
        let name = id.replace('-', "_");
        let _ = writeln!(code, "/// {shown}\n#[must_use]");
        if variables.is_empty() {
            let texts: Vec<String> = catalogues.iter().map(|catalogue| fixed(&catalogue.texts[id])).collect();
            let _ = writeln!(
                code,
                "pub fn {name}(self) -> &'static str {{ const TEXTS: [&str; {}] = {texts:?}; TEXTS[self.0 as usize] }}",
                texts.len()
            );
            continue;
        }
        let parameters: String = variables
            .iter()
            .map(|(name, is_number)| {
                let kind = if *is_number { "impl Into<i64>" } else { "impl std::fmt::Display" };
                format!(", {}: {kind}", name.replace('-', "_"))
            })
            .collect();
        let _ = writeln!(code, "pub fn {name}(self{parameters}) -> String {{ let mut out = String::new();");
        for (name, _) in variables.iter().filter(|(_, is_number)| *is_number) {
            let name = name.replace('-', "_");
            let _ = writeln!(code, "let {name}: i64 = {name}.into();");
        }
        let numbers: Vec<&str> =
            variables.iter().filter(|(_, is_number)| *is_number).map(|(name, _)| *name).collect();
        code.push_str("match self.0 {\n");
        for catalogue in catalogues {
            let _ = writeln!(code, "Locale::{} => {{", variant(&catalogue.code));
            statements(&mut code, &catalogue.texts[id], &numbers);
            code.push_str("}\n");
        }
        code.push_str("}\nout }\n");
    }
    code.push_str("}\n");
    code
}

fn locales(catalogues: &[Catalogue]) -> String {
    let variants: Vec<String> = catalogues.iter().map(|catalogue| variant(&catalogue.code)).collect();
    let mut code = String::from(
        "/// A language that the pages are in.\n#[derive(Debug, Clone, Copy, PartialEq, Eq)]\npub enum Locale {\n",
    );
    for (name, catalogue) in variants.iter().zip(catalogues) {
        let _ = writeln!(code, "/// `{}`\n{name},", catalogue.code);
    }
    let all: Vec<String> = variants.iter().map(|name| format!("Self::{name}")).collect();
    let _ = writeln!(
        code,
        "}}\nimpl Locale {{\n/// All languages, by their codes.\npub const ALL: [Self; {}] = [{}];",
        all.len(),
        all.join(", ")
    );
    code.push_str(
        "/// As in `lang` (BCP 47).\n#[must_use]\npub fn code(self) -> &'static str {\nmatch self {\n",
    );
    for (name, catalogue) in variants.iter().zip(catalogues) {
        let _ = writeln!(code, "Self::{name} => {:?},", catalogue.code);
    }
    code.push_str("}\n}\n}\n");
    code
}

/// `pt-BR` is the variant `PtBr`.
fn variant(code: &str) -> String {
    let capital = |part: &str| {
        let mut letters = part.chars();
        letters
            .next()
            .map(|first| first.to_uppercase().collect::<String>() + &letters.as_str().to_lowercase())
    };
    code.split('-').filter_map(capital).collect()
}

/// The code that appends a text to `out`.
fn statements(code: &mut String, text: &[Piece], numbers: &[&str]) {
    for piece in text {
        match piece {
            Piece::Fixed(text) => {
                let _ = writeln!(code, "out.push_str({text:?});");
            }
            Piece::Variable(name) => {
                let is_number = numbers.contains(&name.as_str());
                let name = name.replace('-', "_");
                let _ = if is_number {
                    writeln!(code, "out.push_str(&self.number({name}));")
                } else {
                    writeln!(
                        code,
                        "let _ = std::fmt::Write::write_fmt(&mut out, format_args!(\"{{{name}}}\"));"
                    )
                };
            }
            Piece::Choice { variable, cases, other } => {
                let variable = variable.replace('-', "_");
                for (case, text) in cases {
                    let _ = match case {
                        Case::One => writeln!(code, "if self.is_one({variable}) {{"),
                        Case::Number(number) => writeln!(code, "if {variable} == {number} {{"),
                    };
                    statements(code, text, numbers);
                    code.push_str("} else ");
                }
                code.push_str("{\n");
                statements(code, other, numbers);
                code.push_str("}\n");
            }
        }
    }
}

/// A text without variables.
fn fixed(text: &[Piece]) -> String {
    text.iter().map(|piece| if let Piece::Fixed(text) = piece { text.as_str() } else { "" }).collect()
}

/// A text as its documentation has it.
fn shown(text: &[Piece]) -> String {
    text.iter()
        .map(|piece| match piece {
            Piece::Fixed(text) => text.replace('[', "\\["),
            Piece::Variable(name) => format!("{{{name}}}"),
            Piece::Choice { other, .. } => shown(other),
        })
        .collect()
}
