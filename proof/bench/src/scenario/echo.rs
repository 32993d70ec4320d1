//! The ceiling: what the generator and an HTTP server that does nothing reach together.

use std::cell::RefCell;
use std::io::Write;

use super::{Outcome, Scenario, Server};
use crate::{
    http::{Call, Connection},
    target::Target,
};

/// As long as the access token of an account, so that requests have the size of those of a sale.
const TOKEN_BYTES: usize = 422;

/// The scenario `echo`.
pub struct Echo {
    authorization: String,
    body: RefCell<Vec<u8>>,
}

impl Scenario for Echo {
    type Options = ();

    const NAME: &str = "echo";
    const KINDS: &[&str] = &["echo"];
    const SERVER: Server = Server::Echo;

    async fn set_up(_: &Target, (): &()) -> anyhow::Result<Self> {
        Ok(Self { authorization: format!("Bearer {}", "x".repeat(TOKEN_BYTES)), body: RefCell::default() })
    }

    async fn attempt(&self, number: u64, connection: &mut Connection) -> anyhow::Result<Outcome> {
        let mut body = self.body.take();
        write_body(number, &mut body);
        let call = Call::post("/echo", &body).by(&self.authorization).with(&[("prefer", "wait=10")]);
        let answer = connection.call(&call).await?;
        let outcome = match answer.status {
            200 if answer.body == body => Outcome::Done(0),
            200 => Outcome::Failed(format!("not the echo of {number}: {}", answer.tell())),
            _ => Outcome::refused(&answer),
        };
        self.body.replace(body);
        Ok(outcome)
    }
}

/// The body of a booking, another one for each number.
fn write_body(number: u64, body: &mut Vec<u8>) {
    body.clear();
    // Writing into memory cannot fail.
    let _ = write!(
        body,
        r#"{{"event_id":"01a20e0f-a5ce-70a7-b011-{number:012x}","lines":[{{"ticket_type_id":"01a20e0f-a5ce-7bc0-97eb-7178b2126e7e","quantity":1}}]}}"#
    );
}
