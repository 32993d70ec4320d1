//! The databases of all services, as a command opens them beside the services.

use std::sync::Arc;

use analytics::AnalyticsRow;
use bus::Log;
use event::EventRow;
use feedback::FeedbackRow;
use notification::NotificationRow;
use store::Row;
use ticket::TicketRow;
use user::UserRow;

use crate::{
    audit::{Backlog, Outbox, Sources},
    config::{Config, Switch},
    serve::{
        Role,
        stores::{self, Access, Opened},
    },
};

/// All six.
#[allow(missing_docs, reason = "each is the database of the service of the same name")]
pub struct Databases {
    pub user: Opened<UserRow>,
    pub event: Opened<EventRow>,
    pub ticket: Opened<TicketRow>,
    pub feedback: Opened<FeedbackRow>,
    pub notification: Opened<NotificationRow>,
    pub analytics: Opened<AnalyticsRow>,
}

impl Databases {
    /// Opens them to look at.
    ///
    /// # Errors
    /// When one is not configured or cannot be opened; the error names the service.
    pub async fn open(config: &Config) -> anyhow::Result<Self> {
        Ok(Self {
            user: one(config, Role::User).await?,
            event: one(config, Role::Event).await?,
            ticket: one(config, Role::Ticket).await?,
            feedback: one(config, Role::Feedback).await?,
            notification: one(config, Role::Notification).await?,
            analytics: one(config, Role::Analytics).await?,
        })
    }

    /// As an audit looks at them, with the log that their consumers read.
    #[must_use]
    pub fn sources(&self, config: &Config, log: Arc<dyn Log>) -> Sources {
        let backlogs = match config.fleet.relay {
            Switch::On => vec![
                backlog(&self.user, Role::User),
                backlog(&self.event, Role::Event),
                backlog(&self.ticket, Role::Ticket),
                backlog(&self.feedback, Role::Feedback),
            ],
            // How far somebody else has published is not known here.
            Switch::Off => Vec::new(),
        };
        Sources {
            event: Arc::clone(&self.event.store),
            ticket: Arc::clone(&self.ticket.store),
            feedback: Arc::clone(&self.feedback.store),
            notification: Arc::clone(&self.notification.store),
            analytics: Arc::clone(&self.analytics.store),
            log,
            bookings: Arc::clone(&self.ticket.outbox),
            backlogs,
        }
    }

    /// Closes them.
    pub async fn close(&self) {
        self.user.close().await;
        self.event.close().await;
        self.ticket.close().await;
        self.feedback.close().await;
        self.notification.close().await;
        self.analytics.close().await;
    }
}

/// The database of one service.
///
/// # Errors
/// When it is not configured or cannot be opened; the error names the service.
pub async fn one<R: Row>(config: &Config, role: Role) -> anyhow::Result<Opened<R>> {
    use anyhow::Context;
    let url = stores::url_of(config, role)?;
    stores::open(&url, role, Access::ReadOnly).await.with_context(|| format!("the {role} service, {url}"))
}

fn backlog<R: Row>(opened: &Opened<R>, role: Role) -> Box<dyn Backlog> {
    let (store, log) = (Arc::clone(&opened.store), Arc::clone(&opened.outbox));
    Box::new(Outbox { store, log, topics: role.publishes() })
}
