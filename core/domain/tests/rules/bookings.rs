//! A booking's life, step by step.

use domain::{
    BookingId, Currency, EventId, Money, PaymentId, RefundId, TicketTypeId, Time, UserId,
    facts::{CancelReason, PlacedLine, PricedLine, Published, SeatsHeld, SeatsRefused, SeatsSold},
    ticket::{
        Booking, BookingStatus, Command, PaymentStatus, RefundStatus, TicketStatus, apply,
        booking::SETTLE_AFTER_SECONDS,
        code::TicketCode,
        decide,
        decide::EventOff,
        door::{self, Admission},
        payment::Answer,
    },
};
use uuid::Uuid;

pub(super) const NOW: Time = Time::from_micros(1_800_000_000_000_000);
pub(super) const KIND: TicketTypeId = TicketTypeId(Uuid::from_u128(1));
pub(super) const EVENT: EventId = EventId(Uuid::from_u128(2));
pub(super) const BUYER: UserId = UserId(Uuid::from_u128(3));
pub(super) const REFUND: RefundId = RefundId(Uuid::from_u128(4));
pub(super) const PAYMENT: PaymentId = PaymentId(Uuid::from_u128(5));

pub(super) fn id() -> BookingId {
    BookingId::from_bits(9 << 16)
}

pub(super) fn expiry() -> Time {
    NOW.plus_seconds(900)
}

/// A booking, and what it told the others.
pub(super) struct Life {
    pub(super) booking: Booking,
    pub(super) told: Vec<String>,
}

impl Life {
    pub(super) fn placed(quantity: u32) -> Self {
        let lines = vec![PlacedLine { ticket_type_id: KIND, quantity, seat_ids: vec![] }];
        let place = Command::Place {
            id: id(),
            event_id: EVENT,
            user_id: BUYER,
            lines,
            promo_code: None,
            attendees: vec![],
        };
        let decision = decide(None, &place, NOW).unwrap();
        let booking = apply(None, &decision).expect("it was placed");
        Self { booking, told: decision.facts.iter().map(|fact| fact.kind().to_owned()).collect() }
    }

    pub(super) fn held(quantity: u32) -> Self {
        Self::placed(quantity).after(&held(quantity, EventOff::No))
    }

    pub(super) fn paid(quantity: u32) -> Self {
        let paid = Self::held(quantity).after(&Command::StartPayment(PAYMENT));
        paid.after(&Command::FinishPayment(PAYMENT, Answer::Captured)).after(&sold(
            quantity,
            500,
            EventOff::No,
        ))
    }

    pub(super) fn free(quantity: u32) -> Self {
        Self::placed(quantity).after(&sold(quantity, 0, EventOff::No))
    }

    pub(super) fn at(&self, command: &Command, now: Time) -> Result<Self, &'static str> {
        let decision = decide(Some(&self.booking), command, now).map_err(|refusal| refusal.code)?;
        let booking = apply(Some(&self.booking), &decision).expect("it stays");
        assert_eq!(booking.violations(), Vec::<String>::new());
        let told = self.told.iter().cloned().chain(decision.facts.iter().map(|fact| fact.kind().to_owned()));
        Ok(Self { told: told.collect(), booking })
    }

    pub(super) fn after(&self, command: &Command) -> Self {
        self.at(command, NOW).unwrap()
    }

    pub(super) fn refused(&self, command: &Command) -> &'static str {
        self.at(command, NOW).map(|life| life.booking.status.name()).unwrap_err()
    }
}

fn priced(quantity: u32, minor: i64) -> (Vec<PricedLine>, Money) {
    let unit_price = Money { currency: Currency::EUR, minor };
    let lines = vec![PricedLine { ticket_type_id: KIND, quantity, unit_price }];
    (lines, unit_price.times(quantity).unwrap())
}

pub(super) fn held(quantity: u32, off: EventOff) -> Command {
    let (lines, total) = priced(quantity, 500);
    let fact = SeatsHeld {
        booking_id: id(),
        event_id: EVENT,
        user_id: BUYER,
        lines,
        total,
        expires_at: expiry(),
        at: NOW,
    };
    Command::Held(fact, off)
}

pub(super) fn sold(quantity: u32, minor: i64, off: EventOff) -> Command {
    let (lines, total) = priced(quantity, minor);
    let fact = SeatsSold { booking_id: id(), event_id: EVENT, user_id: BUYER, lines, total, at: NOW };
    Command::Sold(fact, off)
}

pub(super) fn cancel(numbers: &[u16]) -> Command {
    Command::Cancel { numbers: numbers.to_vec(), refund_id: REFUND, event_starts_at: None }
}

