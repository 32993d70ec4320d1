//! Numbers, money and time as a language writes them. What is special to a language is in its catalogue.

use jiff::{Timestamp, Zoned, civil::Date, tz::TimeZone};
use prost_types::Timestamp as ProtoTimestamp;
use proto::v1::Money;

use crate::i18n::Text;

/// Currencies whose minor unit is not a hundredth, with the number of its digits (ISO 4217).
const DIGITS: [(&str, u32); 19] = [
    ("BHD", 3),
    ("BIF", 0),
    ("CLP", 0),
    ("DJF", 0),
    ("GNF", 0),
    ("IQD", 3),
    ("ISK", 0),
    ("JOD", 3),
    ("JPY", 0),
    ("KMF", 0),
    ("KRW", 0),
    ("KWD", 3),
    ("LYD", 3),
    ("OMR", 3),
    ("PYG", 0),
    ("RWF", 0),
    ("TND", 3),
    ("UGX", 0),
    ("VND", 0),
];
/// Currencies that everyone knows by a sign.
const SIGNS: [(&str, &str); 5] = [("EUR", "€"), ("USD", "$"), ("GBP", "£"), ("INR", "₹"), ("JPY", "¥")];

/// How many digits the minor unit of a currency has.
#[must_use]
pub(crate) fn minor_digits(currency: &str) -> u32 {
    DIGITS.iter().find(|(code, _)| *code == currency).map_or(2, |(_, digits)| *digits)
}

/// A moment where it takes place; in UTC where the zone is not known.
pub(crate) fn local(at: Option<&ProtoTimestamp>, zone: &str) -> Zoned {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    timestamp(at).to_zoned(zone)
}

/// A moment; the beginning of 1970 where there is none.
pub(crate) fn timestamp(at: Option<&ProtoTimestamp>) -> Timestamp {
    at.and_then(|at| Timestamp::new(at.seconds, at.nanos).ok()).unwrap_or_default()
}

impl Text {
    /// 1,234,567 in the language's way.
    #[must_use]
    pub fn number(self, number: i64) -> String {
        let digits = number.unsigned_abs().to_string();
        let mut sizes = self.number_grouping().split(' ').filter_map(|size| size.parse::<usize>().ok());
        let (mut size, mut groups, mut rest) =
            (sizes.next().unwrap_or(3).max(1), Vec::new(), digits.as_str());
        while rest.len() > size {
            let (front, group) = rest.split_at(rest.len() - size);
            groups.push(group);
            rest = front;
            size = sizes.next().unwrap_or(size).max(1);
        }
        groups.push(rest);
        groups.reverse();
        let sign = if number < 0 { "-" } else { "" };
        format!("{sign}{}", groups.join(self.number_group()))
    }

    /// A number with so many digits after the point, such as an average.
    #[must_use]
    pub fn decimal(self, number: f64, digits: usize) -> String {
        format!("{number:.digits$}").replace('.', self.number_decimal())
    }

    /// An amount; "free of charge" for nothing.
    #[must_use]
    pub fn price(self, money: Option<&Money>) -> String {
        match money {
            Some(money) if money.minor != 0 => self.money(money),
            _ => self.free_of_charge().to_owned(),
        }
    }

    /// An amount, also of nothing.
    #[must_use]
    pub fn money(self, money: &Money) -> String {
        let digits = minor_digits(&money.currency);
        let unit = 10_u64.pow(digits);
        let minor = money.minor.unsigned_abs();
        let mut amount = self.number(i64::try_from(minor / unit).unwrap_or(i64::MAX));
        if digits > 0 && (!minor.is_multiple_of(unit) || minor == 0 || money.currency != "INR") {
            let width = digits as usize;
            amount = format!("{amount}{}{:0width$}", self.number_decimal(), minor % unit);
        }
        if money.minor < 0 {
            amount.insert(0, '-');
        }
        let sign = SIGNS.iter().find(|(code, _)| *code == money.currency);
        match sign {
            Some((_, sign)) => self.money_with_sign(sign, amount),
            None => format!("{}\u{a0}{amount}", money.currency),
        }
    }

