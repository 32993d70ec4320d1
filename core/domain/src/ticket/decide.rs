//! What may happen to a booking, and what then is.

use crate::{
    facts::{BookingPaid, BookingPlaced, CancelReason, PlacedLine, SeatsHeld, SeatsRefused, SeatsSold},
    ids::{BookingId, EventId, PaymentId, RefundId, UserId},
    planted::{Defect, planted},
    refusal::Refusal,
    ticket::{
        booking::{Attendee, Booking, BookingStatus, Line, Payment, PaymentStatus, Ticket, TicketStatus},
        ending::{call_off, cancel, end, expire, owe_everything, refunded},
        payment::{Answer, MAX_ATTEMPTS},
        steps::{Decision, Step, apply_step},
    },
    time::Time,
};

/// What is asked of a booking, or heard about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// A buyer asks for seats.
    Place {
        /// The booking to be.
        id: BookingId,
        /// Its event.
        event_id: EventId,
        /// The buyer.
        user_id: UserId,
        /// What is asked for.
        lines: Vec<PlacedLine>,
        /// A code for a lower price.
        promo_code: Option<String>,
        /// Who will come.
        attendees: Vec<Attendee>,
    },
    /// The event service set seats aside. `event_off` when the event is known to be called off.
    Held(SeatsHeld, EventOff),
    /// The event service sold the seats.
    Sold(SeatsSold, EventOff),
    /// The event service refused.
    Refused(SeatsRefused),
    /// The buyer starts to pay.
    StartPayment(PaymentId),
    /// The provider answered.
    FinishPayment(PaymentId, Answer),
    /// The buyer cancels these tickets, or everything when none are named.
    Cancel {
        /// The tickets, by number.
        numbers: Vec<u16>,
        /// The refund's id, should one be due.
        refund_id: RefundId,
        /// When the event starts, if known: from then on nothing is given back.
        event_starts_at: Option<Time>,
    },
    /// Its time to be paid has run out.
    Expire,
    /// The organiser called the event off.
    CallOff(RefundId),
    /// The provider gave a refund back.
    Refunded(RefundId),
}

/// Whether the event is known to be called off, with the id of the refund that would be due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventOff {
    /// As far as is known, it takes place.
    No,
    /// It was called off.
    Yes(RefundId),
}

/// What follows from a command. Facts of other services are never refused: what no longer matters
/// changes nothing.
///
/// # Errors
/// Why the buyer's command is not carried out.
pub fn decide(booking: Option<&Booking>, command: &Command, now: Time) -> Result<Decision, Refusal> {
    if let Command::Place { .. } = command {
        return Ok(place(booking, command, now));
    }
    let booking = booking.ok_or_else(|| Refusal::not_found("booking"))?;
    match command {
        Command::Place { .. } => Ok(Decision::default()),
        Command::Held(held, off) => Ok(hear_held(booking, held, *off, now)),
        Command::Sold(sold, off) => Ok(hear_sold(booking, sold, *off, now)),
        Command::Refused(refused) => Ok(hear_refused(booking, refused)),
        Command::StartPayment(id) => start_payment(booking, *id, now),
        Command::FinishPayment(id, answer) => Ok(finish_payment(booking, *id, *answer, now)),
        Command::Cancel { numbers, refund_id, event_starts_at } => {
            if event_starts_at.is_some_and(|start| start <= now) && !planted(Defect::CancelAfterStart) {
                return Err(Refusal::conflict("not_cancellable", "the event has started"));
            }
            cancel(booking, numbers, *refund_id, now)
        }
        Command::Expire => Ok(expire(booking, now)),
        Command::CallOff(refund_id) => Ok(call_off(booking, *refund_id, now)),
        Command::Refunded(id) => Ok(refunded(booking, *id)),
    }
}

fn place(booking: Option<&Booking>, command: &Command, now: Time) -> Decision {
    let Command::Place { id, event_id, user_id, lines, promo_code, attendees } = command else {
        return Decision::default();
    };
    if booking.is_some() {
        return Decision::default();
    }
    let placed = BookingPlaced {
        booking_id: *id,
        event_id: *event_id,
        user_id: *user_id,
        lines: lines.clone(),
        promo_code: promo_code.clone(),
        at: now,
    };
    let booking = Booking {
        id: *id,
        event_id: *event_id,
        user_id: *user_id,
        status: BookingStatus::Pending,
        reason: String::new(),
        lines: lines.iter().map(|placed| Line { placed: placed.clone(), unit_price: None }).collect(),
        promo_code: promo_code.clone(),
        attendees: attendees.clone(),
        total: None,
        expires_at: None,
        tickets: Vec::new(),
        payments: Vec::new(),
        refunds: Vec::new(),
        cancel_number: 0,
        created_at: now,
    };
    Decision { steps: vec![Step::Placed(Box::new(booking))], facts: vec![placed.into()] }
}

fn hear_held(booking: &Booking, held: &SeatsHeld, off: EventOff, now: Time) -> Decision {
    let revives = planted(Defect::LateHoldRevivesCancelled) && booking.status == BookingStatus::Cancelled;
    if booking.status != BookingStatus::Pending && !revives {
        return Decision::default();
    }
    let lines = held.lines.iter().map(priced).collect();
    let step = Step::Held { lines, total: held.total, expires_at: held.expires_at };
    let mut decision = Decision { steps: vec![step], facts: vec![] };
    if let EventOff::Yes(_) = off {
        end(&mut decision, booking, BookingStatus::Cancelled, CancelReason::EventCancelled, now);
    }
    decision
}

