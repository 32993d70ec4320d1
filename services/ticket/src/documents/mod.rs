//! What a holder takes home: the QR code of a ticket, its calendar entry and the page to print.

use std::fmt;

use domain::{Money, Time};
use jiff::{Timestamp, Zoned, tz::TimeZone};

mod calendar;
mod font;
mod pdf;
mod qr;
mod text;

pub(crate) use calendar::calendar;
pub(crate) use pdf::pdf;
pub(crate) use qr::qr_svg;

/// A ticket as it is printed.
#[derive(Debug, Clone)]
pub(crate) struct Paper<'a> {
    /// The title of the event.
    pub title: &'a str,
    /// When the event starts.
    pub starts_at: Time,
    /// When it ends.
    pub ends_at: Time,
    /// The IANA name of the event's time zone; an unknown one is shown as UTC.
    pub time_zone: &'a str,
    /// Where the event is.
    pub place: &'a str,
    /// The name of the ticket type.
    pub ticket_type: &'a str,
    /// Who comes; may be empty.
    pub attendee: &'a str,
    /// The id of the ticket, which must stay the same for its calendar entry to be replaced.
    pub ticket_id: String,
    /// Which of the booking's tickets this is, such as "1 of 3".
    pub number: String,
    /// What it cost, where that is to be shown.
    pub price: Option<Money>,
    /// The signed code that opens the door.
    pub code: &'a str,
}

/// Why a document could not be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DocumentError {
    /// The code does not fit into a QR code.
    CodeTooLong,
    /// The font in the program cannot be used, which is a defect of the program.
    Font,
}

impl fmt::Display for DocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CodeTooLong => "the code does not fit into a QR code",
            Self::Font => "the font of the printed ticket cannot be used",
        })
    }
}

impl std::error::Error for DocumentError {}

impl Paper<'_> {
    /// When the event is, on the clock of the place: one line when it ends on the day it starts,
    /// two otherwise, and one with the time zone.
    fn when(&self) -> Vec<String> {
        let zone = TimeZone::get(self.time_zone).unwrap_or(TimeZone::UTC);
        let zone_name = zone.iana_name().unwrap_or("UTC").to_owned();
        let (start, end) = (local(self.starts_at, &zone), local(self.ends_at, &zone));
        let offset = match start.offset().seconds() {
            _ if zone == TimeZone::UTC => zone_name,
            0 => format!("{zone_name} (UTC)"),
            _ => format!("{zone_name} (UTC{})", start.strftime("%:z")),
        };
        if start.date() == end.date() {
            return vec![
                start.strftime("%A, %-d %B %Y").to_string(),
                format!("{} – {}", start.strftime("%H:%M"), end.strftime("%H:%M")),
                offset,
            ];
        }
        vec![
            format!("{} –", start.strftime("%A, %-d %B %Y, %H:%M")),
            end.strftime("%A, %-d %B %Y, %H:%M").to_string(),
            offset,
        ]
    }

    /// The price for a reader.
    fn price(&self) -> Option<String> {
        self.price.map(|price| if price.is_zero() { "Free".to_owned() } else { price.to_string() })
    }
}

/// A moment on the clock of a time zone. One beyond the calendar becomes 1970, which no event of ours has.
fn local(time: Time, zone: &TimeZone) -> Zoned {
    Timestamp::from_microsecond(time.micros()).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(zone.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The size of a code that the service signs.
    pub(super) const CODE: &str = concat!(
        "BX1.AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMD",
        "EyMzQ1Njc4OTo7PD0-P0BBQkNERUZHSElKS0xNTk9QUVJTVFVWV1hZWltcXV5fYGFiYw"
    );

    /// An ordinary ticket.
    pub(super) fn paper() -> Paper<'static> {
        Paper {
            title: "An Evening of Chamber Music: Dvořák, Σκαλκώτας and Шостакович",
            starts_at: Time::parse("2026-11-22T18:30:00Z").unwrap(),
            ends_at: Time::parse("2026-11-22T21:00:00Z").unwrap(),
            time_zone: "Europe/Prague",
            place: "Rudolfinum, Dvořák Hall, Alšovo nábřeží 12, 110 00 Praha 1",
            ticket_type: "Balcony, reduced",
            attendee: "Zoë Ångström-Παπαδοπούλου Щербакова",
            ticket_id: "0192f0c1-7a5e-7c3b-9d42-5b1f0e6a7c88".to_owned(),
            number: "1 of 3".to_owned(),
            price: Some(Money { currency: domain::Currency::EUR, minor: 2_050 }),
            code: CODE,
        }
    }

    #[test]
    fn the_time_is_that_of_the_place() {
        let mut paper = paper();
        assert_eq!(paper.when(), ["Sunday, 22 November 2026", "19:30 – 22:00", "Europe/Prague (UTC+01:00)"]);
        paper.ends_at = Time::parse("2026-11-23T01:00:00Z").unwrap();
        assert_eq!(paper.when()[0], "Sunday, 22 November 2026, 19:30 –");
        assert_eq!(paper.when()[1], "Monday, 23 November 2026, 02:00");
        paper.time_zone = "Mars/Olympus";
        assert_eq!(paper.when()[2], "UTC");
        paper.starts_at = Time::from_micros(i64::MAX);
        assert!(paper.when()[0].contains("1970"));
    }

    #[test]
    fn a_price_of_nothing_is_free() {
        let mut paper = paper();
        assert_eq!(paper.price().as_deref(), Some("20.50 EUR"));
        paper.price = Some(Money::zero(domain::Currency::EUR));
        assert_eq!(paper.price().as_deref(), Some("Free"));
        paper.price = None;
        assert_eq!(paper.price(), None);
    }
}