    /// Saturday, 5 December 2026.
    #[must_use]
    pub fn long_date(self, date: Date) -> String {
        self.date_long(self.weekday(date), date.day(), self.month(date), date.year())
    }

    /// 5 Dec 2026.
    #[must_use]
    pub fn short_date(self, date: Date) -> String {
        self.date_short(date.day(), self.short_month(date), date.year())
    }

    /// December 2026.
    #[must_use]
    pub fn month_and_year(self, date: Date) -> String {
        self.date_month(self.month(date), date.year())
    }

    /// 18:30, or 6:30 pm.
    #[must_use]
    pub fn clock(self, at: &Zoned) -> String {
        let (hour, minute) = (at.hour(), at.minute());
        if self.time_hours() == "24" {
            return format!("{hour:02}:{minute:02}");
        }
        let half = if hour < 12 { self.time_morning() } else { self.time_afternoon() };
        let hour = if hour % 12 == 0 { 12 } else { hour % 12 };
        format!("{hour}:{minute:02}\u{a0}{half}")
    }

    /// A day and a time.
    #[must_use]
    pub fn day_and_clock(self, at: &Zoned) -> String {
        self.date_and_time(self.short_date(at.date()), self.clock(at))
    }

    /// The name of the month.
    #[must_use]
    pub fn month(self, date: Date) -> &'static str {
        nth(self.month_names(), i16::from(date.month()) - 1)
    }

    /// The name of the month, shortened.
    #[must_use]
    pub fn short_month(self, date: Date) -> &'static str {
        nth(self.month_names_short(), i16::from(date.month()) - 1)
    }

    /// The name of the day.
    #[must_use]
    pub fn weekday(self, date: Date) -> &'static str {
        nth(self.weekday_names(), i16::from(date.weekday().to_monday_zero_offset()))
    }

    /// The name of the day, shortened.
    #[must_use]
    pub fn short_weekday(self, date: Date) -> &'static str {
        self.short_weekday_at(i16::from(date.weekday().to_monday_zero_offset()))
    }

    /// The shortened name of a day of the week, counted from Monday.
    #[must_use]
    pub fn short_weekday_at(self, index: i16) -> &'static str {
        nth(self.weekday_names_short(), index)
    }
}

/// A word of a list.
fn nth(names: &'static str, index: i16) -> &'static str {
    names.split(' ').nth(usize::try_from(index).unwrap_or(0)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::Locale;

    fn euros(minor: i64) -> Money {
        Money { currency: "EUR".to_owned(), minor }
    }

    #[test]
    fn numbers_are_grouped_as_the_language_does() {
        assert_eq!(Text(Locale::En).number(1_234_567), "1,234,567");
        assert_eq!(Text(Locale::De).number(-1_234), "-1.234");
        assert_eq!(Text(Locale::Hi).number(12_345_678), "1,23,45,678");
        assert_eq!(Text(Locale::En).number(12), "12");
    }

    #[test]
    fn money_is_written_as_the_language_does() {
        assert_eq!(Text(Locale::En).money(&euros(2_050)), "€20.50");
        assert_eq!(Text(Locale::De).money(&euros(123_400)), "1.234,00\u{a0}€");
        assert_eq!(Text(Locale::En).money(&Money { currency: "JPY".to_owned(), minor: 500 }), "¥500");
        assert_eq!(Text(Locale::En).money(&Money { currency: "CHF".to_owned(), minor: 5 }), "CHF\u{a0}0.05");
        assert_eq!(Text(Locale::En).price(Some(&euros(0))), "Free of charge");
    }

    #[test]
    fn every_language_has_all_months_and_days() {
        for locale in Locale::ALL {
            let text = Text(locale);
            for (names, count) in [
                (text.month_names(), 12),
                (text.month_names_short(), 12),
                (text.weekday_names(), 7),
                (text.weekday_names_short(), 7),
            ] {
                assert_eq!(names.split(' ').count(), count, "{locale:?}: {names}");
            }
        }
    }
}
