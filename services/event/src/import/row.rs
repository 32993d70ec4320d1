//! One row of a CSV file as the request that creates its event.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use csv::StringRecord;
use domain::{Day, Time};
use prost_types::Timestamp;
use proto::v1::{CreateEventRequest, Money, TicketTypeInput, Venue};

use crate::convert::timestamp;

/// The places of an event whose row names none.
const DEFAULT_PLACES: i32 = 100;
/// A row has days only; an event begins and ends at these hours.
const STARTS: &str = "T09:00:00Z";
const ENDS: &str = "T18:00:00Z";

/// Every column that is understood; the first two must be there.
const KNOWN: [&str; 15] = [
    "name",
    "start_date",
    "end_date",
    "city",
    "country",
    "online",
    "url",
    "categories",
    "description",
    "venue",
    "address",
    "time_zone",
    "places",
    "price",
    "currency",
];

/// Where each column is in the file.
pub struct Columns {
    places: Vec<(&'static str, usize)>,
    /// Columns of the file that are not understood.
    pub unknown: Vec<String>,
}

impl Columns {
    /// Finds the columns by the names in the first line.
    ///
    /// # Errors
    /// When `name` or `start_date` is missing.
    pub fn find(header: &StringRecord) -> Result<Self, String> {
        let mut columns = Self { places: Vec::new(), unknown: Vec::new() };
        for (index, name) in header.iter().enumerate() {
            let name = name.trim_start_matches('\u{feff}').trim().to_lowercase();
            match KNOWN.iter().find(|known| **known == name) {
                Some(known) => columns.places.push((known, index)),
                None => columns.unknown.push(name),
            }
        }
        for needed in &KNOWN[..2] {
            let there = columns.places.iter().any(|(name, _)| name == needed);
            if !there {
                let known = KNOWN.join(", ");
                return Err(format!("has no column `{needed}`; known columns are {known}"));
            }
        }
        Ok(columns)
    }

    fn get<'a>(&self, record: &'a StringRecord, column: &str) -> &'a str {
        let index = self.places.iter().find(|(name, _)| *name == column).map(|(_, index)| *index);
        index.and_then(|index| record.get(index)).unwrap_or_default().trim()
    }

    /// The request that creates the event of a row, as a draft.
    ///
    /// # Errors
    /// The column that is wrong and why, as far as it can be told from the row alone.
    pub fn event(&self, record: &StringRecord) -> Result<CreateEventRequest, Wrong> {
        let get = |column| self.get(record, column);
        let start = day("start_date", get("start_date"))?;
        let end = match get("end_date") {
            "" => start,
            text => day("end_date", text)?,
        };
        if end < start {
            return Err(("end_date", "must not be before start_date".to_owned()));
        }
        let categories = get("categories").split(';').map(str::trim).filter(|c| !c.is_empty());
        let zone = get("time_zone");
        Ok(CreateEventRequest {
            title: get("name").to_owned(),
            description: get("description").to_owned(),
            starts_at: at(start, STARTS),
            ends_at: at(end, ENDS),
            time_zone: if zone.is_empty() { "UTC" } else { zone }.to_owned(),
            venue: Some(Venue {
                name: get("venue").to_owned(),
                address: get("address").to_owned(),
                city: get("city").to_owned(),
                country: get("country").to_owned(),
            }),
            // A row that names no place at all can only take place on the net.
            online: is_online(get("online"))? || (get("city").is_empty() && get("country").is_empty()),
            website_url: get("url").replace(' ', "%20"),
            categories: categories.map(str::to_owned).collect(),
            ticket_types: vec![self.ticket_type(record)?],
            external_id: Some(external_id(["name", "start_date", "city", "country", "url"].map(get))),
            ..Default::default()
        })
    }

    fn ticket_type(&self, record: &StringRecord) -> Result<TicketTypeInput, Wrong> {
        let quantity = match self.get(record, "places") {
            "" => DEFAULT_PLACES,
            text => text.parse().map_err(|_| ("places", format!("must be a whole number, not `{text}`")))?,
        };
        let currency = match self.get(record, "currency") {
            "" => "EUR",
            code => code,
        };
        let minor = match self.get(record, "price") {
            "" => 0,
            text => minor_units(text)?,
        };
        let price = Some(Money { currency: currency.to_owned(), minor });
        Ok(TicketTypeInput { name: "Admission".to_owned(), quantity, price, ..Default::default() })
    }
}

