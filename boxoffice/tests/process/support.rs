//! A directory with the program in it, the program while it runs, and the people who use it.

mod home;
mod running;
mod visitor;

pub use home::{Home, Ran};
pub use running::Running;
pub use visitor::{Sale, Visitor};
