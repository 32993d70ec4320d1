//! One language's texts, read from a file in the syntax of Fluent (<https://projectfluent.org>).
//!
//! Of Fluent we use messages, variables, string literals, and selectors by plural form (`one`, `other`) or number.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use fluent_syntax::{
    ast::{Entry, Expression, InlineExpression, Pattern, PatternElement, VariantKey},
    parser,
    unicode::unescape_unicode_to_string,
};

/// A piece of a text.
pub enum Piece {
    /// As it stands.
    Fixed(String),
    /// The value of a variable.
    Variable(String),
    /// One of several texts, by a number.
    Choice {
        /// The variable with the number.
        variable: String,
        /// The texts for plural forms or single numbers, in their order.
        cases: Vec<(Case, Vec<Piece>)>,
        /// The text for all else.
        other: Vec<Piece>,
    },
}

/// When a text of a choice is meant.
pub enum Case {
    /// The plural form `one` of the language.
    One,
    /// Just this number.
    Number(i64),
}

/// The texts of one language by their ids.
pub struct Catalogue {
    /// The language, such as `de`.
    pub code: String,
    /// The texts.
    pub texts: BTreeMap<String, Vec<Piece>>,
}

impl Catalogue {
    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, String> {
        let source = fs::read_to_string(path).map_err(|error| error.to_string())?;
        let code = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
        let resource = parser::parse(source.as_str()).map_err(|(_, errors)| format!("{errors:?}"))?;
        let mut texts = BTreeMap::new();
        for entry in resource.body {
            match entry {
                Entry::Message(message) => {
                    let id = message.id.name.to_owned();
                    let value = message.value.ok_or_else(|| format!("{id} has no text"))?;
                    let pieces = pieces(&value).map_err(|why| format!("{id}: {why}"))?;
                    if texts.insert(id.clone(), pieces).is_some() {
                        return Err(format!("{id} is there twice"));
                    }
                }
                Entry::Term(term) => return Err(format!("terms such as -{} are not used", term.id.name)),
                Entry::Junk { content } => return Err(format!("cannot be read: {content}")),
                _ => {}
            }
        }
        Ok(Self { code, texts })
    }

    /// What is missing, too much or other than in English.
    pub fn differences(&self, english: &Self) -> Vec<String> {
        let file = format!("locales/{}.ftl", self.code);
        let mut faults = Vec::new();
        for (id, text) in &english.texts {
            match self.texts.get(id) {
                None => faults.push(format!("{file} lacks {id}")),
                Some(own) if names(own) != names(text) => {
                    faults.push(format!("{file}: {id} has other variables than in English"));
                }
                Some(_) => {}
            }
        }
        let unknown = self.texts.keys().filter(|id| !english.texts.contains_key(*id));
        faults.extend(unknown.map(|id| format!("{file}: there is no {id} in English")));
        faults
    }
}

fn pieces(pattern: &Pattern<&str>) -> Result<Vec<Piece>, String> {
    pattern
        .elements
        .iter()
        .map(|element| match element {
            PatternElement::TextElement { value } => Ok(Piece::Fixed((*value).to_owned())),
            PatternElement::Placeable { expression } => piece(expression),
        })
        .collect()
}

fn piece(expression: &Expression<&str>) -> Result<Piece, String> {
    match expression {
        Expression::Inline(InlineExpression::StringLiteral { value }) => {
            Ok(Piece::Fixed(unescape_unicode_to_string(value).into_owned()))
        }
        Expression::Inline(InlineExpression::VariableReference { id }) => {
            Ok(Piece::Variable(id.name.to_owned()))
        }
        Expression::Select { selector: InlineExpression::VariableReference { id }, variants } => {
            let mut cases = Vec::new();
            let mut other = None;
            for variant in variants {
                let text = pieces(&variant.value)?;
                match &variant.key {
                    _ if variant.default => other = Some(text),
                    VariantKey::Identifier { name: "one" } => cases.push((Case::One, text)),
                    VariantKey::Identifier { name } => return Err(format!("the form {name} is not known")),
                    VariantKey::NumberLiteral { value } => {
                        let number = value.parse().map_err(|_| format!("{value} is no whole number"))?;
                        cases.push((Case::Number(number), text));
                    }
                }
            }
            let other = other.ok_or("a choice has no default")?;
            Ok(Piece::Choice { variable: id.name.to_owned(), cases, other })
        }
        _ => Err("only variables, string literals and choices by a variable are used".to_owned()),
    }
}

/// The variables of a text.
fn names(text: &[Piece]) -> BTreeSet<&str> {
    variables(text).into_iter().map(|(name, _)| name).collect()
}

/// The variables of a text in the order of their appearance, and whether each is a number.
pub fn variables(text: &[Piece]) -> Vec<(&str, bool)> {
    let mut found: Vec<(&str, bool)> = Vec::new();
    let mut note = |name, is_number| match found.iter_mut().find(|(known, _)| *known == name) {
        Some((_, known)) => *known |= is_number,
        None => found.push((name, is_number)),
    };
    for piece in text {
        match piece {
            Piece::Fixed(_) => {}
            Piece::Variable(name) => note(name, false),
            Piece::Choice { variable, cases, other } => {
                note(variable, true);
                let inner = cases.iter().flat_map(|(_, text)| variables(text));
                inner.chain(variables(other)).for_each(|(name, is_number)| note(name, is_number));
            }
        }
    }
    found
}
