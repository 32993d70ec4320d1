//! Bookings of more than one ticket type: who comes with which ticket, and what a part of them is worth.

use domain::{
    BookingId, Currency, Money, PaymentId, RefundId, TicketTypeId, UserId,
    facts::{PlacedLine, PricedLine, Published, SeatsHeld, SeatsRefused, SeatsSold},
    ticket::{
        Attendee, Booking, BookingStatus, Command, RefundStatus, TicketStatus, apply,
        booking::SETTLE_AFTER_SECONDS,
        code::TicketCode,
        decide,
        decide::EventOff,
        door::{self, Admission},
        payment::Answer,
        steps::{Decision, Step},
    },
};
use uuid::Uuid;

use super::bookings::{BUYER, EVENT, KIND, Life, NOW, PAYMENT, REFUND, cancel, expiry, held, id, sold};

const FREE: TicketTypeId = TicketTypeId(Uuid::from_u128(11));

fn euros(minor: i64) -> Money {
    Money { currency: Currency::EUR, minor }
}

fn priced() -> Vec<PricedLine> {
    vec![
        PricedLine { ticket_type_id: FREE, quantity: 1, unit_price: euros(0) },
        PricedLine { ticket_type_id: KIND, quantity: 2, unit_price: euros(500) },
    ]
}

/// One free place and two at five euros; two of the three attendees are named.
fn placed() -> Life {
    let line = |line: PricedLine| PlacedLine {
        ticket_type_id: line.ticket_type_id,
        quantity: line.quantity,
        seat_ids: vec![],
    };
    let attendee = |name: &str| Attendee { name: name.to_owned(), email: String::new() };
    let place = Command::Place {
        id: id(),
        event_id: EVENT,
        user_id: BUYER,
        lines: priced().into_iter().map(line).collect(),
        promo_code: None,
        attendees: vec![attendee("Ada"), attendee("Grace")],
    };
    let booking = apply(None, &decide(None, &place, NOW).unwrap()).unwrap();
    let again = decide(Some(&booking), &place, NOW).unwrap();
    assert_eq!(again, Decision::default(), "a booking is placed once");
    Life { booking, told: vec![] }
}

fn booked() -> Life {
    let (booking_id, event_id, user_id, lines, total, at) = (id(), EVENT, BUYER, priced(), euros(1_000), NOW);
    let held = SeatsHeld { booking_id, event_id, user_id, lines, total, expires_at: expiry(), at };
    let sold = SeatsSold { booking_id, event_id, user_id, lines: priced(), total, at };
    placed()
        .after(&Command::Held(held, EventOff::No))
        .after(&Command::StartPayment(PAYMENT))
        .after(&Command::FinishPayment(PAYMENT, Answer::Captured))
        .after(&Command::Sold(sold, EventOff::No))
}

#[test]
fn tickets_are_numbered_over_the_types_and_attendees_get_them_in_order() {
    let booking = booked().booking;
    let tickets: Vec<_> = booking
        .tickets
        .iter()
        .map(|ticket| {
            (ticket.number, ticket.ticket_type_id, ticket.attendee.as_ref().map(|who| who.name.as_str()))
        })
        .collect();
    assert_eq!(tickets, [(1, FREE, Some("Ada")), (2, KIND, Some("Grace")), (3, KIND, None)]);
    assert_eq!(booking.ticket_id(&booking.tickets[2]), id().ticket(3));
    assert_eq!(booking.due_at(), None);
}

#[test]
fn a_free_ticket_that_is_given_back_owes_nothing() {
    let life = booked().after(&cancel(&[1]));
    assert_eq!(life.booking.refunds, []);
    assert_eq!(life.booking.kept_lines().len(), 1, "nothing of the free type is kept");
    let life = life.after(&cancel(&[3]));
    assert_eq!(life.booking.refunds[0].amount, euros(500));
    assert_eq!(life.booking.due_at(), Some(NOW), "the refund is due");
    let (kept, number) = (life.booking.kept_lines(), life.booking.cancel_number);
    assert_eq!((kept[0].ticket_type_id, kept[0].quantity, number), (KIND, 1, 2));
}

