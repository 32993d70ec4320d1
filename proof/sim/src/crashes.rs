//! The steps of a booking's life, and where around them a process may die.
//!
//! ```text
//!   load, decide --> commit --> relay publishes --> relay notes that --> the next service hears it, and commits
//!                 ^          ^                   ^                                               ^
//!                 before     after               published, not yet noted                        before, of its step
//! ```
//!
//! What a consumer does and where it then is are one commit, so dying between a fact and its position is dying before
//! the commit of the step that the fact leads to.

use domain::{
    event::{Hold, HoldState},
    facts::{CancelReason, Published},
    ticket::{
        Booking,
        BookingStatus::{Booked, Cancelled, Expired, Held, Pending, Rejected},
        PaymentStatus, RefundStatus, TicketStatus,
    },
};

use crate::faults::counted;

counted! {
    /// A step in the life of a booking, at the ticket service or at the event service.
    Transition {
        /// A booking is there.
        Placed "booking placed",
        /// Its seats are set aside.
        Held "booking pending to held",
        /// It costs nothing, and has its tickets.
        BookedAtOnce "booking pending to booked",
        /// There were no seats.
        Rejected "booking pending to rejected",
        /// It is about to be paid.
        PaymentStarted "payment started",
        /// A payment was declined.
        PaymentDeclined "payment declined",
        /// It is paid.
        Paid "payment captured",
        /// It has its tickets.
        Booked "booking held to booked",
        /// It was not paid in time.
        Expired "booking held to expired",
        /// It ended before it had seats.
        PendingCancelled "booking pending to cancelled",
        /// It ended before it had tickets.
        HeldCancelled "booking held to cancelled",
        /// All its tickets were given back.
        BookedCancelled "booking booked to cancelled",
        /// Some of its tickets were given back.
        PartCancelled "some tickets given back",
        /// Money was given back.
        Refunded "refund paid",
        /// A ticket admitted.
        Admitted "ticket admitted",
        /// A ticket has another holder.
        GivenAway "ticket given away",
        /// Seats are set aside.
        SeatsHeld "seats held",
        /// Seats that cost nothing are sold.
        SeatsSoldAtOnce "seats sold at once",
        /// Seats that were set aside are sold.
        SeatsSold "held seats sold",
        /// There are none.
        SeatsRefused "seats refused",
        /// Seats that were set aside come back.
        HeldReleased "held seats released",
        /// All seats that were sold come back.
        SoldReleased "sold seats released",
        /// Some seats that were sold come back.
        PartReleased "some sold seats released",
        /// A release is heard before its booking.
        EarlyRelease "release before its hold",
    }
}

counted! {
    /// Where a process dies.
    CrashPoint {
        /// Everything is decided, and nothing is done.
        BeforeCommit "before the commit",
        /// It is done; nobody was answered, and where the log is elsewhere nothing is published.
        AfterCommit "after the commit",
        /// Its fact is on the log, and the relay has not noted that.
        Published "published, not noted",
        /// The provider has answered, and nobody has noted that.
        AtProvider "answered by the provider, not noted",
    }
}

impl CrashPoint {
    /// Whether a process can die here around this step.
    #[must_use]
    pub fn is_of(self, transition: Transition) -> bool {
        use Transition as T;
        match self {
            Self::BeforeCommit | Self::AfterCommit => true,
            // These publish nothing.
            Self::Published => !matches!(
                transition,
                T::Held
                    | T::BookedAtOnce
                    | T::Rejected
                    | T::PaymentStarted
                    | T::PaymentDeclined
                    | T::Booked
                    | T::Refunded
                    | T::Admitted
                    | T::GivenAway
            ),
            Self::AtProvider => matches!(transition, T::Paid | T::PaymentDeclined | T::Refunded),
        }
    }
}

/// Every place around every step at which a process can die.
pub fn places() -> impl Iterator<Item = (Transition, CrashPoint)> {
    let points = |transition: &'static Transition| {
        let of = CrashPoint::ALL.iter().filter(move |point| point.is_of(*transition));
        of.map(move |point| (*transition, *point))
    };
    Transition::ALL.iter().flat_map(points)
}

