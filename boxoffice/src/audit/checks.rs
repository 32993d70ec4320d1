//! The invariants: those of one service are functions of the domain, those between services are here.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    BookingId, EventId, TicketTypeId,
    analytics::EventStat,
    event::{Hold, HoldState, inventory::holds_add_up},
    facts::{PlacedLine, PricedLine, places},
    notification::{Kind, Notification},
    ticket::{Booking, BookingStatus},
};

use super::scan::{Announced, FeedbackRows, Seats};

type Found = Vec<String>;
type Bookings = BTreeMap<BookingId, Booking>;

/// Never more taken than there is, and the figures count what the holds have.
pub(super) fn seats(seats: &BTreeMap<EventId, Seats>, found: &mut Found) {
    for (id, seats) in seats {
        match &seats.inventory {
            None => found.push(format!("event {id}: has no figures")),
            Some(inventory) => {
                found.extend(inventory.violations(&seats.event));
                found.extend(holds_add_up(inventory, &seats.holds));
            }
        }
    }
}

/// What holds of each booking by itself.
pub(super) fn bookings(bookings: &Bookings, found: &mut Found) {
    found.extend(bookings.values().flat_map(Booking::violations));
}

/// Each booking has exactly the seats that its status says, and no seats belong to nobody.
pub(super) fn bookings_have_their_seats(
    bookings: &Bookings,
    seats: &BTreeMap<EventId, Seats>,
    on_their_way: &BTreeSet<String>,
    found: &mut Found,
) {
    let holds: BTreeMap<BookingId, &Hold> =
        seats.values().flat_map(|seats| &seats.holds).map(|hold| (hold.booking_id, hold)).collect();
    for booking in bookings.values().filter(|booking| !on_their_way.contains(&booking.event_id.to_string())) {
        if let Err(what) = has_its_seats(booking, holds.get(&booking.id).copied()) {
            found.push(format!("booking {}: is {} and {what}", booking.id, booking.status.name()));
        }
    }
    for hold in holds.values().filter(|hold| hold.is_live() && !bookings.contains_key(&hold.booking_id)) {
        found.push(format!("hold of booking {}: there is no such booking", hold.booking_id));
    }
}

fn has_its_seats(booking: &Booking, hold: Option<&Hold>) -> Result<(), String> {
    let state = hold.map(|hold| &hold.state);
    match (booking.status, state) {
        (BookingStatus::Pending, _) => Err("nothing is on its way that would decide it".to_owned()),
        (BookingStatus::Held, Some(HoldState::Held { .. })) => match booking.captured_payment() {
            Some(_) => Err("was paid, and nothing is on its way that would book it".to_owned()),
            None => Ok(()),
        },
        (BookingStatus::Booked, Some(HoldState::Sold)) => {
            let kept = count_placed(&booking.kept_lines());
            let sold = hold.map(|hold| count_priced(&hold.lines)).unwrap_or_default();
            if kept == sold { Ok(()) } else { Err(format!("keeps {kept:?}, its seats are {sold:?}")) }
        }
        (BookingStatus::Held | BookingStatus::Booked, state) => Err(format!("its seats are {state:?}")),
        (_, Some(state @ (HoldState::Held { .. } | HoldState::Sold))) => {
            Err(format!("its seats are {state:?}"))
        }
        _ => Ok(()),
    }
}

fn count_placed(lines: &[PlacedLine]) -> BTreeMap<TicketTypeId, u32> {
    lines.iter().map(|line| (line.ticket_type_id, line.quantity)).collect()
}

fn count_priced(lines: &[PricedLine]) -> BTreeMap<TicketTypeId, u32> {
    lines.iter().map(|line| (line.ticket_type_id, line.quantity)).collect()
}

/// Each transition of a booking was told to the others exactly once, as far as facts are kept.
pub(super) fn transitions_are_published(bookings: &Bookings, announced: &Announced, found: &mut Found) {
    for booking in bookings.values() {
        let told = announced.told.get(&booking.id).copied().unwrap_or_default();
        let paid = u32::from(booking.captured_payment().is_some());
        let expected = (1, paid, booking.cancel_number);
        // That it was placed is the first that is told of it, so what follows is kept as long as that is.
        let may_be_trimmed = announced.trimmed_us.is_some_and(|us| booking.created_at.micros() <= us);
        let is_right = if told.placed == 0 && may_be_trimmed {
            told.paid <= paid && told.cancelled <= booking.cancel_number
        } else {
            (told.placed, told.paid, told.cancelled) == expected
        };
        if !is_right {
            found.push(format!(
                "booking {}: placed, paid and cancelled were told {:?} times, not {expected:?}",
                booking.id,
                (told.placed, told.paid, told.cancelled)
            ));
        }
    }
    for id in announced.told.keys().filter(|id| !bookings.contains_key(id)) {
        found.push(format!("booking {id}: was told to the others and is not there"));
    }
}

