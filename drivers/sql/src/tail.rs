//! The newest facts of a topic as this process committed them, so that its relay does not read back what was just
//! written.
//!
//! ```text
//!   outbox    1 2 3 4 5 6 7 8 9
//!   tail          |4 5 6 7|            8 and 9 were committed by another process
//! ```
//!
//! Who is at 3 to 6 reads the tail, everybody else the table. It has no gap: where another process came between, it begins
//! anew.

use std::collections::VecDeque;

use bus::{Batch, Position, Record};

/// The most facts of a topic in memory; a fact is about half a kilobyte.
const MAX_TAIL: usize = 4_096;

/// Every fact after a position, up to another.
#[derive(Default)]
pub struct Tail {
    after: u64,
    records: VecDeque<Record>,
}

impl Tail {
    fn newest(&self) -> u64 {
        self.after + self.records.len() as u64
    }

    /// Follows a commit of this process: its facts, with positions in a row.
    pub fn append(&mut self, records: Vec<Record>) {
        let Some(first) = records.first() else { return };
        let before = first.position.0.saturating_sub(1);
        if before < self.newest() {
            // A later commit was told of first. These are in the table.
            return;
        }
        if before > self.newest() {
            self.records.clear();
            self.after = before;
        }
        self.records.extend(records);
        let surplus = self.records.len().saturating_sub(MAX_TAIL);
        self.records.drain(..surplus);
        self.after += surplus as u64;
    }

    /// Forgets facts that are trimmed, so that whoever is too late is told so.
    pub fn trim(&mut self, up_to: Position) {
        let gone = up_to.0.saturating_sub(self.after).min(self.records.len() as u64);
        self.records.drain(..gone as usize);
        self.after += gone;
    }

    /// Leaves everything so far to the table, where a key was forgotten.
    pub fn clear(&mut self) {
        self.after = self.newest();
        self.records.clear();
    }

    /// The facts after a position; none when the table has to be asked.
    pub fn read(&self, after: Position, most: usize) -> Option<Batch> {
        if after.0 < self.after || after.0 >= self.newest() {
            return None;
        }
        let start = (after.0 - self.after) as usize;
        let records: Vec<Record> = self.records.range(start..).take(most).cloned().collect();
        let next = records.last().map_or(after, |record| record.position);
        Some(Batch { records, next })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bus::{Fact, FactId, Memo, Topic};
    use uuid::Uuid;

    use super::*;

    fn records(positions: std::ops::RangeInclusive<u64>) -> Vec<Record> {
        let fact = |position: u64| Fact {
            id: FactId(Uuid::from_u128(position.into())),
            source: "test",
            kind: "test.noted".to_owned(),
            topic: Topic::TicketEvent,
            key: "key".to_owned(),
            time_us: 1,
            traceparent: None,
            payload: "{}".to_owned(),
            memo: Memo::default(),
        };
        positions
            .map(|position| Record { position: Position(position), fact: Arc::new(fact(position)) })
            .collect()
    }

    fn read(tail: &Tail, after: u64, most: usize) -> Option<Vec<u64>> {
        let batch = tail.read(Position(after), most)?;
        assert_eq!(batch.next, batch.records.last().unwrap().position);
        Some(batch.records.iter().map(|record| record.position.0).collect())
    }

    #[test]
    fn what_was_committed_in_a_row_is_read_without_the_table() {
        let mut tail = Tail::default();
        tail.append(records(4..=5));
        tail.append(records(6..=7));
        assert_eq!(read(&tail, 3, 10), Some(vec![4, 5, 6, 7]));
        assert_eq!(read(&tail, 5, 1), Some(vec![6]));
        assert_eq!(read(&tail, 2, 10), None, "3 is in the table alone");
        assert_eq!(read(&tail, 7, 10), None, "another process may have written 8");
    }

    #[test]
    fn facts_of_another_process_are_never_passed_over() {
        let mut tail = Tail::default();
        tail.append(records(1..=3));
        tail.append(records(6..=7));
        assert_eq!(read(&tail, 3, 10), None, "4 and 5 are another's");
        assert_eq!(read(&tail, 5, 10), Some(vec![6, 7]));
        tail.append(records(4..=4));
        assert_eq!(read(&tail, 3, 10), None, "what is told of late is in the table");
        assert_eq!(read(&tail, 6, 10), Some(vec![7]));
    }

    #[test]
    fn after_a_key_was_forgotten_the_table_is_read() {
        let mut tail = Tail::default();
        tail.append(records(1..=3));
        tail.clear();
        assert_eq!(read(&tail, 1, 10), None);
        tail.append(records(4..=4));
        assert_eq!(read(&tail, 2, 10), None);
        assert_eq!(read(&tail, 3, 10), Some(vec![4]));
    }

    #[test]
    fn the_tail_is_short_and_follows_a_trim() {
        let mut tail = Tail::default();
        tail.append(records(1..=MAX_TAIL as u64 + 10));
        assert_eq!(tail.records.len(), MAX_TAIL);
        assert_eq!(read(&tail, 9, 10), None);
        assert_eq!(read(&tail, 10, 1), Some(vec![11]));
        tail.trim(Position(20));
        assert_eq!(read(&tail, 19, 1), None);
        assert_eq!(read(&tail, 20, 1), Some(vec![21]));
        tail.trim(Position(u64::MAX));
        assert_eq!(read(&tail, MAX_TAIL as u64 + 9, 1), None);
    }
}
