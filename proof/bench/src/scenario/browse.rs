//! Visitors without an account who look at lists and at events.

use serde_json::{Map, Value, json};

use super::{Outcome, Scenario, named};
use crate::{
    browsing::{Browsing, KINDS, PAGE_SIZE},
    catalogue,
    http::Connection,
    target::Target,
};

/// The options of the scenario.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    #[command(flatten)]
    catalogue: catalogue::Options,
}

/// The scenario `browse`.
pub struct Browse {
    options: Options,
    browsing: Browsing,
}

impl Scenario for Browse {
    type Options = Options;

    const NAME: &str = "browse";
    const KINDS: &[&str] = KINDS;

    async fn set_up(target: &Target, options: &Options) -> anyhow::Result<Self> {
        let browsing = Browsing::set_up(target, &options.catalogue).await?;
        Ok(Self { options: options.clone(), browsing })
    }

    async fn attempt(&self, number: u64, connection: &mut Connection) -> anyhow::Result<Outcome> {
        self.browsing.look(number, connection).await
    }

    fn configuration(&self) -> Map<String, Value> {
        let catalogue::Options { events, exponent } = self.options.catalogue;
        named([("events", json!(events)), ("exponent", json!(exponent)), ("page_size", json!(PAGE_SIZE))])
    }
}
