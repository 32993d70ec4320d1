//! The embedded stores: a SQLite file for each service, whose outboxes together are the log.

use std::sync::Arc;

use analytics::AnalyticsRow;
use bus::{Log, Merged};
use event::EventRow;
use feedback::FeedbackRow;
use notification::NotificationRow;
use sqlite::{Options, SqliteStore};
use ticket::TicketRow;
use user::UserRow;

use crate::{audit::Sources, data_dir::DataDir};

/// The stores of all six services.
#[derive(Clone)]
#[allow(missing_docs, reason = "each is the store of the service of the same name")]
pub struct Stores {
    pub user: Arc<SqliteStore<UserRow>>,
    pub event: Arc<SqliteStore<EventRow>>,
    pub ticket: Arc<SqliteStore<TicketRow>>,
    pub feedback: Arc<SqliteStore<FeedbackRow>>,
    pub notification: Arc<SqliteStore<NotificationRow>>,
    pub analytics: Arc<SqliteStore<AnalyticsRow>>,
}

impl Stores {
    /// Opens the files of a data directory, or makes them.
    ///
    /// # Errors
    /// When one cannot be opened, or is not a database of ours; the error names it.
    pub fn open(data: &DataDir) -> anyhow::Result<Self> {
        let with = |topics: &[bus::Topic]| Options { topics: topics.to_vec() };
        Ok(Self {
            user: Arc::new(SqliteStore::open(&data.database("user"), with(user::PUBLISHES))?),
            event: Arc::new(SqliteStore::open(&data.database("event"), with(event::PUBLISHES))?),
            ticket: Arc::new(SqliteStore::open(&data.database("ticket"), with(ticket::PUBLISHES))?),
            feedback: Arc::new(SqliteStore::open(&data.database("feedback"), with(feedback::PUBLISHES))?),
            notification: Arc::new(SqliteStore::open(
                &data.database("notification"),
                with(notification::PUBLISHES),
            )?),
            analytics: Arc::new(SqliteStore::open(&data.database("analytics"), with(analytics::PUBLISHES))?),
        })
    }

    /// Opens the files for reading only.
    ///
    /// # Errors
    /// As [`Stores::open`], and when one is not there.
    pub fn open_read_only(data: &DataDir) -> anyhow::Result<Self> {
        Ok(Self {
            user: Arc::new(SqliteStore::open_read_only(&data.database("user"))?),
            event: Arc::new(SqliteStore::open_read_only(&data.database("event"))?),
            ticket: Arc::new(SqliteStore::open_read_only(&data.database("ticket"))?),
            feedback: Arc::new(SqliteStore::open_read_only(&data.database("feedback"))?),
            notification: Arc::new(SqliteStore::open_read_only(&data.database("notification"))?),
            analytics: Arc::new(SqliteStore::open_read_only(&data.database("analytics"))?),
        })
    }

    /// The outboxes of all producers, as one log.
    #[must_use]
    pub fn log(&self) -> Arc<dyn Log> {
        let producers: Vec<Arc<dyn Log>> = vec![
            Arc::clone(&self.user) as Arc<dyn Log>,
            Arc::clone(&self.event) as Arc<dyn Log>,
            Arc::clone(&self.ticket) as Arc<dyn Log>,
            Arc::clone(&self.feedback) as Arc<dyn Log>,
        ];
        Arc::new(Merged::new(producers))
    }

    /// As an audit looks at them.
    #[must_use]
    pub fn sources(&self) -> Sources {
        Sources {
            event: Arc::clone(&self.event) as _,
            ticket: Arc::clone(&self.ticket) as _,
            feedback: Arc::clone(&self.feedback) as _,
            notification: Arc::clone(&self.notification) as _,
            analytics: Arc::clone(&self.analytics) as _,
            log: self.log(),
            bookings: Arc::clone(&self.ticket) as _,
            backlogs: Vec::new(),
        }
    }

    /// Finishes what was handed in and closes the files.
    pub async fn close(&self) {
        self.user.close().await;
        self.event.close().await;
        self.ticket.close().await;
        self.feedback.close().await;
        self.notification.close().await;
        self.analytics.close().await;
    }
}
