//! **Whether a seat may be taken is decided here**, in [`may_take`].
//!
//! ```text
//!   booking.placed --> take --> seats.sold (free of charge) | seats.held | seats.refused
//!   booking.paid   --> sell --> seats.sold
//!   booking.cancelled --> release --> seats.released
//! ```
//!
//! Each decision looks at the hold of its own booking first, so hearing a fact twice, or after the
//! fact that undoes it, changes nothing.

use crate::{
    event::{
        details::{Event, MAX_PER_BOOKING},
        inventory::{Hold, HoldState, Inventory},
    },
    facts::{
        BookingCancelled, BookingPaid, BookingPlaced, EventStatus, PlacedLine, PricedLine, Published,
        SeatsHeld, SeatsRefused, SeatsReleased, SeatsSold,
    },
    money::{Currency, Money},
    planted::{Defect, planted},
    time::Time,
};

/// How long seats are held for payment, in seconds.
pub const HOLD_SECONDS: i64 = 15 * 60;

/// What the decisions look at.
#[derive(Debug, Clone, Copy)]
pub struct Seats<'a> {
    /// The event; none when nobody knows it.
    pub event: Option<&'a Event>,
    /// What is taken of it.
    pub inventory: Option<&'a Inventory>,
    /// What the booking has.
    pub hold: Option<&'a Hold>,
    /// How long a hold lasts, in seconds.
    pub hold_seconds: i64,
}

/// What became of the seats; `None` when nothing changed.
pub type Outcome = Option<Published>;

/// Takes seats for a booking: sold at once when free of charge, else held, else refused.
#[must_use]
pub fn take(seats: Seats<'_>, placed: &BookingPlaced, now: Time) -> Outcome {
    if seats.hold.is_some() && !planted(Defect::RebookPendingTakesAgain) {
        return None;
    }
    let (booking_id, event_id, user_id, at) = (placed.booking_id, placed.event_id, placed.user_id, now);
    let outcome = match may_take(seats, placed, now) {
        Err(reason) => SeatsRefused { booking_id, event_id, user_id, reason: reason.to_owned(), at }.into(),
        Ok((lines, total)) if total.is_zero() => {
            SeatsSold { booking_id, event_id, user_id, lines, total, at }.into()
        }
        Ok((lines, total)) => {
            let times = if planted(Defect::HoldLastsTwice) { 2 } else { 1 };
            let expires_at = now.plus_seconds(seats.hold_seconds * times);
            SeatsHeld { booking_id, event_id, user_id, lines, total, expires_at, at }.into()
        }
    };
    Some(outcome)
}

/// Whether these seats may be taken now, and at what price; else why not.
///
/// # Errors
/// The reason, as a stable code.
pub fn may_take(
    seats: Seats<'_>,
    placed: &BookingPlaced,
    now: Time,
) -> Result<(Vec<PricedLine>, Money), &'static str> {
    let event = seats.event.ok_or("event_not_found")?;
    let inventory = seats.inventory.ok_or("event_not_found")?;
    match event.status {
        EventStatus::Published => {}
        EventStatus::Draft => return Err("event_not_published"),
        EventStatus::Cancelled if planted(Defect::CancelledEventSells) => {}
        EventStatus::Cancelled => return Err("event_cancelled"),
    }
    if event.draft.ends_at <= now {
        return Err("event_ended");
    }
    if placed.promo_code.is_some() {
        return Err("unknown_promo_code");
    }
    let mut lines = Vec::with_capacity(placed.lines.len());
    let mut total: Option<Money> = None;
    let mut wanted_in_all = 0_u32;
    for line in &placed.lines {
        let unit_price = may_take_line(event, inventory, line, now)?;
        let price = unit_price.times(line.quantity).ok_or("over_limit")?;
        total = Some(match total {
            Some(_) if planted(Defect::LastLinePriced) => price,
            Some(sum) => sum.plus(price).ok_or("mixed_currencies")?,
            None => price,
        });
        wanted_in_all = wanted_in_all.saturating_add(line.quantity);
        lines.push(PricedLine { ticket_type_id: line.ticket_type_id, quantity: line.quantity, unit_price });
    }
    if wanted_in_all > MAX_PER_BOOKING {
        return Err("over_limit");
    }
    // The lines are of different types, so what they share is only the capacity of the event.
    if wanted_in_all > inventory.shared_available(event) && !planted(Defect::SharedCapacityIgnored) {
        return Err("sold_out");
    }
    Ok((lines, total.unwrap_or(Money::zero(Currency::EUR))))
}

