//! The scenarios: what is set up, what one request is, and what must be true afterwards.
//!
//! A new scenario is a module here, a [`Scenario`], and a name in `cli`.

pub mod browse;
pub mod echo;
pub mod flash_sale;
pub mod gateway_echo;
pub mod login;
pub mod mixed;
pub mod overload;
pub mod pages;
pub mod paid;
pub mod request;
pub mod spread;

use serde_json::{Map, Value};

use crate::{
    http::{Answer, Connection},
    load::{self, Plan, Tally},
    target::Target,
};

/// How an attempt counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The answer that the scenario wants; its kind is one of [`Scenario::KINDS`].
    Done(usize),
    /// A refusal because the server is busy that says when to come again.
    Busy,
    /// A success that decides nothing yet.
    Undecided,
    /// An answer that the scenario does not expect.
    Failed(String),
    /// The connection ended without an answer: it is not known whether the request was carried out.
    Broken(String),
    /// The client had no answer in time and hung up: that is not known either.
    GaveUp,
}

impl Outcome {
    /// How an answer counts that is not the wanted one. Being busy is no error for who says when to
    /// come again.
    pub fn refused(answer: &Answer<'_>) -> Self {
        match answer.status {
            429 | 503 if answer.has_retry_after => Self::Busy,
            429 | 503 => Self::Failed(format!("without Retry-After: {}", answer.tell())),
            _ => Self::Failed(answer.tell()),
        }
    }
}

/// What is started when no deployment is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Server {
    /// The program, on a fresh data directory.
    Platform,
    /// The echo of this program.
    Echo,
    /// Nothing: a deployment must be named.
    Nothing,
}

/// Values by name, for the report.
pub fn named<const COUNT: usize>(values: [(&str, Value); COUNT]) -> Map<String, Value> {
    values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// A scenario on one deployment.
pub trait Scenario: Sized {
    /// Its own options.
    type Options;

    /// Its name on the command line.
    const NAME: &str;
    /// The kinds of answers that it wants, as the report names them.
    const KINDS: &[&str];
    /// What it is put on.
    const SERVER: Server = Server::Platform;

    /// Makes what the requests need.
    ///
    /// # Errors
    /// When the platform refuses.
    async fn set_up(target: &Target, options: &Self::Options) -> anyhow::Result<Self>;

    /// What the client with this number does; mostly one request.
    ///
    /// # Errors
    /// When there was no answer: it is not known then whether the request was carried out.
    async fn attempt(&self, number: u64, connection: &mut Connection) -> anyhow::Result<Outcome>;

    /// Puts the load on.
    ///
    /// # Errors
    /// When the connections cannot be made.
    async fn run(&mut self, target: &Target, plan: &Plan) -> anyhow::Result<Tally> {
        load::drive(self, target, plan).await
    }

    /// What in the answers makes the figures void.
    fn problems(&self, tally: &Tally) -> Vec<String> {
        tally.problems()
    }

    /// Checks what the run left behind; what is wrong makes the figures void.
    ///
    /// # Errors
    /// When the platform does not answer.
    async fn check(&mut self, _: &Target, _: &Tally) -> anyhow::Result<Vec<String>> {
        Ok(Vec::new())
    }

    /// With which options it ran.
    fn configuration(&self) -> Map<String, Value> {
        Map::new()
    }

    /// The figures that this scenario is about, for its line; empty when `per_s` says it all.
    fn headline(&self) -> String {
        String::new()
    }

    /// What else the report says.
    fn details(&self) -> Map<String, Value> {
        Map::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn being_busy_is_no_error_for_who_says_when_to_come_again() {
        let refused =
            |status, has_retry_after| Outcome::refused(&Answer { status, has_retry_after, body: b"later" });
        assert_eq!(refused(503, true), Outcome::Busy);
        assert_eq!(refused(429, true), Outcome::Busy);
        assert_eq!(refused(503, false), Outcome::Failed("without Retry-After: 503 later".to_owned()));
        assert_eq!(refused(500, true), Outcome::Failed("500 later".to_owned()));
    }
}
