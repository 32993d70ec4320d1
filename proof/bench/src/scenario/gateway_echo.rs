//! The cheapest call that a signed-in person can make: what the gateway costs.
//!
//! `GET /v1/users/me`. The gateway finds the route, verifies the token and makes JSON of the protobuf
//! answer; the guard of the service verifies the token again; the service reads one row. There is no rpc
//! for signed-in people that does nothing, so this is a little more than the gateway alone.

use super::{Outcome, Scenario};
use crate::{
    account::Account,
    http::{Call, Connection},
    target::Target,
};

/// The scenario `gateway-echo`.
pub struct GatewayEcho {
    account: Account,
    expected: Vec<u8>,
}

impl Scenario for GatewayEcho {
    type Options = ();

    const NAME: &str = "gateway-echo";
    const KINDS: &[&str] = &["answer"];

    async fn set_up(target: &Target, (): &()) -> anyhow::Result<Self> {
        let account = Account::register(target, "member").await?;
        let expected = format!(r#"{{"id":"{}""#, account.id).into_bytes();
        Ok(Self { account, expected })
    }

    async fn attempt(&self, _: u64, connection: &mut Connection) -> anyhow::Result<Outcome> {
        let authorization = self.account.authorization();
        let answer = connection.call(&Call::get("/v1/users/me").by(&authorization)).await?;
        let is_right = answer.is_success() && answer.body.starts_with(&self.expected);
        Ok(if is_right { Outcome::Done(0) } else { Outcome::refused(&answer) })
    }
}
