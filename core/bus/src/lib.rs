//! The log contract: facts are read from a position on, and a reader can wait for more.
//!
//! Appending is not part of it: a service appends its facts to its own outbox in the same commit as
//! its state (see `store::Commit`), so state and facts can never disagree.
//!
//! ```text
//! partition   1    2    3    4    5    6
//!             |---------|              |
//!          position 3 = "1 to 3 are done"   newest
//!             read(after 3) gives 4, 5, 6
//! ```
//!
//! Where the log is elsewhere, a relay reads the outbox and hands its facts to a [`Publisher`]; and a reader shares the
//! partitions with others of its kind, so it is told which are its own ([`Assignments`]).
//!
//! Old facts may be trimmed from the beginning. Who stands before what is left is told so, and never reads on
//! as if nothing was missing.

mod assignment;
mod fact;
mod log;
mod memory;
mod publisher;
mod source;

/// The conformance suite: each log driver runs every case.
pub mod conformance;

pub use assignment::{Assignments, Change, Reader, Release, Released, release};
pub use fact::{Fact, FactId, Memo, Retention, Topic};
pub use log::{Batch, Log, LogError, Merged, Partition, Position, Record};
pub use memory::MemoryLog;
pub use publisher::{ParkedFact, PublishError, Publisher};
pub use source::known_source;
