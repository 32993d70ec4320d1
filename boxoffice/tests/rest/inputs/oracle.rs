//! What the contract says must be refused, written down a second time and on its own.
//!
//! It is one-sided: what it does not call wrong may be refused for a reason that lies elsewhere.

use prost_reflect::Kind;
use serde_json::Value;

use super::{
    fields::{Field, Form, Place},
    values::Sent,
};

/// What a text must be.
enum Text {
    /// One line of at most so many characters, which must have some.
    Line(usize),
    /// One line of at most so many characters, or nothing.
    LineOrNone(usize),
    /// Several lines of at most so many characters.
    Paragraphs(usize),
    /// One of these.
    OneOf(&'static [&'static str]),
    /// An id, also where it names nothing.
    Id,
    /// What this says.
    As(fn(&str) -> bool),
    /// Whatever it is, it is only compared with what there is.
    Any,
}

/// Whether it must be refused.
pub fn is_wrong(rpc: &str, field: &Field, sent: &Sent) -> bool {
    if field.place != Place::Body {
        return is_wrong_text(rpc, field, &sent.text());
    }
    let Some(value) = &sent.value else {
        // Nothing at all in a list makes it an empty one.
        return !sent.json.is_empty() || !field.path.ends_with(']');
    };
    let Form::One(kind) = &field.form else {
        return !matches!(value, Value::Array(_) | Value::Null);
    };
    match (kind, value) {
        (_, Value::Null) => field.path.ends_with(']'),
        (Kind::Message(message), Value::String(text)) if message.name() == "Timestamp" => {
            time(text).is_none()
        }
        (Kind::Message(message), Value::String(_)) => message.name() != "FieldMask",
        (Kind::Message(_), value) => !value.is_object(),
        (Kind::String, Value::String(text)) => breaks(rpc, field, text),
        (Kind::Enum(values), Value::String(name)) => values.get_value_by_name(name).is_none(),
        (Kind::Bool, value) => !value.is_boolean(),
        (Kind::Int32 | Kind::Int64, Value::Number(number)) => {
            let whole = number.as_i64().or_else(|| whole(number.as_f64()?));
            whole.is_none_or(|number| !is_in_range(rpc, field, number))
        }
        _ => true,
    }
}

/// A path has one id each, which is never the empty text; a query may have nothing anywhere.
fn is_wrong_text(rpc: &str, field: &Field, text: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(text) else { return true };
    let Form::One(kind) = &field.form else { return true };
    match kind {
        Kind::String => breaks(rpc, field, text),
        Kind::Int32 | Kind::Int64 => {
            text.parse().map_or(true, |number: i64| !is_in_range(rpc, field, number))
        }
        Kind::Enum(values) => values.get_value_by_name(text).is_none(),
        other => panic!("{} is {other:?}, which no path or query has yet", field.path),
    }
}

/// The time that a text says, to the microsecond, which is as exactly as times are kept.
pub fn time(text: &str) -> Option<i64> {
    // The last hours of the calendar are beyond what is counted here, and finer fractions too.
    if text == "9999-12-31T23:59:59Z" {
        return Some(253_402_300_799_000_000);
    }
    let whole = text.replace("1234567891", "123456789");
    whole.parse::<jiff::Timestamp>().ok().map(|time| time.as_microsecond())
}

/// The whole number that a JSON number is; none beyond what floats can tell.
fn whole(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64)
}

fn is_in_range(rpc: &str, field: &Field, number: i64) -> bool {
    let range = match (rpc, field.name()) {
        ("CreateBooking", "quantity") | (_, "max_per_booking") => 1..=50,
        (_, "quantity" | "capacity") => 1..=1_000_000,
        (_, "minor") => 0..=1_000_000_000_000,
        (_, "birth_year") => 1_900..=2_100,
        (_, "rating") => 1..=5,
        // Nothing is the default.
        (_, "page_size" | "limit") => 0..=100,
        (rpc, name) => panic!("{rpc} reads the number {name}, which needs a rule here"),
    };
    range.contains(&number)
}

