//! Facts as a service publishes them.

use std::sync::Arc;

use anyhow::Context;
use bus::{Fact, FactId, Memo, Topic};
use domain::{Time, facts::Published};
use kit::Environment;

/// What a request brings along.
const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// A fact of a service at a time.
pub fn fact(
    source: &'static str,
    environment: &Environment,
    at: Time,
    published: &Published,
) -> anyhow::Result<Arc<Fact>> {
    Ok(Arc::new(Fact {
        id: FactId(environment.id()),
        source,
        kind: published.kind().to_owned(),
        topic: Topic::from_name(published.topic()).context("every topic of the domain is known")?,
        key: published.key(),
        time_us: at.micros(),
        traceparent: Some(TRACEPARENT.to_owned()),
        payload: published.payload()?,
        memo: Memo::default(),
    }))
}
