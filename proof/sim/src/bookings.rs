//! What must hold of bookings, their money and their facts after every commit of the ticket service.

use std::sync::Arc;

use domain::{
    BookingId,
    facts::{EventStatus, PricedLine, Published},
    ticket::{
        Booking,
        BookingStatus::{self, Booked, Cancelled, Expired, Held, Pending, Rejected},
        PaymentStatus, RefundStatus, TicketStatus,
        payment::MAX_ATTEMPTS,
    },
};
use ticket::TicketRow;

use crate::{
    faults::Marker,
    witness::{Seen, Told, Witness, said},
};

impl Witness {
    /// Looks at a commit of the ticket service.
    pub(crate) fn see_bookings(&mut self, seen: Seen<TicketRow>) {
        let bookings_stay = seen.removed.iter().all(|key| key.table == "user");
        self.require(bookings_stay, "durable", || "a row of the ticket service was removed".to_owned());
        let mut due: Vec<(BookingId, Told)> = Vec::new();
        for row in seen.rows {
            match Arc::unwrap_or_clone(row) {
                TicketRow::Booking(booking) => {
                    due.push((booking.id, self.see_booking(booking, seen.at_us)));
                }
                TicketRow::Event(info) => {
                    self.infos.insert(info.id, info);
                }
                TicketRow::User(_) => {}
            }
        }
        for fact in &seen.facts {
            let id = match said(fact).as_ref() {
                Ok(Published::BookingPlaced(fact)) => fact.booking_id,
                Ok(Published::BookingPaid(fact)) => fact.booking_id,
                Ok(Published::BookingCancelled(fact)) => fact.booking_id,
                _ => continue,
            };
            let told = match due.iter_mut().find(|(booking, _)| *booking == id) {
                Some((_, told)) => told,
                None => {
                    due.push((id, Told::default()));
                    &mut due.last_mut().expect("just pushed").1
                }
            };
            self.hear_of_booking(told, said(fact).as_ref(), seen.at_us);
        }
        for (id, told) in due {
            self.require(told == Told::default(), "one fact for each transition", || {
                format!("booking {id}: the commit's facts differ from its changes: {told:?}")
            });
        }
    }

    /// Holds what a fact says against the booking that it is of, as it was committed with it.
    fn hear_of_booking(&mut self, told: &mut Told, fact: &Result<Published, String>, at_us: i64) {
        let says_so = match fact {
            Ok(Published::BookingPlaced(fact)) => {
                told.placed = told.placed.wrapping_sub(1);
                self.bookings.get(&fact.booking_id).is_some_and(|booking| {
                    let lines = booking.lines.iter().map(|line| &line.placed);
                    booking.user_id == fact.user_id
                        && booking.event_id == fact.event_id
                        && lines.eq(fact.lines.iter())
                        && fact.at.micros() == at_us
                })
            }
            Ok(Published::BookingPaid(fact)) => {
                told.paid = told.paid.wrapping_sub(1);
                self.bookings.get(&fact.booking_id).is_some_and(|booking| {
                    booking.captured_payment().is_some_and(|payment| payment.amount == fact.amount)
                        && (booking.user_id, booking.event_id) == (fact.user_id, fact.event_id)
                })
            }
            Ok(Published::BookingCancelled(fact)) => {
                told.cancelled = told.cancelled.wrapping_sub(1);
                let keeps = fact.keeps.iter().map(|line| (line.ticket_type_id, line.quantity)).collect();
                self.cancels.insert((fact.booking_id, fact.cancel_number), (fact.reason, keeps));
                self.bookings.get(&fact.booking_id).is_some_and(|booking| {
                    // Of several in one commit, the last one says how it now is.
                    let is_last = fact.cancel_number == booking.cancel_number;
                    let keeps = if booking.status == Booked { booking.kept_lines() } else { Vec::new() };
                    let is_reason = booking.status == Booked || booking.reason == fact.reason.code();
                    (!is_last || fact.keeps == keeps && is_reason)
                        && fact.cancel_number <= booking.cancel_number
                        && (booking.user_id, booking.event_id) == (fact.user_id, fact.event_id)
                })
            }
            _ => true,
        };
        self.require(says_so, "a fact says what happened", || format!("{fact:?}"));
    }

