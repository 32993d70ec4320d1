//! What must hold of bookings, their money and their facts after every commit of the ticket service.

use std::sync::Arc;

use domain::{
    BookingId,
    ticket::{Booking, BookingStatus, PaymentStatus, RefundStatus, TicketStatus},
};
use ticket::TicketRow;

use crate::{
    faults::Marker,
    witness::{Seen, Told, Witness},
};

impl Witness {
    /// Looks at a commit of the ticket service.
    pub(crate) fn see_bookings(&mut self, seen: Seen<TicketRow>) {
        self.require(seen.removed == 0, "durable", || "a row of the ticket service was removed".to_owned());
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
        for (kind, id) in &seen.facts {
            let told = match due.iter_mut().find(|(booking, _)| booking == id) {
                Some((_, told)) => told,
                None => {
                    due.push((*id, Told::default()));
                    &mut due.last_mut().expect("just pushed").1
                }
            };
            match kind.as_str() {
                "booking.placed" => told.placed = told.placed.wrapping_sub(1),
                "booking.paid" => told.paid = told.paid.wrapping_sub(1),
                _ => told.cancelled = told.cancelled.wrapping_sub(1),
            }
        }
        for (id, told) in due {
            self.require(told == Told::default(), "one fact for each transition", || {
                format!("booking {id}: the commit's facts differ from its changes: {told:?}")
            });
        }
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
        use BookingStatus::{Booked, Cancelled, Expired, Held, Pending, Rejected};
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
        self.mark_change(before, after, at_us);
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
