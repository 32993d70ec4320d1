//! One fixed request, to measure any server that speaks HTTP/1.1.

use anyhow::Context;
use serde_json::{Map, Value};

use super::{Outcome, Scenario, Server, named};
use crate::{
    http::{Call, Connection},
    target::Target,
};

/// Which request it is.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// The path with its query
    #[arg(long)]
    path: String,
    /// The method [default: GET, with a body POST]
    #[arg(long)]
    method: Option<String>,
    /// The body; its type is JSON unless a header says otherwise
    #[arg(long, value_name = "JSON")]
    body: Option<String>,
    /// A header; may be given more than once
    #[arg(long = "header", value_name = "NAME: VALUE", value_parser = header)]
    headers: Vec<(String, String)>,
    /// The status that counts [default: any from 200 to 299]
    #[arg(long, value_name = "STATUS")]
    expect: Option<u16>,
}

/// The scenario `request`.
pub struct Request {
    options: Options,
}

impl Scenario for Request {
    type Options = Options;

    const NAME: &str = "request";
    const KINDS: &[&str] = &["answer"];
    const SERVER: Server = Server::Nothing;

    async fn set_up(target: &Target, options: &Options) -> anyhow::Result<Self> {
        anyhow::ensure!(options.path.starts_with('/'), "--path must begin with /");
        anyhow::ensure!(!options.path.contains([' ', '\r', '\n']), "--path must not have spaces");
        let request = Self { options: options.clone() };
        let outcome = request.attempt(0, &mut Connection::to(target)).await?;
        match outcome {
            Outcome::Failed(what) => anyhow::bail!("the first request was answered {what}"),
            _ => Ok(request),
        }
    }

    async fn attempt(&self, _: u64, connection: &mut Connection) -> anyhow::Result<Outcome> {
        let Options { path, body, expect, .. } = &self.options;
        let headers: Vec<_> = self.options.headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let (method, body) = (self.method(), body.as_deref().unwrap_or_default().as_bytes());
        let call = Call { method, path, authorization: None, headers: &headers, body };
        let answer = connection.call(&call).await?;
        let is_expected = expect.map_or(answer.is_success(), |status| status == answer.status);
        Ok(if is_expected { Outcome::Done(0) } else { Outcome::refused(&answer) })
    }

    fn configuration(&self) -> Map<String, Value> {
        let body_bytes = self.options.body.as_ref().map(String::len);
        named([
            ("method", self.method().into()),
            ("path", self.options.path.as_str().into()),
            ("body_bytes", body_bytes.into()),
        ])
    }
}

impl Request {
    fn method(&self) -> &str {
        let usual = if self.options.body.is_some() { "POST" } else { "GET" };
        self.options.method.as_deref().unwrap_or(usual)
    }
}

fn header(text: &str) -> anyhow::Result<(String, String)> {
    let (name, value) = text.split_once(':').context("a header is NAME: VALUE")?;
    anyhow::ensure!(!text.contains(['\r', '\n']), "a header is one line");
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_a_name_and_a_value() {
        assert_eq!(header("Host: a:80").unwrap(), ("Host".to_owned(), "a:80".to_owned()));
        for wrong in ["Host", "a: b\r\nc: d"] {
            assert!(header(wrong).is_err(), "{wrong}");
        }
    }
}
