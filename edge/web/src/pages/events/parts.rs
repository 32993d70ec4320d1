//! What several pages show of an event.

use jiff::Zoned;
use maud::{Markup, html};
use proto::v1::{Event, Money, TicketType, event};

use crate::{
    format::{local, timestamp},
    i18n::Text,
    view::View,
};

/// The most tickets of one kind that a page offers, where the organiser sets no limit.
const USUAL_MOST: i32 = 10;
/// What ends before this hour belongs to the evening before.
const LAST_HOUR_OF_NIGHT: i8 = 6;

/// How an event is to be booked now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sale {
    /// Tickets can be had.
    Open,
    /// Everything is taken.
    SoldOut,
    /// Nothing is on sale yet, or any more.
    Closed,
    /// Not published.
    Draft,
    /// Called off.
    Cancelled,
    /// Over.
    Ended,
}

/// How an event is to be booked.
pub(crate) fn sale(view: &View, event: &Event) -> Sale {
    match event.status() {
        event::Status::Cancelled => return Sale::Cancelled,
        event::Status::Draft | event::Status::Unspecified => return Sale::Draft,
        event::Status::Published => {}
    }
    if event.finished {
        return Sale::Ended;
    }
    let shown = event.ticket_types.iter().filter(|kind| !kind.hidden);
    let on_sale: Vec<_> = shown.filter(|kind| kind_sale(view, kind) != KindSale::Closed).collect();
    if on_sale.is_empty() {
        Sale::Closed
    } else if on_sale.iter().all(|kind| kind.available <= 0) {
        Sale::SoldOut
    } else {
        Sale::Open
    }
}

/// How a kind of ticket is to be had now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KindSale {
    /// It can be had.
    Open,
    /// None is left.
    SoldOut,
    /// Not yet, or no longer.
    Closed,
}

/// How a kind of ticket is to be had.
pub(crate) fn kind_sale(view: &View, kind: &TicketType) -> KindSale {
    let begins = kind.sales_start.as_ref().map(|at| timestamp(Some(at)));
    let ends = kind.sales_end.as_ref().map(|at| timestamp(Some(at)));
    if begins.is_some_and(|at| view.now < at) || ends.is_some_and(|at| view.now >= at) {
        KindSale::Closed
    } else if kind.available <= 0 {
        KindSale::SoldOut
    } else {
        KindSale::Open
    }
}

/// The most tickets of a kind that can be chosen.
pub(crate) fn most(kind: &TicketType) -> i32 {
    kind.max_per_booking.unwrap_or(USUAL_MOST).min(kind.available).max(0)
}

/// Beginning and end, in the event's own time.
pub(crate) fn when(text: Text, event: &Event) -> String {
    let (start, end) =
        (local(event.starts_at.as_ref(), &event.time_zone), local(event.ends_at.as_ref(), &event.time_zone));
    if is_one_evening(&start, &end) {
        text.event_when_day(text.long_date(start.date()), text.clock(&start), text.clock(&end))
    } else {
        text.event_when_days(text.day_and_clock(&start), text.day_and_clock(&end))
    }
}

/// Whether the day of the end goes without saying: it is the same, or the night after.
fn is_one_evening(start: &Zoned, end: &Zoned) -> bool {
    let is_next_day = start.date().tomorrow().is_ok_and(|day| day == end.date());
    start.date() == end.date() || (is_next_day && end.hour() < LAST_HOUR_OF_NIGHT)
}

/// The place in one line.
pub(crate) fn where_in_one_line(text: Text, event: &Event) -> String {
    let venue = event.venue.clone().unwrap_or_default();
    let parts: Vec<&str> =
        [venue.name.as_str(), venue.city.as_str()].into_iter().filter(|part| !part.is_empty()).collect();
    if parts.is_empty() { text.event_online().to_owned() } else { parts.join(", ") }
}

/// From what price on, or up to what price where some is free.
pub(crate) fn price_from(text: Text, event: &Event) -> String {
    let shown = || event.ticket_types.iter().filter(|kind| !kind.hidden);
    let minor = |kind: &TicketType| kind.price.as_ref().map_or(0, |price| price.minor);
    let Some(cheapest) = shown().min_by_key(|kind| minor(kind)) else { return String::new() };
    let Some(dearest) = shown().max_by_key(|kind| minor(kind)) else { return String::new() };
    if minor(dearest) == minor(cheapest) {
        text.price(cheapest.price.as_ref())
    } else if minor(cheapest) == 0 {
        text.price_free_to(text.price(dearest.price.as_ref()))
    } else {
        text.price_from(text.price(cheapest.price.as_ref()))
    }
}

