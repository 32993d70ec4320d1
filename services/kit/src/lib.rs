//! What each service process shares: the commit pipeline and the consumers, identity and errors,
//! the way to a service, the clock and the source of ids.
//!
//! To write a service: describe its rows with `store::rows!`, implement [`Machine`], start it with
//! [`Runtime::start`] and [`Runtime::consume`], and implement its gRPC trait on the [`Handle`].

pub mod access;
mod assigned;
pub mod breaker;
pub mod clock;
pub mod consumer;
pub mod deadline;
pub mod desk;
pub mod error;
pub mod handle;
pub mod identity;
pub mod lease;
pub mod machine;
mod mark;
pub mod metrics;
pub mod observed;
pub mod pages;
pub mod pipeline;
pub mod relay;
pub mod remote;
pub mod request;
pub mod shed;
pub mod trace;
pub mod transport;

pub use access::Guard;
pub use clock::{Clock, Entropy, Environment};
pub use consumer::{Consumer, Pace};
pub use desk::Desk;
pub use error::{Code, ServiceError};
pub use handle::{Handle, Replied, Runtime, idempotency};
pub use identity::Caller;
pub use machine::{Machine, View};
pub use metrics::Metrics;
pub use observed::Observer;
pub use pipeline::{Idempotency, Item, Pipeline, Request};
pub use remote::Remote;
pub use transport::Transport;
