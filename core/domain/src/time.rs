//! A moment, in microseconds since 1970 UTC. It is written as RFC 3339 wherever a person may see it.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;
/// 0001-01-01T00:00:00Z, the earliest moment that RFC 3339 and protobuf can say.
const EARLIEST_SECOND: i64 = -62_135_596_800;
/// 9999-12-31T23:59:59Z, the latest.
const LATEST_SECOND: i64 = 253_402_300_799;

/// A moment in UTC, exact to the microsecond.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

impl Time {
    /// The moment so many microseconds after 1970 UTC.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// The moment with these seconds and nanoseconds after 1970 UTC; `None` outside the years 1 to 9999.
    #[must_use]
    pub fn from_parts(seconds: i64, nanos: i32) -> Option<Self> {
        let in_range =
            (EARLIEST_SECOND..=LATEST_SECOND).contains(&seconds) && (0..1_000_000_000).contains(&nanos);
        in_range.then(|| Self(seconds * MICROS_PER_SECOND + i64::from(nanos) / 1_000))
    }

    /// Microseconds since 1970 UTC.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970 UTC, rounded down.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(MICROS_PER_SECOND)
    }

    /// The nanoseconds after the whole second.
    #[must_use]
    pub const fn subsecond_nanos(self) -> i32 {
        (self.0.rem_euclid(MICROS_PER_SECOND) * 1_000) as i32
    }

    /// So many seconds later, or earlier where negative.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(MICROS_PER_SECOND)))
    }

    /// The day in UTC.
    #[must_use]
    pub const fn day(self) -> Day {
        Day(self.seconds().div_euclid(SECONDS_PER_DAY) as i32)
    }

    /// Reads RFC 3339, such as `2026-11-22T18:23:00Z`, with any offset.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let date = Day::parse(text.get(..10)?)?;
        let bytes = text.as_bytes();
        if !matches!(bytes.get(10), Some(b'T' | b't' | b' '))
            || bytes.get(13) != Some(&b':')
            || bytes.get(16) != Some(&b':')
        {
            return None;
        }
        let hour = number(text.get(11..13)?)?;
        let minute = number(text.get(14..16)?)?;
        let second = number(text.get(17..19)?)?;
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let rest = &text[19..];
        let (fraction, zone) = match rest.strip_prefix('.') {
            Some(rest) => rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?),
            None => ("", rest),
        };
        if rest.starts_with('.') && (fraction.is_empty() || fraction.len() > 9) {
            return None;
        }
        let mut micros = 0;
        for place in 0..6 {
            let digit = fraction.as_bytes().get(place).map_or(0, |b| i64::from(b - b'0'));
            micros = micros * 10 + digit;
        }
        let seconds =
            i64::from(date.0) * SECONDS_PER_DAY + hour * 3_600 + minute * 60 + second - offset_seconds(zone)?;
        Self::from_parts(seconds, 0).map(|time| Self(time.0 + micros))
    }
}

fn number(digits: &str) -> Option<i64> {
    digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())?
}

/// `Z`, or `+hh:mm`.
fn offset_seconds(zone: &str) -> Option<i64> {
    if matches!(zone, "Z" | "z") {
        return Some(0);
    }
    let sign = match zone.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    if hours.len() != 2 || minutes.len() != 2 {
        return None;
    }
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 3_600 + minutes * 60))
}

/// How a time looks.
const LOOK: [u8; 27] = *b"0000-00-00T00:00:00.000000Z";
/// The length of the date in it.
const DATE: usize = 10;

/// Writes a number with zeros in front.
fn write_digits(mut number: i64, into: &mut [u8]) {
    for digit in into.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

impl Time {
    /// As text, written into the buffer: each fact and each state has several times, and the general formatter takes
    /// ten times as long. Of a year that has not four digits it has the last four.
    fn text(self, buffer: &mut [u8; LOOK.len()]) -> &str {
        let (year, month, day) = self.day().date();
        let second_of_day = self.seconds().rem_euclid(SECONDS_PER_DAY);
        let micros = self.0.rem_euclid(MICROS_PER_SECOND);
        write_digits(year.rem_euclid(10_000).into(), &mut buffer[..4]);
        write_digits(month.into(), &mut buffer[5..7]);
        write_digits(day.into(), &mut buffer[8..DATE]);
        write_digits(second_of_day / 3_600, &mut buffer[11..13]);
        write_digits(second_of_day / 60 % 60, &mut buffer[14..16]);
        write_digits(second_of_day % 60, &mut buffer[17..19]);
        write_digits(micros, &mut buffer[20..26]);
        let mut length = LOOK.len();
        if micros == 0 {
            buffer[19] = b'Z';
            length = 20;
        }
        // Digits and what stands between them are UTF-8.
        std::str::from_utf8(&buffer[..length]).unwrap_or_default()
    }

    fn has_usual_year(self) -> bool {
        (EARLIEST_SECOND..=LATEST_SECOND).contains(&self.seconds())
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut buffer = LOOK;
        let text = self.text(&mut buffer);
        if self.has_usual_year() { f.write_str(text) } else { write!(f, "{}{}", self.day(), &text[DATE..]) }
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.has_usual_year() {
            serializer.serialize_str(self.text(&mut LOOK.clone()))
        } else {
            serializer.collect_str(self)
        }
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("not an RFC 3339 time"))
    }
}