#[test]
fn each_cancellation_has_the_next_number_and_says_what_is_kept() {
    let life = booked();
    let decision = decide(Some(&life.booking), &cancel(&[2]), NOW).unwrap();
    let [Published::BookingCancelled(first)] = &decision.facts[..] else { panic!("{decision:?}") };
    assert_eq!((first.cancel_number, first.keeps.iter().map(|line| line.quantity).sum::<u32>()), (1, 2));
    let life = life.after(&cancel(&[2]));
    let decision = decide(Some(&life.booking), &cancel(&[]), NOW).unwrap();
    let [Published::BookingCancelled(second)] = &decision.facts[..] else { panic!("{decision:?}") };
    assert_eq!((second.cancel_number, second.keeps.len()), (2, 0));
    assert_eq!(life.after(&cancel(&[])).booking.cancel_number, 2);
    assert_eq!(life.refused(&cancel(&[1, 1])), "bad_input", "each ticket once");
    assert_eq!(life.refused(&cancel(&[1, 2])), "already_cancelled");
}

#[test]
fn what_is_left_of_a_payment_is_given_back_when_the_event_is_called_off() {
    let life = booked().after(&cancel(&[2]));
    let other = RefundId(Uuid::from_u128(44));
    let life = life.after(&Command::CallOff(other));
    let amounts: Vec<_> =
        life.booking.refunds.iter().map(|refund| (refund.id, refund.amount.minor)).collect();
    assert_eq!(amounts, [(REFUND, 500), (other, 500)]);
    assert_eq!(life.after(&Command::CallOff(RefundId(Uuid::from_u128(45)))).booking, life.booking);
    let life = life.after(&Command::Refunded(other));
    let status: Vec<_> = life.booking.refunds.iter().map(|refund| refund.status).collect();
    assert_eq!(status, [RefundStatus::Due, RefundStatus::Refunded]);
    let again = decide(Some(&life.booking), &Command::Refunded(other), NOW).unwrap();
    assert_eq!(again, Decision::default(), "it is paid back once");
    assert_eq!(life.after(&Command::Refunded(REFUND)).booking.due_at(), None);
}

#[test]
fn a_paid_booking_of_an_event_that_was_called_off_is_booked_and_given_back_at_once() {
    let paid = Life::held(1).after(&Command::StartPayment(PAYMENT));
    let paid = paid.after(&Command::FinishPayment(PAYMENT, Answer::Captured));
    assert_eq!(paid.refused(&cancel(&[])), "payment_in_progress", "it is just being confirmed");
    assert_eq!(paid.refused(&Command::StartPayment(PaymentId(Uuid::from_u128(6)))), "nothing_to_pay");
    let life = paid.after(&sold(1, 500, EventOff::Yes(REFUND)));
    assert_eq!((life.booking.status, life.booking.refunds[0].amount), (BookingStatus::Cancelled, euros(500)));
    assert_eq!(life.booking.tickets[0].status, TicketStatus::Cancelled);
}

#[test]
fn a_payment_that_was_answered_is_not_answered_again() {
    let paying = Life::held(1).after(&Command::StartPayment(PAYMENT));
    let other = PaymentId(Uuid::from_u128(6));
    assert_eq!(paying.after(&Command::FinishPayment(other, Answer::Captured)).booking, paying.booking);
    let declined = paying.after(&Command::FinishPayment(PAYMENT, Answer::Declined));
    assert_eq!(declined.after(&Command::FinishPayment(PAYMENT, Answer::Captured)).booking, declined.booking);
    assert_eq!(
        declined.after(&Command::StartPayment(PAYMENT)).booking,
        declined.booking,
        "its answer stands"
    );
    assert_eq!(declined.booking.due_at(), Some(expiry()));
    let second = declined.after(&Command::StartPayment(other));
    assert_eq!(second.booking.due_at(), Some(NOW.plus_seconds(SETTLE_AFTER_SECONDS)));
    let booked =
        second.after(&Command::FinishPayment(other, Answer::Captured)).after(&sold(1, 500, EventOff::No));
    assert_eq!(booked.booking.captured_payment().unwrap().id, other);
    assert_eq!(booked.refused(&Command::StartPayment(PAYMENT)), "nothing_to_pay");
    assert_eq!(Life::placed(1).refused(&Command::StartPayment(PAYMENT)), "not_payable");
}

