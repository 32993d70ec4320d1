//! Reads by key: what the collections have, and what the tail of the log says beyond it.
//!
//! ```text
//!   the collections  ---+                the newest of each
//!                       +---> together
//!   the log's head   ---+                every commit that was answered before the read began
//! ```

use std::collections::HashMap;

use bus::{Partition, Position};
use futures_util::future::{join, try_join, try_join_all};
use mongodb::bson::doc;
use store::{AnswerKey, Key, Loaded, Parked, Row, StoreError, Versioned};

use crate::{
    database::{ANSWERS, PARKED, POSITIONS, table_collection},
    document::{AnswerDoc, ParkedDoc, PositionDoc, RowDoc, parked_id, partition_id},
    entry::{self, decode},
    journal::Journal,
};

/// How often a read begins again, because the store had to.
const MAX_TRIES: usize = 4;

/// What the collections have.
pub struct Stored {
    /// Rows by table and id, also those that are gone.
    pub rows: HashMap<Key, RowDoc>,
    /// Answers by key.
    pub answers: HashMap<String, AnswerDoc>,
    /// The latest entry that was seen in them.
    pub newest: u64,
}

/// Whether the state of rows is wanted, or their version only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fields {
    /// All.
    All,
    /// Without the state.
    Version,
}

impl<R: Row> Journal<R> {
    /// Rows and answers as the collections have them, but for rows that the tail has.
    pub async fn stored(
        &self,
        keys: &[Key],
        answers: &[AnswerKey],
        fields: Fields,
    ) -> Result<Stored, StoreError> {
        let mut by_table: HashMap<&'static str, Vec<String>> = HashMap::new();
        {
            let tail = self.tail();
            for key in keys.iter().filter(|key| tail.row(key).is_none()) {
                by_table.entry(entry::table::<R>(key.table)?.name).or_default().push(key.id.to_string());
            }
        }
        let fields = (fields == Fields::Version).then(|| doc! { "entry": 1, "version": 1 });
        let rows = by_table.into_iter().map(|(table, mut ids)| {
            let fields = fields.clone();
            async move {
                ids.sort_unstable();
                ids.dedup();
                let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
                let found: Vec<RowDoc> = self.place.by_ids(&table_collection(table), &ids, fields).await?;
                Ok::<_, StoreError>((table, found))
            }
        });
        let ids: Vec<&str> = answers.iter().map(|key| key.0.as_str()).collect();
        let answers = async { Ok(self.place.by_ids::<AnswerDoc>(ANSWERS, &ids, None).await?) };
        let (rows, answers) = try_join(try_join_all(rows), answers).await?;
        let mut stored = Stored { rows: HashMap::new(), answers: HashMap::new(), newest: 0 };
        for (table, row) in
            rows.into_iter().flat_map(|(table, rows)| rows.into_iter().map(move |row| (table, row)))
        {
            stored.newest = stored.newest.max(row.entry.cast_unsigned());
            stored.rows.insert(Key::new(table, row.id.as_str()), row);
        }
        for answer in answers {
            stored.newest = stored.newest.max(answer.entry.cast_unsigned());
            stored.answers.insert(answer.key.clone(), answer);
        }
        Ok(stored)
    }

