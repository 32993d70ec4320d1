//! Between the messages of the contract and the types of the domain.

use std::collections::BTreeSet;

use domain::{
    BookingId, EventId, Money, Refusal, TicketId, Time,
    event::details::MAX_PER_BOOKING,
    facts::PlacedLine,
    refusal::Check,
    text,
    ticket::{
        Attendee, Booking, BookingStatus, Line, PaymentStatus, RefundStatus, Ticket, TicketStatus,
        booking::MAX_LINES, code::TicketCode,
    },
};
use prost_types::Timestamp;
use proto::v1;

use crate::machine::DoorAnswer;

/// The most characters of a promo code.
const MAX_PROMO_CODE: usize = 40;
/// The most characters of the id of a seat.
const MAX_SEAT_ID: usize = 120;

pub(crate) fn booking_id(text: &str) -> Result<BookingId, Refusal> {
    let id: BookingId = text.parse().map_err(|_| Refusal::not_found("booking"))?;
    // A ticket's id is not its booking's, though it leads to it.
    (BookingId::from_bits(id.0.as_u128()) == id).then_some(id).ok_or_else(|| Refusal::not_found("booking"))
}

pub(crate) fn event_id(text: &str) -> Result<EventId, Refusal> {
    text.parse().map_err(|_| Refusal::not_found("event"))
}

pub(crate) fn ticket_id(text: &str) -> Result<TicketId, Refusal> {
    text.parse().map_err(|_| Refusal::not_found("ticket"))
}

pub(crate) fn timestamp(time: Time) -> Timestamp {
    Timestamp { seconds: time.seconds(), nanos: time.subsecond_nanos() }
}

fn to_money(money: Money) -> v1::Money {
    v1::Money { currency: money.currency.as_str().to_owned(), minor: money.minor }
}

/// What a buyer asks for.
pub(crate) struct Wish {
    pub(crate) event_id: EventId,
    pub(crate) lines: Vec<PlacedLine>,
    pub(crate) promo_code: Option<String>,
    pub(crate) attendees: Vec<Attendee>,
}

pub(crate) fn wish(request: &v1::CreateBookingRequest) -> Result<Wish, Refusal> {
    let mut check = Check::default();
    let event_id = request.event_id.parse().ok();
    check.require(event_id.is_some(), "event_id", "must be the id of an event");
    let lines = read_lines(&mut check, &request.lines);
    let places: u64 = lines.iter().map(|line| u64::from(line.quantity)).sum();
    let most = u64::from(MAX_PER_BOOKING);
    check.require(places <= most, "lines", "must have at most 50 places together");
    let attendees = read_attendees(&mut check, &request.attendees);
    check.require(attendees.len() as u64 <= places, "attendees", "must not be more than the places");
    text::allow_line(&mut check, "promo_code", &request.promo_code, MAX_PROMO_CODE);
    check.finish()?;
    let event_id = event_id.ok_or_else(|| Refusal::not_found("event"))?;
    let promo_code = Some(request.promo_code.clone()).filter(|code| !code.is_empty());
    Ok(Wish { event_id, lines, promo_code, attendees })
}

fn read_lines(check: &mut Check, inputs: &[v1::BookingLineInput]) -> Vec<PlacedLine> {
    check.require(!inputs.is_empty(), "lines", "must have at least one line");
    check.require(inputs.len() <= MAX_LINES, "lines", "must be at most 20");
    let mut lines = Vec::with_capacity(inputs.len());
    let mut types = BTreeSet::new();
    for (index, input) in inputs.iter().enumerate() {
        let quantity = u32::try_from(input.quantity).unwrap_or(0);
        if !(1..=MAX_PER_BOOKING).contains(&quantity) {
            check.fail(format!("lines[{index}].quantity"), "must be from 1 to 50");
        }
        if input.seat_ids.len() > MAX_PER_BOOKING as usize {
            check.fail(format!("lines[{index}].seat_ids"), "must be at most 50");
        }
        for (seat, id) in input.seat_ids.iter().enumerate().take(MAX_PER_BOOKING as usize) {
            text::allow_line(check, &format!("lines[{index}].seat_ids[{seat}]"), id, MAX_SEAT_ID);
        }
        match input.ticket_type_id.parse() {
            Ok(ticket_type_id) => {
                if !types.insert(ticket_type_id) {
                    check.fail(format!("lines[{index}].ticket_type_id"), "must be named by one line only");
                }
                lines.push(PlacedLine { ticket_type_id, quantity, seat_ids: input.seat_ids.clone() });
            }
            Err(_) => check.fail(format!("lines[{index}].ticket_type_id"), "must be the id of a ticket type"),
        }
    }
    lines
}