#[test]
fn a_free_booking_is_booked_with_a_ticket_for_each_place() {
    let life = Life::free(3);
    assert_eq!(life.booking.status, BookingStatus::Booked);
    assert_eq!(life.booking.tickets.iter().map(|ticket| ticket.number).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(life.told, ["booking.placed"]);
    assert_eq!(life.booking.due_at(), None);
}

#[test]
fn a_paid_booking_is_held_paid_and_booked() {
    let life = Life::held(2);
    assert_eq!((life.booking.status, life.booking.due_at()), (BookingStatus::Held, Some(expiry())));
    let life = life.after(&Command::StartPayment(PAYMENT));
    assert_eq!(life.booking.due_at(), Some(NOW.plus_seconds(SETTLE_AFTER_SECONDS)));
    let life = life.after(&Command::FinishPayment(PAYMENT, Answer::Captured));
    assert_eq!((life.booking.status, life.booking.due_at()), (BookingStatus::Held, None));
    let life = life.after(&sold(2, 500, EventOff::No));
    assert_eq!((life.booking.status, life.booking.tickets.len()), (BookingStatus::Booked, 2));
    assert_eq!(life.told, ["booking.placed", "booking.paid"]);
}

#[test]
fn seats_that_were_not_paid_are_not_sold_by_a_stray_fact() {
    let life = Life::held(2).after(&sold(2, 500, EventOff::No));
    assert_eq!(life.booking.status, BookingStatus::Held);
}

#[test]
fn what_is_heard_late_or_twice_changes_nothing() {
    let refused = Command::Refused(SeatsRefused {
        booking_id: id(),
        event_id: EVENT,
        user_id: BUYER,
        reason: "sold_out".to_owned(),
        at: NOW,
    });
    let rejected = Life::placed(1).after(&refused);
    assert_eq!(
        (rejected.booking.status, rejected.booking.reason.as_str()),
        (BookingStatus::Rejected, "sold_out")
    );
    for life in [rejected, Life::placed(1).after(&cancel(&[])), Life::free(1), Life::paid(1)] {
        for late in [&refused, &held(1, EventOff::No), &sold(1, 0, EventOff::No), &Command::Expire] {
            assert_eq!(life.after(late).booking, life.booking);
        }
    }
}

#[test]
fn a_declined_payment_keeps_the_seats_and_the_third_one_ends_the_booking() {
    let mut life = Life::held(1);
    for attempt in 1..=3 {
        let payment = PaymentId(Uuid::from_u128(attempt));
        life = life.after(&Command::StartPayment(payment));
        assert_eq!(
            life.refused(&Command::StartPayment(PaymentId(Uuid::from_u128(99)))),
            "payment_in_progress"
        );
        life = life.after(&Command::FinishPayment(payment, Answer::Declined));
        let expected = if attempt < 3 { BookingStatus::Held } else { BookingStatus::Cancelled };
        assert_eq!(life.booking.status, expected);
    }
    assert_eq!(life.booking.reason, "payment_failed");
    assert_eq!(life.told, ["booking.placed", "booking.cancelled"]);
    assert_eq!(life.refused(&Command::StartPayment(PAYMENT)), "not_payable");
}

#[test]
fn a_hold_runs_out_unless_it_is_paid_or_its_payment_is_open() {
    let life = Life::held(1);
    assert_eq!(
        life.at(&Command::Expire, expiry().plus_seconds(-1)).unwrap().booking.status,
        BookingStatus::Held
    );
    let expired = life.at(&Command::Expire, expiry()).unwrap();
    assert_eq!(
        (expired.booking.status, expired.booking.reason.as_str()),
        (BookingStatus::Expired, "expired")
    );
    assert_eq!(life.at(&Command::StartPayment(PAYMENT), expiry()).map(|_| ()).unwrap_err(), "not_payable");
    let paying = life.after(&Command::StartPayment(PAYMENT));
    assert_eq!(paying.at(&Command::Expire, expiry()).unwrap().booking.status, BookingStatus::Held);
    let paid = paying.after(&Command::FinishPayment(PAYMENT, Answer::Captured));
    assert_eq!(paid.at(&Command::Expire, expiry()).unwrap().booking.status, BookingStatus::Held);
}

#[test]
fn cancelling_gives_back_the_money_of_what_is_cancelled() {
    let life = Life::paid(3).after(&cancel(&[2]));
    assert_eq!(life.booking.status, BookingStatus::Booked);
    assert_eq!(life.booking.ticket(2).unwrap().status, TicketStatus::Cancelled);
    assert_eq!(life.booking.kept_lines()[0].quantity, 2);
    assert_eq!(life.booking.refunds[0].amount.minor, 500);
    assert_eq!(life.refused(&cancel(&[2])), "already_cancelled");
    let life = life.after(&cancel(&[]));
    assert_eq!(life.booking.status, BookingStatus::Cancelled);
    assert_eq!(life.booking.refunds.iter().map(|refund| refund.amount.minor).sum::<i64>(), 1_500);
    assert_eq!(life.told, ["booking.placed", "booking.paid", "booking.cancelled", "booking.cancelled"]);
    assert_eq!(life.refused(&cancel(&[])), "already_cancelled");
    let life = life.after(&Command::Refunded(REFUND));
    assert!(life.booking.refunds.iter().all(|refund| refund.status == RefundStatus::Refunded));
}

#[test]
fn what_cannot_be_cancelled_says_why() {
    let started = Command::Cancel { numbers: vec![], refund_id: REFUND, event_starts_at: Some(NOW) };
    assert_eq!(Life::free(1).refused(&started), "not_cancellable");
    assert_eq!(Life::held(1).refused(&cancel(&[1])), "bad_input");
    assert_eq!(Life::free(1).refused(&cancel(&[7])), "bad_input");
    let paying = Life::held(1).after(&Command::StartPayment(PAYMENT));
    assert_eq!(paying.refused(&cancel(&[])), "payment_in_progress");
    let mut used = Life::free(2);
    door::mark_admitted(&mut used.booking.tickets[0], NOW);
    assert_eq!(used.refused(&cancel(&[])), "not_cancellable");
    assert_eq!(used.after(&cancel(&[2])).booking.status, BookingStatus::Booked);
}

#[test]
fn a_called_off_event_ends_its_bookings_even_those_decided_later() {
    let off = EventOff::Yes(REFUND);
    for life in [
        Life::placed(1).after(&Command::CallOff(REFUND)),
        Life::held(1).after(&Command::CallOff(REFUND)),
        Life::free(1).after(&Command::CallOff(REFUND)),
        Life::placed(1).after(&held(1, off)),
        Life::placed(1).after(&sold(1, 0, off)),
    ] {
        assert_eq!(
            (life.booking.status, life.booking.reason.as_str()),
            (BookingStatus::Cancelled, "event_cancelled")
        );
        assert_eq!(life.told.last().unwrap(), "booking.cancelled");
    }
    let paid = Life::paid(2).after(&Command::CallOff(REFUND));
    assert_eq!(paid.booking.refunds[0].amount.minor, 1_000);
    let paying = Life::held(1).after(&Command::StartPayment(PAYMENT)).after(&Command::CallOff(REFUND));
    assert_eq!(paying.booking.status, BookingStatus::Held, "the payment is settled first");
}

#[test]
fn an_answer_can_be_given_again_as_it_was() {
    let first = Life::free(2).booking;
    let later = Life::free(2).after(&cancel(&[1])).booking;
    assert_eq!(later.as_decided(), first);
    let first = Life::held(2).booking;
    assert_eq!(Life::paid(2).after(&cancel(&[])).booking.as_decided(), first);
    let booked = Life::paid(2).booking;
    assert_eq!(Life::paid(2).after(&cancel(&[])).booking.as_booked(), booked);
    assert_eq!(booked.payments[0].status, PaymentStatus::Captured);
}

#[test]
fn the_door_admits_once_and_says_what_else_it_sees() {
    let mut booking = Life::free(2).booking;
    let code =
        |number, generation| TicketCode { ticket_id: id().ticket(number), event_id: EVENT, generation };
    let other = EventId(Uuid::from_u128(77));
    assert_eq!(door::admit(&booking, code(1, 0), EVENT), Admission::Admitted);
    assert_eq!(door::admit(&booking, code(1, 0), other), Admission::WrongEvent);
    door::mark_admitted(&mut booking.tickets[0], NOW);
    assert_eq!(door::admit(&booking, code(1, 0), EVENT), Admission::AlreadyAdmitted(NOW));
    let friend = UserId(Uuid::from_u128(8));
    assert!(door::may_transfer(&booking.tickets[0], friend, None, NOW).is_err(), "it was used");
    door::may_transfer(&booking.tickets[1], friend, Some(expiry()), NOW).unwrap();
    assert!(door::may_transfer(&booking.tickets[1], friend, Some(NOW), NOW).is_err(), "it has started");
    door::transfer(&mut booking.tickets[1], friend);
    assert_eq!(door::admit(&booking, code(2, 0), EVENT), Admission::Transferred);
    assert_eq!(door::admit(&booking, code(2, 1), EVENT), Admission::Admitted);
    assert_eq!(door::admit(&Life::held(1).booking, code(1, 0), EVENT), Admission::Unpaid);
    assert_eq!(
        door::admit(&Life::free(1).after(&cancel(&[])).booking, code(1, 0), EVENT),
        Admission::Cancelled
    );
}

#[test]
fn the_reason_of_a_cancellation_is_told() {
    let decision = decide(Some(&Life::placed(1).booking), &cancel(&[]), NOW).unwrap();
    match &decision.facts[..] {
        [Published::BookingCancelled(fact)] => {
            assert_eq!((fact.reason, fact.cancel_number, fact.keeps.len()), (CancelReason::Buyer, 1, 0));
        }
        other => panic!("{other:?}"),
    }
}
