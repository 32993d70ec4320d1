//! Events: what an organiser may write, when it is on sale, and how it is called off.

use std::ops::Range;

use domain::{
    Check, Currency, EventId, Money, TicketTypeId, Time, UserId,
    event::{
        Event, EventDraft, TicketType, TicketTypeDraft, Venue,
        details::{MAX_CATEGORIES, MAX_PER_BOOKING, MAX_PLACES, MAX_TICKET_TYPES, check_types},
    },
    facts::EventStatus,
    money::MAX_MINOR,
};
use uuid::Uuid;

const NOW: Time = Time::from_micros(1_800_000_000_000_000);
/// A hundred years of 366 days.
const LONGEST_SECONDS: i64 = 3_162_240_000;

fn draft() -> EventDraft {
    EventDraft {
        title: "Concert".to_owned(),
        description: String::new(),
        starts_at: NOW,
        ends_at: NOW.plus_seconds(3_600),
        time_zone: "Europe/Berlin".to_owned(),
        venue: Venue {
            name: "Hall".to_owned(),
            city: "Berlin".to_owned(),
            country: "Germany".to_owned(),
            ..Venue::default()
        },
        online: false,
        categories: vec!["Rock".to_owned()],
        image_url: String::new(),
        website_url: String::new(),
        capacity: None,
    }
}

fn kind(name: &str) -> TicketTypeDraft {
    TicketTypeDraft {
        name: name.to_owned(),
        price: Money { currency: Currency::EUR, minor: 0 },
        quantity: 1,
        max_per_booking: None,
        sales_start: None,
        sales_end: None,
        hidden: false,
    }
}

fn event(status: EventStatus) -> Event {
    let kinds = [(1, "Seat"), (2, "Standing")];
    let ticket_types =
        kinds.map(|(id, name)| TicketType { id: TicketTypeId(Uuid::from_u128(id)), draft: kind(name) });
    Event {
        id: EventId(Uuid::from_u128(100)),
        organizer_id: UserId(Uuid::from_u128(200)),
        status,
        version: 3,
        draft: draft(),
        ticket_types: ticket_types.to_vec(),
        created_at: NOW,
        updated_at: NOW,
    }
}

/// The fields that are wrong.
fn fields(rule: impl FnOnce(&mut Check)) -> Vec<String> {
    let mut check = Check::default();
    rule(&mut check);
    let refusal = check.finish().err();
    refusal.map(|refusal| refusal.fields.into_iter().map(|error| error.field).collect()).unwrap_or_default()
}

#[test]
fn an_event_ends_after_it_starts_and_within_a_hundred_years() {
    for (seconds, right) in
        [(-1, false), (0, false), (1, true), (LONGEST_SECONDS, true), (LONGEST_SECONDS + 1, false)]
    {
        let draft = EventDraft { ends_at: NOW.plus_seconds(seconds), ..draft() };
        assert_eq!(fields(|check| draft.check(check)).is_empty(), right, "{seconds}");
    }
}

#[test]
fn every_wrong_field_of_an_event_is_named() {
    assert_eq!(fields(|check| draft().check(check)), Vec::<String>::new());
    let wrong = EventDraft {
        title: String::new(),
        time_zone: "Europe/Atlantis".to_owned(),
        venue: Venue::default(),
        categories: vec!["Rock".to_owned(), "ROCK".to_owned()],
        image_url: "ftp://example.org".to_owned(),
        capacity: Some(0),
        ..draft()
    };
    let expected =
        ["title", "image_url", "time_zone", "venue.city", "venue.country", "categories", "capacity"];
    assert_eq!(fields(|check| wrong.check(check)), expected);
    let online = EventDraft { online: true, venue: Venue::default(), ..draft() };
    assert_eq!(fields(|check| online.check(check)), Vec::<String>::new());
    let categories =
        |count: usize| EventDraft { categories: (0..count).map(|n| format!("c{n}")).collect(), ..draft() };
    assert_eq!(fields(|check| categories(MAX_CATEGORIES).check(check)), Vec::<String>::new());
    assert_eq!(fields(|check| categories(MAX_CATEGORIES + 1).check(check)), ["categories"]);
    for (capacity, right) in [(1, true), (MAX_PLACES, true), (MAX_PLACES + 1, false)] {
        let draft = EventDraft { capacity: Some(capacity), ..draft() };
        assert_eq!(fields(|check| draft.check(check)).is_empty(), right, "{capacity}");
    }
}

