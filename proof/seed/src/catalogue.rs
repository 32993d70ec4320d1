//! The events. Their names are of the words that the load generator searches for.

use domain::{
    Currency, EventId, Money, TicketTypeId, Time, UserId,
    event::{Event, EventDraft, TicketType, TicketTypeDraft, Venue},
    facts::EventStatus,
};
use kit::Environment;

use crate::clock::SECONDS_OF_A_DAY;

const CITIES: &[&str] = &[
    "Amsterdam",
    "Berlin",
    "Copenhagen",
    "Dublin",
    "Edinburgh",
    "Florence",
    "Geneva",
    "Hamburg",
    "Innsbruck",
    "Jena",
    "Krakow",
    "Lisbon",
    "Madrid",
    "Naples",
    "Oslo",
    "Prague",
    "Riga",
    "Stockholm",
    "Turin",
    "Vienna",
];
const CATEGORIES: &[&str] = &["music", "theatre", "sport", "science", "food", "film", "dance"];
const WORDS: &[&str] = &[
    "Jazz", "Opera", "Marathon", "Rust", "Cheese", "Western", "Tango", "Brass", "Chamber", "Comedy", "Garden",
];
/// Further words, so that titles differ as they do elsewhere.
const NAMES: &[&str] =
    &["Aurora", "Borealis", "Castle", "Delta", "Ember", "Fjord", "Granite", "Harbour", "Island", "Juniper"];
const DESCRIPTION: &str = "Doors open an hour before it begins. There is a cloakroom, and something to drink. \
    The hall has a loop for hearing aids, and places for wheelchairs: please write to us.\n\n\
    Tickets can be given back until it begins.";

/// Events begin within so many days from now.
const COMING_DAYS: i64 = 700;
/// One event in so many costs money.
const ONE_PAID_OF: u32 = 4;
const PRICE_MINOR: i64 = 2_450;
/// Spreads the events over the coming days: prime, so that neighbours begin far from each other.
const STRIDE: i64 = 7_919;

/// The event with a number, which has places for at least so many.
pub fn event(number: u32, environment: &Environment, organizer_id: UserId, places: u32, now: Time) -> Event {
    let of = |names: &[&'static str]| names[number as usize % names.len()].to_owned();
    let created_at = environment.now();
    let minutes = i64::from(number) * STRIDE % (COMING_DAYS * 24 * 60);
    let starts_at = now.plus_seconds(SECONDS_OF_A_DAY + minutes * 60);
    let venue = Venue {
        name: format!("Hall {}", number % 97),
        address: format!("Long Street {}", number % 211),
        city: of(CITIES),
        country: "Europe".to_owned(),
    };
    Event {
        id: EventId(environment.id()),
        organizer_id,
        status: EventStatus::Published,
        version: 1,
        draft: EventDraft {
            title: format!("{} {number} by {} in {}", of(WORDS), of(NAMES), of(CITIES)),
            description: DESCRIPTION.to_owned(),
            starts_at,
            ends_at: starts_at.plus_seconds(3 * 3_600),
            time_zone: "Europe/Berlin".to_owned(),
            venue,
            online: false,
            categories: vec![of(CATEGORIES)],
            image_url: String::new(),
            website_url: String::new(),
            capacity: None,
        },
        ticket_types: vec![ticket_type(number, environment, places)],
        created_at,
        updated_at: created_at,
    }
}

fn ticket_type(number: u32, environment: &Environment, places: u32) -> TicketType {
    let minor = if number.is_multiple_of(ONE_PAID_OF) { PRICE_MINOR } else { 0 };
    TicketType {
        id: TicketTypeId(environment.id()),
        draft: TicketTypeDraft {
            name: "Admission".to_owned(),
            price: Money { currency: Currency::EUR, minor },
            quantity: places,
            max_per_booking: None,
            sales_start: None,
            sales_end: None,
            hidden: false,
        },
    }
}
