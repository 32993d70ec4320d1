//! The sales: each booking goes through the decisions of the saga, and what the services keep of it is noted.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use analytics::AnalyticsRow;
use anyhow::{Context, bail};
use bus::Fact;
use domain::{
    BookingId, Day, EventId, PaymentId, Time,
    analytics::{BookingStat, DayStat, EventStat},
    event::{Event, Hold, Inventory, seats},
    facts::{BookingPlaced, PlacedLine, Published, SeatsSold},
    feedback::{Holding, RatedEvent},
    notification::{Notification, Occasion, Outcome},
    ticket::{Booking, Command, apply, decide, decide::EventOff, payment::Answer},
};
use event::EventRow;
use feedback::FeedbackRow;
use kit::Environment;
use notification::NotificationRow;
use ticket::{EventInfo, TicketRow};

use crate::{catalogue, clock::SeedClock, facts::fact, people::People, writer::Round};

/// An event has so many places more than are sold.
const SPARE_PLACES: u64 = 100;

/// Everything that is sold.
pub struct Sales<'a> {
    pub people: &'a People,
    pub clock: &'a SeedClock,
    pub bookings: u64,
    pub events: u32,
    pub per_booking: u32,
    pub first_sale: Time,
    pub now: Time,
    /// Facts from before are no longer kept.
    pub keep_since: Time,
}

/// One booking that is BOOKED, with all that was said on the way.
struct Sold {
    booking: Booking,
    hold: Hold,
    sold: SeatsSold,
    /// Of the ticket service.
    placed_and_paid: Vec<Published>,
    /// Of the event service.
    held_and_sold: Vec<Published>,
}

impl Sales<'_> {
    /// Some events with all their bookings.
    pub fn of_events(&mut self, numbers: Range<u32>) -> anyhow::Result<Round> {
        let mut round = Round::default();
        for number in numbers {
            self.of_event(number, &mut round)?;
        }
        Ok(round)
    }

    fn of_event(&self, number: u32, round: &mut Round) -> anyhow::Result<()> {
        let environment = self.clock.environment();
        let first = self.bookings * u64::from(number) / u64::from(self.events);
        let end = self.bookings * (u64::from(number) + 1) / u64::from(self.events);
        self.clock.set(self.time_of(first).plus_seconds(-1));
        let places = (end - first) * u64::from(self.per_booking) + SPARE_PLACES;
        let organizer = self.people.organizer(number);
        let event = catalogue::event(number, &environment, organizer, u32::try_from(places)?, self.now);
        let told = event.upserted();
        round.event_facts.push(fact("event", &environment, event.created_at, &told.clone().into())?);
        let mut inventory = Inventory::empty(&event);
        let mut figures = EventStat::unheard(event.id).after_upsert(&told);
        let mut days: BTreeMap<Day, DayStat> = BTreeMap::new();
        for booking in first..end {
            let at = self.time_of(booking);
            self.clock.set(at);
            let sold = self.sell(booking, &event, &mut inventory, &environment)?;
            self.tell(booking, &sold, &environment, round)?;
            note_sale(&event, sold, &mut figures, &mut days, round)?;
        }
        round.ticket.push(TicketRow::Event(info(&event)));
        round.feedback.push(FeedbackRow::Event(RatedEvent::from(&told)));
        round.notification.push(NotificationRow::Event(Occasion::from(&told)));
        round.analytics.push(AnalyticsRow::Event(figures));
        round.analytics.extend(days.into_values().map(AnalyticsRow::Day));
        round.event.extend([EventRow::Event(event), EventRow::Inventory(inventory)]);
        Ok(())
    }

    /// Bookings are spread evenly over the time of the sales.
    fn time_of(&self, booking: u64) -> Time {
        let span = i128::from(self.now.micros() - self.first_sale.micros());
        let since = span * i128::from(booking) / i128::from(self.bookings.max(1));
        Time::from_micros(self.first_sale.micros() + since as i64)
    }

    /// Publishes what was said, as far as it is kept: the newest before that too, which is then trimmed.
    fn tell(
        &self,
        booking: u64,
        sold: &Sold,
        environment: &Environment,
        round: &mut Round,
    ) -> anyhow::Result<()> {
        let is_last = booking + 1 >= self.bookings;
        if self.time_of(booking + 1) < self.keep_since && !is_last {
            return Ok(());
        }
        let at = sold.booking.created_at;
        let facts = |source, published: &[Published]| -> anyhow::Result<Vec<Arc<Fact>>> {
            published.iter().map(|published| fact(source, environment, at, published)).collect()
        };
        round.ticket_facts.extend(facts("ticket", &sold.placed_and_paid)?);
        round.event_facts.extend(facts("event", &sold.held_and_sold)?);
        Ok(())
    }

    fn sell(
        &self,
        number: u64,
        event: &Event,
        inventory: &mut Inventory,
        environment: &Environment,
    ) -> anyhow::Result<Sold> {
        let now = environment.now();
        let line = PlacedLine {
            ticket_type_id: event.ticket_types[0].id,
            quantity: self.per_booking,
            seat_ids: Vec::new(),
        };
        let place = Command::Place {
            id: BookingId::from_bits(environment.id().as_u128()),
            event_id: event.id,
            user_id: self.people.buyer(number, self.bookings),
            lines: vec![line],
            promo_code: None,
            attendees: Vec::new(),
        };
        let mut said = Vec::new();
        let mut booking = carry_out(None, &place, now, &mut said)?;
        let Some(Published::BookingPlaced(placed)) = said.first().cloned() else {
            bail!("nothing was placed")
        };
        let (hold, held_and_sold) = match take(event, inventory, &placed, now)? {
            (hold, sold @ Published::SeatsSold(_)) => (hold, vec![sold]),
            (hold, Published::SeatsHeld(held)) => {
                let payment = PaymentId(environment.id());
                for command in [
                    Command::Held(held.clone(), EventOff::No),
                    Command::StartPayment(payment),
                    Command::FinishPayment(payment, Answer::Captured),
                ] {
                    booking = carry_out(Some(&booking), &command, now, &mut said)?;
                }
                let Some(Published::BookingPaid(paid)) = said.last() else { bail!("nothing was paid") };
                let with = seats_of(event, inventory, Some(&hold));
                let sold = seats::sell(with, paid, now).context("what is held can be sold")?;
                let hold = seats::apply(Some(inventory), Some(&hold), &sold).context("it is sold")?;
                (hold, vec![Published::SeatsHeld(held), sold])
            }
            (_, other) => bail!("{} instead of a sale", other.kind()),
        };
        let Some(Published::SeatsSold(sold)) = held_and_sold.last().cloned() else {
            bail!("nothing was sold")
        };
        booking = carry_out(Some(&booking), &Command::Sold(sold.clone(), EventOff::No), now, &mut said)?;
        Ok(Sold { booking, hold, sold, placed_and_paid: said, held_and_sold })
    }
}

