//! Writing a mail: the templates of `templates/`, plain text and HTML, for each kind.

use domain::{
    Time,
    notification::{Kind, Mail, Notification, Occasion, Recipient},
};
use jiff::{Timestamp, tz::TimeZone};
use minijinja::{Environment, UndefinedBehavior, Value, context, syntax::SyntaxConfig};

/// How a mail writes a moment, in the event's time zone.
const DATE_FORMAT: &str = "%A, %-d %B %Y, %H:%M (%Z)";
/// The templates, by name. What ends in `.html` is escaped.
const TEMPLATES: [(&str, &str); 9] = [
    ("booked.txt", include_str!("../templates/booked.txt")),
    ("booked.html", include_str!("../templates/booked.html")),
    ("cancelled.txt", include_str!("../templates/cancelled.txt")),
    ("cancelled.html", include_str!("../templates/cancelled.html")),
    ("refused.txt", include_str!("../templates/refused.txt")),
    ("refused.html", include_str!("../templates/refused.html")),
    ("expired.txt", include_str!("../templates/expired.txt")),
    ("expired.html", include_str!("../templates/expired.html")),
    ("layout.html", include_str!("../templates/layout.html")),
];

/// The templates, read once.
pub(crate) struct Renderer {
    templates: Environment<'static>,
}

impl Renderer {
    /// The templates of this program.
    ///
    /// # Errors
    /// When one cannot be read: a test reads them all.
    pub(crate) fn new() -> Result<Self, minijinja::Error> {
        let mut templates = Environment::new();
        templates.set_undefined_behavior(UndefinedBehavior::Strict);
        templates.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
        for (name, source) in TEMPLATES {
            templates.add_template(name, source)?;
        }
        Ok(Self { templates })
    }

    /// The mail that tells somebody.
    ///
    /// # Errors
    /// When a template asks for what is not there.
    pub(crate) fn mail(
        &self,
        notification: &Notification,
        to: &Recipient,
        event: &Occasion,
    ) -> Result<Mail, minijinja::Error> {
        let subject = notification.kind.subject(&event.title);
        let context = context! {
            name => to.name.as_str(),
            title => event.title.as_str(),
            when => local_time(event.starts_at, &event.time_zone),
            place => event.place.as_str(),
            lines => shown_lines(notification, event),
            total => notification.total.map(|total| total.to_string()),
            reason => reason(notification),
        };
        let (text_name, html_name) = template_names(notification.kind);
        let text = self.templates.get_template(text_name)?.render(&context)?;
        let content = self.templates.get_template(html_name)?.render(&context)?;
        let layout = context! { subject => subject.as_str(), content => content };
        let html = self.templates.get_template("layout.html")?.render(layout)?;
        Ok(Mail {
            message_id: notification.message_id(),
            to_name: to.name.clone(),
            to_email: to.email.clone(),
            subject,
            text,
            html,
        })
    }
}

fn template_names(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Booked => ("booked.txt", "booked.html"),
        Kind::Cancelled => ("cancelled.txt", "cancelled.html"),
        Kind::Refused => ("refused.txt", "refused.html"),
        Kind::Expired => ("expired.txt", "expired.html"),
    }
}

fn shown_lines(notification: &Notification, event: &Occasion) -> Vec<Value> {
    let shown = |line: &domain::notification::Line| {
        let named = event.ticket_types.iter().find(|named| named.id == line.ticket_type_id);
        let name = named.map_or_else(|| "Ticket".to_owned(), |named| named.name.clone());
        context! { quantity => line.quantity, name => name }
    };
    notification.lines.iter().map(shown).collect()
}

/// A reason as a sentence; a code that is not listed gets a general one.
fn reason(notification: &Notification) -> &'static str {
    match notification.reason.as_str() {
        "buyer" => "It was cancelled as you asked.",
        "payment_failed" => "The payment was declined.",
        "event_cancelled" => "The organiser has called off the event.",
        "sold_out" => "There were not enough places left.",
        "sales_not_started" => "The sale has not begun yet.",
        "sales_ended" => "The sale has ended.",
        "event_ended" => "The event is over.",
        "over_limit" => "That was more than one person may book.",
        "unknown_promo_code" => "The promotion code is not valid.",
        _ => "The booking could not be kept.",
    }
}