    /// Looks at one booking; gives the facts that its change must publish.
    fn see_booking(&mut self, booking: Booking, at_us: i64) -> Told {
        for found in booking.violations() {
            self.violate("a sound booking", found);
        }
        let captured = |booking: &Booking| booking.captured_payment().is_some();
        let due = match self.bookings.remove(&booking.id) {
            None => {
                self.order.push(booking.id);
                self.require(booking.status == BookingStatus::Pending, "legal transitions", || {
                    format!("booking {} began as {}", booking.id, booking.status.name())
                });
                Told { placed: 1, ..Told::default() }
            }
            Some(before) => {
                let paid = u32::from(captured(&booking) && !captured(&before));
                let cancelled = booking.cancel_number.wrapping_sub(before.cancel_number);
                self.see_change(&before, &booking, at_us);
                Told { paid, cancelled, ..Told::default() }
            }
        };
        self.bookings.insert(booking.id, booking);
        due
    }

    fn see_change(&mut self, before: &Booking, after: &Booking, at_us: i64) {
        let is_legal = match (before.status, after.status) {
            (Pending, Held | Booked | Rejected | Cancelled) | (Held, Booked | Cancelled | Expired) => true,
            (Booked, Cancelled) => true,
            (from, to) => from == to,
        };
        let names = || format!("booking {}: {} to {}", after.id, before.status.name(), after.status.name());
        self.require(is_legal, "legal transitions", names);
        if matches!(before.status, Rejected | Cancelled | Expired) {
            let mut settled = after.clone();
            settled.refunds.clone_from(&before.refunds);
            if self.erased.contains(&after.user_id) {
                with_names_of(&mut settled, before);
            }
            let no_refund_added = before.refunds.len() == after.refunds.len();
            self.require(settled == *before && no_refund_added, "an end is an end", || {
                format!("booking {} changed after it was {}", after.id, before.status.name())
            });
        }
        let is_same_past = before.payments.len() <= after.payments.len()
            && before.payments.iter().zip(&after.payments).all(|(old, new)| {
                old.id == new.id && (old.status == new.status || old.status == PaymentStatus::Started)
            });
        self.require(is_same_past, "a payment is answered once", || format!("booking {}", after.id));
        let open = after.payments.iter().filter(|p| p.status == PaymentStatus::Started).count();
        self.require(open <= 1, "one payment at a time", || format!("booking {}: {open} open", after.id));
        let has_ended = matches!(after.status, Rejected | Cancelled | Expired);
        self.require(!has_ended || open == 0, "no payment of an ended booking", || {
            format!("booking {} is {} with an open payment", after.id, after.status.name())
        });
        self.check_kept(before, after);
        self.check_cause(before, after, at_us);
        self.check_tickets(before, after);
        self.check_refunds(before, after);
        self.mark_change(before, after, at_us);
    }

    /// What a booking is stays what it is, whatever happens to it.
    fn check_kept(&mut self, before: &Booking, after: &Booking) {
        let kinds = |booking: &Booking| -> Vec<_> {
            booking.lines.iter().map(|line| (line.placed.ticket_type_id, line.placed.quantity)).collect()
        };
        let is_same = (before.user_id, before.event_id, before.created_at)
            == (after.user_id, after.event_id, after.created_at)
            && kinds(before) == kinds(after)
            && before.total.is_none_or(|total| after.total == Some(total))
            && before.expires_at.is_none_or(|end| after.expires_at == Some(end))
            && before.cancel_number <= after.cancel_number;
        self.require(is_same, "a booking stays what it is", || format!("{before:?} became {after:?}"));
        let paid_right = after.payments.iter().all(|payment| Some(payment.amount) == after.total);
        self.require(paid_right && after.payments.len() <= MAX_ATTEMPTS, "payments are of the total", || {
            format!("booking {}: {:?} of {:?}", after.id, after.payments, after.total)
        });
    }