/// The column that a field of the event came from.
#[must_use]
pub fn column_of(field: &str) -> &str {
    match field {
        "title" => "name",
        "starts_at" => "start_date",
        "ends_at" => "end_date",
        "website_url" => "url",
        "venue.name" => "venue",
        "venue.address" => "address",
        "venue.city" => "city",
        "venue.country" => "country",
        "ticket_types[0].quantity" => "places",
        "ticket_types[0].price.minor" => "price",
        "ticket_types[0].price.currency" => "currency",
        other => other,
    }
}

/// A column and what is wrong with it.
pub type Wrong = (&'static str, String);

fn day(column: &'static str, text: &str) -> Result<Day, Wrong> {
    Day::parse(text).ok_or_else(|| (column, format!("must be a date such as 2026-11-22, not `{text}`")))
}

fn at(day: Day, hour: &str) -> Option<Timestamp> {
    Time::parse(&format!("{day}{hour}")).map(timestamp)
}

fn is_online(text: &str) -> Result<bool, Wrong> {
    match text.to_lowercase().as_str() {
        "true" | "yes" | "1" => Ok(true),
        "" | "false" | "no" | "0" => Ok(false),
        other => Err(("online", format!("must be true or false, not `{other}`"))),
    }
}

/// An amount such as `20` or `20.50`, in hundredths.
fn minor_units(text: &str) -> Result<i64, Wrong> {
    let wrong = || ("price", format!("must be an amount such as 20.50, not `{text}`"));
    let (whole, part) = text.split_once('.').unwrap_or((text, "00"));
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    if !is_number(whole) || !is_number(part) || part.len() != 2 {
        return Err(wrong());
    }
    let (whole, part): (i64, i64) = (whole.parse().map_err(|_| wrong())?, part.parse().map_err(|_| wrong())?);
    whole.checked_mul(100).and_then(|minor| minor.checked_add(part)).ok_or_else(wrong)
}

/// The same for the same event, whatever else its row says.
fn external_id(parts: [&str; 5]) -> String {
    let digest = digest(&SHA256, parts.join("\u{1f}").as_bytes());
    format!("csv:{}", BASE64_URL_SAFE_NO_PAD.encode(&digest.as_ref()[..18]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(header: &[&str], cells: &[&str]) -> Result<CreateEventRequest, Wrong> {
        Columns::find(&StringRecord::from(header.to_vec()))
            .unwrap()
            .event(&StringRecord::from(cells.to_vec()))
    }

    #[test]
    fn a_row_becomes_a_draft() {
        let header = ["name", "start_date", "end_date", "city", "country", "online", "categories"];
        let event =
            row(&header, &["RubyConf", "2014-01-03", "2014-01-04", "Goa", "India", "false", "ruby; api"])
                .unwrap();
        assert_eq!(event.starts_at.map(|at| at.to_string()).as_deref(), Some("2014-01-03T09:00:00Z"));
        assert_eq!(event.ends_at.map(|at| at.to_string()).as_deref(), Some("2014-01-04T18:00:00Z"));
        assert_eq!(event.categories, ["ruby", "api"]);
        assert_eq!(event.ticket_types[0].quantity, 100);
        assert!(!event.publish);
    }

    #[test]
    fn small_slips_of_a_row_are_mended() {
        let header = ["name", "start_date", "city", "country", "online", "url"];
        let event =
            row(&header, &["A", "2024-06-04", "", "", "false", "http://a.example/Austin, TX"]).unwrap();
        assert!(event.online);
        assert_eq!(event.website_url, "http://a.example/Austin,%20TX");
    }

    #[test]
    fn what_is_wrong_with_a_row_is_said() {
        let header = ["name", "start_date", "end_date", "places", "price"];
        for (cells, column, reason) in [
            (["A", "soon", "", "", ""], "start_date", "must be a date"),
            (["A", "2026-02-30", "", "", ""], "start_date", "must be a date"),
            (["A", "2026-02-03", "2026-02-01", "", ""], "end_date", "must not be before"),
            (["A", "2026-02-03", "", "many", ""], "places", "must be a whole number"),
            (["A", "2026-02-03", "", "", "1,5"], "price", "must be an amount"),
        ] {
            let (wrong, why) = row(&header, &cells).unwrap_err();
            assert!(wrong == column && why.contains(reason), "{wrong} {why}");
        }
        assert!(Columns::find(&StringRecord::from(vec!["title"])).is_err());
    }

    #[test]
    fn prices_are_read_to_the_cent() {
        assert_eq!(minor_units("20"), Ok(2000));
        assert_eq!(minor_units("20.50"), Ok(2050));
        assert!(minor_units("20.5").is_err() && minor_units("-1").is_err() && minor_units("9e9").is_err());
    }
}