fn hear_sold(booking: &Booking, sold: &SeatsSold, off: EventOff, now: Time) -> Decision {
    let is_free = sold.total.is_zero() && booking.status == BookingStatus::Pending;
    let is_paid = booking.status == BookingStatus::Held && booking.captured_payment().is_some();
    let is_free = is_free || planted(Defect::LateSaleRevives) && !booking.status.is_live();
    if !is_free && !is_paid {
        return Decision::default();
    }
    let lines: Vec<Line> = sold.lines.iter().map(priced).collect();
    let tickets = issue_tickets(booking, &lines);
    let step = Step::Booked { lines, total: sold.total, tickets };
    let mut decision = Decision { steps: vec![step], facts: vec![] };
    if let EventOff::Yes(refund_id) = off {
        let mut booked = booking.clone();
        decision.steps.iter().for_each(|step| apply_step(&mut booked, step));
        owe_everything(&mut decision, &booked, refund_id, now);
        end(&mut decision, &booked, BookingStatus::Cancelled, CancelReason::EventCancelled, now);
    }
    decision
}

fn priced(line: &crate::facts::PricedLine) -> Line {
    let placed =
        PlacedLine { ticket_type_id: line.ticket_type_id, quantity: line.quantity, seat_ids: Vec::new() };
    Line { placed, unit_price: Some(line.unit_price) }
}

/// A ticket for each place, numbered from 1; attendees are given to them in order.
fn issue_tickets(booking: &Booking, lines: &[Line]) -> Vec<Ticket> {
    let types = lines
        .iter()
        .flat_map(|line| std::iter::repeat_n(line.placed.ticket_type_id, line.placed.quantity as usize));
    let ticket = |(number, ticket_type_id)| Ticket {
        number,
        ticket_type_id,
        status: TicketStatus::Valid,
        holder_id: booking.user_id,
        generation: 0,
        attendee: booking.attendees.get(usize::from(number) - 1).cloned(),
        admitted_at: None,
    };
    let tickets = (1..=u16::MAX).zip(types).map(ticket);
    tickets.skip(usize::from(planted(Defect::TicketMissing))).collect()
}

fn hear_refused(booking: &Booking, refused: &SeatsRefused) -> Decision {
    if booking.status != BookingStatus::Pending {
        return Decision::default();
    }
    Decision { steps: vec![Step::Rejected { reason: refused.reason.clone() }], facts: vec![] }
}

fn start_payment(booking: &Booking, id: PaymentId, now: Time) -> Result<Decision, Refusal> {
    match booking.status {
        BookingStatus::Held => {}
        BookingStatus::Booked => {
            return Err(Refusal::conflict(
                "nothing_to_pay",
                "the booking is booked; there is nothing to pay",
            ));
        }
        BookingStatus::Pending => {
            return Err(Refusal::conflict(
                "not_payable",
                "the seats are not held yet: try again in a moment",
            ));
        }
        ended => {
            let detail = format!("the booking is {}", ended.name());
            return Err(Refusal::conflict("not_payable", detail));
        }
    }
    if booking.captured_payment().is_some() {
        return Err(Refusal::conflict("nothing_to_pay", "the booking is paid"));
    }
    if booking.open_payment().is_some() && !planted(Defect::SecondPaymentWhileOpen) {
        return Err(Refusal::conflict("payment_in_progress", "a payment of this booking is not settled yet"));
    }
    let is_known = booking.payments.iter().any(|payment| payment.id == id);
    if is_known && !planted(Defect::SettledPaymentStartsAgain) {
        // A repeated request of a payment that was settled meanwhile: its answer stands. A second
        // payment with its id would never be answered, and its hold would never run out.
        return Ok(Decision::default());
    }
    if booking.expires_at.is_none_or(|expires_at| expires_at <= now) {
        return Err(Refusal::conflict("not_payable", "the seats were held for a time that is over"));
    }
    let Some(amount) = booking.total else {
        return Err(Refusal::conflict("nothing_to_pay", "the booking costs nothing"));
    };
    let payment = Payment { id, status: PaymentStatus::Started, amount, created_at: now };
    Ok(Decision { steps: vec![Step::PaymentStarted(payment)], facts: vec![] })
}

fn finish_payment(booking: &Booking, id: PaymentId, answer: Answer, now: Time) -> Decision {
    let Some(payment) = booking.open_payment().filter(|payment| payment.id == id) else {
        return Decision::default();
    };
    let mut decision = Decision::default();
    match answer {
        Answer::Captured => {
            decision.steps.push(Step::PaymentAnswered { id, status: PaymentStatus::Captured });
            let paid = BookingPaid {
                booking_id: booking.id,
                event_id: booking.event_id,
                user_id: booking.user_id,
                amount: payment.amount,
                at: now,
            };
            if !planted(Defect::PaidFactNotPublished) {
                decision.facts.push(paid.into());
            }
        }
        Answer::Declined => {
            decision.steps.push(Step::PaymentAnswered { id, status: PaymentStatus::Declined });
            if booking.payments.len() >= MAX_ATTEMPTS && !planted(Defect::AttemptsNotCounted) {
                end(&mut decision, booking, BookingStatus::Cancelled, CancelReason::PaymentFailed, now);
            }
        }
    }
    decision
}
