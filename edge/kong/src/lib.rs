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

#[cfg(test)]
mod tests;
