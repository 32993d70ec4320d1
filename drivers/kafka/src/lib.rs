//! The log on Apache Kafka, by librdkafka: where facts are published, where they are read, and the topics.
//!
//! ```text
//!   outbox -> relay -> KafkaPublisher -> topic, partition by key -> KafkaLog -> consumer -> its own store
//!             (kit)                                                                   effects + position
//! ```
//!
//! - Who is where is not Kafka's business: a consumer keeps its position in its own store, in the commit of its
//!   effects, and reads from there. The group decides only who reads which partition. Offsets are committed back
//!   now and then so that tools see the lag; nothing is ever read from them.
//! - A position is the offset of the next record: position 7 of a partition says that offsets 0 to 6 are done.
//! - Each setting on which safety rests is written down (`client.rs`), whatever librdkafka's default is.
//!
//! A deployment is named by a URL, [`Settings`].

mod client;
mod envelope;
mod log;
mod member;
mod partition;
mod producer;
mod publisher;
mod settings;
mod topics;

pub use log::KafkaLog;
pub use publisher::KafkaPublisher;
pub use settings::Settings;
pub use topics::{TopicOptions, TopicOutcome, brokers, create_topics};

/// Why something could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The URL is not one of ours.
    #[error("the Kafka URL {0}")]
    Url(String),
    /// The cluster cannot be reached, or refuses.
    #[error("Kafka at {servers}: {why}")]
    Cluster {
        /// Where it was looked for.
        servers: String,
        /// What it, or the client, says.
        why: String,
    },
}
