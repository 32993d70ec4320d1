//! What is counted of bookings: what becomes of them, how soon, what is sold, and whether work is overdue.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use domain::{
    Currency, Money, Time,
    ticket::{Booking, BookingStatus, PaymentStatus, TicketStatus},
};
use kit::{
    Environment, Metrics,
    metrics::{Catalogue, Family, FloatCounter, FloatGauge},
};
use prometheus_client::metrics::{
    counter::Counter,
    gauge::Gauge,
    histogram::{Histogram, exponential_buckets},
};
use store::{Change, MAX_PAGE, Store};
use tokio_util::sync::CancellationToken;

use crate::{rows::TicketRow, service::as_booking, sweep};

/// Organisers choose the currency of their prices. So many are told apart; further ones are counted together.
const MAX_CURRENCIES: usize = 20;
/// The label of further currencies.
const OTHER_CURRENCY: &str = "other";
/// How often it is looked for overdue work.
const LOOK_EVERY: Duration = Duration::from_secs(5);

const STATUSES: [BookingStatus; 6] = [
    BookingStatus::Pending,
    BookingStatus::Held,
    BookingStatus::Booked,
    BookingStatus::Rejected,
    BookingStatus::Cancelled,
    BookingStatus::Expired,
];

/// Sums of money by currency.
struct Sums {
    family: Family<FloatCounter, 1>,
    known: Mutex<BTreeMap<Currency, FloatCounter>>,
}

impl Sums {
    fn new(family: Family<FloatCounter, 1>) -> Self {
        Self { family, known: Mutex::default() }
    }

    fn add(&self, money: Money) {
        if money.is_zero() {
            return;
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = known.len() >= MAX_CURRENCIES;
        let counter = known.entry(money.currency).or_insert_with(|| {
            let label = if is_full { OTHER_CURRENCY.to_owned() } else { money.currency.as_str().to_owned() };
            self.family.with([label])
        });
        counter.inc_by(money.in_major_units());
    }
}

/// The figures of the ticket service.
pub(crate) struct Figures {
    environment: Environment,
    bookings: [Counter; STATUSES.len()],
    decision: Histogram,
    tickets_sold: Counter,
    tickets_cancelled: Counter,
    gross: Sums,
    refunds: Sums,
    captured: Counter,
    declined: Counter,
    broken: Counter,
    overdue: Gauge,
    oldest_overdue: FloatGauge,
    failed: Counter,
}

impl Figures {
    /// Registers them.
    pub(crate) fn new(metrics: &Metrics, environment: Environment) -> Self {
        let failed = metrics.failed_looks("overdue_bookings");
        metrics.register(|catalogue| Self::register(catalogue, environment, failed))
    }

    fn register(catalogue: &mut Catalogue, environment: Environment, failed: Counter) -> Self {
        let bookings = catalogue.counters(
            "boxoffice_bookings_total",
            &["status"],
            "Bookings by the status that they got: each booking is counted once for each status it has had",
        );
        let payments =
            catalogue.counters("boxoffice_payments_total", &["outcome"], "Answers of the payment provider");
        Self {
            environment,
            failed,
            bookings: STATUSES.map(|status| bookings.with([status.name()])),
            captured: payments.with(["captured"]),
            declined: payments.with(["declined"]),
            decision: catalogue.histogram(
                "boxoffice_saga_duration_seconds",
                "How long a booking waits for the decision about its seats, from its placing on",
                || Histogram::new(exponential_buckets(0.001, 2.0, 16)),
            ),
            tickets_sold: catalogue.counter("boxoffice_tickets_sold_total", "Tickets issued"),
            tickets_cancelled: catalogue
                .counter("boxoffice_tickets_cancelled_total", "Issued tickets that were cancelled"),
            gross: Sums::new(catalogue.float_counters(
                "boxoffice_gross_total",
                &["currency"],
                "What bookings were sold for, in units of the currency such as euros; refunds are not taken off",
            )),
            refunds: Sums::new(catalogue.float_counters(
                "boxoffice_refunds_total",
                &["currency"],
                "What is given back to buyers, in units of the currency",
            )),
            broken: catalogue.counter(
                "boxoffice_broken_bookings_total",
                "Bookings that were committed though they break an invariant; must be 0",
            ),
            overdue: catalogue.gauge(
                "boxoffice_bookings_overdue",
                "Bookings that somebody should have looked at by now: holds that ran out, payments without an answer, \
                 refunds that are not paid; at most 1000 are counted",
            ),
            oldest_overdue: catalogue.float_gauge(
                "boxoffice_bookings_overdue_seconds",
                "How long the first of the overdue bookings is overdue; 0 when there is none",
            ),
        }
    }

