//! The one read of a batch: what is at hand is taken, the rest is read from the store.

use store::{AnswerKey, Key, StoreError, Versioned};

use super::{Batch, Heard, Item, Pipeline, cache::Known};
use crate::machine::{Machine, View};

/// What a batch is decided on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// Rows that are at hand, and fresh ids that are taken to be unused.
    WhatIsKnown,
    /// The store alone, after something else turned out to be wrong.
    OnlyTheStore,
}

/// The rows that a batch needs.
#[derive(Default)]
struct Needs {
    keys: Vec<Key>,
    absent: Vec<Key>,
    answers: Vec<AnswerKey>,
}

impl<M: Machine> Pipeline<M> {
    pub(super) async fn load(
        &self,
        items: &[Item<M::Command>],
        heard: &[Vec<Heard<M>>],
        trust: Trust,
    ) -> Result<Batch<M>, StoreError> {
        let mut needs = Needs::default();
        for item in items {
            if let Item::Request(request) = item {
                self.gather(&request.command, trust, &mut needs).await?;
                needs.answers.extend(request.idempotency.as_ref().map(|i| i.key.clone()));
            }
        }
        for command in heard.iter().flatten().filter_map(|heard| heard.as_ref().ok()?.as_ref()) {
            self.gather(command, trust, &mut needs).await?;
        }
        let (keys, answer_keys) = (each_once(needs.keys), each_once(needs.answers));
        let mut absent = each_once(needs.absent);
        absent.retain(|key| keys.binary_search(key).is_err());
        let (rows, answers) = self.rows_and_answers(&keys, &answer_keys, trust).await?;
        let stored = answer_keys.into_iter().zip(answers);
        let answers: Vec<_> = stored.filter_map(|(key, answer)| Some((key, answer?))).collect();
        Ok(Batch {
            view: View::new(keys, rows, absent),
            stored_answers: answers.len(),
            answers,
            advances: Vec::new(),
            parked: Vec::new(),
            traced: Vec::new(),
        })
    }

    async fn gather(&self, command: &M::Command, trust: Trust, needs: &mut Needs) -> Result<(), StoreError> {
        let made = self.machine.makes(command).filter(|_| trust == Trust::WhatIsKnown);
        needs.keys.extend(self.machine.keys(command).into_iter().filter(|key| Some(key) != made.as_ref()));
        needs.absent.extend(made);
        if self.machine.searches(command) {
            needs.keys.extend(self.machine.search(self.store.as_ref(), command).await?);
        }
        Ok(())
    }

    /// Rows in the order of their keys, and answers in the order of theirs.
    async fn rows_and_answers(
        &self,
        keys: &[Key],
        answers: &[AnswerKey],
        trust: Trust,
    ) -> Result<(Vec<Option<Versioned<M::Row>>>, Vec<Option<store::Answer>>), StoreError> {
        if trust == Trust::OnlyTheStore {
            self.cache.doubt();
        }
        let (known, epoch) = self.cache.look(keys);
        let unknown = keys.iter().zip(&known).filter(|(_, known)| matches!(known, Known::Unknown));
        let wanted: Vec<Key> = unknown.map(|(key, _)| key.clone()).collect();
        if wanted.is_empty() && answers.is_empty() {
            return Ok((complete(known, Vec::new()), Vec::new()));
        }
        let loaded = self.store.load(&wanted, answers).await?;
        self.cache.fill(epoch, wanted.iter().zip(&loaded.rows));
        Ok((complete(known, loaded.rows), loaded.answers))
    }

    /// Committed rows in the order of their keys.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) async fn rows(&self, keys: &[Key]) -> Result<Vec<Option<Versioned<M::Row>>>, StoreError> {
        Ok(self.rows_and_answers(keys, &[], Trust::WhatIsKnown).await?.0)
    }
}

/// In order, each once.
fn each_once<T: Ord>(mut list: Vec<T>) -> Vec<T> {
    list.sort_unstable();
    list.dedup();
    list
}

/// What was known, with what was read in the places of the rest.
fn complete<R>(known: Vec<Known<R>>, read: Vec<Option<Versioned<R>>>) -> Vec<Option<Versioned<R>>> {
    let mut read = read.into_iter();
    let row = |known| match known {
        Known::As(row) => row,
        Known::Unknown => read.next().flatten(),
    };
    known.into_iter().map(row).collect()
}