/// Whether the places of one line may be taken now; the price of one.
fn may_take_line(
    event: &Event,
    inventory: &Inventory,
    line: &PlacedLine,
    now: Time,
) -> Result<Money, &'static str> {
    let kind = &event.ticket_type(line.ticket_type_id).ok_or("unknown_ticket_type")?.draft;
    if !line.seat_ids.is_empty() {
        return Err("no_numbered_seats");
    }
    if kind.sales_start.is_some_and(|start| now < start) && !planted(Defect::SalesStartIgnored) {
        return Err("sales_not_started");
    }
    if kind.sales_end.is_some_and(|end| end <= now) && !planted(Defect::SalesEndIgnored) {
        return Err("sales_ended");
    }
    if line.quantity > kind.max_per_booking.unwrap_or(MAX_PER_BOOKING) && !planted(Defect::LimitIgnored) {
        return Err("over_limit");
    }
    // The line that decides: there must be as many places left as are wanted.
    let wanted = line.quantity + u32::from(planted(Defect::LastSeatRefused));
    if wanted > kind.quantity.saturating_sub(inventory.taken(line.ticket_type_id)) {
        return Err("sold_out");
    }
    Ok(kind.price)
}

/// Sells what a booking holds. It never needs a free seat: the booking has its seats already.
#[must_use]
pub fn sell(seats: Seats<'_>, paid: &BookingPaid, now: Time) -> Outcome {
    let hold = seats.hold?;
    let may_sell = match hold.state {
        HoldState::Held { .. } => true,
        HoldState::Sold => planted(Defect::HoldSoldTwice),
        HoldState::Released { .. } => planted(Defect::PaidTakesAgain),
        HoldState::Refused { .. } => false,
    };
    let sold = SeatsSold {
        booking_id: paid.booking_id,
        event_id: paid.event_id,
        user_id: paid.user_id,
        lines: hold.lines.clone(),
        total: paid.amount,
        at: now,
    };
    may_sell.then(|| sold.into())
}

/// Gives back what a booking has beyond what it keeps: exactly that, and once.
#[must_use]
pub fn release(seats: Seats<'_>, cancelled: &BookingCancelled, now: Time) -> Outcome {
    let mut released = SeatsReleased {
        booking_id: cancelled.booking_id,
        event_id: cancelled.event_id,
        user_id: cancelled.user_id,
        reason: cancelled.reason,
        cancel_number: cancelled.cancel_number,
        lines: Vec::new(),
        keeps: Vec::new(),
        was_sold: false,
        at: now,
    };
    let Some(hold) = seats.hold else {
        // The release came before its hold: the fact still says so, and `apply` leaves a tombstone.
        return (!planted(Defect::NoTombstone)).then(|| released.into());
    };
    let is_new = cancelled.cancel_number > hold.cancel_number || planted(Defect::CancelTwiceReleasesTwice);
    if !is_new || !hold.is_live() {
        return None;
    }
    released.was_sold = hold.state == HoldState::Sold && !planted(Defect::ReturnOfSoldUnmarked);
    for line in &hold.lines {
        let kept = kept_of(&cancelled.keeps, line);
        let part = |quantity| PricedLine { quantity, ..line.clone() };
        released.lines.extend((line.quantity > kept).then(|| part(line.quantity - kept)));
        released.keeps.extend((kept > 0).then(|| part(kept)));
    }
    Some(released.into())
}