fn read_attendees(check: &mut Check, inputs: &[v1::AttendeeInput]) -> Vec<Attendee> {
    for (index, input) in inputs.iter().enumerate() {
        let most = domain::ticket::booking::MAX_ATTENDEE_NAME;
        text::require_line(check, &format!("attendees[{index}].name"), &input.name, most);
        let email = &input.email;
        text::allow_line(check, &format!("attendees[{index}].email"), email, 254);
        let is_address =
            email.is_empty() || email.split_once('@').is_some_and(|(a, b)| !a.is_empty() && !b.is_empty());
        check.require(
            is_address,
            &format!("attendees[{index}].email"),
            "must be an email address, or left out",
        );
    }
    let attendee = |input: &v1::AttendeeInput| Attendee {
        name: input.name.trim().to_owned(),
        email: input.email.clone(),
    };
    inputs.iter().map(attendee).collect()
}

/// The numbers of tickets of one booking.
pub(crate) fn ticket_numbers(booking: BookingId, ids: &[String]) -> Result<Vec<u16>, Refusal> {
    let mut numbers = BTreeSet::new();
    for (index, id) in ids.iter().enumerate() {
        let parts = id.parse::<TicketId>().ok().map(TicketId::parts);
        match parts.filter(|(of, number)| *of == booking && *number > 0) {
            Some((_, number)) if numbers.insert(number) => {}
            Some(_) => return Err(Refusal::field(format!("ticket_ids[{index}]"), "must be named once")),
            None => {
                return Err(Refusal::field(
                    format!("ticket_ids[{index}]"),
                    "must be a ticket of this booking",
                ));
            }
        }
    }
    Ok(numbers.into_iter().collect())
}

pub(crate) fn to_booking(booking: &Booking) -> v1::Booking {
    v1::Booking {
        id: booking.id.to_string(),
        event_id: booking.event_id.to_string(),
        user_id: booking.user_id.to_string(),
        status: to_status(booking.status).into(),
        reason: booking.reason.clone(),
        lines: booking.lines.iter().map(to_line).collect(),
        total: booking.total.map(to_money),
        expires_at: booking.expires_at.filter(|_| booking.status == BookingStatus::Held).map(timestamp),
        tickets: booking.tickets.iter().map(|ticket| to_ticket(booking, ticket, None)).collect(),
        payments: booking.payments.iter().map(to_payment).collect(),
        refunds: booking.refunds.iter().map(to_refund).collect(),
        promo_code: booking.promo_code.clone().unwrap_or_default(),
        created_at: Some(timestamp(booking.created_at)),
    }
}

fn to_line(line: &Line) -> v1::BookingLine {
    v1::BookingLine {
        ticket_type_id: line.placed.ticket_type_id.to_string(),
        quantity: i32::try_from(line.placed.quantity).unwrap_or(i32::MAX),
        seat_ids: line.placed.seat_ids.clone(),
        unit_price: line.unit_price.map(to_money),
    }
}

fn to_status(status: BookingStatus) -> v1::booking::Status {
    match status {
        BookingStatus::Pending => v1::booking::Status::Pending,
        BookingStatus::Held => v1::booking::Status::Held,
        BookingStatus::Booked => v1::booking::Status::Booked,
        BookingStatus::Rejected => v1::booking::Status::Rejected,
        BookingStatus::Cancelled => v1::booking::Status::Cancelled,
        BookingStatus::Expired => v1::booking::Status::Expired,
    }
}

