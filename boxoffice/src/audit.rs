//! `boxoffice audit`: every invariant, over the stores of all services.
//!
//! Within a store an invariant always holds. Between two stores it holds once the facts between them
//! have been consumed, so what is compared there leaves out events with facts that are still on their way.

mod checks;
mod scan;
mod sources;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use bus::{Log, Topic};
use store::{Row, Store};
use tokio::time::Instant;

use scan::{Lag, lag};
pub use sources::{Backlog, Outbox, Sources};

/// What an audit found.
#[derive(Debug, Default)]
pub struct Report {
    /// Broken invariants, each with the row.
    pub violations: Vec<String>,
    /// What is worth knowing and breaks nothing.
    pub notes: Vec<String>,
    /// How many events were looked at.
    pub events: usize,
    /// How many bookings were looked at.
    pub bookings: usize,
    /// How many of them are BOOKED.
    pub booked: usize,
}

impl Report {
    /// One line that says how it ended.
    #[must_use]
    pub fn summary(&self) -> String {
        let verdict = match self.violations.len() {
            0 => "clean".to_owned(),
            count => format!("{count} violations"),
        };
        format!(
            "audit {verdict}: {} events, {} bookings, {} of them BOOKED",
            self.events, self.bookings, self.booked
        )
    }
}

/// How far the services are behind each other.
struct Lags {
    /// Events whose saga has facts on their way, in either direction.
    saga: BTreeSet<String>,
    notification: Lag,
    feedback: Lag,
    analytics: Lag,
}

/// Looks at all stores. They must not change meanwhile.
///
/// # Errors
/// When a store cannot be read.
pub async fn run(stores: &Sources) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let lags = lags(stores, &mut report).await?;
    note_parked(stores, &mut report).await?;
    let seats = scan::seats(stores.event.as_ref()).await?;
    let bookings = scan::bookings(stores.ticket.as_ref()).await?;
    report.events = seats.len();
    report.bookings = bookings.len();
    report.booked = bookings.values().filter(|b| b.status == domain::ticket::BookingStatus::Booked).count();
    let found = &mut report.violations;
    checks::seats(&seats, found);
    checks::bookings(&bookings, found);
    checks::bookings_have_their_seats(&bookings, &seats, &lags.saga, found);
    checks::transitions_are_published(&bookings, &scan::published(stores).await?, found);
    let notified = scan::notifications(stores.notification.as_ref()).await?;
    checks::buyers_were_told(&bookings, &notified, &lags.notification.keys, found);
    let feedback = scan::feedback(stores.feedback.as_ref()).await?;
    checks::ratings_add_up(&feedback, found);
    checks::ratings_are_of_ticket_holders(&feedback, &lags.feedback.keys, found);
    let figures = scan::figures(stores.analytics.as_ref()).await?;
    checks::figures_equal_the_ledger(&figures, &seats, &lags.analytics.keys, found);
    Ok(report)
}

/// How often a fleet is looked at until it is at rest.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Looks at stores that may still change, until all is at rest and clean, or the time is over. What is found is what
/// two looks in a row have found.
///
/// # Errors
/// When a store or the log cannot be read.
pub async fn run_until_at_rest(stores: &Sources, wait: Duration) -> anyhow::Result<Report> {
    let until = Instant::now() + wait;
    let mut before: Option<Vec<String>> = None;
    loop {
        let mut report = run(stores).await?;
        let is_clean = report.violations.is_empty() && report.notes.is_empty();
        let found = report.violations.clone();
        // Something that a look in the middle of a change has shown is not there the next time.
        let is_confirmed =
            |violation: &String| before.as_ref().is_some_and(|before| before.contains(violation));
        report.violations.retain(is_confirmed);
        let is_over = Instant::now() >= until && before.is_some();
        if is_clean || is_over {
            return Ok(report);
        }
        before = Some(found);
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn lags(stores: &Sources, report: &mut Report) -> anyhow::Result<Lags> {
    let log = Arc::clone(&stores.log);
    let to_event = lag_of(stores.event.as_ref(), log.as_ref(), event::CONSUMES, report).await?;
    let to_ticket = lag_of(stores.ticket.as_ref(), log.as_ref(), ticket::CONSUMES, report).await?;
    let mut lags = Lags {
        saga: to_event.keys.union(&to_ticket.keys).cloned().collect(),
        notification: lag_of(stores.notification.as_ref(), log.as_ref(), notification::CONSUMES, report)
            .await?,
        feedback: lag_of(stores.feedback.as_ref(), log.as_ref(), feedback::CONSUMES, report).await?,
        analytics: lag_of(stores.analytics.as_ref(), log.as_ref(), analytics::CONSUMES, report).await?,
    };
    for backlog in &stores.backlogs {
        let unpublished = backlog.unpublished().await?;
        if unpublished.is_empty() {
            continue;
        }
        let (service, count) = (backlog.service(), unpublished.len());
        report.notes.push(format!(
            "{service} has {count} facts to publish; what they change is not compared between the stores. \
             `boxoffice serve {service}` publishes them."
        ));
        lags.wait_for(&unpublished);
    }
    Ok(lags)
}

impl Lags {
    /// Facts that nobody can have heard of yet.
    fn wait_for(&mut self, keys: &BTreeSet<String>) {
        self.saga.extend(keys.iter().cloned());
        for lag in [&mut self.notification, &mut self.feedback, &mut self.analytics] {
            lag.keys.extend(keys.iter().cloned());
        }
    }
}

async fn lag_of<R: Row>(
    store: &dyn Store<R>,
    log: &dyn Log,
    topics: &[Topic],
    report: &mut Report,
) -> anyhow::Result<Lag> {
    let lag = lag(store, log, topics).await?;
    let missed = lag.missed.iter().map(|missed| format!("{}: {missed}", R::SERVICE));
    report.violations.extend(missed);
    if lag.facts > 0 {
        let note = format!(
            "{} has {} facts to consume; what they change is not compared between the stores. \
             `boxoffice up`, or `boxoffice serve {}`, consumes them.",
            R::SERVICE,
            lag.facts,
            R::SERVICE
        );
        report.notes.push(note);
    }
    Ok(lag)
}

async fn note_parked(stores: &Sources, report: &mut Report) -> anyhow::Result<()> {
    let notes = &mut report.notes;
    scan::parked(stores.event.as_ref(), notes).await?;
    scan::parked(stores.ticket.as_ref(), notes).await?;
    scan::parked(stores.notification.as_ref(), notes).await?;
    scan::parked(stores.feedback.as_ref(), notes).await?;
    scan::parked(stores.analytics.as_ref(), notes).await?;
    Ok(())
}
