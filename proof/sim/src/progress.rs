//! What must hold of the consumers: positions rise, and a parked fact holds up its own key only.

use bus::{Partition, Position, Record};
use store::{Advance, Parked, ParkedChange};

use crate::{faults::Marker, witness::Witness};

impl Witness {
    /// Looks at the progress that a commit of a service makes.
    pub(crate) fn see_progress(
        &mut self,
        service: &'static str,
        advances: &[Advance],
        parked: &[ParkedChange],
    ) {
        for change in parked {
            match change {
                ParkedChange::Park(parked) => self.see_park(service, parked),
                ParkedChange::Unpark(partition, position) => self.see_unpark(service, partition, *position),
            }
        }
        for advance in advances {
            let (from, to) = (advance.from, advance.to);
            self.require(to >= from, "positions rise", || {
                format!("{service} went from {from:?} back to {to:?} of {}", advance.partition)
            });
            let known = self.positions.insert((service, advance.partition.clone()), to).unwrap_or_default();
            self.require(known == from, "a position is moved by who knows it", || {
                format!("{service} moved {} from {from:?}, but it was at {known:?}", advance.partition)
            });
            if !self.parked.is_empty() {
                self.check_order(service, advance);
            }
        }
    }

    fn see_park(&mut self, service: &'static str, parked: &Parked) {
        let key = &parked.record.fact.key;
        let blocked = (service, parked.partition.clone(), key.clone());
        let was_bad =
            self.reads.get(service).is_some_and(|log| log.was_bad(&parked.partition, parked.record.position));
        if !was_bad {
            self.faults.mark(Marker::ParkedBehind);
            self.require(self.ever_parked.contains(&blocked), "a parked fact blocks only its key", || {
                format!("{service} parked {:?} of {} for nothing", parked.record.position, parked.partition)
            });
        }
        self.ever_parked.insert(blocked);
        self.parked.insert((service, parked.partition.clone(), parked.record.position), key.clone());
    }

    fn see_unpark(&mut self, service: &'static str, partition: &Partition, position: Position) {
        let Some(key) = self.parked.remove(&(service, partition.clone(), position)) else { return };
        self.faults.mark(Marker::Redriven);
        let is_behind = self.is_behind(service, partition, position, &key);
        self.require(!is_behind, "a parked fact blocks its key", || {
            format!("{service} did {position:?} of {partition} again before an earlier one")
        });
    }

    /// No fact is done while an earlier one of its key is parked.
    fn check_order(&mut self, service: &'static str, advance: &Advance) {
        let Some(log) = self.reads.get(service).cloned() else { return };
        let span = usize::try_from(advance.to.0.saturating_sub(advance.from.0)).unwrap_or(usize::MAX);
        let done: Vec<Record> = log.truth(&advance.partition, advance.from, span);
        for record in done.iter().filter(|record| record.position <= advance.to) {
            let is_parked = self.parked.contains_key(&(service, advance.partition.clone(), record.position));
            let is_behind = self.is_behind(service, &advance.partition, record.position, &record.fact.key);
            self.require(is_parked || !is_behind, "a parked fact blocks its key", || {
                format!("{service} did {:?} of {} before it", record.position, advance.partition)
            });
        }
    }

    fn is_behind(&self, service: &'static str, partition: &Partition, position: Position, key: &str) -> bool {
        let first = (service, partition.clone(), Position(0));
        let here = (service, partition.clone(), position);
        self.parked.range(first..here).any(|(_, parked)| parked == key)
    }
}
