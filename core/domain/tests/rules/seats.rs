//! Who gets the seats: the decisions of the event service, one by one.

use domain::{
    BookingId, Currency, EventId, Money, TicketTypeId, Time, UserId,
    event::{
        Event, EventDraft, Hold, HoldState, Inventory, TicketType, TicketTypeDraft, Venue,
        inventory::holds_add_up,
        seats::{self, HOLD_SECONDS, Seats},
    },
    facts::{
        BookingCancelled, BookingPaid, BookingPlaced, CancelReason, EventStatus, PlacedLine, Published,
        places,
    },
};
use uuid::Uuid;

const NOW: Time = Time::from_micros(1_800_000_000_000_000);
const FREE: TicketTypeId = TicketTypeId(Uuid::from_u128(1));
const PAID: TicketTypeId = TicketTypeId(Uuid::from_u128(2));

fn ticket_type(id: TicketTypeId, minor: i64, quantity: u32) -> TicketType {
    let draft = TicketTypeDraft {
        name: format!("type {minor}"),
        price: Money { currency: Currency::EUR, minor },
        quantity,
        max_per_booking: None,
        sales_start: None,
        sales_end: None,
        hidden: false,
    };
    TicketType { id, draft }
}

/// A published event with ten free and ten paid places, tomorrow.
fn event() -> Event {
    Event {
        id: EventId(Uuid::from_u128(100)),
        organizer_id: UserId(Uuid::from_u128(200)),
        status: EventStatus::Published,
        version: 1,
        draft: EventDraft {
            title: "Concert".to_owned(),
            description: String::new(),
            starts_at: NOW.plus_seconds(86_400),
            ends_at: NOW.plus_seconds(90_000),
            time_zone: "Europe/Berlin".to_owned(),
            venue: Venue::default(),
            online: true,
            categories: vec![],
            image_url: String::new(),
            website_url: String::new(),
            capacity: None,
        },
        ticket_types: vec![ticket_type(FREE, 0, 10), ticket_type(PAID, 2_050, 10)],
        created_at: NOW,
        updated_at: NOW,
    }
}

/// An event service in miniature: one event, and a hold for each booking.
struct Desk {
    event: Event,
    inventory: Inventory,
    holds: Vec<Hold>,
}

impl Desk {
    fn of(event: Event) -> Self {
        let inventory = Inventory::empty(&event);
        Self { event, inventory, holds: Vec::new() }
    }

    fn hold(&self, booking: u128) -> Option<&Hold> {
        self.holds.iter().find(|hold| hold.booking_id == id(booking))
    }