/// A day in UTC, counted from 1970-01-01.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i32);

impl Day {
    /// The moment at which the day begins.
    #[must_use]
    pub const fn start(self) -> Time {
        Time(self.0 as i64 * SECONDS_PER_DAY * MICROS_PER_SECOND)
    }

    /// So many days later, or earlier where negative.
    #[must_use]
    pub const fn plus(self, days: i32) -> Self {
        Self(self.0.saturating_add(days))
    }

    /// The year, the month from 1 and the day of the month from 1, in the Gregorian calendar.
    ///
    /// The arithmetic is Howard Hinnant's `civil_from_days`.
    #[must_use]
    pub const fn date(self) -> (i32, u32, u32) {
        let shifted = self.0 as i64 + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
        (year as i32, month as u32, day as u32)
    }

    /// The day with this date; `None` when there is none.
    #[must_use]
    pub fn from_date(year: i32, month: u32, day: u32) -> Option<Self> {
        let shifted_year = i64::from(year) - i64::from(month <= 2);
        let shifted_month = i64::from(if month > 2 { month.checked_sub(3)? } else { month + 9 });
        let (era, year_of_era) = (shifted_year.div_euclid(400), shifted_year.rem_euclid(400));
        let day_of_year = (153 * shifted_month + 2) / 5 + i64::from(day) - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        let found = Self(i32::try_from(era * 146_097 + day_of_era - 719_468).ok()?);
        // A date that does not exist, such as February 30, comes back as another.
        (found.date() == (year, month, day)).then_some(found)
    }

    /// Reads a date such as `2026-11-22`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
            return None;
        }
        let year = i32::try_from(number(text.get(..4)?)?).ok()?;
        let month = u32::try_from(number(text.get(5..7)?)?).ok()?;
        let day = u32::try_from(number(text.get(8..10)?)?).ok()?;
        (year >= 1).then(|| Self::from_date(year, month, day))?
    }

    /// The Monday of its week (ISO 8601).
    #[must_use]
    pub const fn monday(self) -> Self {
        // 1970-01-01 was a Thursday.
        Self(self.0 - (self.0 + 3).rem_euclid(7))
    }

    /// The first day of its month.
    #[must_use]
    pub const fn first_of_month(self) -> Self {
        Self(self.0 - (self.date().2 as i32 - 1))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.date();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("not a date"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_written_as_rfc_3339() {
        for (text, canonical) in [
            ("2026-11-22T18:23:00Z", "2026-11-22T18:23:00Z"),
            ("2026-11-22T19:23:00+01:00", "2026-11-22T18:23:00Z"),
            ("2026-11-22t18:23:00.5z", "2026-11-22T18:23:00.500000Z"),
            ("1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"),
            ("2024-02-29T00:00:00-00:30", "2024-02-29T00:30:00Z"),
        ] {
            assert_eq!(Time::parse(text).unwrap().to_string(), canonical);
        }
        for text in [
            "",
            "2026",
            "2026-02-30T00:00:00Z",
            "2026-11-22T24:00:00Z",
            "2026-11-22T18:23:60Z",
            "2026-11-22T18:23:00",
            "2026-11-22T18:23:00+99:00",
            "0000-01-01T00:00:00Z",
            "2026-11-22T18:23:00.Z",
            "2026-11-22Té8:23:00Z",
        ] {
            assert_eq!(Time::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_time_is_written_as_it_is_shown() {
        let far = Time::from_micros(i64::MAX);
        for time in ["0001-01-01T00:00:00Z", "2026-11-22T18:23:00.000042Z", "9999-12-31T23:59:59.999999Z"] {
            let read = Time::parse(time).unwrap();
            assert_eq!(read.to_string(), time);
            assert_eq!(serde_json::to_string(&read).unwrap(), format!("\"{time}\""));
        }
        assert_eq!(far.to_string(), "294247-01-10T04:00:54.775807Z");
        assert_eq!(serde_json::to_string(&far).unwrap(), format!("\"{far}\""));
    }

    #[test]
    fn days_count_through_the_calendar() {
        let mut day = Day::parse("1999-12-30").unwrap();
        for expected in ["1999-12-31", "2000-01-01"] {
            day = day.plus(1);
            assert_eq!(day.to_string(), expected);
        }
        assert_eq!(Day::parse("2000-02-29").unwrap().plus(1).to_string(), "2000-03-01");
        assert_eq!(Day::parse("1900-02-29"), None);
        assert_eq!(Day::parse("2026-11-22").unwrap().monday().to_string(), "2026-11-16");
        assert_eq!(Day::parse("2026-11-22").unwrap().first_of_month().to_string(), "2026-11-01");
    }
}