    /// Each state has its cause: what the event service said, the time, the payments, the organiser.
    fn check_cause(&mut self, before: &Booking, after: &Booking, at_us: i64) {
        if before.status == after.status {
            return;
        }
        let id = after.id;
        let lines = || {
            after
                .lines
                .iter()
                .filter_map(|line| Some((line.placed.ticket_type_id, line.placed.quantity, line.unit_price?)))
        };
        let priced = |told: &[PricedLine]| {
            lines().eq(told.iter().map(|line| (line.ticket_type_id, line.quantity, line.unit_price)))
        };
        let starts_at = self.events.get(&after.event_id).map(|event| event.draft.starts_at.micros());
        let is_off =
            self.events.get(&after.event_id).is_some_and(|event| event.status == EventStatus::Cancelled);
        let has_cause = match (after.status, after.reason.as_str()) {
            (Held, _) => self.ledger.held.get(&id).is_some_and(|held| {
                priced(&held.lines)
                    && after.total == Some(held.total)
                    && after.expires_at == Some(held.expires_at)
            }),
            (Booked, _) => self
                .ledger
                .sold
                .get(&id)
                .is_some_and(|sold| priced(&sold.lines) && after.total == Some(sold.total)),
            (Rejected, reason) => self.ledger.refused.get(&id).is_some_and(|why| why == reason),
            (Expired, "expired") => {
                after.expires_at.is_some_and(|end| end.micros() <= at_us)
                    && after.captured_payment().is_none()
            }
            (Cancelled, "payment_failed") => {
                after.payments.len() == MAX_ATTEMPTS
                    && after.payments.iter().all(|payment| payment.status == PaymentStatus::Declined)
            }
            (Cancelled, "event_cancelled") => is_off,
            // A buyer may give back what is not used until the event begins.
            (Cancelled, "buyer") => {
                starts_at.is_none_or(|start| at_us < start)
                    && before.tickets.iter().all(|ticket| ticket.status != TicketStatus::Admitted)
            }
            _ => false,
        };
        self.require(has_cause, "each state has its cause", || {
            format!("booking {id}: {} to {} ({})", before.status.name(), after.status.name(), after.reason)
        });
    }

    fn check_tickets(&mut self, before: &Booking, after: &Booking) {
        let id = after.id;
        if before.tickets.is_empty() {
            let of_kind = |kind| after.tickets.iter().filter(|ticket| ticket.ticket_type_id == kind).count();
            let numbered = after.tickets.iter().zip(1_u16..).all(|(ticket, number)| ticket.number == number);
            let is_each = after.tickets.is_empty()
                || after.lines.iter().all(|l| of_kind(l.placed.ticket_type_id) == l.placed.quantity as usize);
            self.require(numbered && is_each, "a ticket for each place", || format!("{after:?}"));
            return;
        }
        let (is_off, is_erased) = (after.reason == "event_cancelled", self.erased.contains(&after.user_id));
        let is_legal = before.tickets.len() == after.tickets.len()
            && before.tickets.iter().zip(&after.tickets).all(|(old, new)| {
                let may_be = match (old.status, new.status) {
                    (from, to) if from == to => true,
                    (TicketStatus::Valid, _) => true,
                    (TicketStatus::Admitted, TicketStatus::Cancelled) => is_off,
                    _ => false,
                };
                let is_given = new.generation > old.generation;
                // Who it was given to is somebody else, and a buyer who is gone named nobody.
                let is_for = is_given || is_erased || old.attendee == new.attendee;
                may_be
                    && is_for
                    && (old.number, old.ticket_type_id) == (new.number, new.ticket_type_id)
                    && (is_given || (old.holder_id, old.generation) == (new.holder_id, new.generation))
                    && (new.status == TicketStatus::Admitted) <= new.admitted_at.is_some()
                    && (old.admitted_at.is_none() || old.admitted_at == new.admitted_at)
                    && !(is_given && old.status != TicketStatus::Valid)
            });
        self.require(is_legal, "a ticket's life goes one way", || {
            format!("booking {id}: {:?} became {:?}", before.tickets, after.tickets)
        });
    }

