//! An event for other programs: search engines, link previews, calendars.

use jiff::{Timestamp, tz::TimeZone};
use maud::{Markup, html};
use proto::v1::{Event, event};
use serde_json::{Value, json};

use super::parts::{KindSale, kind_sale, where_in_one_line};
use crate::{
    format::{minor_digits, timestamp},
    layout::json_script,
    markdown, urls,
    view::View,
};

/// The longest line of a calendar file, in bytes (RFC 5545, 3.1).
const MAX_LINE_BYTES: usize = 75;

/// What link previews and search engines are told, for `<head>`.
pub(super) fn head(view: &View, event: &Event) -> Markup {
    let url = address(view, event);
    html! {
        link rel="canonical" href=(url);
        link rel="alternate" type="text/calendar" href=(urls::EventCalendar { event_id: &event.id });
        meta property="og:type" content="website";
        meta property="og:site_name" content=(view.text.site_name());
        meta property="og:title" content=(event.title);
        meta property="og:description" content=(markdown::summary(&event.description));
        meta property="og:url" content=(url);
        meta property="og:locale" content=(view.locale().code());
        @if is_web(&event.image_url) { meta property="og:image" content=(event.image_url); }
        (json_script(&json_ld(view, event)))
    }
}

fn address(view: &View, event: &Event) -> String {
    format!("{}{}", view.origin, urls::Event { event_id: &event.id })
}

fn is_web(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}

/// The event as <https://schema.org/Event>.
fn json_ld(view: &View, event: &Event) -> Value {
    let url = address(view, event);
    let time = |at| timestamp(at).to_string();
    let status = match event.status() {
        event::Status::Cancelled => "https://schema.org/EventCancelled",
        _ => "https://schema.org/EventScheduled",
    };
    let venue = event.venue.clone().unwrap_or_default();
    let (mode, location) = if event.online {
        ("OnlineEventAttendanceMode", json!({"@type": "VirtualLocation", "url": url}))
    } else {
        let address = json!({
            "@type": "PostalAddress", "streetAddress": venue.address,
            "addressLocality": venue.city, "addressCountry": venue.country,
        });
        let place =
            json!({"@type": "Place", "name": where_in_one_line(view.text, event), "address": address});
        ("OfflineEventAttendanceMode", place)
    };
    let mut described = json!({
        "@context": "https://schema.org", "@type": "Event", "name": event.title, "url": url,
        "description": markdown::summary(&event.description),
        "startDate": time(event.starts_at.as_ref()), "endDate": time(event.ends_at.as_ref()),
        "eventStatus": status, "eventAttendanceMode": format!("https://schema.org/{mode}"),
        "location": location, "offers": offers(view, event, &url),
    });
    if is_web(&event.image_url) {
        described["image"] = json!([event.image_url]);
    }
    if let Some(average) = event.average_rating {
        described["aggregateRating"] = json!({
            "@type": "AggregateRating", "ratingValue": average, "ratingCount": event.rating_count,
        });
    }
    described
}

fn offers(view: &View, event: &Event, url: &str) -> Vec<Value> {
    let offer = |kind: &proto::v1::TicketType| {
        let price = kind.price.clone().unwrap_or_default();
        let (digits, unit) = (minor_digits(&price.currency), 10_i64.pow(minor_digits(&price.currency)));
        let amount = match digits {
            0 => price.minor.to_string(),
            _ => format!("{}.{:0width$}", price.minor / unit, price.minor % unit, width = digits as usize),
        };
        let state = if kind_sale(view, kind) == KindSale::SoldOut { "SoldOut" } else { "InStock" };
        json!({
            "@type": "Offer", "name": kind.name, "price": amount, "priceCurrency": price.currency, "url": url,
            "availability": format!("https://schema.org/{state}"),
        })
    };
    event.ticket_types.iter().filter(|kind| !kind.hidden).map(offer).collect()
}

/// The event as a calendar file (RFC 5545).
pub(super) fn calendar(view: &View, event: &Event) -> String {
    let venue = event.venue.clone().unwrap_or_default();
    let place = [venue.name, venue.address, venue.city, venue.country];
    let place = place.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
    let status = if event.status() == event::Status::Cancelled { "CANCELLED" } else { "CONFIRMED" };
    let lines = [
        "BEGIN:VCALENDAR".to_owned(),
        "VERSION:2.0".to_owned(),
        "PRODID:-//Boxoffice//EN".to_owned(),
        "BEGIN:VEVENT".to_owned(),
        format!("UID:{}@boxoffice", event.id),
        format!("DTSTAMP:{}", stamp(timestamp(event.updated_at.as_ref()))),
        format!("DTSTART:{}", stamp(timestamp(event.starts_at.as_ref()))),
        format!("DTEND:{}", stamp(timestamp(event.ends_at.as_ref()))),
        format!("SUMMARY:{}", escaped(&event.title)),
        format!("LOCATION:{}", escaped(&place)),
        format!("DESCRIPTION:{}", escaped(&markdown::summary(&event.description))),
        format!("URL:{}", address(view, event)),
        format!("STATUS:{status}"),
        format!("SEQUENCE:{}", event.version),
        "END:VEVENT".to_owned(),
        "END:VCALENDAR".to_owned(),
    ];
    lines.iter().map(|line| folded(line)).collect()
}

fn stamp(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ").to_string()
}

fn escaped(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace(';', "\\;").replace(',', "\\,");
    text.replace("\r\n", "\\n").replace(['\n', '\r'], "\\n")
}

/// A line with its end, folded where it is too long, never within a character.
fn folded(line: &str) -> String {
    let mut out = String::with_capacity(line.len() + 8);
    let mut length = 0;
    for character in line.chars() {
        if length + character.len_utf8() > MAX_LINE_BYTES {
            out.push_str("\r\n ");
            length = 1;
        }
        length += character.len_utf8();
        out.push(character);
    }
    out.push_str("\r\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_folded_between_characters() {
        let line = folded(&format!("SUMMARY:{}", "हिन्दी ".repeat(20)));
        assert!(line.ends_with("\r\n"));
        assert!(line.split("\r\n").all(|part| part.len() <= MAX_LINE_BYTES));
        assert_eq!(
            line.replace("\r\n ", "").trim_end(),
            format!("SUMMARY:{}", "हिन्दी ".repeat(20)).trim_end()
        );
    }

    #[test]
    fn what_ends_a_value_is_escaped() {
        assert_eq!(escaped("a;b,c\\d\r\nEND:VEVENT"), "a\\;b\\,c\\\\d\\nEND:VEVENT");
    }
}