fn seats_of<'a>(event: &'a Event, inventory: &'a Inventory, hold: Option<&'a Hold>) -> seats::Seats<'a> {
    seats::Seats { event: Some(event), inventory: Some(inventory), hold, hold_seconds: seats::HOLD_SECONDS }
}

fn take(
    event: &Event,
    inventory: &mut Inventory,
    placed: &BookingPlaced,
    now: Time,
) -> anyhow::Result<(Hold, Published)> {
    let taken = seats::take(seats_of(event, inventory, None), placed, now).context("a first take decides")?;
    let hold = seats::apply(Some(inventory), None, &taken).context("there are seats")?;
    Ok((hold, taken))
}

fn carry_out(
    booking: Option<&Booking>,
    command: &Command,
    now: Time,
    said: &mut Vec<Published>,
) -> anyhow::Result<Booking> {
    let decision = decide(booking, command, now).map_err(|refusal| anyhow::anyhow!(refusal.detail))?;
    let after = apply(booking, &decision).context("the booking is there")?;
    said.extend(decision.facts);
    Ok(after)
}

/// What the services keep of a sale.
fn note_sale(
    event: &Event,
    sold: Sold,
    figures: &mut EventStat,
    days: &mut BTreeMap<Day, DayStat>,
    round: &mut Round,
) -> anyhow::Result<()> {
    let fact = &sold.sold;
    let (booking_id, event_id, user_id): (_, EventId, _) = (fact.booking_id, fact.event_id, fact.user_id);
    let holding = Holding::unheard(booking_id, event_id, user_id).after_sale(fact);
    round.feedback.push(FeedbackRow::Holding(holding));
    let (stat, change) = BookingStat::unheard(booking_id, event_id, user_id).after_sale(fact);
    round.analytics.push(AnalyticsRow::Booking(stat));
    *figures = figures.clone().plus(&change);
    let day = fact.at.day();
    let before = days.remove(&day).unwrap_or_else(|| DayStat::empty(event_id, day));
    days.insert(day, before.plus(&change));
    let queued = Notification::of_sale(fact).begin_try(fact.at).context("a fresh mail is due")?;
    let subject = queued.kind.subject(&event.draft.title);
    let sent = queued.end_try(1, &Outcome::Sent { subject }, fact.at).context("a mail is sent once")?;
    round.notification.push(NotificationRow::Notification(sent));
    round.event.push(EventRow::Hold(sold.hold));
    round.ticket.push(TicketRow::Booking(sold.booking));
    Ok(())
}

fn info(event: &Event) -> EventInfo {
    let told = event.upserted();
    EventInfo {
        id: told.event_id,
        organizer_id: told.organizer_id,
        status: told.status,
        title: told.title,
        starts_at: told.starts_at,
        ends_at: told.ends_at,
        time_zone: told.time_zone,
        place: told.place,
        ticket_types: told.ticket_types,
        version: told.version,
        calling_off: false,
    }
}