/// A moment as people at the event write it; in UTC where the zone is not known.
fn local_time(time: Time, time_zone: &str) -> String {
    let zone = TimeZone::get(time_zone).unwrap_or(TimeZone::UTC);
    let moment = Timestamp::from_microsecond(time.micros()).unwrap_or(Timestamp::UNIX_EPOCH);
    moment.to_zoned(zone).strftime(DATE_FORMAT).to_string()
}

#[cfg(test)]
mod tests {
    use domain::{
        BookingId, Currency, EventId, Money, TicketTypeId, UserId,
        facts::{PricedLine, SeatsSold, TicketTypeName},
    };
    use uuid::Uuid;

    use super::*;

    fn occasion(title: &str) -> Occasion {
        Occasion {
            event_id: EventId(Uuid::from_u128(1)),
            title: title.to_owned(),
            starts_at: Time::parse("2026-07-04T18:30:00Z").unwrap(),
            time_zone: "Europe/Berlin".to_owned(),
            place: "Town Hall, Berlin".to_owned(),
            ticket_types: vec![TicketTypeName {
                id: TicketTypeId(Uuid::from_u128(3)),
                name: "Standing".to_owned(),
            }],
            version: 1,
        }
    }

    fn mail(kind: Kind, name: &str, title: &str) -> Mail {
        let unit_price = Money { currency: Currency::EUR, minor: 2_050 };
        let ticket_type_id = TicketTypeId(Uuid::from_u128(3));
        let user_id = UserId(Uuid::from_u128(2));
        let sale = SeatsSold {
            booking_id: BookingId::from_bits(9 << 16),
            event_id: EventId(Uuid::from_u128(1)),
            user_id,
            lines: vec![PricedLine { ticket_type_id, quantity: 2, unit_price }],
            total: Money { minor: 4_100, ..unit_price },
            at: Time::from_micros(0),
        };
        let reason = if kind == Kind::Booked { "" } else { "sold_out" };
        let notification = Notification { kind, reason: reason.to_owned(), ..Notification::of_sale(&sale) };
        let to = Recipient {
            user_id,
            name: name.to_owned(),
            email: "ada@example.org".to_owned(),
            version: 1,
            is_erased: false,
        };
        Renderer::new().unwrap().mail(&notification, &to, &occasion(title)).unwrap()
    }

    #[test]
    fn every_kind_is_rendered_whole() {
        for kind in Kind::ALL {
            let mail = mail(kind, "Ada", "Concert");
            for body in [&mail.text, &mail.html] {
                assert!(body.contains("Ada") && body.contains("Concert"), "{kind:?}: {body}");
                assert!(!body.contains("{{") && !body.contains("{%"), "{kind:?}: {body}");
                assert!(!body.contains("\n\n\n"), "{kind:?} has wide gaps: {body}");
            }
            assert_eq!(mail.html.matches("<html").count(), 1);
        }
    }

    #[test]
    fn a_booking_says_when_where_what_and_how_much() {
        let mail = mail(Kind::Booked, "Ada", "Concert");
        for part in ["Saturday, 4 July 2026, 20:30 (CEST)", "Town Hall, Berlin", "2 x Standing", "41.00 EUR"]
        {
            assert!(mail.text.contains(part), "{part} in {}", mail.text);
            assert!(mail.html.contains(part), "{part} in {}", mail.html);
        }
        assert_eq!(mail.subject, "Your tickets for Concert");
        assert!(mail.message_id.ends_with(".booked@boxoffice"), "{}", mail.message_id);
    }

    #[test]
    fn html_is_escaped_and_plain_text_is_not() {
        let mail = mail(Kind::Booked, "<script>x</script>", "Rock & <b>Roll</b>");
        assert!(!mail.html.contains("<script>") && !mail.html.contains("<b>Roll"), "{}", mail.html);
        assert!(mail.html.contains("Rock &amp; "), "{}", mail.html);
        assert!(mail.text.contains("Rock & <b>Roll</b>"), "{}", mail.text);
    }
}
