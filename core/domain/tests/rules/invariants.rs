//! The invariants themselves: rows that are right are not reported, and each way to be wrong is.

use domain::{
    BookingId, Currency, EventId, Money, PaymentId, RefundId, TicketTypeId, Time, UserId,
    event::{
        Event, EventDraft, Hold, HoldState, Inventory, Stock, TicketType, TicketTypeDraft, Venue,
        inventory::{debug_assert_sound, holds_add_up},
    },
    facts::{CancelReason, EventStatus, PricedLine},
    ticket::{
        Booking, BookingStatus, Command, Payment, PaymentStatus, Refund, RefundStatus, TicketStatus,
        decide::EventOff, door, payment::Answer,
    },
};
use uuid::Uuid;

use super::bookings::{Life, NOW, PAYMENT, REFUND, cancel, sold};

fn euros(minor: i64) -> Money {
    Money { currency: Currency::EUR, minor }
}

fn paid_again(booking: &mut Booking) {
    let id = PaymentId(Uuid::from_u128(66));
    booking.payments.push(Payment { id, status: PaymentStatus::Captured, amount: euros(1), created_at: NOW });
}

fn gives_back(booking: &mut Booking, minor: i64) {
    let id = RefundId(Uuid::from_u128(67));
    let refund =
        Refund { id, payment_id: PAYMENT, status: RefundStatus::Due, amount: euros(minor), created_at: NOW };
    booking.refunds.push(refund);
}

#[test]
fn each_way_for_a_booking_to_be_wrong_is_named() {
    type Change = fn(&mut Booking);
    let cases: [(Life, Change, &[&str]); 15] = [
        (Life::placed(2), |_| (), &[]),
        (Life::paid(2), |_| (), &[]),
        (Life::free(2), |_| (), &[]),
        (Life::paid(2).after(&cancel(&[])), |_| (), &[]),
        (Life::paid(2), |booking| gives_back(booking, 1_000), &[]),
        (Life::paid(2), |booking| gives_back(booking, 1_001), &["gives back more than it took"]),
        (Life::paid(2), |booking| drop(booking.tickets.pop()), &["without a ticket for each place"]),
        (Life::paid(2), |booking| booking.payments.clear(), &["was not paid"]),
        (Life::paid(2), paid_again, &["paid more than once"]),
        (
            Life::free(1),
            |booking| booking.tickets[0].status = TicketStatus::Cancelled,
            &["all its tickets are cancelled"],
        ),
        (
            Life::free(1).after(&cancel(&[])),
            |booking| booking.tickets[0].status = TicketStatus::Valid,
            &["has a valid ticket"],
        ),
        (Life::free(1), |booking| booking.status = BookingStatus::Held, &["has tickets and is not booked"]),
        (Life::paid(1).after(&cancel(&[])), |booking| booking.refunds.clear(), &["keeps money"]),
        (
            Life::held(1)
                .after(&Command::StartPayment(PAYMENT))
                .after(&Command::FinishPayment(PAYMENT, Answer::Captured)),
            |booking| booking.status = BookingStatus::Expired,
            &["keeps money"],
        ),
        (Life::held(1), |booking| booking.status = BookingStatus::Expired, &[]),
    ];
    for (index, (life, change, expected)) in cases.into_iter().enumerate() {
        let mut booking = life.booking;
        change(&mut booking);
        let found = booking.violations();
        assert_eq!(found.len(), expected.len(), "{index}: {found:?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.contains(expected) && found.contains(&booking.id.to_string()), "{index}: {found}");
        }
    }
}

const KINDS: [TicketTypeId; 2] = [TicketTypeId(Uuid::from_u128(1)), TicketTypeId(Uuid::from_u128(2))];

/// Two types of ten places each.
fn event(capacity: Option<u32>) -> Event {
    let draft = TicketTypeDraft {
        name: "Seat".to_owned(),
        price: euros(500),
        quantity: 10,
        max_per_booking: None,
        sales_start: None,
        sales_end: None,
        hidden: false,
    };
    Event {
        id: EventId(Uuid::from_u128(100)),
        organizer_id: UserId(Uuid::from_u128(200)),
        status: EventStatus::Published,
        version: 1,
        draft: EventDraft {
            title: "Concert".to_owned(),
            description: String::new(),
            starts_at: NOW,
            ends_at: NOW.plus_seconds(60),
            time_zone: "Europe/Berlin".to_owned(),
            venue: Venue::default(),
            online: true,
            categories: vec![],
            image_url: String::new(),
            website_url: String::new(),
            capacity,
        },
        ticket_types: KINDS.map(|id| TicketType { id, draft: draft.clone() }).to_vec(),
        created_at: NOW,
        updated_at: NOW,
    }
}

fn inventory(taken: [(u32, u32); 2]) -> Inventory {
    let stock = |(id, (held, sold))| Stock { ticket_type_id: id, held, sold };
    let stocks = KINDS.into_iter().zip(taken).map(stock).collect();
    Inventory { event_id: event(None).id, sequence: 1, stocks }
}

