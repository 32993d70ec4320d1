//! What happens without anybody asking: holds run out, payments are settled, refunds are paid, and
//! the bookings of a called-off event end.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use domain::{
    PaymentId, RefundId, Time,
    planted::{Defect, planted},
    ticket::{Booking, BookingStatus, Command, RefundStatus, payment::Provider},
};
use kit::{Handle, Item, Pipeline, Request, ServiceError};
use store::{Condition, Cursor, Direction, Query, Row, Store, Value};
use tokio_util::sync::CancellationToken;

use crate::{
    machine::{TicketCommand, TicketMachine},
    rows::{EventInfo, TicketRow},
    service::as_booking,
};

/// How often the sweep looks.
const SWEEP_EVERY: Duration = Duration::from_millis(500);
/// The most bookings of one look.
const MAX_SWEPT: usize = 200;
/// How long a provider may take.
pub(crate) const PROVIDER_TIMEOUT: Duration = Duration::from_secs(5);

/// Where a sweep hands its commands.
#[async_trait]
pub trait Commands: Send + Sync {
    /// Carries a command out. A command that no longer applies changes nothing and is no error; an error
    /// ends this look, and the next one finds what was not done.
    async fn carry_out(&self, command: TicketCommand) -> Result<(), ServiceError>;
}

#[async_trait]
impl Commands for Handle<TicketMachine> {
    async fn carry_out(&self, command: TicketCommand) -> Result<(), ServiceError> {
        self.command(command).await.map(|_| ())
    }
}

#[async_trait]
impl Commands for Pipeline<TicketMachine> {
    async fn carry_out(&self, command: TicketCommand) -> Result<(), ServiceError> {
        let item = Item::Request(Request { command, idempotency: None, traceparent: None });
        match self.run(&[item]).await.pop() {
            Some(Err(why)) => Err(why.into()),
            _ => Ok(()),
        }
    }
}

/// The sweep of one ticket service.
pub struct Sweep {
    store: Arc<dyn Store<TicketRow>>,
    commands: Arc<dyn Commands>,
    provider: Arc<dyn Provider>,
}

impl Sweep {
    /// A sweep over a store, by its own commands.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store<TicketRow>>,
        commands: Arc<dyn Commands>,
        provider: Arc<dyn Provider>,
    ) -> Self {
        Self { store, commands, provider }
    }

    /// Looks again and again until told to stop.
    pub async fn run(self, clock: kit::Environment, shutdown: CancellationToken) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(SWEEP_EVERY) => {}
                () = shutdown.cancelled() => return,
            }
            if let Err(error) = self.once(clock.now()).await {
                tracing::warn!(?error, "sweep failed; it is tried again");
            }
        }
    }

    /// Does what is due now.
    ///
    /// # Errors
    /// When the store cannot be reached. What was not done is found again by the next look.
    pub async fn once(&self, now: Time) -> Result<(), ServiceError> {
        let due = self.store.query(&due(now)).await?;
        let attended =
            due.into_iter().filter_map(as_booking).map(async |booking| self.attend_to(&booking, now).await);
        // Together, so that a provider that is slow with one does not hold up the others.
        for outcome in futures_util::future::join_all(attended).await {
            outcome?;
        }
        let calling_off =
            Query::all("event").filter(Condition::Is("calling_off", Value::Int(1))).limit(MAX_SWEPT);
        for versioned in self.store.query(&calling_off).await? {
            if let TicketRow::Event(event) = versioned.into_row() {
                self.call_off(&event).await?;
            }
        }
        Ok(())
    }

    async fn attend_to(&self, booking: &Booking, now: Time) -> Result<(), ServiceError> {
        let has_run_out =
            booking.status == BookingStatus::Held && booking.expires_at.is_some_and(|end| end <= now);
        let ends_anyway = has_run_out && planted(Defect::ExpireDuringPayment);
        if let Some(payment) = booking.open_payment().filter(|_| !ends_anyway) {
            return self.settle(booking, payment.id).await;
        }
        let due = booking.refunds.iter().filter(|refund| refund.status == RefundStatus::Due);
        for refund in due {
            let asked = self.provider.refund(refund_id(refund.id, now), refund.payment_id, refund.amount);
            if let Ok(Ok(())) = tokio::time::timeout(PROVIDER_TIMEOUT, asked).await {
                self.command(booking, Command::Refunded(refund.id)).await?;
            }
        }
        if has_run_out && !planted(Defect::NoExpirySweep) {
            self.command(booking, Command::Expire).await?;
        }
        Ok(())
    }

    /// Asks the provider what became of a payment that it did not answer.
    async fn settle(&self, booking: &Booking, id: PaymentId) -> Result<(), ServiceError> {
        match tokio::time::timeout(PROVIDER_TIMEOUT, self.provider.settle(id)).await {
            Ok(Ok(answer)) => self.command(booking, Command::FinishPayment(id, answer)).await,
            _ => Ok(()),
        }
    }

    /// Ends the live bookings of a called-off event, page by page.
    async fn call_off(&self, event: &EventInfo) -> Result<(), ServiceError> {
        let live = [BookingStatus::Pending, BookingStatus::Held, BookingStatus::Booked];
        let live = live.into_iter().map(|status| status.name().into()).collect();
        let query = Query::all("booking")
            .filter(Condition::Is("event_id", Value::Text(event.id.to_string())))
            .filter(Condition::OneOf("status", live))
            .limit(MAX_SWEPT);
        let mut cursor: Option<Cursor> = None;
        let mut is_payment_open = false;
        loop {
            let page = self.store.query(&query.clone().after(cursor.take())).await?;
            let Some(last) = page.last() else { break };
            cursor = Some(Cursor { value: Value::Null, id: last.row.key().id.to_string() });
            for versioned in page {
                if let Some(booking) = as_booking(versioned) {
                    is_payment_open |= booking.open_payment().is_some();
                    // One refund for what is left to give back: its id follows from the booking's.
                    self.command(&booking, Command::CallOff(RefundId(booking.id.0))).await?;
                }
            }
        }
        if !is_payment_open {
            self.commands.carry_out(TicketCommand::CalledOff(event.id)).await?;
        }
        Ok(())
    }

    async fn command(&self, booking: &Booking, command: Command) -> Result<(), ServiceError> {
        let command = TicketCommand::Saga(booking.id, booking.event_id, command);
        self.commands.carry_out(command).await
    }
}

/// The bookings that somebody must look at now.
pub(crate) fn due(now: Time) -> Query {
    if planted(Defect::ExpireAfterPayment) {
        return Query::all("booking").filter(Condition::Is("status", BookingStatus::Held.name().into()));
    }
    let due = Condition::Below("due_at", Value::Int(now.micros().saturating_add(1)));
    let lowest = Condition::AtLeast("due_at", Value::Int(i64::MIN));
    Query::all("booking").filter(lowest).filter(due).order("due_at", Direction::Ascending).limit(MAX_SWEPT)
}

/// The id of a refund at the provider: always its own, so that asking twice pays once.
fn refund_id(id: RefundId, now: Time) -> RefundId {
    if planted(Defect::RefundPaidTwice) {
        return RefundId(uuid::Uuid::from_u128(id.0.as_u128() ^ u128::from(now.micros().unsigned_abs())));
    }
    id
}
