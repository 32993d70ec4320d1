//! The structs of `domain::facts` and the messages of `facts.proto` are one contract.
#![allow(clippy::unwrap_used, reason = "in a test, what is missing is a failure")]

use bus::Topic;
use domain::{
    BookingId, Currency, Day, EventId, Money, TicketTypeId, Time, UserId,
    facts::{
        BookingCancelled, BookingPaid, BookingPlaced, CancelReason, EventStatus, EventUpserted, EventVisited,
        FeedbackRecorded, Gender, PlacedLine, PricedLine, Published, SeatsHeld, SeatsRefused, SeatsReleased,
        SeatsSold, TicketTypeName, UserErased, UserUpserted,
    },
};
use prost_reflect::{DynamicMessage, SerializeOptions};
use uuid::Uuid;

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number << 16)
}

/// Every kind of fact, with every field filled.
fn samples() -> Vec<Published> {
    let (booking_id, event_id, user_id) = (BookingId(id(1)), EventId(id(2)), UserId(id(3)));
    let ticket_type_id = TicketTypeId(id(4));
    let at = Time::parse("2026-11-22T18:23:00.000001Z").unwrap();
    let money = Money { currency: Currency::EUR, minor: 2050 };
    let placed = vec![PlacedLine { ticket_type_id, quantity: 2, seat_ids: vec!["A1".to_owned()] }];
    let lines = vec![PricedLine { ticket_type_id, quantity: 2, unit_price: money }];
    vec![
        BookingPlaced {
            booking_id,
            event_id,
            user_id,
            lines: placed.clone(),
            promo_code: Some("X".to_owned()),
            at,
        }
        .into(),
        BookingPaid { booking_id, event_id, user_id, amount: money, at }.into(),
        BookingCancelled {
            booking_id,
            event_id,
            user_id,
            reason: CancelReason::PaymentFailed,
            cancel_number: 1,
            keeps: placed,
            at,
        }
        .into(),
        SeatsHeld { booking_id, event_id, user_id, lines: lines.clone(), total: money, expires_at: at, at }
            .into(),
        SeatsSold { booking_id, event_id, user_id, lines: lines.clone(), total: money, at }.into(),
        SeatsRefused { booking_id, event_id, user_id, reason: "sold_out".to_owned(), at }.into(),
        SeatsReleased {
            booking_id,
            event_id,
            user_id,
            reason: CancelReason::Buyer,
            cancel_number: 1,
            lines: lines.clone(),
            keeps: lines,
            was_sold: true,
            at,
        }
        .into(),
        EventVisited { event_id, date: Day::parse("2026-11-22").unwrap(), visits: 7 }.into(),
        UserUpserted {
            user_id,
            name: "Zoë".to_owned(),
            email: "zoe@example.org".to_owned(),
            gender: Some(Gender::Female),
            birth_year: Some(1990),
            version: 2,
        }
        .into(),
        UserErased { user_id }.into(),
        EventUpserted {
            event_id,
            organizer_id: user_id,
            status: EventStatus::Published,
            title: "A".to_owned(),
            starts_at: at,
            ends_at: at,
            time_zone: "UTC".to_owned(),
            place: "B".to_owned(),
            ticket_types: vec![TicketTypeName { id: ticket_type_id, name: "C".to_owned() }],
            version: 1,
        }
        .into(),
        FeedbackRecorded {
            event_id,
            user_id,
            rating: 5,
            edition: 1,
            rating_sum: 9,
            rating_count: 2,
            sequence: 2,
            at,
        }
        .into(),
    ]
}

/// `seats.held` is the message `SeatsHeld`.
fn message_name(kind: &str) -> String {
    let word = |word: &str| word[..1].to_uppercase() + &word[1..];
    format!("boxoffice.v1.facts.{}", kind.split('.').map(word).collect::<String>())
}

#[test]
fn every_fact_is_its_proto_message_and_back() {
    let pool = proto::descriptors();
    let options = SerializeOptions::new().use_proto_field_name(true).stringify_64_bit_integers(false);
    for fact in samples() {
        let descriptor =
            pool.get_message_by_name(&message_name(fact.kind())).expect("each kind has a message");
        let payload = fact.payload().unwrap();
        let mut json = serde_json::Deserializer::from_str(&payload);
        let message = DynamicMessage::deserialize(descriptor.clone(), &mut json)
            .unwrap_or_else(|error| panic!("{}: {error}: {payload}", fact.kind()));
        let all_set = descriptor.fields().all(|field| message.has_field(&field));
        assert!(all_set, "{}: a field of the message is not in the struct: {payload}", fact.kind());
        let back = serde_json::to_string(
            &message.serialize_with_options(serde_json::value::Serializer, &options).unwrap(),
        );
        assert_eq!(Published::read(fact.kind(), &back.unwrap()), Ok(fact));
    }
}

#[test]
fn every_message_of_a_fact_has_a_kind_and_every_topic_is_known() {
    let pool = proto::descriptors();
    let samples = samples();
    let kinds: Vec<String> = samples.iter().map(|fact| message_name(fact.kind())).collect();
    let file = pool.get_file_by_name("boxoffice/v1/facts.proto").expect("the file is there");
    let parts = ["PlacedLine", "PricedLine", "TicketTypeName"];
    for message in file.messages().filter(|message| !parts.contains(&message.name())) {
        assert!(kinds.contains(&message.full_name().to_owned()), "{} has no struct", message.full_name());
    }
    for fact in samples {
        assert!(Topic::from_name(fact.topic()).is_some(), "{} is no topic", fact.topic());
    }
}

#[test]
fn an_unreadable_fact_says_why() {
    assert!(Published::read("booking.eaten", "{}").unwrap_err().contains("unknown kind"));
    assert!(Published::read("seats.held", "{}").unwrap_err().contains("seats.held: missing field"));
}
