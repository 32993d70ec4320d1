//! Groups of people by gender and age.

use crate::{analytics::UserStat, facts::Gender, time::Time};

/// A gender as figures name it; who told none is unknown.
fn gender_name(gender: Option<Gender>) -> &'static str {
    match gender {
        Some(Gender::Male) => "MALE",
        Some(Gender::Female) => "FEMALE",
        Some(Gender::Other) => "OTHER",
        None => UNKNOWN,
    }
}

/// The name of a group of those who told nothing.
const UNKNOWN: &str = "UNKNOWN";
/// The age bands: the first year of age that is beyond each, and its name.
const AGE_BANDS: [(i32, &str); 7] = [
    (18, "UNDER_18"),
    (25, "18_24"),
    (35, "25_34"),
    (45, "35_44"),
    (55, "45_54"),
    (65, "55_64"),
    (i32::MAX, "65_PLUS"),
];

/// A group of people. Groups sort by gender, then by age; the unknown come last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group {
    gender_order: u8,
    band: usize,
    gender: Option<Gender>,
}

impl Group {
    /// The group of a user at an event; one of whom nothing is known is in the unknown one.
    #[must_use]
    pub fn of(user: Option<&UserStat>, starts_at: Option<Time>) -> Self {
        let gender = user.and_then(|user| user.gender);
        let birth_year = user.and_then(|user| user.birth_year);
        let age = match (starts_at, birth_year) {
            (Some(starts_at), Some(birth_year)) => starts_at.day().date().0.checked_sub(birth_year),
            _ => None,
        };
        let known_age = age.filter(|age| *age >= 0);
        let band = known_age.and_then(|age| AGE_BANDS.iter().position(|(end, _)| age < *end));
        let gender_order = gender.map_or(u8::MAX, |gender| gender as u8);
        Self { gender_order, band: band.unwrap_or(AGE_BANDS.len()), gender }
    }

    /// `MALE`, `FEMALE`, `OTHER` or `UNKNOWN`.
    #[must_use]
    pub fn gender(&self) -> &'static str {
        gender_name(self.gender)
    }

    /// `UNDER_18`, `18_24` and so on, or `UNKNOWN`.
    #[must_use]
    pub fn age_band(&self) -> &'static str {
        AGE_BANDS.get(self.band).map_or(UNKNOWN, |(_, name)| name)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::ids::UserId;

    #[test]
    fn groups_are_named_by_age_in_the_year_of_the_event_and_sorted() {
        let starts_at = Time::parse("2026-11-22T18:00:00Z");
        let group = |gender, birth_year| {
            let user_id = UserId(Uuid::from_u128(2));
            Group::of(
                Some(&UserStat { user_id, gender, birth_year, version: 1, is_erased: false }),
                starts_at,
            )
        };
        for (birth_year, band) in [
            (2026, "UNDER_18"),
            (2009, "UNDER_18"),
            (2008, "18_24"),
            (2002, "18_24"),
            (2001, "25_34"),
            (1961, "65_PLUS"),
            (2027, "UNKNOWN"),
        ] {
            assert_eq!(group(None, Some(birth_year)).age_band(), band, "{birth_year}");
        }
        let nobody = Group::of(None, starts_at);
        assert_eq!((nobody.gender(), nobody.age_band()), ("UNKNOWN", "UNKNOWN"));
        assert!(group(Some(Gender::Male), None) < group(Some(Gender::Female), Some(2000)));
        assert!(group(Some(Gender::Other), None) < nobody);
        assert!(group(None, Some(2000)) < nobody);
    }
}