fn breaks(rpc: &str, field: &Field, text: &str) -> bool {
    let has_control = |allowed: &[char]| text.chars().any(|c| c.is_control() && !allowed.contains(&c));
    let is_long = |most: usize| text.trim().chars().count() > most;
    if text.contains('\0') {
        return true;
    }
    match rule(rpc, field.name(), field.place) {
        Text::Line(most) => {
            text.trim().is_empty() || is_long(most) || has_control(&['\t', '\n', '\r', '\u{85}'])
        }
        Text::LineOrNone(most) => is_long(most) || has_control(&['\t', '\n', '\r', '\u{85}']),
        Text::Paragraphs(most) => is_long(most) || has_control(&['\t', '\n', '\r']),
        Text::OneOf(choices) => !choices.contains(&text),
        Text::Id => uuid::Uuid::parse_str(text).is_err(),
        Text::As(is_right) => !is_right(text),
        Text::Any => false,
    }
}

fn rule(rpc: &str, name: &str, place: Place) -> Text {
    match (rpc, name) {
        (_, "ticket_type_id" | "booking_id" | "ticket_id" | "ticket_ids") => Text::Id,
        // What is not told apart from no condition at all.
        ("ListBookings" | "ListTickets", "event_id") => Text::As(|text| text.is_empty() || is_id(text)),
        (_, "event_id") => Text::Id,
        (_, "mail_id") => Text::As(|_| false),
        (_, "title") => Text::Line(200),
        (_, "description") => Text::Paragraphs(20_000),
        (_, "comment") => Text::Paragraphs(2_000),
        ("ListEvents", "category" | "city" | "country" | "q") => Text::Any,
        (_, "address") => Text::LineOrNone(200),
        (_, "name" | "categories") => Text::LineOrNone(120),
        (_, "city" | "country") => Text::LineOrNone(120),
        (_, "image_url" | "website_url") => {
            Text::As(|text| text.is_empty() || text.starts_with("http") && text.len() <= 1_000)
        }
        (_, "time_zone") => Text::As(|text| text.is_ascii() && !text.contains([' ', '.'])),
        (_, "external_id") => Text::LineOrNone(200),
        (_, "currency") => {
            Text::As(|text| text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase()))
        }
        ("Register", "email") => Text::As(is_address),
        ("CreateBooking", "email") => Text::As(|text| text.is_empty() || text.contains('@')),
        ("TransferTicket", "email") => Text::As(is_address),
        (_, "email") => Text::Any,
        ("Register" | "UpdateMe", "password") => Text::As(|text| (8..=256).contains(&text.chars().count())),
        (_, "password" | "current_password") => Text::As(|text| text.chars().count() <= 256),
        (_, "refresh_token" | "code" | "payment_method" | "csv" | "update_mask") => Text::Any,
        (_, "promo_code") => Text::LineOrNone(40),
        (_, "seat_ids") => Text::LineOrNone(120),
        (_, "page_token") => Text::As(str::is_empty),
        (_, "sort") => Text::OneOf(&["", "soonest", "latest", "newest"]),
        (_, "format") => Text::OneOf(&["", "csv", "json"]),
        (_, "service") => Text::OneOf(&["event", "ticket", "feedback", "notification", "analytics"]),
        (_, "organizer_id") => Text::As(|text| text.is_empty() || text == "me" || is_id(text)),
        (_, "from" | "to") => {
            Text::As(|text| text.is_empty() || text.starts_with(|c: char| c.is_ascii_digit()))
        }
        (rpc, name) => panic!("{rpc} reads the text {name} ({place:?}), which needs a rule here"),
    }
}

fn is_id(text: &str) -> bool {
    uuid::Uuid::parse_str(text).is_ok()
}

/// The least that an address of a person has.
fn is_address(text: &str) -> bool {
    let text = text.trim();
    let has_parts = text.split_once('@').is_some_and(|(local, host)| !local.is_empty() && !host.is_empty());
    has_parts && text.len() <= 254 && !text.contains(char::is_control)
}
