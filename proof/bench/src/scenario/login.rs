//! Signing in, which costs a password hash by design.

use serde_json::{Map, Value, json};

use super::{Outcome, Scenario, named};
use crate::{
    account::Account,
    http::{Call, Connection},
    target::Target,
};

/// The options of the scenario.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// How many accounts sign in, in turn
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    accounts: u32,
}

/// The scenario `login`.
pub struct Login {
    accounts: Vec<Account>,
}

impl Scenario for Login {
    type Options = Options;

    const NAME: &str = "login";
    const KINDS: &[&str] = &["login"];

    async fn set_up(target: &Target, options: &Options) -> anyhow::Result<Self> {
        Self::with(target, options.accounts).await
    }

    async fn attempt(&self, number: u64, connection: &mut Connection) -> anyhow::Result<Outcome> {
        let account = &self.accounts[usize::try_from(number)? % self.accounts.len()];
        let answer = connection.call(&Call::post("/v1/auth/login", account.credentials())).await?;
        let has_token = answer.body.starts_with(br#"{"access_token":"ey"#);
        Ok(if answer.is_success() && has_token { Outcome::Done(0) } else { Outcome::refused(&answer) })
    }

    fn configuration(&self) -> Map<String, Value> {
        named([("accounts", json!(self.accounts.len()))])
    }
}

impl Login {
    /// So many accounts.
    ///
    /// # Errors
    /// When the platform refuses.
    pub async fn with(target: &Target, accounts: u32) -> anyhow::Result<Self> {
        Ok(Self { accounts: Account::register_many(target, "member", accounts).await? })
    }
}
