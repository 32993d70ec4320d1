//! Times and amounts as organisers type them.

use jiff::{civil::DateTime, tz::TimeZone};
use prost_types::Timestamp;
use proto::v1::Money;

use crate::format::{local, minor_digits};

/// What a `datetime-local` field holds, at a place on earth; none when it is no time there.
pub(super) fn read_time(text: &str, zone: &str) -> Option<Timestamp> {
    let zone = TimeZone::get(zone).ok()?;
    let at = text.parse::<DateTime>().ok()?.to_zoned(zone).ok()?.timestamp();
    Some(Timestamp { seconds: at.as_second(), nanos: at.subsec_nanosecond() })
}

/// The same the other way round.
pub(super) fn write_time(at: Option<&Timestamp>, zone: &str) -> String {
    at.map(|at| local(Some(at), zone).strftime("%Y-%m-%dT%H:%M").to_string()).unwrap_or_default()
}

/// An amount such as `20`, `20.50` or `20,50`; none when it is no amount of this currency.
pub(super) fn read_price(text: &str, currency: &str) -> Option<Money> {
    let digits = minor_digits(currency) as usize;
    let text = text.trim().replace(',', ".");
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let is_number = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || part.len() > digits || !is_number(whole) || !is_number(part) {
        return None;
    }
    let minor = format!("{whole}{part:0<digits$}").parse().ok()?;
    Some(Money { currency: currency.to_owned(), minor })
}

/// The same the other way round; nothing where it is free.
pub(super) fn write_price(price: &Money) -> String {
    let unit = 10_i64.pow(minor_digits(&price.currency));
    match (price.minor, minor_digits(&price.currency) as usize) {
        (0, _) => String::new(),
        (minor, 0) => minor.to_string(),
        (minor, digits) => format!("{}.{:0digits$}", minor / unit, minor % unit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_that_of_the_place_and_comes_back_as_it_was() {
        let at = read_time("2026-12-05T19:30", "Europe/Berlin").unwrap();
        assert_eq!(at.to_string(), "2026-12-05T18:30:00Z");
        assert_eq!(write_time(Some(&at), "Europe/Berlin"), "2026-12-05T19:30");
        for wrong in ["", "soon", "2026-13-05T19:30"] {
            assert_eq!(read_time(wrong, "Europe/Berlin"), None, "{wrong}");
        }
        assert_eq!(read_time("2026-12-05T19:30", "Nowhere/At_All"), None);
    }

    #[test]
    fn an_amount_is_read_in_the_minor_unit_of_its_currency() {
        let minor = |text: &str, currency: &str| read_price(text, currency).map(|money| money.minor);
        assert_eq!(
            (minor("20", "EUR"), minor("20.5", "EUR"), minor("20,55", "EUR")),
            (Some(2_000), Some(2_050), Some(2_055))
        );
        assert_eq!(
            (minor("500", "JPY"), minor("5.5", "JPY"), minor("1.234", "KWD")),
            (Some(500), None, Some(1_234))
        );
        for (text, currency) in [("20.05", "EUR"), ("500", "JPY"), ("1.234", "KWD")] {
            assert_eq!(write_price(&read_price(text, currency).unwrap()), text);
        }
        assert_eq!(write_price(&Money::default()), "");
        for wrong in ["", "-1", "1e3", "20.555", ".5", "99999999999999999999"] {
            assert_eq!(minor(wrong, "EUR"), None, "{wrong}");
        }
    }
}