/// The sum of some tickets; none where they are in several currencies.
pub(crate) fn price_of_all<'a>(lines: impl Iterator<Item = (&'a Money, i32)>) -> Option<Money> {
    let mut total: Option<Money> = None;
    for (price, quantity) in lines {
        let minor = price.minor.saturating_mul(i64::from(quantity));
        match &mut total {
            None => total = Some(Money { currency: price.currency.clone(), minor }),
            Some(total) if minor == 0 || total.currency == price.currency => {
                total.minor = total.minor.saturating_add(minor);
            }
            Some(total) if total.minor == 0 => *total = Money { currency: price.currency.clone(), minor },
            Some(_) => return None,
        }
    }
    total
}

/// A word on how it is to be booked, where there is something to say.
pub(crate) fn sale_mark(view: &View, event: &Event) -> Markup {
    let text = view.text;
    let (class, words) = match sale(view, event) {
        Sale::Open => return html! {},
        Sale::SoldOut => ("out", text.sale_sold_out()),
        Sale::Closed => ("quiet", text.sale_closed()),
        Sale::Draft => ("quiet", text.sale_draft()),
        Sale::Cancelled => ("out", text.sale_cancelled()),
        Sale::Ended => ("quiet", text.sale_ended()),
    };
    html! { span.mark-word.{ (class) } { (words) } }
}

/// An event for samples.
#[cfg(test)]
pub(crate) fn sample() -> Event {
    use prost_types::Timestamp;
    use proto::v1::Venue;
    let kind = |id: &str, name: &str, minor, available| TicketType {
        id: id.to_owned(),
        name: name.to_owned(),
        price: Some(Money { currency: "EUR".to_owned(), minor }),
        quantity: 100,
        available,
        ..TicketType::default()
    };
    Event {
        id: "01936f2e-8d3c-7a41-9d0f-3b7c5a2e9f10".to_owned(),
        status: event::Status::Published.into(),
        title: "<script>alert(1)</script> & \"quotes\"".to_owned(),
        description: "# Hello\n\n<script>alert(1)</script> [x](javascript:alert(1))".to_owned(),
        starts_at: Some(Timestamp { seconds: 1_800_100_000, nanos: 0 }),
        ends_at: Some(Timestamp { seconds: 1_800_110_000, nanos: 0 }),
        time_zone: "Europe/Berlin".to_owned(),
        venue: Some(Venue {
            name: "</title><b>Hall".to_owned(),
            city: "Oberdorf".to_owned(),
            country: "Germany".to_owned(),
            ..Venue::default()
        }),
        categories: vec!["music".to_owned(), "<b>open air</b>".to_owned()],
        ticket_types: vec![
            kind("t1", "Regular", 2_500, 12),
            kind("t2", "<b>Student", 0, 0),
            TicketType {
                sales_start: Some(Timestamp { seconds: 1_800_050_000, nanos: 0 }),
                ..kind("t3", "Late", 3_000, 5)
            },
        ],
        average_rating: Some(4.5),
        rating_count: 2,
        ..Event::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_evening_may_end_after_midnight() {
        use crate::i18n::Locale;
        let event = |seconds| Event {
            ends_at: Some(prost_types::Timestamp { seconds, nanos: 0 }),
            time_zone: "Europe/Berlin".to_owned(),
            ..sample()
        };
        let text = Text(Locale::En);
        // It begins on 16 January 2027 at 12:46 in Berlin.
        assert_eq!(when(text, &event(1_800_143_000)), "Saturday, 16 January 2027, 12:46 to 00:43");
        assert_eq!(when(text, &event(1_800_186_200)), "16 Jan 2027, 12:46 to 17 Jan 2027, 12:43");
    }

    #[test]
    fn what_is_free_for_some_is_not_called_free() {
        use crate::i18n::Locale;
        let price = |minors: &[i64]| {
            let money = |minor| Some(Money { currency: "EUR".to_owned(), minor });
            let kind = |minor: &i64| TicketType { price: money(*minor), ..TicketType::default() };
            let ticket_types = minors.iter().map(kind).collect();
            price_from(Text(Locale::En), &Event { ticket_types, ..Event::default() })
        };
        assert_eq!(price(&[0]), "Free of charge");
        assert_eq!(price(&[1_500, 0]), "free to €15.00");
        assert_eq!(price(&[1_500, 900]), "from €9.00");
    }

    #[test]
    fn a_sum_is_in_one_currency() {
        let euros = |minor| Money { currency: "EUR".to_owned(), minor };
        let dollars = Money { currency: "USD".to_owned(), minor: 100 };
        let sum = |lines: &[(&Money, i32)]| price_of_all(lines.iter().copied());
        assert_eq!(sum(&[(&euros(250), 2), (&euros(100), 1)]), Some(euros(600)));
        assert_eq!(sum(&[(&euros(0), 2), (&dollars, 1)]), Some(dollars.clone()));
        assert_eq!(sum(&[(&euros(1), 2), (&dollars, 1)]), None);
        assert_eq!(sum(&[]), None);
    }
}