#[test]
fn a_hold_that_has_ended_is_looked_for_by_nobody() {
    let cancelled = Life::held(1).after(&cancel(&[]));
    assert_eq!((cancelled.booking.status, cancelled.booking.due_at()), (BookingStatus::Cancelled, None));
    assert_eq!(cancelled.at(&Command::Expire, expiry()).unwrap().booking, cancelled.booking);
    assert_eq!(
        Life::placed(1).at(&Command::Expire, expiry()).unwrap().booking.status,
        BookingStatus::Pending
    );
    assert_eq!(cancelled.booking.as_decided(), Life::held(1).booking.as_decided());
    let undecided = Life::placed(1).after(&cancel(&[])).booking;
    assert_eq!(undecided.as_decided(), undecided, "it ended before it was decided");
    let (booking_id, reason) = (id(), "sold_out".to_owned());
    let refused = SeatsRefused { booking_id, event_id: EVENT, user_id: BUYER, reason, at: NOW };
    let rejected = Life::placed(1).after(&Command::Refused(refused));
    assert_eq!(rejected.booking.as_decided(), rejected.booking);
    assert_eq!(rejected.refused(&cancel(&[])), "not_cancellable");
    assert_eq!(rejected.after(&Command::CallOff(REFUND)).booking, rejected.booking);
}

#[test]
fn nothing_happens_to_a_booking_that_is_not_there() {
    let refusal = decide(None, &Command::Expire, NOW).unwrap_err();
    assert_eq!(refusal.code, "not_found");
    let decision = Decision { steps: vec![Step::Refunded(REFUND)], facts: vec![] };
    assert_eq!(apply(None, &decision), None);
    let late =
        Command::Cancel { numbers: vec![], refund_id: REFUND, event_starts_at: Some(NOW.plus_seconds(1)) };
    assert_eq!(booked().after(&late).booking.status, BookingStatus::Cancelled, "a second before it starts");
}

#[test]
fn a_ticket_changes_hands_until_it_is_used() {
    let mut booking: Booking = booked().booking;
    let friend = UserId(Uuid::from_u128(8));
    let ticket = &mut booking.tickets[0];
    assert!(door::may_transfer(ticket, friend, None, NOW).is_ok());
    assert_eq!(door::may_transfer(ticket, BUYER, None, NOW).unwrap_err().code, "bad_input");
    door::transfer(ticket, friend);
    door::transfer(ticket, BUYER);
    assert_eq!((ticket.generation, ticket.holder_id, ticket.attendee.as_ref()), (2, BUYER, None));
    ticket.status = TicketStatus::Cancelled;
    assert_eq!(door::may_transfer(ticket, friend, None, NOW).unwrap_err().code, "not_transferable");
}

#[test]
fn the_door_knows_the_event_of_the_booking_too() {
    let code = TicketCode { ticket_id: id().ticket(1), event_id: EVENT, generation: 0 };
    let elsewhere = Booking { event_id: domain::EventId(Uuid::from_u128(77)), ..booked().booking };
    assert_eq!(door::admit(&elsewhere, code, EVENT), Admission::WrongEvent);
    assert_eq!(door::admit(&Life::placed(1).booking, code, EVENT), Admission::Unpaid);
    assert_eq!(door::admit(&Life::placed(1).after(&cancel(&[])).booking, code, EVENT), Admission::Cancelled);
    assert_eq!(door::admit(&booked().after(&cancel(&[1])).booking, code, EVENT), Admission::Cancelled);
    let written = TicketCode { generation: 0x0102_0304, ..code };
    let other = TicketCode { ticket_id: BookingId::from_bits(u128::MAX / 3).ticket(5), ..written };
    for code in [code, written, other] {
        assert_eq!(TicketCode::from_body(&code.body()), code);
    }
    assert_eq!(other.body()[..16], *other.ticket_id.0.as_bytes());
}

#[test]
fn a_hold_that_was_called_off_meanwhile_is_not_sold() {
    let off = Life::placed(1).after(&held(1, EventOff::Yes(REFUND)));
    assert_eq!(off.after(&sold(1, 500, EventOff::No)).booking, off.booking);
}
