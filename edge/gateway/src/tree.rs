//! The tree in which a request path finds its route. Literals win over `*`, and `*` over `**`.

use std::{borrow::Cow, collections::HashMap};

use crate::template::{Segment, Template, split_verb};

/// A path that cannot be read: a `%` without two hexadecimal digits, or bytes that are not UTF-8.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct MalformedPath;

/// The decoded segments of a request path.
pub(crate) type Segments<'p> = Vec<Cow<'p, str>>;

/// What stands at the places that templates lead to.
#[derive(Debug)]
pub(crate) struct Tree<T> {
    root: Node<T>,
}

#[derive(Debug)]
struct Node<T> {
    literals: HashMap<String, Node<T>>,
    one: Option<Box<Node<T>>>,
    rest: Option<Box<Node<T>>>,
    /// By verb; none is the path as it is.
    leaves: Vec<(Option<String>, T)>,
}

impl<T> Default for Node<T> {
    fn default() -> Self {
        Self { literals: HashMap::new(), one: None, rest: None, leaves: Vec::new() }
    }
}

impl<T: Default> Tree<T> {
    /// An empty tree.
    pub fn new() -> Self {
        Self { root: Node::default() }
    }

    /// The place of a template, made when it is not there.
    pub fn place(&mut self, template: &Template) -> &mut T {
        let mut node = &mut self.root;
        for segment in &template.segments {
            node = match segment {
                Segment::Literal(text) => node.literals.entry(text.clone()).or_default(),
                Segment::One => node.one.get_or_insert_default(),
                Segment::Rest => node.rest.get_or_insert_default(),
            };
        }
        let at = match node.leaves.iter().position(|(verb, _)| *verb == template.verb) {
            Some(at) => at,
            None => {
                node.leaves.push((template.verb.clone(), T::default()));
                node.leaves.len() - 1
            }
        };
        &mut node.leaves[at].1
    }

    /// What stands at a path, as it was sent, and its decoded segments.
    pub fn find<'p>(&self, path: &'p str) -> Result<Option<(&T, Segments<'p>)>, MalformedPath> {
        let Some(path) = path.strip_prefix('/') else {
            return Ok(None);
        };
        let (path, verb) = split_verb(path);
        let segments = path.split('/').map(decode).collect::<Result<Segments<'p>, _>>()?;
        let verb = verb.map(decode).transpose()?;
        let found = self.root.find(&segments, verb.as_deref());
        Ok(found.map(|value| (value, segments)))
    }
}

impl<T> Node<T> {
    /// The recursion ends where the templates end, so a long path does no harm.
    fn find(&self, segments: &[Cow<'_, str>], verb: Option<&str>) -> Option<&T> {
        let Some((first, others)) = segments.split_first() else {
            let rest = self.rest.as_ref().and_then(|node| node.leaf(verb));
            return self.leaf(verb).or(rest);
        };
        let literal = self.literals.get(first.as_ref()).and_then(|node| node.find(others, verb));
        let one = || self.one.as_ref().filter(|_| !first.is_empty()).and_then(|node| node.find(others, verb));
        let rest = || self.rest.as_ref().and_then(|node| node.leaf(verb));
        literal.or_else(one).or_else(rest)
    }

    fn leaf(&self, verb: Option<&str>) -> Option<&T> {
        self.leaves.iter().find(|(known, _)| known.as_deref() == verb).map(|(_, value)| value)
    }
}

fn decode(segment: &str) -> Result<Cow<'_, str>, MalformedPath> {
    percent_decode(segment, false)
}

/// Replaces each `%XX`; in a query `+` is a space.
pub(crate) fn percent_decode(text: &str, plus_is_space: bool) -> Result<Cow<'_, str>, MalformedPath> {
    let is_plain = |b: u8| b != b'%' && !(plus_is_space && b == b'+');
    if text.bytes().all(is_plain) {
        return Ok(Cow::Borrowed(text));
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => {
                let mut digit = || bytes.next().and_then(|b| char::from(b).to_digit(16));
                let (high, low) = (digit().ok_or(MalformedPath)?, digit().ok_or(MalformedPath)?);
                u8::try_from(high * 16 + low).map_err(|_| MalformedPath)?
            }
            b'+' if plus_is_space => b' ',
            other => other,
        });
    }
    String::from_utf8(decoded).map(Cow::Owned).map_err(|_| MalformedPath)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> Tree<String> {
        let mut tree = Tree::new();
        let templates = [
            "/v1/users/me",
            "/v1/users/me:export",
            "/v1/users/{id}",
            "/v1/users/{id}/keys",
            "/v1/events/{id}:publish",
            "/v1/tickets/{id}/qr.svg",
            "/v1/tickets/{id}/{part}",
            "/v1/files/{name=**}",
            "/v1/files/{name=**}:read",
        ];
        for text in templates {
            *tree.place(&Template::parse(text).unwrap()) = text.to_owned();
        }
        tree
    }

    fn found(path: &str) -> Option<String> {
        tree().find(path).unwrap().map(|(value, _)| value.clone())
    }

    #[test]
    fn literals_win_and_the_search_steps_back() {
        let cases = [
            ("/v1/users/me", "/v1/users/me"),
            ("/v1/users/me:export", "/v1/users/me:export"),
            ("/v1/users/you", "/v1/users/{id}"),
            // `me` is a literal, but only the variable has `keys` below it.
            ("/v1/users/me/keys", "/v1/users/{id}/keys"),
            ("/v1/tickets/7/qr.svg", "/v1/tickets/{id}/qr.svg"),
            ("/v1/tickets/7/qr.png", "/v1/tickets/{id}/{part}"),
            ("/v1/events/7:publish", "/v1/events/{id}:publish"),
            ("/v1/events/a%3Ab:publish", "/v1/events/{id}:publish"),
            ("/v1/%75sers/me", "/v1/users/me"),
            ("/v1/files", "/v1/files/{name=**}"),
            ("/v1/files/a/b/c", "/v1/files/{name=**}"),
            ("/v1/files/a/b:read", "/v1/files/{name=**}:read"),
        ];
        for (path, template) in cases {
            assert_eq!(found(path).as_deref(), Some(template), "{path}");
        }
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        let unknown = [
            "/",
            "",
            "/v1",
            "/v1/users",
            "/v1/users/",
            "/v1/users/me/",
            "/v1//me",
            "/v1/events/7",
            "/v1/events/:publish",
            "/v1/events/7:drop",
            "/v1/users/me:export:export",
            "/v1/users/you:export",
            "/v1/tickets/7/qr.svg/x",
            "/v1/events/7%3Apublish",
            "*",
        ];
        for path in unknown {
            assert_eq!(found(path), None, "{path}");
        }
    }

    #[test]
    fn segments_are_decoded_after_the_split() {
        let tree = tree();
        let (_, segments) = tree.find("/v1/tickets/a%2Fb%20c/%C3%BC").unwrap().unwrap();
        assert_eq!(segments, ["v1", "tickets", "a/b c", "\u{fc}"]);
        for path in ["/v1/%", "/v1/%4", "/v1/%zz", "/v1/%+1", "/v1/%ff"] {
            assert_eq!(tree.find(path).unwrap_err(), MalformedPath, "{path}");
        }
    }
}
