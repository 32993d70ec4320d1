//! What must hold where the log is elsewhere: every committed fact gets there, in the order of its key, and no other.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use bus::{Fact, FactId, Topic};

use crate::{faults::Marker, witness::Witness};

/// What of the outboxes is on the log.
#[derive(Default)]
pub(crate) struct Publications {
    /// By service, topic and key: what was committed and is not on the log yet.
    waiting: BTreeMap<(&'static str, Topic, String), VecDeque<FactId>>,
    /// What is on the log, or need not get there any more.
    settled: BTreeSet<FactId>,
}

impl Witness {
    /// Facts were committed to an outbox.
    pub(crate) fn see_outbox(
        &mut self,
        service: &'static str,
        forgotten: &[(Topic, String)],
        facts: &[Arc<Fact>],
    ) {
        let Some(publications) = &mut self.publications else { return };
        for (topic, key) in forgotten {
            let dropped = publications.waiting.remove(&(service, *topic, key.clone()));
            publications.settled.extend(dropped.into_iter().flatten());
        }
        for fact in facts {
            let place = (service, fact.topic, fact.key.clone());
            publications.waiting.entry(place).or_default().push_back(fact.id);
        }
    }

    /// The log has got a fact.
    pub(crate) fn see_published(&mut self, service: &'static str, fact: &Fact) {
        let Some(publications) = &mut self.publications else { return };
        if publications.settled.contains(&fact.id) {
            self.faults.mark(Marker::Republished);
            return;
        }
        let waiting = publications.waiting.get_mut(&(service, fact.topic, fact.key.clone()));
        let next = waiting.and_then(|waiting| waiting.pop_front());
        publications.settled.insert(fact.id);
        self.require(next == Some(fact.id), "published in order", || {
            format!("{service} published {} of {}, and {next:?} was to come first", fact.kind, fact.key)
        });
    }

    /// How many facts never got to the log.
    pub(crate) fn unpublished(&self) -> usize {
        let publications = self.publications.iter();
        publications.flat_map(|publications| publications.waiting.values()).map(VecDeque::len).sum()
    }
}
