//! What is written for a booking: its row, a fact of it, and the message that is answered.

use std::hint::black_box;

use anyhow::ensure;
use domain::{facts::Published, ticket::Booking};
use prost::Message;

use super::Round;
use crate::world;

pub fn state() -> anyhow::Result<Round> {
    let booking = world::booked()?;
    Ok(Box::new(move || {
        let state = store::to_state(black_box(&booking))?;
        let read: Booking = store::from_state(&state).map_err(anyhow::Error::msg)?;
        ensure!(read == booking, "a booking is read as another");
        Ok(())
    }))
}

pub fn fact() -> anyhow::Result<Round> {
    let fact = Published::from(world::sold());
    Ok(Box::new(move || {
        let payload = black_box(&fact).payload()?;
        let read = Published::read(fact.kind(), &payload).map_err(anyhow::Error::msg)?;
        ensure!(read == fact, "a fact is read as another");
        Ok(())
    }))
}

pub fn message() -> anyhow::Result<Round> {
    let message = world::message()?;
    Ok(Box::new(move || {
        let bytes = black_box(&message).encode_to_vec();
        ensure!(black_box(bytes).len() == message.encoded_len(), "a message is not as long as it says");
        Ok(())
    }))
}