/// The status that a list request asks for; none when it does not.
pub(crate) fn read_status(status: i32) -> Option<BookingStatus> {
    match v1::booking::Status::try_from(status).ok()? {
        v1::booking::Status::Unspecified => None,
        v1::booking::Status::Pending => Some(BookingStatus::Pending),
        v1::booking::Status::Held => Some(BookingStatus::Held),
        v1::booking::Status::Booked => Some(BookingStatus::Booked),
        v1::booking::Status::Rejected => Some(BookingStatus::Rejected),
        v1::booking::Status::Cancelled => Some(BookingStatus::Cancelled),
        v1::booking::Status::Expired => Some(BookingStatus::Expired),
    }
}

fn to_payment(payment: &domain::ticket::Payment) -> v1::Payment {
    let status = match payment.status {
        PaymentStatus::Started => v1::payment::Status::Started,
        PaymentStatus::Captured => v1::payment::Status::Captured,
        PaymentStatus::Declined => v1::payment::Status::Declined,
        PaymentStatus::Voided => v1::payment::Status::Voided,
    };
    v1::Payment {
        id: payment.id.to_string(),
        status: status.into(),
        amount: Some(to_money(payment.amount)),
        created_at: Some(timestamp(payment.created_at)),
    }
}

fn to_refund(refund: &domain::ticket::Refund) -> v1::Refund {
    let status = match refund.status {
        RefundStatus::Due => v1::refund::Status::Due,
        RefundStatus::Refunded => v1::refund::Status::Refunded,
    };
    v1::Refund {
        id: refund.id.to_string(),
        status: status.into(),
        amount: Some(to_money(refund.amount)),
        created_at: Some(timestamp(refund.created_at)),
    }
}

/// A ticket; its code only where its holder asked for it.
pub(crate) fn to_ticket(booking: &Booking, ticket: &Ticket, code: Option<String>) -> v1::Ticket {
    v1::Ticket {
        id: booking.ticket_id(ticket).to_string(),
        booking_id: booking.id.to_string(),
        event_id: booking.event_id.to_string(),
        ticket_type_id: ticket.ticket_type_id.to_string(),
        seat_id: String::new(),
        status: to_ticket_status(ticket.status).into(),
        code: code.unwrap_or_default(),
        attendee_name: ticket.attendee.as_ref().map(|attendee| attendee.name.clone()).unwrap_or_default(),
        admitted_at: ticket.admitted_at.map(timestamp),
    }
}

pub(crate) fn to_ticket_status(status: TicketStatus) -> v1::ticket::Status {
    match status {
        TicketStatus::Valid => v1::ticket::Status::Valid,
        TicketStatus::Admitted => v1::ticket::Status::Admitted,
        TicketStatus::Cancelled => v1::ticket::Status::Cancelled,
    }
}

/// What a ticket's code says now.
pub(crate) fn code_of(booking: &Booking, ticket: &Ticket) -> TicketCode {
    TicketCode {
        ticket_id: booking.ticket_id(ticket),
        event_id: booking.event_id,
        generation: ticket.generation,
    }
}

pub(crate) fn to_door(answer: DoorAnswer, ticket: Option<v1::Ticket>) -> v1::CheckInResponse {
    use v1::check_in_response::Result as Door;
    let (result, at) = match answer {
        DoorAnswer::Admitted => (Door::Admitted, ticket.as_ref().and_then(|ticket| ticket.admitted_at)),
        DoorAnswer::AlreadyAdmitted(at) => (Door::AlreadyAdmitted, Some(timestamp(at))),
        DoorAnswer::WrongEvent => (Door::WrongEvent, None),
        DoorAnswer::Cancelled => (Door::Cancelled, None),
        DoorAnswer::Unpaid => (Door::Unpaid, None),
        DoorAnswer::Transferred => (Door::Transferred, None),
    };
    v1::CheckInResponse { result: result.into(), ticket, first_admitted_at: at }
}
