//! The whole configuration.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use serde_json::Value;
use uuid::Uuid;

use crate::{Kind, Refusal};

/// The most entities of one kind.
pub const MAX_ENTITIES: usize = 20_000;
/// What marks an entity of the program itself.
pub const BUILT_IN: &str = "builtin";

/// One entity, as its schema has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Entity {
    /// Its kind.
    pub kind: Kind,
    /// Its id.
    pub id: Uuid,
    /// Its fields.
    pub fields: Arc<Value>,
}

impl Entity {
    /// A field that is a text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.fields.get(name)?.as_str()
    }

    /// The id in a foreign field.
    #[must_use]
    pub fn foreign(&self, name: &str) -> Option<Uuid> {
        Uuid::try_parse(self.fields.get(name)?.get("id")?.as_str()?).ok()
    }

    /// The texts of a list.
    pub fn texts(&self, name: &str) -> impl Iterator<Item = &str> {
        self.fields.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    }

    /// A field that is a whole number.
    #[must_use]
    pub fn integer(&self, name: &str) -> Option<i64> {
        self.fields.get(name)?.as_i64()
    }

    /// Whether a field is true.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.fields.get(name).and_then(Value::as_bool) == Some(true)
    }

    /// Whether it belongs to the program.
    #[must_use]
    pub fn is_built_in(&self) -> bool {
        self.texts("tags").any(|tag| tag == BUILT_IN)
    }
}

/// A change of one entity: none removes it.
pub type Change = (Kind, Uuid, Option<Arc<Value>>);

/// All entities, by kind and id. Whoever holds one holds a configuration that is right.
#[derive(Debug, Clone, Default)]
pub struct Config {
    entities: BTreeMap<Kind, BTreeMap<Uuid, Entity>>,
    /// By kind and the value of the field that finds it beside its id.
    by_key: HashMap<(Kind, String), Uuid>,
}

impl Config {
    /// The entities of a kind, by id.
    pub fn all(&self, kind: Kind) -> impl Iterator<Item = &Entity> {
        self.entities.get(&kind).into_iter().flat_map(BTreeMap::values)
    }

    /// How many there are of a kind.
    #[must_use]
    pub fn count(&self, kind: Kind) -> usize {
        self.entities.get(&kind).map_or(0, BTreeMap::len)
    }

    /// The entities of a kind from an id on.
    pub fn from(&self, kind: Kind, id: Uuid) -> impl Iterator<Item = &Entity> {
        self.entities.get(&kind).into_iter().flat_map(move |all| all.range(id..)).map(|(_, entity)| entity)
    }

    /// By id.
    #[must_use]
    pub fn get(&self, kind: Kind, id: Uuid) -> Option<&Entity> {
        self.entities.get(&kind)?.get(&id)
    }

    /// By the field that finds it beside its id.
    #[must_use]
    pub fn by_key(&self, kind: Kind, key: &str) -> Option<&Entity> {
        self.get(kind, *self.by_key.get(&(kind, key.to_owned()))?)
    }

    /// By id, or else by its key, as paths of the Admin API name it.
    #[must_use]
    pub fn find(&self, kind: Kind, name: &str) -> Option<&Entity> {
        let by_id = Uuid::try_parse(name).ok().and_then(|id| self.get(kind, id));
        by_id.or_else(|| self.by_key(kind, name))
    }

    /// The entities of a kind whose foreign field names another.
    pub fn of<'c>(&'c self, kind: Kind, field: &'c str, parent: Uuid) -> impl Iterator<Item = &'c Entity> {
        self.all(kind).filter(move |entity| entity.foreign(field) == Some(parent))
    }

    /// Puts an entity that was drafted against this configuration.
    pub fn put(&mut self, kind: Kind, id: Uuid, fields: Arc<Value>) {
        self.forget_key(kind, id);
        let entity = Entity { kind, id, fields };
        if let Some(key) = kind.definition().key.and_then(|field| entity.text(field)) {
            self.by_key.insert((kind, key.to_owned()), id);
        }
        self.entities.entry(kind).or_default().insert(id, entity);
    }

    fn forget_key(&mut self, kind: Kind, id: Uuid) {
        let known = self.get(kind, id);
        let key = known.and_then(|entity| entity.text(kind.definition().key?).map(str::to_owned));
        if let Some(key) = key {
            self.by_key.remove(&(kind, key));
        }
    }

    /// What goes when an entity is removed: it, and what belongs to it.
    ///
    /// # Errors
    /// When it, or something that would go with it, belongs to the program.
    pub fn removal(&self, kind: Kind, id: Uuid) -> Result<Vec<Change>, Refusal> {
        let entity = self.get(kind, id).ok_or(Refusal::NotFound)?;
        if entity.is_built_in() {
            let name = kind.definition().key.and_then(|key| entity.text(key)).unwrap_or_default();
            return Err(Refusal::BuiltIn(name.to_owned()));
        }
        // As Kong: what a service has routes for stays; what belongs to a consumer goes with it.
        if kind == Kind::Services && self.of(Kind::Routes, "service", id).next().is_some() {
            let why = "an existing 'routes' entity references this 'services' entity";
            return Err(Refusal::field("@referenced_by", why));
        }
        let mut changes = vec![(kind, id, None)];
        for child in Kind::ALL {
            let parents = child.definition().parents.iter().filter(|(_, parent)| *parent == kind);
            for (field, _) in parents {
                for entity in self.of(child, field, id) {
                    changes.extend(self.removal(child, entity.id)?);
                }
            }
        }
        Ok(changes)
    }

    /// Applies changes.
    pub fn apply(&mut self, changes: &[Change]) {
        for (kind, id, fields) in changes {
            match fields {
                Some(fields) => self.put(*kind, *id, Arc::clone(fields)),
                None => {
                    self.forget_key(*kind, *id);
                    if let Some(all) = self.entities.get_mut(kind) {
                        all.remove(id);
                    }
                }
            }
        }
    }

    /// What turns this configuration into another.
    #[must_use]
    pub fn changes_to(&self, other: &Self) -> Vec<Change> {
        let mut changes = Vec::new();
        for kind in Kind::ALL {
            let gone = self.all(kind).filter(|entity| other.get(kind, entity.id).is_none());
            changes.extend(gone.map(|entity| (kind, entity.id, None)));
            let new = other.all(kind).filter(|entity| self.get(kind, entity.id) != Some(entity));
            changes.extend(new.map(|entity| (kind, entity.id, Some(Arc::clone(&entity.fields)))));
        }
        changes
    }
}