/// The steps of a booking between two commits.
pub(crate) fn of_booking(before: Option<&Booking>, after: &Booking, found: &mut Vec<Transition>) {
    let Some(before) = before else { return found.push(Transition::Placed) };
    let payments = |booking: &Booking, status| booking.payments.iter().filter(|p| p.status == status).count();
    let is_more = |count: fn(&Booking) -> usize| count(after) > count(before);
    let status = match (before.status, after.status) {
        (Pending, Held) => Some(Transition::Held),
        (Pending, Booked) => Some(Transition::BookedAtOnce),
        (Pending, Rejected) => Some(Transition::Rejected),
        (Held, Booked) => Some(Transition::Booked),
        (Held, Expired) => Some(Transition::Expired),
        (Pending, Cancelled) => Some(Transition::PendingCancelled),
        (Held, Cancelled) => Some(Transition::HeldCancelled),
        (Booked, Cancelled) => Some(Transition::BookedCancelled),
        (Booked, Booked) if after.cancel_number > before.cancel_number => Some(Transition::PartCancelled),
        _ => None,
    };
    let is_more_of = |status| payments(after, status) > payments(before, status);
    let others = [
        (is_more(|booking| booking.payments.len()), Transition::PaymentStarted),
        (is_more_of(PaymentStatus::Declined), Transition::PaymentDeclined),
        (is_more_of(PaymentStatus::Captured), Transition::Paid),
        (is_more(refunded), Transition::Refunded),
        (is_more(admitted), Transition::Admitted),
        (is_more(given_away), Transition::GivenAway),
    ];
    found.extend(status);
    found.extend(others.into_iter().filter(|(happened, _)| *happened).map(|(_, transition)| transition));
}

fn refunded(booking: &Booking) -> usize {
    booking.refunds.iter().filter(|refund| refund.status == RefundStatus::Refunded).count()
}

fn admitted(booking: &Booking) -> usize {
    booking.tickets.iter().filter(|ticket| ticket.status == TicketStatus::Admitted).count()
}

fn given_away(booking: &Booking) -> usize {
    booking.tickets.iter().map(|ticket| ticket.generation as usize).sum()
}

/// The step of a hold between two commits.
pub(crate) fn of_hold(before: Option<&Hold>, after: &Hold) -> Option<Transition> {
    match (before.map(|before| &before.state), &after.state) {
        (None, HoldState::Held { .. }) => Some(Transition::SeatsHeld),
        (None, HoldState::Sold) => Some(Transition::SeatsSoldAtOnce),
        (None, HoldState::Refused { .. }) => Some(Transition::SeatsRefused),
        (None, HoldState::Released { .. }) => Some(Transition::EarlyRelease),
        (Some(HoldState::Held { .. }), HoldState::Sold) => Some(Transition::SeatsSold),
        (Some(HoldState::Held { .. }), HoldState::Released { .. }) => Some(Transition::HeldReleased),
        (Some(HoldState::Sold), HoldState::Released { .. }) => Some(Transition::SoldReleased),
        (Some(HoldState::Sold), HoldState::Sold) => Some(Transition::PartReleased),
        _ => None,
    }
}

/// The step that a fact tells of; `booking` is the one it is about, as it is by now.
pub(crate) fn of_fact(fact: &Published, booking: Option<&Booking>) -> Option<Transition> {
    match fact {
        Published::BookingPlaced(_) => Some(Transition::Placed),
        Published::BookingPaid(_) => Some(Transition::Paid),
        Published::BookingCancelled(fact) if !fact.keeps.is_empty() => Some(Transition::PartCancelled),
        Published::BookingCancelled(fact) if fact.reason == CancelReason::Expired => {
            Some(Transition::Expired)
        }
        // An ended booking stays as it was: with tickets if it had any, with a price if it had seats.
        Published::BookingCancelled(_) => {
            booking.map(|booking| match (booking.tickets.len(), booking.total) {
                (0, None) => Transition::PendingCancelled,
                (0, Some(_)) => Transition::HeldCancelled,
                _ => Transition::BookedCancelled,
            })
        }
        Published::SeatsHeld(_) => Some(Transition::SeatsHeld),
        Published::SeatsSold(fact) if fact.total.is_zero() => Some(Transition::SeatsSoldAtOnce),
        Published::SeatsSold(_) => Some(Transition::SeatsSold),
        Published::SeatsRefused(_) => Some(Transition::SeatsRefused),
        Published::SeatsReleased(fact) => Some(match (fact.was_sold, fact.keeps.is_empty()) {
            (true, true) => Transition::SoldReleased,
            (true, false) => Transition::PartReleased,
            (false, _) if fact.lines.is_empty() => Transition::EarlyRelease,
            (false, _) => Transition::HeldReleased,
        }),
        _ => None,
    }
}