    /// Reads the collections and the head of the log side by side, and puts them together. `newest` gives the latest
    /// entry of what was read.
    pub async fn read<T, F, U>(
        &self,
        read: impl Fn() -> F,
        newest: impl Fn(&T) -> u64,
        together: impl Fn(T, &crate::tail::Tail<R>) -> U,
    ) -> Result<U, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        for _ in 0..MAX_TRIES {
            let reading = self.begin_read();
            let (seen, found) = join(self.catch_up(), read()).await;
            seen?;
            let found = found?;
            if newest(&found) > self.tail().seen {
                // Somebody has applied what this store did not know of yet.
                self.catch_up().await?;
            }
            let tail = self.tail();
            if reading.is_covered(&tail, newest(&found)) {
                let result = together(found, &tail);
                // The end of the read looks at the tail.
                drop(tail);
                return Ok(result);
            }
            drop(tail);
        }
        Err(StoreError::Unavailable("the log went on without this process".to_owned()))
    }

    /// See [`store::Store::load`].
    pub async fn load(&self, keys: &[Key], answers: &[AnswerKey]) -> Result<Loaded<R>, StoreError> {
        for key in keys {
            entry::table::<R>(key.table)?;
        }
        enum Place<R> {
            Tail(Option<Versioned<R>>),
            Collection(Option<RowDoc>),
        }
        let read = || self.stored(keys, answers, Fields::All);
        let (rows, answers) = self
            .read(
                read,
                |stored| stored.newest,
                |stored, tail| {
                    let rows: Vec<Place<R>> = keys
                        .iter()
                        .map(|key| match tail.row(key) {
                            Some(row) => Place::Tail(row.clone()),
                            None => Place::Collection(stored.rows.get(key).cloned()),
                        })
                        .collect();
                    let of_answer = |key: &AnswerKey| {
                        let stored =
                            || stored.answers.get(&key.0).cloned().map(|answer| answer.into_answer().1);
                        tail.answer(key).cloned().or_else(stored)
                    };
                    (rows, answers.iter().map(of_answer).collect())
                },
            )
            .await?;
        // Without the lock of the tail.
        let rows = keys.iter().zip(rows).map(|(key, place)| match place {
            Place::Tail(row) => Ok(row),
            Place::Collection(None) => Ok(None),
            Place::Collection(Some(row)) => self::row(key.table, row),
        });
        Ok(Loaded { rows: rows.collect::<Result<_, _>>()?, answers })
    }

    /// See [`store::Store::position`].
    pub async fn position(&self, partition: &Partition) -> Result<Position, StoreError> {
        let read = || self.stored_positions(std::slice::from_ref(partition));
        self.read(
            read,
            |stored| newest_position(stored),
            |stored, tail| position_in(&stored, tail, partition),
        )
        .await
    }

    /// Positions as the collection has them.
    pub async fn stored_positions(&self, partitions: &[Partition]) -> Result<Vec<PositionDoc>, StoreError> {
        let ids: Vec<String> = partitions.iter().map(partition_id).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        Ok(self.place.by_ids(POSITIONS, &ids, None).await?)
    }

    /// See [`store::Store::parked`].
    pub async fn parked(&self) -> Result<Vec<Parked>, StoreError> {
        let read = || async {
            let kept = doc! { "gone": { "$exists": false } };
            Ok(self.place.find::<ParkedDoc>(PARKED, kept, None).await?)
        };
        let newest = |stored: &Vec<ParkedDoc>| {
            stored.iter().map(|one| one.entry.cast_unsigned()).max().unwrap_or_default()
        };
        let (stored, said) = self
            .read(read, newest, |stored, tail| {
                let said: Vec<_> = tail
                    .parked()
                    .map(|((at, position), parked)| (parked_id(at, *position), parked.clone()))
                    .collect();
                (stored, said)
            })
            .await?;
        let mut parked = HashMap::new();
        for one in stored {
            parked.insert(one.id.clone(), Some(one.into_parked()?));
        }
        parked.extend(said);
        let mut parked: Vec<Parked> = parked.into_values().flatten().collect();
        parked.sort_by(|one, other| {
            let key = |parked: &Parked| (parked.at_us, parked.partition.clone(), parked.record.position);
            key(one).cmp(&key(other))
        });
        Ok(parked)
    }
}

/// The latest entry of some positions.
pub fn newest_position(stored: &[PositionDoc]) -> u64 {
    stored.iter().map(|one| one.entry.cast_unsigned()).max().unwrap_or_default()
}

/// Where a consumer is, as the tail says or the collection.
pub fn position_in<R: Row>(
    stored: &[PositionDoc],
    tail: &crate::tail::Tail<R>,
    partition: &Partition,
) -> Position {
    let id = partition_id(partition);
    let stored =
        || stored.iter().find(|one| one.partition == id).map(|one| Position(one.position.cast_unsigned()));
    tail.position(partition).or_else(stored).unwrap_or_default()
}

/// The row that a document is; none when it says that the row is gone.
pub fn row<R: Row>(table: &str, document: RowDoc) -> Result<Option<Versioned<R>>, StoreError> {
    let RowDoc { id, version, state, .. } = document;
    state.map(|state| decode(table, &id, version.cast_unsigned(), &state)).transpose()
}