    /// What is given back is the price of the tickets that were given back, and of the payment that was made.
    fn check_refunds(&mut self, before: &Booking, after: &Booking) {
        let price = |kind| {
            let line = after.lines.iter().find(|line| line.placed.ticket_type_id == kind);
            line.and_then(|line| line.unit_price).map_or(0, |price| price.minor)
        };
        let gone = |booking: &Booking| -> i64 {
            let gone = booking.tickets.iter().filter(|ticket| ticket.status == TicketStatus::Cancelled);
            gone.map(|ticket| price(ticket.ticket_type_id)).sum()
        };
        let owed = |booking: &Booking| -> i64 { booking.refunds.iter().map(|r| r.amount.minor).sum() };
        // What was paid before any ticket was issued comes back as a whole.
        let is_unissued = after.tickets.is_empty() && before.status == Held && after.status == Cancelled;
        let worth = match after.captured_payment() {
            Some(payment) if is_unissued => payment.amount.minor,
            _ => gone(after) - gone(before),
        };
        let is_exact = owed(after) - owed(before) == worth;
        let paid = after.captured_payment().map(|payment| payment.id);
        let is_of_payment = after.refunds.iter().all(|refund| Some(refund.payment_id) == paid);
        let stays = before.refunds.iter().zip(&after.refunds).all(|(old, new)| {
            (old.id, old.amount) == (new.id, new.amount)
                && (old.status == new.status || old.status == RefundStatus::Due)
        });
        self.require(is_exact && is_of_payment && stays, "a refund is what was given back", || {
            format!("booking {}: {:?} became {:?}", after.id, before.refunds, after.refunds)
        });
    }

    fn mark_change(&mut self, before: &Booking, after: &Booking, at_us: i64) {
        let is_new = |status| after.status == status && before.status != status;
        let refunded = |b: &Booking| b.refunds.iter().filter(|r| r.status == RefundStatus::Refunded).count();
        let admitted = |b: &Booking| b.tickets.iter().filter(|t| t.status == TicketStatus::Admitted).count();
        let captured_now = after.captured_payment().is_some() && before.captured_payment().is_none();
        let is_late = after.expires_at.is_some_and(|end| end.micros() <= at_us);
        let situations = [
            (is_new(BookingStatus::Booked), Marker::Booked),
            (is_new(BookingStatus::Expired), Marker::Expired),
            (is_new(BookingStatus::Rejected) && after.reason == "sold_out", Marker::SoldOut),
            (is_new(BookingStatus::Cancelled) && after.reason == "event_cancelled", Marker::CalledOff),
            (is_new(BookingStatus::Cancelled) && after.reason == "payment_failed", Marker::PaymentFailed),
            (after.status == BookingStatus::Booked && after.cancel_number > 0, Marker::PartialCancel),
            (refunded(after) > refunded(before), Marker::Refunded),
            (admitted(after) > admitted(before), Marker::Admitted),
            (captured_now && is_late, Marker::ExpiryRacingPayment),
        ];
        for (_, marker) in situations.into_iter().filter(|(happened, _)| *happened) {
            self.faults.mark(marker);
        }
    }
}

/// With those who come as they were said before: of a buyer who is gone, that is forgotten also when it has ended.
fn with_names_of(booking: &mut Booking, before: &Booking) {
    booking.attendees.clone_from(&before.attendees);
    for (ticket, was) in booking.tickets.iter_mut().zip(&before.tickets) {
        ticket.attendee.clone_from(&was.attendee);
    }
}
