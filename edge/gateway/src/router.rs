//! Which configured route a request takes, as Kong decides it: the route that says most about the request wins.
//!
//! Of all routes that fit: more attributes (methods, hosts, headers, paths, SNIs) before fewer, then exact hosts
//! before those with `*`, more headers before fewer, regular expressions (by `regex_priority`, then by length) before
//! prefixes, longer prefixes before shorter, and at last the older one. Prefixes are found in a tree of their bytes,
//! so that a request looks only at the routes whose prefix it has.

mod hosts;
mod path;
mod trie;

use std::{cmp::Reverse, sync::Arc};

use http::{HeaderMap, HeaderName, Method};
use regex::{Regex, RegexBuilder};

use crate::{
    entity::{Protocol, Route},
    limits::MAX_REGEX_BYTES,
};
use hosts::HostRule;
pub(crate) use path::normalize;
use trie::Trie;

/// What is known of a request when its route is looked for.
pub(crate) struct Asked<'r> {
    pub method: &'r Method,
    /// Without a port, in lower case.
    pub host: &'r str,
    pub port: Option<u16>,
    /// Normalized.
    pub path: &'r str,
    pub headers: &'r HeaderMap,
    pub is_secure: bool,
    pub is_grpc: bool,
    pub sni: Option<&'r str>,
}

/// A route that was found.
pub(crate) struct Found<'s, T> {
    pub value: &'s Arc<T>,
    /// How many bytes of the path matched.
    pub matched: usize,
    /// The named parts of a regular expression.
    pub captures: Vec<(String, String)>,
    /// It is spoken over TLS only, and this request was not.
    pub needs_tls: bool,
}

/// The routes of a configuration, each with what it leads to.
pub(crate) struct Router<T> {
    entries: Vec<Entry<T>>,
    prefixes: Trie,
    /// In the order of their rank.
    expressions: Vec<(usize, Regex)>,
    pathless: Vec<usize>,
}

/// A route with one of its paths.
struct Entry<T> {
    value: Arc<T>,
    rule: Arc<Rule>,
    rank: Rank,
}

/// How much a route says: the greater wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    attributes: u8,
    has_exact_host: bool,
    headers: usize,
    is_expression: bool,
    regex_priority: i64,
    path_bytes: usize,
    older: Reverse<i64>,
}

struct Rule {
    methods: Vec<Method>,
    hosts: Vec<HostRule>,
    headers: Vec<(HeaderName, Vec<HeaderRule>)>,
    snis: Vec<String>,
    protocols: Vec<Protocol>,
}

enum HeaderRule {
    Is(String),
    Matches(Regex),
}

/// Why a route cannot be served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {why}")]
pub(crate) struct BadRoute {
    pub field: &'static str,
    pub why: String,
}

impl<T> Default for Router<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), prefixes: Trie::default(), expressions: Vec::new(), pathless: Vec::new() }
    }
}

impl<T> Router<T> {
    /// Whether there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Adds a route. [`Router::finish`] comes last.
    pub fn add(&mut self, route: &Route, value: &Arc<T>) -> Result<(), BadRoute> {
        let rule = Arc::new(Rule::of(route)?);
        let paths = route.paths.as_deref().unwrap_or_default();
        if paths.is_empty() {
            self.pathless.push(self.entries.len());
            self.push(route, value, &rule, 0, false);
        }
        for path in paths {
            match path.strip_prefix('~') {
                Some(expression) => {
                    let regex = anchored(expression)?;
                    self.expressions.push((self.entries.len(), regex));
                    self.push(route, value, &rule, expression.len(), true);
                }
                None => {
                    self.prefixes.insert(path.as_bytes(), self.entries.len());
                    self.push(route, value, &rule, path.len(), false);
                }
            }
        }
        Ok(())
    }

    fn push(
        &mut self,
        route: &Route,
        value: &Arc<T>,
        rule: &Arc<Rule>,
        path_bytes: usize,
        is_expression: bool,
    ) {
        let given = [
            !rule.methods.is_empty(),
            !rule.hosts.is_empty(),
            !rule.headers.is_empty(),
            path_bytes > 0,
            !rule.snis.is_empty(),
        ];
        let rank = Rank {
            attributes: given.iter().map(|given| u8::from(*given)).sum(),
            has_exact_host: rule.hosts.iter().any(HostRule::is_exact),
            headers: rule.headers.len(),
            is_expression,
            regex_priority: if is_expression { route.regex_priority.unwrap_or_default() } else { 0 },
            path_bytes,
            older: Reverse(route.created_at.unwrap_or_default()),
        };
        self.entries.push(Entry { value: Arc::clone(value), rule: Arc::clone(rule), rank });
    }

    /// Puts what is tried one after the other in the order of its rank.
    pub fn finish(&mut self) {
        let entries = &self.entries;
        self.expressions.sort_by_key(|(entry, _)| Reverse(entries[*entry].rank));
    }

