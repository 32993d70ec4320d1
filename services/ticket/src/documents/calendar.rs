//! The calendar entry of a ticket (iCalendar, RFC 5545).

use std::fmt::Write;

use domain::Time;

use super::Paper;

/// The longest line in octets, without its end.
const LINE_OCTETS: usize = 75;

/// A calendar with the event as its one entry.
///
/// It does not hold the code: calendars are shared, and whoever has the code has the ticket.
pub(crate) fn calendar(paper: &Paper<'_>, now: Time) -> String {
    let lines = [
        "BEGIN:VCALENDAR".to_owned(),
        "VERSION:2.0".to_owned(),
        "PRODID:-//Boxoffice//Tickets//EN".to_owned(),
        "CALSCALE:GREGORIAN".to_owned(),
        "METHOD:PUBLISH".to_owned(),
        "BEGIN:VEVENT".to_owned(),
        // The same ticket always has the same UID, so a second download replaces the first.
        format!("UID:{}@tickets.boxoffice", escaped(&paper.ticket_id)),
        format!("DTSTAMP:{}", utc(now)),
        format!("DTSTART:{}", utc(paper.starts_at)),
        format!("DTEND:{}", utc(paper.ends_at)),
        format!("SUMMARY:{}", escaped(paper.title)),
        format!("LOCATION:{}", escaped(paper.place)),
        format!("DESCRIPTION:{}", escaped(&description(paper))),
        "END:VEVENT".to_owned(),
        "END:VCALENDAR".to_owned(),
    ];
    let mut calendar = String::new();
    for line in lines {
        fold(&line, &mut calendar);
    }
    calendar
}

/// The ticket in words, a line for each thing to know.
fn description(paper: &Paper<'_>) -> String {
    let mut text = paper.when().join("\n");
    let price = paper.price().unwrap_or_default();
    for (label, value) in [
        ("Ticket type", paper.ticket_type),
        ("Attendee", paper.attendee),
        ("Ticket", &paper.number),
        ("Price", &price),
        ("Ticket id", &paper.ticket_id),
    ] {
        if !value.trim().is_empty() {
            // Writing to a string cannot fail.
            let _ = write!(text, "\n{label}: {value}");
        }
    }
    text
}

/// A moment as a DATE-TIME in UTC.
fn utc(time: Time) -> String {
    let (year, month, day) = time.day().date();
    let second = time.seconds().rem_euclid(86_400);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

/// A value of type TEXT. No control character is left in it, so it cannot end its line and start another.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.replace("\r\n", "\n").chars() {
        match c {
            '\\' | ',' | ';' => escaped.extend(['\\', c]),
            // Some readers end a line at these too.
            '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => escaped.push_str("\\n"),
            '\t' => escaped.push(' '),
            _ if c.is_control() => {}
            _ => escaped.push(c),
        }
    }
    escaped
}

/// Adds a line, continued on the next after 75 octets but never within a character.
fn fold(line: &str, out: &mut String) {
    let mut octets = 0;
    for c in line.chars() {
        if octets + c.len_utf8() > LINE_OCTETS {
            out.push_str("\r\n ");
            octets = 1;
        }
        out.push(c);
        octets += c.len_utf8();
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::documents::tests::{CODE, paper};

    fn written(paper: &Paper<'_>) -> String {
        calendar(paper, Time::parse("2026-10-01T09:05:07.5Z").unwrap())
    }

    fn unfolded(calendar: &str) -> Vec<String> {
        calendar.replace("\r\n ", "").split_terminator("\r\n").map(str::to_owned).collect()
    }

    #[test]
    fn the_entry_says_what_when_and_where() {
        let text = written(&paper());
        let lines = unfolded(&text);
        assert_eq!(lines.first().unwrap(), "BEGIN:VCALENDAR");
        assert_eq!(lines.last().unwrap(), "END:VCALENDAR");
        for line in [
            "UID:0192f0c1-7a5e-7c3b-9d42-5b1f0e6a7c88@tickets.boxoffice",
            "DTSTAMP:20261001T090507Z",
            "DTSTART:20261122T183000Z",
            "DTEND:20261122T210000Z",
            "SUMMARY:An Evening of Chamber Music: Dvořák\\, Σκαλκώτας and Шостакович",
            "LOCATION:Rudolfinum\\, Dvořák Hall\\, Alšovo nábřeží 12\\, 110 00 Praha 1",
        ] {
            assert!(lines.iter().any(|found| found == line), "{line} in {lines:#?}");
        }
        assert!(lines.iter().any(|line| line.contains("\\nTicket: 1 of 3\\nPrice: 20.50 EUR\\n")));
        assert!(!unfolded(&text).concat().contains(CODE), "the code is a secret");
    }

    #[test]
    fn values_are_escaped_and_cannot_add_lines() {
        let mut paper = paper();
        paper.title = "a,b;c\\d\r\ne\nf\rBEGIN:VALARM\u{2028}g\u{0}h\ti";
        paper.place = "x\r\nEND:VEVENT\r\n y";
        paper.attendee = "";
        paper.ticket_id = "1\r\nATTACH:x".to_owned();
        let text = written(&paper);
        let lines = unfolded(&text);
        assert_eq!(lines.len(), 15);
        assert!(!text.replace("\r\n", "").contains(|c: char| c.is_control()));
        assert!(
            lines.contains(&"SUMMARY:a\\,b\\;c\\\\d\\ne\\nf\\nBEGIN:VALARM\\ngh i".to_owned()),
            "{lines:#?}"
        );
        assert!(lines.contains(&"LOCATION:x\\nEND:VEVENT\\n y".to_owned()));
        assert!(!text.contains("Attendee"));
    }

    #[test]
    fn lines_are_folded_between_characters() {
        let mut paper = paper();
        let title = "Ünïcödé 漢字 🎫 ".repeat(30);
        paper.title = &title;
        let text = written(&paper);
        assert!(text.split("\r\n").all(|line| line.len() <= LINE_OCTETS));
        assert!(unfolded(&text).contains(&format!("SUMMARY:{title}")));
    }
}
