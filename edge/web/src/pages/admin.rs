//! For administrators: accounts, all events, captured mail, and how the services stand.

mod mailbox;
mod people;
mod system;

use axum::Router;

use crate::{failure::Failure, visit::Visit};

#[cfg(test)]
pub(crate) use mailbox::{MailPage, MailboxPage};
#[cfg(test)]
pub(crate) use people::AdminPage;
#[cfg(test)]
pub(crate) use system::SystemPage;

/// The routes of this subject.
pub(crate) fn routes() -> Router {
    people::routes().merge(mailbox::routes()).merge(system::routes())
}

/// Whoever is not an administrator is told nothing of these pages. The services check again.
fn must_be_admin(visit: &Visit) -> Result<(), Failure> {
    if visit.person()?.is_admin { Ok(()) } else { Err(Failure::NoPage) }
}
