//! A booking's life in the domain alone: placed, its seats taken, booked.

use anyhow::{Context, ensure};
use domain::{
    BookingId,
    event::{
        Inventory,
        seats::{self, HOLD_SECONDS, Seats},
    },
    facts::Published,
    ticket::{BookingStatus, Command, apply, decide::EventOff},
};

use super::Round;
use crate::world::{self, NOW};

pub fn start() -> anyhow::Result<Round> {
    let event = world::event();
    let mut inventory = Inventory::empty(&event);
    let mut number = 0;
    Ok(Box::new(move || {
        number += 1;
        let id = BookingId::from_bits(number << 16);
        let decision = world::decided(None, &world::place(id))?;
        let booking = apply(None, &decision).context("a placed booking is there")?;
        let Some(Published::BookingPlaced(placed)) = decision.facts.first() else {
            anyhow::bail!("a placed booking is not published");
        };
        let around = Seats {
            event: Some(&event),
            inventory: Some(&inventory),
            hold: None,
            hold_seconds: HOLD_SECONDS,
        };
        let outcome = seats::take(around, placed, NOW).context("seats are taken")?;
        let hold = seats::apply(Some(&mut inventory), None, &outcome);
        ensure!(hold.is_some_and(|hold| hold.is_live()), "the seats are not taken: {outcome:?}");
        let Published::SeatsSold(sold) = outcome else {
            anyhow::bail!("seats that are free of charge are not sold at once: {outcome:?}");
        };
        let decision = world::decided(Some(&booking), &Command::Sold(sold, EventOff::No))?;
        let booked = apply(Some(&booking), &decision);
        ensure!(booked.is_some_and(|booked| booked.status == BookingStatus::Booked), "it is not booked");
        Ok(())
    }))
}
