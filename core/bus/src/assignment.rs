//! Which partitions a reader is to read now, and when that changes.
//!
//! ```text
//!   log      Gained(0, 1)           Lost(1)                    Gained(2)
//!   reader     reads 0 and 1          stops 1, drops Release     reads 0 and 2
//!                                            |
//!                             only now may somebody else read 1
//! ```

use std::{
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    time::Duration,
};

use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

use crate::{
    fact::Topic,
    log::{Log, Partition},
};

/// A change of what a reader is to read.
#[derive(Debug)]
pub enum Change {
    /// Read these too.
    Gained(Vec<Partition>),
    /// Read these no longer, and drop the release once none of them is read.
    Lost(Vec<Partition>, Release),
}

/// Held for as long as what was lost is still read.
#[derive(Debug, Clone)]
pub struct Release(#[allow(dead_code, reason = "its drop is the message")] Sender<()>);

/// Tells when what was lost is no longer read.
#[derive(Debug)]
pub struct Released(Receiver<()>);

impl Released {
    /// Blocks this thread until nobody reads what was lost, but no longer than this; whether it came to that.
    /// Not for threads that run tasks.
    #[must_use]
    pub fn wait(&self, at_most: Duration) -> bool {
        self.0.recv_timeout(at_most) == Err(RecvTimeoutError::Disconnected)
    }
}

/// A reader of some topics, as the log sees it: it is told what to read.
#[derive(Debug, Clone)]
pub struct Reader {
    topics: Vec<Topic>,
    changes: UnboundedSender<Change>,
}

impl Reader {
    /// The topics that it reads.
    #[must_use]
    pub fn topics(&self) -> &[Topic] {
        &self.topics
    }

    /// Whether it is gone, and need not be told any more.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.changes.is_closed()
    }

    /// Tells it to read these partitions too, those of its topics.
    pub fn gained(&self, partitions: &[Partition]) {
        let mine = self.mine(partitions);
        if !mine.is_empty() {
            // A reader that is gone reads nothing.
            let _ = self.changes.send(Change::Gained(mine));
        }
    }

    /// Tells it to read these partitions no longer; the release is dropped once it does not.
    pub fn lost(&self, partitions: &[Partition], release: Release) {
        let mine = self.mine(partitions);
        if !mine.is_empty() {
            // A reader that is gone reads nothing, and the release is dropped with the message.
            let _ = self.changes.send(Change::Lost(mine, release));
        }
    }

    fn mine(&self, partitions: &[Partition]) -> Vec<Partition> {
        partitions.iter().filter(|partition| self.topics.contains(&partition.topic)).cloned().collect()
    }
}

/// A release, and how to wait for its drop.
#[must_use]
pub fn release() -> (Release, Released) {
    let (sender, receiver) = channel();
    (Release(sender), Released(receiver))
}

/// What a reader is told, in order.
#[derive(Debug)]
pub struct Assignments(UnboundedReceiver<Change>);

impl Assignments {
    /// From now on, of these topics of a log.
    #[must_use]
    pub fn of(log: &dyn Log, topics: &[Topic]) -> Self {
        let (changes, told) = mpsc::unbounded_channel();
        log.assign(Reader { topics: topics.to_vec(), changes });
        Self(told)
    }

    /// The next change; none when what was gained so far stays for good.
    pub async fn next(&mut self) -> Option<Change> {
        self.0.recv().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryLog;

    #[tokio::test]
    async fn an_embedded_log_is_read_as_a_whole_and_for_good() {
        let log = MemoryLog::new("suite", &[Topic::TicketEvent, Topic::VisitEvent]);
        let mut assignments = Assignments::of(&log, &[Topic::VisitEvent, Topic::UpsertData]);
        let Some(Change::Gained(partitions)) = assignments.next().await else { panic!("nothing was gained") };
        assert_eq!(partitions, log.partitions(Topic::VisitEvent));
        assert!(assignments.next().await.is_none());
    }

    #[test]
    fn what_is_lost_is_released_when_every_holder_has_dropped_it() {
        const SHORT: Duration = Duration::from_millis(5);
        let (one, released) = release();
        let other = one.clone();
        drop(one);
        assert!(!released.wait(SHORT), "one is still held");
        drop(other);
        assert!(released.wait(SHORT));
    }
}