    fn decide(
        &mut self,
        booking: u128,
        decide: impl FnOnce(Seats<'_>) -> seats::Outcome,
    ) -> Option<Published> {
        let hold = self.hold(booking).cloned();
        let seats = Seats {
            event: Some(&self.event),
            inventory: Some(&self.inventory),
            hold: hold.as_ref(),
            hold_seconds: HOLD_SECONDS,
        };
        let fact = decide(seats)?;
        let after = seats::apply(Some(&mut self.inventory), hold.as_ref(), &fact)
            .expect("a fact of seats has a hold");
        self.holds.retain(|hold| hold.booking_id != after.booking_id);
        self.holds.push(after);
        assert_eq!(self.inventory.violations(&self.event), Vec::<String>::new());
        assert_eq!(holds_add_up(&self.inventory, &self.holds), Vec::<String>::new());
        Some(fact)
    }

    /// Asks for places; what the buyer is told.
    fn take(&mut self, booking: u128, lines: &[(TicketTypeId, u32)]) -> String {
        let fact = self.decide(booking, |seats| seats::take(seats, &placed(booking, lines), NOW));
        match fact {
            Some(Published::SeatsRefused(refused)) => refused.reason,
            Some(fact) => fact.kind().to_owned(),
            None => "nothing".to_owned(),
        }
    }

    fn pay(&mut self, booking: u128) -> Option<Published> {
        let amount = Money { currency: Currency::EUR, minor: 1 };
        let (event_id, user_id) = (self.event.id, UserId(Uuid::from_u128(1)));
        let paid = BookingPaid { booking_id: id(booking), event_id, user_id, amount, at: NOW };
        self.decide(booking, |seats| seats::sell(seats, &paid, NOW))
    }

    fn cancelled(
        &mut self,
        booking: u128,
        cancel_number: u32,
        keeps: &[(TicketTypeId, u32)],
    ) -> Option<Published> {
        let cancelled = BookingCancelled {
            booking_id: id(booking),
            event_id: self.event.id,
            user_id: UserId(Uuid::from_u128(1)),
            reason: CancelReason::Buyer,
            cancel_number,
            keeps: lines(keeps),
            at: NOW,
        };
        self.decide(booking, |seats| seats::release(seats, &cancelled, NOW))
    }

    fn cancel(&mut self, booking: u128, cancel_number: u32, keeps: &[(TicketTypeId, u32)]) -> u32 {
        match self.cancelled(booking, cancel_number, keeps) {
            Some(Published::SeatsReleased(released)) => places(&released.lines),
            _ => 0,
        }
    }

    fn left(&self, kind: TicketTypeId) -> u32 {
        self.inventory.available(&self.event, kind)
    }
}

fn id(booking: u128) -> BookingId {
    BookingId::from_bits(booking << 16)
}

fn lines(lines: &[(TicketTypeId, u32)]) -> Vec<PlacedLine> {
    let line = |(ticket_type_id, quantity): &(TicketTypeId, u32)| PlacedLine {
        ticket_type_id: *ticket_type_id,
        quantity: *quantity,
        seat_ids: vec![],
    };
    lines.iter().map(line).collect()
}

fn placed(booking: u128, wanted: &[(TicketTypeId, u32)]) -> BookingPlaced {
    BookingPlaced {
        booking_id: id(booking),
        event_id: event().id,
        user_id: UserId(Uuid::from_u128(1)),
        lines: lines(wanted),
        promo_code: None,
        at: NOW,
    }
}

#[test]
fn free_places_are_sold_at_once_and_paid_ones_held() {
    let mut desk = Desk::of(event());
    assert_eq!(desk.take(1, &[(FREE, 2)]), "seats.sold");
    assert_eq!(desk.take(2, &[(PAID, 3)]), "seats.held");
    assert_eq!(desk.take(3, &[(FREE, 1), (PAID, 1)]), "seats.held", "one price makes the booking one to pay");
    assert_eq!((desk.left(FREE), desk.left(PAID)), (7, 6));
    assert_eq!(desk.take(4, &[(PAID, 1), (FREE, 1)]), "seats.held", "in whatever order the lines come");
    let until = NOW.plus_seconds(HOLD_SECONDS);
    assert_eq!(HOLD_SECONDS, 900, "a quarter of an hour");
    assert_eq!(desk.hold(2).unwrap().state, HoldState::Held { expires_at: until });
}

#[test]
fn the_last_seat_is_sold_once() {
    let mut desk = Desk::of(event());
    assert_eq!(desk.take(1, &[(FREE, 9)]), "seats.sold");
    assert_eq!(desk.take(2, &[(FREE, 2)]), "sold_out", "one is left, two are wanted, none is given");
    assert_eq!(desk.take(3, &[(FREE, 1)]), "seats.sold");
    assert_eq!(desk.take(4, &[(FREE, 1)]), "sold_out");
    assert_eq!(desk.left(FREE), 0);
}

#[test]
fn a_shared_capacity_holds_over_all_types() {
    let mut desk = Desk::of(Event { draft: EventDraft { capacity: Some(12), ..event().draft }, ..event() });
    assert_eq!(desk.take(1, &[(FREE, 8)]), "seats.sold");
    assert_eq!(desk.left(PAID), 4);
    assert_eq!(desk.take(2, &[(PAID, 5)]), "sold_out");
    assert_eq!(desk.take(3, &[(FREE, 2), (PAID, 3)]), "sold_out", "together they are too many");
    assert_eq!(desk.take(4, &[(FREE, 1), (PAID, 3)]), "seats.held");
    assert_eq!((desk.left(FREE), desk.left(PAID)), (0, 0));
}

#[test]
fn each_reason_to_refuse_has_its_name() {
    let with = |change: fn(&mut Event)| {
        let mut event = event();
        change(&mut event);
        Desk::of(event).take(1, &[(FREE, 2)])
    };
    assert_eq!(with(|event| event.status = EventStatus::Draft), "event_not_published");
    assert_eq!(with(|event| event.status = EventStatus::Cancelled), "event_cancelled");
    assert_eq!(with(|event| event.draft.ends_at = NOW), "event_ended");
    assert_eq!(
        with(|event| event.ticket_types[0].draft.sales_start = Some(NOW.plus_seconds(1))),
        "sales_not_started"
    );
    assert_eq!(with(|event| event.ticket_types[0].draft.sales_end = Some(NOW)), "sales_ended");
    assert_eq!(with(|event| event.ticket_types[0].draft.max_per_booking = Some(1)), "over_limit");
    assert_eq!(with(|event| event.ticket_types.clear()), "unknown_ticket_type");
    assert_eq!(with(|event| event.draft.ends_at = NOW.plus_seconds(1)), "seats.sold", "it has not ended yet");
    assert_eq!(with(|event| event.ticket_types[0].draft.sales_start = Some(NOW)), "seats.sold");
    assert_eq!(with(|event| event.ticket_types[0].draft.max_per_booking = Some(2)), "seats.sold");

    let mut promo = placed(1, &[(FREE, 1)]);
    promo.promo_code = Some("HALF".to_owned());
    let mut numbered = placed(1, &[(FREE, 1)]);
    numbered.lines[0].seat_ids.push("A1".to_owned());
    let (event, inventory) = (event(), Inventory::empty(&event()));
    let seats = Seats { event: Some(&event), inventory: Some(&inventory), hold: None, hold_seconds: 1 };
    assert_eq!(seats::may_take(seats, &promo, NOW), Err("unknown_promo_code"));
    assert_eq!(seats::may_take(seats, &numbered, NOW), Err("no_numbered_seats"));
    let nothing = Seats { event: None, inventory: None, ..seats };
    assert_eq!(seats::may_take(nothing, &placed(1, &[(FREE, 1)]), NOW), Err("event_not_found"));
}

#[test]
fn hearing_a_fact_twice_changes_nothing() {
    let mut desk = Desk::of(event());
    desk.take(1, &[(PAID, 4)]);
    assert_eq!(desk.take(1, &[(PAID, 4)]), "nothing");
    assert!(desk.pay(1).is_some());
    assert!(desk.pay(1).is_none());
    assert_eq!(desk.cancel(1, 1, &[]), 4);
    assert_eq!(desk.cancel(1, 1, &[]), 0);
    assert!(desk.pay(1).is_none(), "what was given back is not sold");
    assert_eq!(desk.left(PAID), 10);
}

#[test]
fn a_part_is_given_back_and_then_the_rest() {
    let mut desk = Desk::of(event());
    desk.take(1, &[(FREE, 3), (PAID, 4)]);
    desk.pay(1);
    assert_eq!(desk.cancel(1, 1, &[(FREE, 3), (PAID, 1)]), 3);
    assert_eq!((desk.left(FREE), desk.left(PAID)), (7, 9));
    assert_eq!(desk.hold(1).unwrap().state, HoldState::Sold);
    assert_eq!(desk.cancel(1, 2, &[]), 4);
    assert_eq!((desk.left(FREE), desk.left(PAID)), (10, 10));
    assert_eq!(desk.cancel(1, 1, &[(FREE, 3)]), 0, "an older cancellation that comes late is over");
}

#[test]
fn a_release_that_comes_before_its_hold_leaves_a_tombstone() {
    let mut desk = Desk::of(event());
    assert_eq!(desk.cancel(1, 1, &[]), 0);
    assert_eq!(desk.take(1, &[(FREE, 2)]), "nothing");
    assert_eq!(desk.left(FREE), 10);
    assert!(!desk.hold(1).unwrap().is_live());
}

#[test]
fn a_refused_booking_has_nothing_to_give_back() {
    let mut desk = Desk::of(event());
    assert_eq!(desk.take(1, &[(FREE, 11)]), "sold_out");
    assert_eq!(desk.cancel(1, 1, &[]), 0);
    assert_eq!(desk.left(FREE), 10);
}

#[test]
fn a_booking_has_its_limit_over_all_types() {
    let kinds = vec![ticket_type(FREE, 0, 100), ticket_type(PAID, 2_050, 100)];
    for (free, paid, told) in
        [(50, 0, "seats.sold"), (51, 0, "over_limit"), (25, 25, "seats.held"), (25, 26, "over_limit")]
    {
        let mut desk = Desk::of(Event { ticket_types: kinds.clone(), ..event() });
        let lines: Vec<_> =
            [(FREE, free), (PAID, paid)].into_iter().filter(|(_, places)| *places > 0).collect();
        assert_eq!(desk.take(1, &lines), told, "{free} {paid}");
    }
}

#[test]
fn a_release_tells_what_came_back_once_and_whether_it_was_sold() {
    let release =
        |desk: &mut Desk, number, keeps: &[(TicketTypeId, u32)]| match desk.cancelled(1, number, keeps) {
            Some(Published::SeatsReleased(fact)) => Some((fact.was_sold, fact.lines.len(), fact.keeps.len())),
            _ => None,
        };
    let mut desk = Desk::of(event());
    desk.take(1, &[(FREE, 3), (PAID, 4)]);
    let before = desk.inventory.sequence;
    assert_eq!(
        release(&mut desk, 1, &[(FREE, 3), (PAID, 1)]),
        Some((false, 1, 2)),
        "nothing of the free ones"
    );
    assert_eq!(release(&mut desk, 1, &[(FREE, 3), (PAID, 1)]), None);
    desk.pay(1);
    assert_eq!(release(&mut desk, 2, &[]), Some((true, 2, 0)));
    assert!(!desk.hold(1).unwrap().is_live(), "what is given back is over");
    assert_eq!(desk.inventory.sequence, before + 3, "each change of the figures is counted");
}
