//! Path templates as `google.api.http` writes them: `/v1/users/me:export`, `/v1/events/{event_id}`,
//! `/v1/{name=shelves/*/books/**}`.

use crate::GatewayError;

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Segment {
    /// This text.
    Literal(String),
    /// Any one segment that is not empty: `*`, and `{var}`.
    One,
    /// All that is left, also nothing: `**`.
    Rest,
}

/// A request field that takes its value from the path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Variable {
    /// The path of the field in the request message, such as `event_id` or `event.id`.
    pub field: String,
    /// The first segment.
    pub start: usize,
    /// The segment after the last one; none when it goes on to the end of the path.
    pub end: Option<usize>,
}

/// A parsed template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template {
    /// The steps in order.
    pub segments: Vec<Segment>,
    /// What follows the last colon, such as `publish`.
    pub verb: Option<String>,
    /// The variables in order.
    pub variables: Vec<Variable>,
}

impl Template {
    /// Reads a template.
    pub fn parse(text: &str) -> Result<Self, GatewayError> {
        let wrong = |why: &'static str| GatewayError::Template { template: text.to_owned(), why };
        let path = text.strip_prefix('/').ok_or_else(|| wrong("it must start with a slash"))?;
        let (path, verb) = split_verb(path);
        if verb.is_some_and(str::is_empty) {
            return Err(wrong("there is nothing after the colon"));
        }
        let mut template =
            Self { segments: Vec::new(), verb: verb.map(str::to_owned), variables: Vec::new() };
        for part in split_outside_braces(path) {
            match part.strip_prefix('{') {
                Some(inner) => {
                    let inner = inner.strip_suffix('}').ok_or_else(|| wrong("a brace is not closed"))?;
                    template.push_variable(inner).map_err(wrong)?;
                }
                None => template.push(part).map_err(wrong)?,
            }
        }
        let rests = template.segments.iter().filter(|segment| **segment == Segment::Rest).count();
        let ends_with_rest = template.segments.last() == Some(&Segment::Rest);
        if rests > 1 || (rests == 1 && !ends_with_rest) {
            return Err(wrong("`**` can only be the last segment"));
        }
        Ok(template)
    }

    fn push(&mut self, part: &str) -> Result<(), &'static str> {
        let segment = match part {
            "" => return Err("a segment is empty"),
            "*" => Segment::One,
            "**" => Segment::Rest,
            text if text.contains(['{', '}', '*', '=']) => {
                return Err("a segment is neither text nor a variable");
            }
            text => Segment::Literal(text.to_owned()),
        };
        self.segments.push(segment);
        Ok(())
    }

    fn push_variable(&mut self, inner: &str) -> Result<(), &'static str> {
        let (field, pattern) = inner.split_once('=').unwrap_or((inner, "*"));
        let is_name =
            |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !field.split('.').all(is_name) {
            return Err("a variable needs the name of a field");
        }
        if self.variables.iter().any(|variable| variable.field == field) {
            return Err("a variable occurs twice");
        }
        let start = self.segments.len();
        for part in pattern.split('/') {
            self.push(part)?;
        }
        let open = self.segments.last() == Some(&Segment::Rest);
        let end = if open { None } else { Some(self.segments.len()) };
        self.variables.push(Variable { field: field.to_owned(), start, end });
        Ok(())
    }
}

/// Splits `users/me:export` into path and verb. The colon counts in the last segment only, outside braces.
pub(crate) fn split_verb(path: &str) -> (&str, Option<&str>) {
    let from = path.rfind(['/', '}']).map_or(0, |at| at + 1);
    match path[from..].rfind(':') {
        Some(colon) => (&path[..from + colon], Some(&path[from + colon + 1..])),
        None => (path, None),
    }
}

fn split_outside_braces(path: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0_usize);
    for (at, byte) in path.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            b'/' if depth == 0 => {
                parts.push(&path[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&path[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literal(text: &str) -> Segment {
        Segment::Literal(text.to_owned())
    }

    #[test]
    fn variables_know_their_segments() {
        let template = Template::parse("/v1/{name=shelves/*/books/**}:read").unwrap();
        let expected = [literal("v1"), literal("shelves"), Segment::One, literal("books"), Segment::Rest];
        assert_eq!(template.segments, expected);
        assert_eq!(template.verb.as_deref(), Some("read"));
        assert_eq!(template.variables, [Variable { field: "name".to_owned(), start: 1, end: None }]);
    }

    #[test]
    fn a_verb_may_follow_a_literal_or_a_variable() {
        let me = Template::parse("/v1/users/me:export").unwrap();
        assert_eq!((me.segments.last(), me.verb.as_deref()), (Some(&literal("me")), Some("export")));
        let event = Template::parse("/v1/events/{event.id}:publish").unwrap();
        assert_eq!((event.segments.last(), event.verb.as_deref()), (Some(&Segment::One), Some("publish")));
        assert_eq!(event.variables[0], Variable { field: "event.id".to_owned(), start: 2, end: Some(3) });
    }

    #[test]
    fn a_wrong_template_is_refused() {
        let wrong = [
            "v1",
            "/v1//x",
            "/",
            "/v1/{",
            "/v1/{}",
            "/v1/{a",
            "/v1/{a}{b}",
            "/v1/**/x",
            "/v1/a*",
            "/v1/x:",
            "/v1/{a}/{a}",
            "/v1/{a=}",
            "/v1/{a=**}/{b=**}",
            "/v1/{a-b}",
        ];
        for text in wrong {
            assert!(Template::parse(text).is_err(), "{text}");
        }
    }
}
