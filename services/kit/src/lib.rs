//! What each service process shares.

pub mod access;
pub mod clock;
pub mod error;
pub mod identity;
pub mod request;
pub mod transport;

pub use clock::{Clock, Entropy, Environment};
pub use error::{Code, ServiceError};
pub use identity::Caller;
pub use transport::Transport;