    /// The route of a request.
    pub fn find(&self, asked: &Asked<'_>) -> Option<Found<'_, T>> {
        let mut best: Option<(usize, usize)> = None;
        let mut offer = |entry: usize, matched: usize| {
            let better = best.is_none_or(|(other, _)| self.entries[other].rank < self.entries[entry].rank);
            if better && self.entries[entry].rule.fits(asked) {
                best = Some((entry, matched));
            }
        };
        self.prefixes.walk(asked.path.as_bytes(), &mut offer);
        for entry in &self.pathless {
            offer(*entry, 0);
        }
        let mut expression = None;
        for (entry, regex) in &self.expressions {
            if best.is_some_and(|(other, _)| self.entries[other].rank >= self.entries[*entry].rank) {
                break;
            }
            if self.entries[*entry].rule.fits(asked)
                && let Some(captures) = regex.captures(asked.path)
            {
                best = Some((*entry, captures.get(0).map_or(0, |whole| whole.end())));
                expression = Some(named(regex, &captures));
                break;
            }
        }
        let (entry, matched) = best?;
        let Entry { value, rule, .. } = &self.entries[entry];
        let needs_tls = !asked.is_secure && !rule.speaks(asked.is_grpc, false);
        Some(Found { value, matched, captures: expression.unwrap_or_default(), needs_tls })
    }
}

fn named(regex: &Regex, captures: &regex::Captures<'_>) -> Vec<(String, String)> {
    let names = regex.capture_names().flatten();
    names.filter_map(|name| Some((name.to_owned(), captures.name(name)?.as_str().to_owned()))).collect()
}

fn anchored(expression: &str) -> Result<Regex, BadRoute> {
    let built = RegexBuilder::new(&format!("^(?:{expression})")).size_limit(MAX_REGEX_BYTES).build();
    built.map_err(|error| BadRoute { field: "paths", why: error.to_string() })
}

impl Rule {
    fn of(route: &Route) -> Result<Self, BadRoute> {
        let methods = route.methods.iter().flatten();
        let methods = methods.map(|name| Method::from_bytes(name.as_bytes())).collect::<Result<_, _>>();
        let methods = methods.map_err(|error| BadRoute { field: "methods", why: error.to_string() })?;
        let mut headers = Vec::new();
        for (name, values) in route.headers.iter().flatten() {
            let wrong = |why: String| BadRoute { field: "headers", why };
            let name: HeaderName = name.parse().map_err(|_| wrong(format!("{name} is no header")))?;
            let rules = values.iter().map(|value| match value.strip_prefix("~*") {
                Some(expression) => {
                    let built = RegexBuilder::new(expression).size_limit(MAX_REGEX_BYTES).build();
                    built.map(HeaderRule::Matches).map_err(|error| wrong(error.to_string()))
                }
                None => Ok(HeaderRule::Is(value.clone())),
            });
            headers.push((name, rules.collect::<Result<_, _>>()?));
        }
        Ok(Self {
            methods,
            hosts: route.hosts.iter().flatten().map(|host| HostRule::of(host)).collect(),
            headers,
            snis: route.snis.iter().flatten().map(|sni| sni.to_ascii_lowercase()).collect(),
            protocols: route.protocols.clone(),
        })
    }

    /// Everything but the path.
    fn fits(&self, asked: &Asked<'_>) -> bool {
        let speaks = self.speaks(asked.is_grpc, true) || self.speaks(asked.is_grpc, false);
        let has_header = |(name, rules): &(HeaderName, Vec<HeaderRule>)| {
            let mut sent = asked.headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
            sent.any(|value| rules.iter().any(|rule| rule.fits(value)))
        };
        let is_sni = |known: &String| asked.sni == Some(known.as_str());
        speaks
            && (self.methods.is_empty() || self.methods.contains(asked.method))
            && (self.hosts.is_empty() || self.hosts.iter().any(|host| host.fits(asked.host, asked.port)))
            && self.headers.iter().all(has_header)
            // As Kong: names of TLS say nothing about requests without TLS.
            && (self.snis.is_empty() || !asked.is_secure || self.snis.iter().any(is_sni))
    }

    fn speaks(&self, is_grpc: bool, secure: bool) -> bool {
        self.protocols
            .iter()
            .any(|protocol| protocol.is_secure() == secure && (is_grpc || !protocol.is_grpc()))
    }
}

impl HeaderRule {
    fn fits(&self, value: &str) -> bool {
        match self {
            Self::Is(known) => known.eq_ignore_ascii_case(value),
            Self::Matches(regex) => regex.is_match(value),
        }
    }
}

/// The host and the port in a `Host` header or an authority.
pub(crate) fn split_host(authority: &str) -> (&str, Option<u16>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && !port.ends_with(']') => match port.parse() {
            Ok(port) => (host, Some(port)),
            Err(_) => (authority, None),
        },
        _ => (authority, None),
    }
}

#[cfg(test)]
mod tests;
