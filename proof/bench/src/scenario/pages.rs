//! Visitors without an account who open the pages of events, as a browser gets them: whole HTML.

use std::cell::Cell;

use serde_json::{Map, Value, json};

use super::{Outcome, Scenario, named};
use crate::{
    catalogue::{self, Catalogue},
    http::{Call, Connection},
    random::random,
    target::Target,
};

/// Every so many pages are read whole; of the others the beginning.
const READ_EVERY: u32 = 32;

/// The options of the scenario.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    #[command(flatten)]
    catalogue: catalogue::Options,
}

/// The scenario `pages`.
pub struct Pages {
    options: Options,
    catalogue: Catalogue,
    opened: Cell<u32>,
}

impl Scenario for Pages {
    type Options = Options;

    const NAME: &str = "pages";
    const KINDS: &[&str] = &["event"];

    async fn set_up(target: &Target, options: &Options) -> anyhow::Result<Self> {
        let catalogue = Catalogue::publish(target, &options.catalogue).await?;
        Ok(Self { options: options.clone(), catalogue, opened: Cell::new(0) })
    }

    async fn attempt(&self, number: u64, connection: &mut Connection) -> anyhow::Result<Outcome> {
        let offer = &self.catalogue.offers[self.catalogue.popularity.pick(random(number, 0))];
        let path = format!("/events/{}", offer.event_id);
        let answer = connection.call(&Call::get(&path).with(&[("accept", "text/html")])).await?;
        if !answer.is_success() {
            return Ok(Outcome::refused(&answer));
        }
        self.opened.set(self.opened.get().wrapping_add(1));
        let is_page = answer.body.starts_with(b"<!DOCTYPE html>")
            && (!self.opened.get().is_multiple_of(READ_EVERY) || is_whole(answer.body, &path));
        Ok(if is_page { Outcome::Done(0) } else { Outcome::Failed(format!("{path}: {}", answer.tell())) })
    }

    fn configuration(&self) -> Map<String, Value> {
        let catalogue::Options { events, exponent } = self.options.catalogue;
        named([("events", json!(events)), ("exponent", json!(exponent))])
    }
}

/// The page leads to the booking of this event, and has an end.
fn is_whole(body: &[u8], path: &str) -> bool {
    let Ok(page) = std::str::from_utf8(body) else { return false };
    page.contains(&format!("{path}/book")) && page.trim_end().ends_with("</html>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_page_or_that_of_another_event_is_none() {
        let page = br#"<!DOCTYPE html><html><form action="/events/one/book"></form></html>"#;
        assert!(is_whole(page, "/events/one"));
        assert!(!is_whole(page, "/events/two"));
        assert!(!is_whole(&page[..page.len() - 2], "/events/one"));
    }
}