    /// Counts what was committed.
    pub(crate) fn committed(&self, changes: &[Change<TicketRow>]) {
        for change in changes {
            if let Some(TicketRow::Booking(after)) = change.row.as_deref() {
                let before = match change.before.as_deref() {
                    Some(TicketRow::Booking(before)) => Some(before),
                    _ => None,
                };
                // Of a booking whose former state is not known, nobody can tell what is new.
                if before.is_some() || change.expected == 0 {
                    self.count(before, after);
                }
            }
        }
    }

    fn count(&self, before: Option<&Booking>, after: &Booking) {
        let status_before = before.map(|booking| booking.status);
        if status_before != Some(after.status) {
            self.count_status(status_before, after);
        }
        let refunds_before = before.map_or(0, |booking| booking.refunds.len());
        for refund in after.refunds.iter().skip(refunds_before) {
            self.refunds.add(refund.amount);
        }
        if before.is_some_and(|before| before.cancel_number != after.cancel_number) {
            let cancelled = |booking: &Booking| {
                booking.tickets.iter().filter(|ticket| ticket.status == TicketStatus::Cancelled).count()
            };
            let more = cancelled(after).saturating_sub(before.map_or(0, cancelled));
            self.tickets_cancelled.inc_by(more as u64);
        }
        for (status, counter) in
            [(PaymentStatus::Captured, &self.captured), (PaymentStatus::Declined, &self.declined)]
        {
            let answered = |booking: &Booking| {
                booking.payments.iter().filter(|payment| payment.status == status).count()
            };
            counter.inc_by(answered(after).saturating_sub(before.map_or(0, answered)) as u64);
        }
        let violations = after.violations();
        if !violations.is_empty() {
            self.broken.inc();
            tracing::error!(?violations, "a booking breaks an invariant");
        }
    }

    fn count_status(&self, before: Option<BookingStatus>, after: &Booking) {
        if let Some(number) = STATUSES.iter().position(|status| *status == after.status) {
            self.bookings[number].inc();
        }
        if before == Some(BookingStatus::Pending) {
            self.decision.observe(self.environment.seconds_since(after.created_at));
        }
        if after.status == BookingStatus::Booked {
            self.tickets_sold.inc_by(after.tickets.len() as u64);
            if let Some(total) = after.total {
                self.gross.add(total);
            }
        }
    }

    /// Looks for overdue work now and then, until told to stop.
    pub(crate) async fn look_for_overdue(
        self: Arc<Self>,
        store: Arc<dyn Store<TicketRow>>,
        shutdown: CancellationToken,
    ) {
        loop {
            let now = self.environment.now();
            match store.query(&sweep::due(now).limit(MAX_PAGE)).await {
                Ok(due) => {
                    self.overdue.set(due.len() as i64);
                    let oldest = due.into_iter().next().and_then(as_booking).and_then(|first| first.due_at());
                    self.oldest_overdue.set(oldest.map_or(0.0, |due_at| overdue_seconds(due_at, now)));
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

fn overdue_seconds(due_at: Time, now: Time) -> f64 {
    (now.micros() - due_at.micros()).max(0) as f64 / 1e6
}