#[test]
fn an_event_that_is_oversold_is_named() {
    for (capacity, taken, found) in [
        (None, [(4, 6), (0, 10)], 0),
        (None, [(5, 6), (0, 0)], 1),
        (None, [(5, 6), (11, 0)], 2),
        (Some(12), [(4, 6), (2, 0)], 0),
        (Some(12), [(4, 6), (2, 1)], 1),
        (Some(20), [(0, 11), (0, 10)], 2),
        (Some(0), [(0, 0), (0, 0)], 0),
    ] {
        let (event, inventory) = (event(capacity), inventory(taken));
        let violations = inventory.violations(&event);
        assert_eq!(violations.len(), found, "{capacity:?} {taken:?} {violations:?}");
        assert!(violations.iter().all(|text| text.contains(&event.id.to_string())), "{violations:?}");
        let stops = std::panic::catch_unwind(|| debug_assert_sound(&inventory, &event)).is_err();
        assert_eq!(stops, found > 0 && cfg!(debug_assertions) && !cfg!(feature = "planted"));
    }
}

#[test]
fn what_is_left_is_what_the_type_and_the_shared_capacity_leave() {
    let taken = inventory([(2, 3), (1, 0)]);
    assert_eq!((taken.taken(KINDS[0]), taken.taken(KINDS[1]), taken.taken_in_all()), (5, 1, 6));
    for (capacity, shared, left) in
        [(None, u32::MAX, [5, 9]), (Some(12), 6, [5, 6]), (Some(6), 0, [0, 0]), (Some(1), 0, [0, 0])]
    {
        let event = event(capacity);
        assert_eq!(taken.shared_available(&event), shared, "{capacity:?}");
        assert_eq!(KINDS.map(|id| taken.available(&event, id)), left, "{capacity:?}");
    }
    let unknown = TicketTypeId(Uuid::nil());
    assert_eq!((taken.taken(unknown), taken.available(&event(None), unknown)), (0, 0));
}

#[test]
fn a_new_ticket_type_joins_and_nothing_that_is_taken_is_lost() {
    let mut event = event(None);
    let added = event.ticket_types.pop().unwrap();
    let mut inventory = Inventory::empty(&event);
    assert_eq!((inventory.sequence, inventory.stocks.len(), inventory.taken_in_all()), (1, 1, 0));
    inventory.stocks[0].sold = 3;
    event.ticket_types.push(added);
    inventory.follow(&event);
    assert_eq!((inventory.sequence, inventory.taken(KINDS[0]), inventory.stocks.len()), (2, 3, 2));
    inventory.follow(&event);
    assert_eq!(inventory.sequence, 3);
}

#[test]
fn figures_and_holds_count_the_same_seats() {
    let hold = |state: HoldState, lines: &[(usize, u32)]| Hold {
        booking_id: BookingId::from_bits(1 << 16),
        event_id: event(None).id,
        user_id: UserId(Uuid::from_u128(1)),
        lines: lines
            .iter()
            .map(|(kind, quantity)| PricedLine {
                ticket_type_id: KINDS[*kind],
                quantity: *quantity,
                unit_price: euros(5),
            })
            .collect(),
        state,
        cancel_number: 0,
    };
    let expires_at: Time = NOW;
    let holds = [
        hold(HoldState::Held { expires_at }, &[(0, 2), (1, 1)]),
        hold(HoldState::Sold, &[(0, 3)]),
        hold(HoldState::Sold, &[(0, 1)]),
        hold(HoldState::Released { reason: CancelReason::Buyer }, &[]),
        hold(HoldState::Refused { reason: "sold_out".to_owned() }, &[]),
    ];
    assert_eq!(holds.each_ref().map(Hold::is_live), [true, true, true, false, false]);
    for (taken, found) in [
        ([(2, 4), (1, 0)], 0),
        ([(2, 4), (0, 0)], 1),
        ([(2, 4), (0, 1)], 1),
        ([(4, 2), (1, 0)], 1),
        ([(2, 5), (2, 0)], 2),
    ] {
        assert_eq!(holds_add_up(&inventory(taken), &holds).len(), found, "{taken:?}");
    }
}

#[test]
fn a_stored_booking_says_only_what_there_is() {
    let mut booking = Life::free(1).booking;
    let json = serde_json::to_string(&booking).unwrap();
    assert!(!json.contains("generation") && !json.contains("cancel_number"), "{json}");
    door::transfer(&mut booking.tickets[0], UserId(Uuid::from_u128(8)));
    booking.cancel_number = 1;
    let json = serde_json::to_string(&booking).unwrap();
    assert!(json.contains("\"generation\":1") && json.contains("\"cancel_number\":1"), "{json}");
    assert_eq!(serde_json::from_str::<Booking>(&json).unwrap(), booking);
    use BookingStatus::{Booked, Cancelled, Expired, Held, Pending, Rejected};
    for (status, live) in [
        (Pending, true),
        (Held, true),
        (Booked, true),
        (Rejected, false),
        (Cancelled, false),
        (Expired, false),
    ] {
        assert_eq!(
            (status.is_live(), format!("\"{}\"", status.name())),
            (live, serde_json::to_string(&status).unwrap())
        );
    }
}

#[test]
fn a_free_booking_is_not_looked_for_again() {
    let life = Life::placed(1).after(&sold(1, 0, EventOff::Yes(REFUND)));
    assert_eq!((life.booking.refunds.len(), life.booking.due_at()), (0, None));
}
