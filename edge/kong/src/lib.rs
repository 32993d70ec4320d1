//! Kong's configuration, without anything that happens: its entities, the schemas that they are checked by, and
//! [`Config`], the whole of them, which is always right.
//!
//! ```text
//!   JSON of a client --> draft (merge, defaults, schema, rules) --> Config::put --> the gateway's next snapshot
//! ```
//!
//! What an entity is is said once, in [`entity`]; the Admin API, its `/schemas` and the declarative file all read it
//! there. To add an entity: a [`Kind`], its line in `DEFINITIONS`, and, where fields depend on each other, a rule in
//! `check.rs`. The schemas of plugins come from whoever has the plugins ([`PluginSchemas`]).
//!
//! Sources: Kong's Admin API reference, 3.x; only what is used here is described.

pub mod config;
pub mod declarative;
pub mod entity;
pub mod error;
pub mod form;
pub mod rules;
pub mod schema;

mod check;
mod draft;

pub use config::{Change, Config, Entity};
pub use draft::{Body, Given, Write};
pub use entity::Kind;
pub use error::Refusal;
pub use schema::Field;

/// The schemas of the plugins that the gateway has.
pub trait PluginSchemas: Send + Sync {
    /// The fields of a plugin's `config`; none when there is no such plugin.
    fn fields(&self, name: &str) -> Option<&[Field]>;

    /// The names of all plugins, in order.
    fn names(&self) -> Vec<&'static str>;

    /// Whether a configuration that fits the schema can be carried out.
    ///
    /// # Errors
    /// Which field cannot, and why.
    fn check(&self, name: &str, config: &serde_json::Value) -> Result<(), (String, String)>;
}

/// How the targets of upstreams are, as the running gateway knows.
pub trait TargetsHealth: Send + Sync {
    /// Each target of an upstream, by its id: `HEALTHY`, `UNHEALTHY`, `DNS_ERROR` or `HEALTHCHECKS_OFF`, and the
    /// state of its circuit breaker: `closed`, `open` or `half-open`.
    fn of(&self, upstream: uuid::Uuid) -> Vec<TargetHealth>;

    /// Takes a target as well, or not, until checks say otherwise; false when there is no such target.
    fn set(&self, upstream: uuid::Uuid, target: uuid::Uuid, health: Health) -> bool;
}

/// What somebody says of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// It may be used.
    Healthy,
    /// It may not.
    Unhealthy,
}

/// How a target is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetHealth {
    /// Its id.
    pub target: uuid::Uuid,
    /// `HEALTHY`, `UNHEALTHY`, `DNS_ERROR` or `HEALTHCHECKS_OFF`.
    pub health: &'static str,
    /// `closed`, `open` or `half-open`.
    pub breaker: &'static str,
}

#[cfg(test)]
mod tests;
