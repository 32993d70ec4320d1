//! What may happen to a booking, and what then is.

use crate::{
    facts::{
        BookingCancelled, BookingPaid, BookingPlaced, CancelReason, PlacedLine, Published, SeatsHeld,
        SeatsRefused, SeatsSold,
    },
    ids::{BookingId, EventId, PaymentId, RefundId, UserId},
    money::Money,
    planted::{Defect, planted},
    refusal::Refusal,
    ticket::{
        booking::{
            Attendee, Booking, BookingStatus, Line, Payment, PaymentStatus, Refund, RefundStatus, Ticket,
            TicketStatus,
        },
        payment::{Answer, MAX_ATTEMPTS},
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

/// One thing that happened to a booking.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "named as the fields of the booking that they set")]
pub enum Step {
    Placed(Box<Booking>),
    Held { lines: Vec<Line>, total: Money, expires_at: Time },
    Rejected { reason: String },
    Booked { lines: Vec<Line>, total: Money, tickets: Vec<Ticket> },
    PaymentStarted(Payment),
    PaymentAnswered { id: PaymentId, status: PaymentStatus },
    Ended { status: BookingStatus, reason: CancelReason },
    TicketsCancelled { numbers: Vec<u16> },
    RefundDue(Refund),
    Refunded(RefundId),
}

/// What follows from a command: steps of the booking, and facts for the others.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Decision {
    /// In order.
    pub steps: Vec<Step>,
    /// To publish in the same commit.
    pub facts: Vec<Published>,
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
            if event_starts_at.is_some_and(|start| start <= now) {
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
    if !is_free && !is_paid {
        return Decision::default();
    }
    let lines: Vec<Line> = sold.lines.iter().map(priced).collect();
    let tickets = issue_tickets(booking, &lines);
    let mut booked = booking.clone();
    let step = Step::Booked { lines, total: sold.total, tickets };
    let mut decision = Decision { steps: vec![step.clone()], facts: vec![] };
    if let EventOff::Yes(refund_id) = off {
        apply_step(&mut booked, &step);
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
    (1..=u16::MAX).zip(types).map(ticket).collect()
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
    if booking.payments.iter().any(|payment| payment.id == id) {
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
            decision.facts.push(paid.into());
        }
        Answer::Declined => {
            decision.steps.push(Step::PaymentAnswered { id, status: PaymentStatus::Declined });
            if booking.payments.len() >= MAX_ATTEMPTS {
                end(&mut decision, booking, BookingStatus::Cancelled, CancelReason::PaymentFailed, now);
            }
        }
    }
    decision
}

fn cancel(booking: &Booking, numbers: &[u16], refund_id: RefundId, now: Time) -> Result<Decision, Refusal> {
    match booking.status {
        BookingStatus::Cancelled | BookingStatus::Expired => {
            return Err(Refusal::conflict("already_cancelled", "the booking has ended"));
        }
        BookingStatus::Rejected => {
            return Err(Refusal::conflict(
                "not_cancellable",
                "the booking was rejected; there is nothing to cancel",
            ));
        }
        BookingStatus::Held if booking.open_payment().is_some() => {
            return Err(Refusal::conflict(
                "payment_in_progress",
                "a payment of this booking is not settled yet",
            ));
        }
        BookingStatus::Held if booking.captured_payment().is_some() => {
            return Err(Refusal::conflict("payment_in_progress", "the booking is just being confirmed"));
        }
        BookingStatus::Booked => return cancel_tickets(booking, numbers, refund_id, now),
        BookingStatus::Pending | BookingStatus::Held => {}
    }
    if !numbers.is_empty() {
        return Err(Refusal::field("ticket_ids", "must be left out: the booking has no tickets yet"));
    }
    let mut decision = Decision::default();
    end(&mut decision, booking, BookingStatus::Cancelled, CancelReason::Buyer, now);
    Ok(decision)
}

fn cancel_tickets(
    booking: &Booking,
    numbers: &[u16],
    refund_id: RefundId,
    now: Time,
) -> Result<Decision, Refusal> {
    let is_alive = |ticket: &Ticket| ticket.status != TicketStatus::Cancelled;
    let chosen: Vec<&Ticket> = match numbers {
        [] => booking.tickets.iter().filter(|ticket| is_alive(ticket)).collect(),
        some => booking.tickets.iter().filter(|ticket| some.contains(&ticket.number)).collect(),
    };
    if chosen.len() < numbers.len() {
        return Err(Refusal::field("ticket_ids", "must be tickets of this booking, each once"));
    }
    if chosen.iter().any(|ticket| ticket.status == TicketStatus::Admitted) {
        return Err(Refusal::conflict("not_cancellable", "a ticket was used at the door"));
    }
    if !chosen.iter().all(|ticket| is_alive(ticket)) {
        return Err(Refusal::conflict("already_cancelled", "a ticket was cancelled before"));
    }
    let mut decision = Decision::default();
    owe_refund(&mut decision, booking, price_of(booking, &chosen), refund_id, now);
    if chosen.len() == booking.tickets.iter().filter(|ticket| is_alive(ticket)).count() {
        end(&mut decision, booking, BookingStatus::Cancelled, CancelReason::Buyer, now);
        return Ok(decision);
    }
    let step = Step::TicketsCancelled { numbers: chosen.iter().map(|ticket| ticket.number).collect() };
    let mut after = booking.clone();
    apply_step(&mut after, &step);
    decision.facts.push(cancelled(booking, CancelReason::Buyer, after.kept_lines(), now));
    decision.steps.push(step);
    Ok(decision)
}

fn price_of(booking: &Booking, tickets: &[&Ticket]) -> i64 {
    let unit = |ticket: &&Ticket| {
        let line = booking.lines.iter().find(|line| line.placed.ticket_type_id == ticket.ticket_type_id);
        line.and_then(|line| line.unit_price).map_or(0, |price| price.minor)
    };
    tickets.iter().map(unit).sum()
}

/// Ends a hold whose time is over. An open payment is settled first, by whoever sweeps.
fn expire(booking: &Booking, now: Time) -> Decision {
    let is_due = booking.status == BookingStatus::Held && booking.expires_at.is_some_and(|end| end <= now);
    let is_paid = booking.captured_payment().is_some() && !planted(Defect::ExpireAfterPayment);
    let mut decision = Decision::default();
    let is_settled = booking.open_payment().is_none() || planted(Defect::ExpireDuringPayment);
    if is_due && !is_paid && is_settled {
        end(&mut decision, booking, BookingStatus::Expired, CancelReason::Expired, now);
    }
    decision
}

fn call_off(booking: &Booking, refund_id: RefundId, now: Time) -> Decision {
    let mut decision = Decision::default();
    if !booking.status.is_live() || booking.open_payment().is_some() {
        return decision;
    }
    owe_everything(&mut decision, booking, refund_id, now);
    end(&mut decision, booking, BookingStatus::Cancelled, CancelReason::EventCancelled, now);
    decision
}

/// What was captured and not given back yet is owed to the buyer.
fn owe_everything(decision: &mut Decision, booking: &Booking, refund_id: RefundId, now: Time) {
    let given_back: i64 = booking.refunds.iter().map(|refund| refund.amount.minor).sum();
    let captured = booking.captured_payment().map_or(0, |payment| payment.amount.minor);
    owe_refund(decision, booking, captured - given_back, refund_id, now);
}

fn owe_refund(decision: &mut Decision, booking: &Booking, minor: i64, id: RefundId, now: Time) {
    let Some(payment) = booking.captured_payment() else { return };
    if minor <= 0 || planted(Defect::RefundForgotten) {
        return;
    }
    let amount = Money { minor, ..payment.amount };
    let refund = Refund { id, payment_id: payment.id, status: RefundStatus::Due, amount, created_at: now };
    decision.steps.push(Step::RefundDue(refund));
}

fn refunded(booking: &Booking, id: RefundId) -> Decision {
    let is_due = |refund: &Refund| refund.id == id && refund.status == RefundStatus::Due;
    let due = booking.refunds.iter().any(is_due);
    Decision { steps: due.then_some(Step::Refunded(id)).into_iter().collect(), facts: vec![] }
}

fn end(decision: &mut Decision, booking: &Booking, status: BookingStatus, reason: CancelReason, now: Time) {
    decision.steps.push(Step::Ended { status, reason });
    if !planted(Defect::CancelledFactNotPublished) {
        decision.facts.push(cancelled(booking, reason, Vec::new(), now));
    }
}

fn cancelled(booking: &Booking, reason: CancelReason, keeps: Vec<PlacedLine>, now: Time) -> Published {
    BookingCancelled {
        booking_id: booking.id,
        event_id: booking.event_id,
        user_id: booking.user_id,
        reason,
        cancel_number: booking.cancel_number + 1,
        keeps,
        at: now,
    }
    .into()
}

/// The booking after a decision; `None` stays `None` without a [`Step::Placed`].
#[must_use]
pub fn apply(booking: Option<&Booking>, decision: &Decision) -> Option<Booking> {
    let mut after = booking.cloned();
    for step in &decision.steps {
        match (step, &mut after) {
            (Step::Placed(placed), _) => after = Some((**placed).clone()),
            (step, Some(booking)) => apply_step(booking, step),
            (_, None) => {}
        }
    }
    after
}

fn apply_step(booking: &mut Booking, step: &Step) {
    match step {
        Step::Placed(placed) => booking.clone_from(placed),
        Step::Held { lines, total, expires_at } => {
            booking.status = BookingStatus::Held;
            booking.lines.clone_from(lines);
            booking.total = Some(*total);
            booking.expires_at = Some(*expires_at);
        }
        Step::Rejected { reason } => {
            booking.status = BookingStatus::Rejected;
            booking.reason.clone_from(reason);
        }
        Step::Booked { lines, total, tickets } => {
            booking.status = BookingStatus::Booked;
            booking.lines.clone_from(lines);
            booking.total = Some(*total);
            booking.tickets.clone_from(tickets);
        }
        Step::PaymentStarted(payment) => booking.payments.push(payment.clone()),
        Step::PaymentAnswered { id, status } => {
            let open = booking.payments.iter_mut().find(|payment| payment.id == *id);
            if let Some(payment) = open {
                payment.status = *status;
            }
        }
        Step::Ended { status, reason } => {
            booking.status = *status;
            reason.code().clone_into(&mut booking.reason);
            booking.cancel_number += 1;
            for ticket in &mut booking.tickets {
                ticket.status = TicketStatus::Cancelled;
            }
        }
        Step::TicketsCancelled { numbers } => {
            booking.cancel_number += 1;
            for ticket in booking.tickets.iter_mut().filter(|ticket| numbers.contains(&ticket.number)) {
                ticket.status = TicketStatus::Cancelled;
            }
        }
        Step::RefundDue(refund) => booking.refunds.push(refund.clone()),
        Step::Refunded(id) => {
            for refund in booking.refunds.iter_mut().filter(|refund| refund.id == *id) {
                refund.status = RefundStatus::Refunded;
            }
        }
    }
}
