//! Money as whole minor units of a currency.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The largest amount of one price or total, in minor units: ten billion of a currency with cents.
pub const MAX_MINOR: i64 = 1_000_000_000_000;

/// An ISO 4217 code: three capital letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Currency([u8; 3]);

impl Currency {
    /// The currency of free tickets of organisers who name none.
    pub const EUR: Self = Self(*b"EUR");

    /// The code as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("???")
    }
}

impl TryFrom<String> for Currency {
    type Error = String;

    fn try_from(code: String) -> Result<Self, String> {
        match code.as_bytes() {
            [a, b, c] if [a, b, c].into_iter().all(u8::is_ascii_uppercase) => Ok(Self([*a, *b, *c])),
            _ => Err("must be an ISO 4217 code of three capital letters, such as EUR".to_owned()),
        }
    }
}

impl Serialize for Currency {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An amount of one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Money {
    /// What of.
    pub currency: Currency,
    /// How much, in the currency's minor unit (cents).
    pub minor: i64,
}

impl Money {
    /// Nothing, in a currency.
    #[must_use]
    pub fn zero(currency: Currency) -> Self {
        Self { currency, minor: 0 }
    }

    /// This amount so many times; `None` beyond [`MAX_MINOR`].
    #[must_use]
    pub fn times(self, count: u32) -> Option<Self> {
        let minor = self.minor.checked_mul(i64::from(count))?;
        (minor.abs() <= MAX_MINOR).then_some(Self { minor, ..self })
    }

    /// The sum; `None` for another currency or beyond [`MAX_MINOR`].
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        let minor = self.minor.checked_add(other.minor)?;
        (self.currency == other.currency && minor.abs() <= MAX_MINOR).then_some(Self { minor, ..self })
    }

    /// The amount in whole units of the currency, such as euros: for figures, not for sums that must be exact.
    #[must_use]
    pub fn in_major_units(self) -> f64 {
        self.minor as f64 / f64::from(10_u32.pow(minor_digits(self.currency)))
    }

    /// Whether nothing is to be paid.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.minor == 0
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exponent = minor_digits(self.currency);
        let unit = 10_i64.pow(exponent);
        let sign = if self.minor < 0 { "-" } else { "" };
        let (whole, part) = (self.minor.abs() / unit, self.minor.abs() % unit);
        write!(f, "{sign}{whole}")?;
        if exponent > 0 {
            write!(f, ".{part:0width$}", width = exponent as usize)?;
        }
        write!(f, " {}", self.currency.as_str())
    }
}

/// How many decimal places a currency has (ISO 4217, column "minor unit").
fn minor_digits(currency: Currency) -> u32 {
    match currency.as_str() {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "UYI"
        | "VND" | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(code: &str, minor: i64) -> Money {
        Money { currency: Currency::try_from(code.to_owned()).unwrap(), minor }
    }

    #[test]
    fn amounts_are_written_with_the_places_of_their_currency() {
        assert_eq!(money("EUR", 2050).to_string(), "20.50 EUR");
        assert_eq!(money("JPY", 1200).to_string(), "1200 JPY");
        assert_eq!(money("KWD", 1005).to_string(), "1.005 KWD");
        assert_eq!(money("EUR", -5).to_string(), "-0.05 EUR");
        let units = [money("EUR", 2050), money("JPY", 1200), money("KWD", 1005)].map(Money::in_major_units);
        assert_eq!(units, [20.5, 1200.0, 1.005]);
    }

    #[test]
    fn sums_refuse_other_currencies_and_overflow() {
        assert_eq!(money("EUR", 1).plus(money("USD", 1)), None);
        assert_eq!(money("EUR", i64::MAX).plus(money("EUR", 1)), None);
        assert_eq!(money("EUR", MAX_MINOR).times(2), None);
        assert_eq!(money("EUR", 1050).times(3), Some(money("EUR", 3150)));
    }

    #[test]
    fn a_currency_is_three_capital_letters() {
        for code in ["", "eur", "EURO", "E1R", "€"] {
            assert!(Currency::try_from(code.to_owned()).is_err(), "{code}");
        }
    }
}