/// Exactly one record for each status that matters to the buyer.
pub(super) fn buyers_were_told(
    bookings: &Bookings,
    notified: &[Notification],
    on_their_way: &BTreeSet<String>,
    found: &mut Found,
) {
    let mut seen: BTreeSet<(BookingId, &str)> = BTreeSet::new();
    for notification in notified {
        if !seen.insert((notification.booking_id, notification.kind.name())) {
            found.push(format!(
                "booking {}: has two records of {}",
                notification.booking_id,
                notification.kind.name()
            ));
        }
    }
    // The records of a user who erased their account are gone with it.
    let known: BTreeSet<_> = notified.iter().map(|notification| notification.user_id).collect();
    for booking in bookings.values() {
        let is_quiet = !on_their_way.contains(&booking.event_id.to_string());
        let expected = match booking.status {
            BookingStatus::Booked => Kind::Booked,
            BookingStatus::Rejected => Kind::Refused,
            BookingStatus::Cancelled => Kind::Cancelled,
            BookingStatus::Expired => Kind::Expired,
            BookingStatus::Pending | BookingStatus::Held => continue,
        };
        if is_quiet && known.contains(&booking.user_id) && !seen.contains(&(booking.id, expected.name())) {
            found.push(format!("booking {}: no record of {}", booking.id, expected.name()));
        }
    }
}

/// An event's rating figures are the sum of its ratings.
pub(super) fn ratings_add_up(feedback: &FeedbackRows, found: &mut Found) {
    let mut sums: BTreeMap<EventId, (u64, u64)> = BTreeMap::new();
    for rating in &feedback.ratings {
        let (sum, count) = sums.entry(rating.event_id).or_default();
        *sum += u64::from(rating.rating);
        *count += 1;
    }
    for summary in &feedback.summaries {
        let expected = sums.remove(&summary.event_id).unwrap_or_default();
        if expected != (summary.sum, summary.count) {
            let (sum, count) = (summary.sum, summary.count);
            found.push(format!(
                "ratings of event {}: say {sum} in {count}, not {expected:?}",
                summary.event_id
            ));
        }
    }
    found.extend(sums.keys().map(|id| format!("ratings of event {id}: have no summary")));
}

/// Nobody rated an event whose tickets they never had.
pub(super) fn ratings_are_of_ticket_holders(
    feedback: &FeedbackRows,
    on_their_way: &BTreeSet<String>,
    found: &mut Found,
) {
    let had: BTreeSet<_> = feedback.holdings.iter().filter_map(|h| Some((h.event_id, h.user_id?))).collect();
    for rating in
        feedback.ratings.iter().filter(|rating| !on_their_way.contains(&rating.event_id.to_string()))
    {
        if rating.user_id.is_some_and(|user| !had.contains(&(rating.event_id, user))) {
            found.push(format!("rating {}: is by somebody without a ticket", rating.feedback_id.0));
        }
    }
}

/// What analytics counts as booked less cancelled is what the event service has sold.
pub(super) fn figures_equal_the_ledger(
    figures: &BTreeMap<EventId, EventStat>,
    seats: &BTreeMap<EventId, Seats>,
    on_their_way: &BTreeSet<String>,
    found: &mut Found,
) {
    for (id, seats) in seats.iter().filter(|(id, _)| !on_their_way.contains(&id.to_string())) {
        let sold_holds = seats.holds.iter().filter(|hold| hold.state == HoldState::Sold);
        let sold: u64 = sold_holds.clone().map(|hold| u64::from(places(&hold.lines))).sum();
        let (booked, cancelled) = figures.get(id).map_or((0, 0), |stat| (stat.booked, stat.cancelled));
        if booked.checked_sub(cancelled) != Some(sold) {
            found.push(format!(
                "figures of event {id}: {booked} booked less {cancelled} cancelled is not {sold} sold"
            ));
        }
        let mut worth: BTreeMap<_, i64> = BTreeMap::new();
        for line in sold_holds.flat_map(|hold| &hold.lines) {
            *worth.entry(line.unit_price.currency).or_default() +=
                line.unit_price.minor * i64::from(line.quantity);
        }
        let mut counted = figures.get(id).map(|stat| stat.revenue.clone()).unwrap_or_default();
        worth.retain(|_, minor| *minor != 0);
        counted.retain(|_, minor| *minor != 0);
        if worth != counted {
            found.push(format!(
                "figures of event {id}: revenue {counted:?}, the seats sold are worth {worth:?}"
            ));
        }
    }
}
