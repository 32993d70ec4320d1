//! What the gateway keeps.

use kong::Kind;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::Key;
use uuid::Uuid;

/// An entity as it was checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// The name of its collection.
    pub collection: String,
    /// Its id.
    pub id: Uuid,
    /// Its fields.
    pub fields: Value,
}

/// Grows by one with each change, so that other nodes see that there was one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// How many changes there were.
    pub number: u64,
}

store::rows! {
    /// What the gateway keeps.
    pub enum GatewayRow in "gateway" {
        /// An entity.
        Entity(Kept) in "entity" by |kept| format!("{}/{}", kept.collection, kept.id) => {} indexes [],
        /// The one revision.
        Revision(Revision) in "revision" by |_revision| REVISION => {} indexes []
    }
}

const REVISION: &str = "configuration";

/// Where an entity is.
pub(crate) fn entity_key(kind: Kind, id: Uuid) -> Key {
    Key::new("entity", format!("{}/{id}", kind.definition().name))
}

/// Where the revision is.
pub(crate) fn revision_key() -> Key {
    Key::new("revision", REVISION)
}
