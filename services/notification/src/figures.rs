//! What is counted of mail: what becomes of each try, how long it takes, and how much waits.

use std::{sync::Arc, time::Duration};

use domain::{Time, notification::Outcome};
use kit::{Environment, Metrics, metrics::FloatGauge};
use prometheus_client::metrics::{
    counter::Counter,
    gauge::Gauge,
    histogram::{Histogram, exponential_buckets},
};
use store::{Condition, Direction, MAX_PAGE, Query, Store, Value};
use tokio_util::sync::CancellationToken;

use crate::rows::NotificationRow;

/// How often it is looked how much waits.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// The figures of the notification service.
pub struct Figures {
    environment: Environment,
    sent: Counter,
    later: Counter,
    never: Counter,
    duration: Histogram,
    waiting: Gauge,
    oldest_waiting: FloatGauge,
    failed: Counter,
}

impl Figures {
    /// Registers them.
    #[must_use]
    pub fn new(metrics: &Metrics, environment: Environment) -> Self {
        let failed = metrics.failed_looks("waiting_mails");
        metrics.register(|catalogue| {
            let tries = catalogue.counters(
                "boxoffice_mails_total",
                &["outcome"],
                "Tries to send a mail: sent, later (it is tried again), never (it is given up)",
            );
            Self {
                environment,
                failed,
                sent: tries.with(["sent"]),
                later: tries.with(["later"]),
                never: tries.with(["never"]),
                duration: catalogue.histogram(
                    "boxoffice_mail_duration_seconds",
                    "How long the mail server takes over one mail",
                    || Histogram::new(exponential_buckets(0.001, 2.0, 16)),
                ),
                waiting: catalogue.gauge(
                    "boxoffice_mails_waiting",
                    "Mails that are due and not sent yet; at most 1000 are counted",
                ),
                oldest_waiting: catalogue.float_gauge(
                    "boxoffice_mails_waiting_seconds",
                    "How long the first of the mails that are due waits; 0 when there is none",
                ),
            }
        })
    }

    /// Counts a try.
    pub(crate) fn tried(&self, outcome: &Outcome) {
        match outcome {
            Outcome::Sent { .. } => self.sent.inc(),
            Outcome::Later { .. } => self.later.inc(),
            Outcome::Never { .. } => self.never.inc(),
        };
    }

    /// Notes how long the mailer took since a moment.
    pub(crate) fn handed_over(&self, since: Time) {
        self.duration.observe(self.environment.seconds_since(since));
    }

    /// Looks now and then how much waits, until told to stop.
    pub(crate) async fn look_for_waiting(
        self: Arc<Self>,
        store: Arc<dyn Store<NotificationRow>>,
        shutdown: CancellationToken,
    ) {
        loop {
            match store.query(&due(self.environment.now(), MAX_PAGE)).await {
                Ok(due) => {
                    self.waiting.set(due.len() as i64);
                    let first = due.first().and_then(|first| first.row.as_notification());
                    let since = first.map(|first| self.environment.seconds_since(first.next_try_at));
                    self.oldest_waiting.set(since.unwrap_or_default());
                }
                Err(_) => {
                    self.failed.inc();
                }
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = shutdown.cancelled() => return,
            }
        }
    }
}

/// The mails that are due, those that have waited longest first.
pub(crate) fn due(now: Time, most: usize) -> Query {
    Query::all("notification")
        .filter(Condition::AtLeast("due_at", Value::Int(i64::MIN)))
        .filter(Condition::Below("due_at", Value::Int(now.micros().saturating_add(1))))
        .order("due_at", Direction::Ascending)
        .limit(most)
}
