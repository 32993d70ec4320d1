//! The scenarios: what is set up, what one request is, and what must be true afterwards.
//!
//! A new scenario is a module here, a [`Scenario`], and a name in `cli`.

pub mod flash_sale;

use serde_json::{Map, Value};

use crate::{
    cli::Cli,
    client::{Answer, Call},
    load::Tally,
    target::Target,
};

/// How an answer counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A booking with its tickets.
    Booked,
    /// A refusal that is part of the scenario.
    Rejected,
    /// Any other success, such as a booking that is not decided yet.
    Other,
    /// An answer that the scenario does not expect.
    Failed,
}

/// A scenario on one deployment.
pub trait Scenario: Sized {
    /// Its name on the command line.
    const NAME: &str;

    /// Makes what the requests need.
    ///
    /// # Errors
    /// When the platform refuses.
    async fn set_up(target: &Target, cli: &Cli) -> anyhow::Result<Self>;

    /// The request with this number.
    fn call(&self, number: u64) -> Call;

    /// How the answer to the request with this number counts.
    fn judge(&self, number: u64, answer: &Answer) -> Outcome;

    /// Checks what the run left behind; what is wrong makes the figures void.
    ///
    /// # Errors
    /// When the platform does not answer.
    async fn check(&mut self, tally: &Tally) -> anyhow::Result<Vec<String>>;

    /// What else the report says.
    fn details(&self) -> Map<String, Value>;
}