fn kept_of(keeps: &[PlacedLine], line: &PricedLine) -> u32 {
    if planted(Defect::PartialCancelReleasesAll) {
        return 0;
    }
    let kept = keeps.iter().find(|keep| keep.ticket_type_id == line.ticket_type_id);
    kept.map_or(0, |keep| keep.quantity.min(line.quantity))
}

/// The figures and the hold after a fact of this module. An inventory is changed by a hold only.
pub fn apply(inventory: Option<&mut Inventory>, hold: Option<&Hold>, fact: &Published) -> Option<Hold> {
    let before =
        hold.filter(|hold| hold.is_live() && !counts_again(hold, fact)).map_or(&[][..], |hold| &hold.lines);
    let was_sold = hold.is_some_and(|hold| hold.state == HoldState::Sold);
    let after = match fact {
        Published::SeatsHeld(held) => Hold {
            booking_id: held.booking_id,
            event_id: held.event_id,
            user_id: held.user_id,
            lines: held.lines.clone(),
            state: HoldState::Held { expires_at: held.expires_at },
            cancel_number: 0,
        },
        Published::SeatsSold(sold) => Hold {
            booking_id: sold.booking_id,
            event_id: sold.event_id,
            user_id: sold.user_id,
            lines: sold.lines.clone(),
            state: HoldState::Sold,
            cancel_number: hold.map_or(0, |hold| hold.cancel_number),
        },
        Published::SeatsRefused(refused) => Hold {
            booking_id: refused.booking_id,
            event_id: refused.event_id,
            user_id: refused.user_id,
            lines: Vec::new(),
            state: HoldState::Refused { reason: refused.reason.clone() },
            cancel_number: 0,
        },
        Published::SeatsReleased(released) => Hold {
            booking_id: released.booking_id,
            event_id: released.event_id,
            user_id: released.user_id,
            lines: released.keeps.clone(),
            state: state_after_release(hold, released),
            cancel_number: released.cancel_number,
        },
        _ => return None,
    };
    if let Some(inventory) = inventory {
        move_seats(inventory, before, was_sold && !planted(Defect::ReleaseForgetsSold), &after);
    }
    if planted(Defect::CancelTwiceReleasesTwice) && matches!(fact, Published::SeatsReleased(_)) {
        return hold.cloned();
    }
    Some(after)
}

/// Two planted defects: seats that the booking has already are counted once more.
fn counts_again(hold: &Hold, fact: &Published) -> bool {
    let again = planted(Defect::RebookPendingTakesAgain) || planted(Defect::HoldSoldTwice);
    again
        && match fact {
            Published::SeatsHeld(_) => true,
            Published::SeatsSold(_) => hold.state == HoldState::Sold,
            _ => false,
        }
}

fn state_after_release(hold: Option<&Hold>, released: &SeatsReleased) -> HoldState {
    match hold {
        Some(hold) if !released.keeps.is_empty() => hold.state.clone(),
        _ => HoldState::Released { reason: released.reason },
    }
}

/// Takes a booking's former seats out of the figures and puts its present ones in.
fn move_seats(inventory: &mut Inventory, before: &[PricedLine], was_sold: bool, after: &Hold) {
    let mut changed = false;
    for line in before {
        if let Some(stock) = inventory.stocks.iter_mut().find(|s| s.ticket_type_id == line.ticket_type_id) {
            let count = if was_sold { &mut stock.sold } else { &mut stock.held };
            *count = count.saturating_sub(line.quantity);
            changed = true;
        }
    }
    if after.is_live() {
        for line in &after.lines {
            if let Some(stock) = inventory.stocks.iter_mut().find(|s| s.ticket_type_id == line.ticket_type_id)
            {
                let is_sold = after.state == HoldState::Sold;
                let count = if is_sold { &mut stock.sold } else { &mut stock.held };
                *count = count.saturating_add(line.quantity);
                changed = true;
            }
        }
    }
    inventory.sequence += u64::from(changed);
}
