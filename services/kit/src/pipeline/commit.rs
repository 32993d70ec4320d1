//! Making a commit, and settling one whose outcome is unknown.

use domain::{
    Time,
    planted::{Defect, planted},
};
use store::{Commit, CommitError, CommitId, Key, Settled};

use super::{Batch, NotDone, Pipeline};
use crate::machine::Machine;

/// How often the outcome of a commit is asked for before giving up.
const MAX_SETTLE_TRIES: usize = 5;

impl<M: Machine> Pipeline<M> {
    /// `Ok(false)` when somebody else was first.
    pub(super) async fn commit(&self, batch: Batch<M>, now: Time) -> Result<bool, NotDone> {
        let mut commit = batch.into_commit(CommitId(self.environment.id()), now);
        if commit.is_empty() {
            return Ok(true);
        }
        self.plant_commit_defects(&mut commit).await;
        let changes = commit.changes.clone();
        let id = commit.id;
        let again = planted(Defect::UnknownRetriedBlindly).then(|| commit.clone());
        self.cache.begin(&changes);
        match self.store.commit(commit).await {
            Ok(()) => {}
            Err(CommitError::Stale(_)) if planted(Defect::StaleTakenAsDone) => {}
            Err(CommitError::Stale(_)) => {
                self.cache.doubt();
                return Ok(false);
            }
            Err(CommitError::Failed(cause)) => return Err(NotDone::Unavailable(cause)),
            Err(CommitError::Unknown(_)) if planted(Defect::UnknownTakenAsDone) => {}
            Err(CommitError::Unknown(_)) if self.plant_blind_retry(again).await => {}
            Err(CommitError::Unknown(cause)) => match self.settle(id).await {
                Some(Settled::Committed) => {}
                Some(Settled::Never) => return Ok(false),
                None => {
                    self.cache.doubt();
                    return Err(NotDone::Unknown(cause));
                }
            },
        }
        self.cache.follow(&changes, M::SOON_AGAIN);
        self.machine.committed(&changes);
        Ok(true)
    }

    async fn settle(&self, id: CommitId) -> Option<Settled> {
        for _ in 0..MAX_SETTLE_TRIES {
            if let Ok(settled) = self.store.settle(id).await {
                return Some(settled);
            }
        }
        None
    }

    /// Mistakes in committing, for the simulator only; see [`planted`].
    async fn plant_commit_defects(&self, commit: &mut Commit<M::Row>) {
        if planted(Defect::ReadThenWrite) {
            self.plant_present_versions(commit).await;
        }
        if planted(Defect::ZombieNotFenced) {
            self.plant_present_positions(commit).await;
        }
        if planted(Defect::PositionBeforeEffects) && !commit.advances.is_empty() {
            let mut first = Commit::new(CommitId(self.environment.id()), commit.at_us);
            first.advances = std::mem::take(&mut commit.advances);
            let _ = self.store.commit(first).await;
        }
        if planted(Defect::OutboxInSecondTransaction) && !commit.facts.is_empty() {
            let mut state = commit.clone();
            state.id = CommitId(self.environment.id());
            state.facts.clear();
            if self.store.commit(state).await.is_ok() {
                *commit = Commit {
                    facts: std::mem::take(&mut commit.facts),
                    ..Commit::new(commit.id, commit.at_us)
                };
            }
        }
    }

    /// Overwrites whatever is there by now.
    async fn plant_present_versions(&self, commit: &mut Commit<M::Row>) {
        let keys: Vec<Key> = commit.changes.iter().map(|change| change.key.clone()).collect();
        if let Ok(loaded) = self.store.load(&keys, &[]).await {
            for (change, row) in commit.changes.iter_mut().zip(loaded.rows) {
                change.expected = row.map_or(0, |row| row.version);
            }
        }
    }

    async fn plant_present_positions(&self, commit: &mut Commit<M::Row>) {
        for advance in &mut commit.advances {
            advance.from = self.store.position(&advance.partition).await.unwrap_or(advance.from);
        }
    }

    /// Makes a commit again that may have been made; whether that was done.
    async fn plant_blind_retry(&self, again: Option<Commit<M::Row>>) -> bool {
        let Some(mut commit) = again else { return false };
        commit.id = CommitId(self.environment.id());
        commit.answers.clear();
        self.plant_present_versions(&mut commit).await;
        self.plant_present_positions(&mut commit).await;
        self.store.commit(commit).await.is_ok()
    }
}