#[test]
fn a_ticket_type_is_held_against_its_limits() {
    let wrong = |change: &dyn Fn(&mut TicketTypeDraft)| {
        let mut draft = kind("Seat");
        change(&mut draft);
        fields(|check| draft.check(check, ""))
    };
    assert_eq!(wrong(&|_| ()), Vec::<String>::new());
    assert_eq!(wrong(&|draft| draft.name.clear()), ["name"]);
    let edges = |range: Range<i64>, field: &str, set: &dyn Fn(&mut TicketTypeDraft, i64)| {
        for (value, right) in
            [(range.start - 1, false), (range.start, true), (range.end, true), (range.end + 1, false)]
        {
            let named = wrong(&|draft| set(draft, value));
            assert_eq!(named, if right { vec![] } else { vec![field.to_owned()] }, "{value}");
        }
    };
    edges(0..MAX_MINOR, "price.minor", &|draft, minor| draft.price.minor = minor);
    edges(1..MAX_PLACES.into(), "quantity", &|draft, places| draft.quantity = places as u32);
    edges(1..MAX_PER_BOOKING.into(), "max_per_booking", &|draft, most| {
        draft.max_per_booking = Some(most as u32)
    });
    for (length, right) in [(-1, false), (0, false), (1, true)] {
        let named = wrong(&|draft| {
            (draft.sales_start, draft.sales_end) = (Some(NOW), Some(NOW.plus_seconds(length)));
        });
        assert_eq!(named.is_empty(), right, "{length}");
    }
}

#[test]
fn ticket_types_differ_by_name_and_share_a_currency() {
    let wrong = |types: &[TicketTypeDraft]| fields(|check| check_types(check, types));
    assert_eq!(wrong(&[kind("Seat"), kind("Standing")]), Vec::<String>::new());
    assert_eq!(wrong(&[kind("Seat"), kind("SEAT")]), ["ticket_types"]);
    let mut dollars = kind("Standing");
    dollars.price.currency = Currency::try_from("USD".to_owned()).unwrap();
    assert_eq!(wrong(&[kind("Seat"), dollars]), ["ticket_types"]);
    assert_eq!(wrong(&[kind("Seat"), kind("")]), ["ticket_types[1].name"]);
    let many = |count: usize| (0..count).map(|n| kind(&format!("t{n}"))).collect::<Vec<_>>();
    assert_eq!(wrong(&many(MAX_TICKET_TYPES)), Vec::<String>::new());
    assert_eq!(wrong(&many(MAX_TICKET_TYPES + 1)), ["ticket_types"]);
}

#[test]
fn an_event_is_published_once_and_called_off_once_before_it_is_over() {
    use EventStatus::{Cancelled, Draft, Published};
    let end = NOW.plus_seconds(3_600);
    let code = |result: Result<EventStatus, domain::Refusal>| result.map_err(|refusal| refusal.code);
    for (status, published, cancelled) in [
        (Draft, Ok(Published), Err("event_not_published")),
        (Published, Err("already_published"), Ok(Cancelled)),
        (Cancelled, Err("already_cancelled"), Err("already_cancelled")),
    ] {
        assert_eq!(code(event(status).publish()), published);
        assert_eq!(code(event(status).cancel(end.plus_seconds(-1))), cancelled);
    }
    assert_eq!(code(event(Published).cancel(end)), Err("event_ended"));
    assert_eq!(code(Event { ticket_types: vec![], ..event(Draft) }.publish()), Err("not_publishable"));
}

#[test]
fn the_other_services_are_told_what_they_show() {
    let event = event(EventStatus::Published);
    let told = event.upserted();
    assert_eq!(
        (told.title.as_str(), told.place.as_str(), told.version),
        ("Concert", "Hall, Berlin, Germany", 3)
    );
    assert_eq!(told.ticket_types[1].name, "Standing");
    assert_eq!(event.ticket_type(told.ticket_types[1].id).unwrap().draft.name, "Standing");
    assert_eq!(event.ticket_type(TicketTypeId(Uuid::nil())), None);
    assert_eq!(event.type_drafts(), [kind("Seat"), kind("Standing")]);
}
