//! What buyers are told: one mail for each booking and kind.

use domain::{
    BookingId, Currency, EventId, Money, TicketTypeId, Time, UserId,
    facts::{
        CancelReason, EventStatus, EventUpserted, PricedLine, SeatsRefused, SeatsReleased, SeatsSold,
        UserUpserted,
    },
    notification::{
        FIRST_PAUSE_SECONDS, Kind, MAX_TRIES, Mail, MailError, Notification, Occasion, Outcome, Recipient,
        Status, TRY_SECONDS,
    },
};
use uuid::Uuid;

const NOW: Time = Time::from_micros(1_800_000_000_000_000);
const EVENT: EventId = EventId(Uuid::from_u128(1));
const BUYER: UserId = UserId(Uuid::from_u128(2));

fn id() -> BookingId {
    BookingId::from_bits(7 << 16)
}

fn lines(quantity: u32) -> Vec<PricedLine> {
    let unit_price = Money { currency: Currency::EUR, minor: 500 };
    vec![PricedLine { ticket_type_id: TicketTypeId(Uuid::from_u128(3)), quantity, unit_price }]
}

fn sale() -> Notification {
    let total = Money { currency: Currency::EUR, minor: 1_000 };
    Notification::of_sale(&SeatsSold {
        booking_id: id(),
        event_id: EVENT,
        user_id: BUYER,
        lines: lines(2),
        total,
        at: NOW,
    })
}

fn release(reason: CancelReason, keeps: Vec<PricedLine>) -> Option<Notification> {
    Notification::of_release(&SeatsReleased {
        booking_id: id(),
        event_id: EVENT,
        user_id: BUYER,
        reason,
        cancel_number: 1,
        lines: lines(2),
        keeps,
        was_sold: true,
        at: NOW,
    })
}

#[test]
fn each_end_of_a_booking_is_told_with_its_reason() {
    let sold = sale();
    assert_eq!((sold.kind, sold.lines[0].quantity, sold.total.unwrap().minor), (Kind::Booked, 2, 1_000));
    assert_eq!((sold.status, sold.next_try_at, sold.user_id), (Status::Queued, NOW, BUYER));
    let (booking_id, event_id, user_id, reason) = (id(), EVENT, BUYER, "sold_out".to_owned());
    let refused = Notification::of_refusal(&SeatsRefused { booking_id, event_id, user_id, reason, at: NOW });
    assert_eq!((refused.kind, refused.reason.as_str(), refused.total), (Kind::Refused, "sold_out", None));
    for (reason, kind) in [(CancelReason::Expired, Kind::Expired), (CancelReason::Buyer, Kind::Cancelled)] {
        let told = release(reason, vec![]).unwrap();
        assert_eq!((told.kind, told.reason.as_str(), told.lines.len()), (kind, reason.code(), 1));
    }
    assert_eq!(release(CancelReason::Buyer, lines(1)), None, "the booking goes on with one place");
}

#[test]
fn a_mail_has_one_name_for_each_booking_and_kind() {
    assert_eq!(
        (sale().id(), sale().message_id()),
        (format!("{}/BOOKED", id()), format!("{}.booked@boxoffice", id()))
    );
    assert_eq!(Kind::ALL.map(Kind::name), ["BOOKED", "CANCELLED", "REFUSED", "EXPIRED"]);
    let subjects = Kind::ALL.map(|kind| kind.subject("Concert"));
    assert!(subjects.iter().all(|subject| subject.contains("Concert")), "{subjects:?}");
    assert!((1..4).all(|index| !subjects[..index].contains(&subjects[index])), "{subjects:?}");
    assert_eq!(
        [Status::Queued, Status::Sent, Status::Failed].map(Status::name),
        ["QUEUED", "SENT", "FAILED"]
    );
}

#[test]
fn a_try_is_begun_when_it_is_due_and_by_one_only() {
    assert_eq!(sale().begin_try(NOW.plus_seconds(-1)), None);
    let begun = sale().begin_try(NOW).unwrap();
    assert_eq!((begun.tries, begun.next_try_at), (1, NOW.plus_seconds(TRY_SECONDS)));
    let sent = begun.end_try(1, &Outcome::Sent { subject: "Your tickets".to_owned() }, NOW).unwrap();
    assert_eq!(
        (sent.status, sent.subject.as_str(), sent.failure.as_str()),
        (Status::Sent, "Your tickets", "")
    );
    assert_eq!(sent.begin_try(NOW.plus_seconds(TRY_SECONDS)), None);
}

#[test]
fn what_failed_is_tried_again_until_it_never_goes() {
    let begun = sale().begin_try(NOW).unwrap();
    let why = "unreachable".to_owned();
    let later = begun.end_try(1, &Outcome::Later { why: why.clone() }, NOW).unwrap();
    assert_eq!((later.status, later.failure.as_str()), (Status::Queued, "unreachable"));
    assert_eq!(later.next_try_at, NOW.plus_seconds(FIRST_PAUSE_SECONDS));
    let sent = later.begin_try(later.next_try_at).unwrap();
    let sent = sent.end_try(2, &Outcome::Sent { subject: String::new() }, NOW).unwrap();
    assert_eq!(sent.failure, "", "what failed before is over");
    let never = begun.end_try(1, &Outcome::Never { why: "refused".to_owned() }, NOW).unwrap();
    assert_eq!((never.status, never.failure.as_str()), (Status::Failed, "refused"));
    let last = Notification { tries: MAX_TRIES, ..begun };
    let given_up = last.end_try(MAX_TRIES, &Outcome::Later { why }, NOW).unwrap();
    assert_eq!((given_up.status, given_up.failure.as_str()), (Status::Failed, "unreachable"));
}

#[test]
fn the_newest_address_is_written_to_and_none_of_somebody_who_is_gone() {
    let told = |version| UserUpserted {
        user_id: BUYER,
        name: "Ada".to_owned(),
        email: format!("ada{version}@example.org"),
        gender: None,
        birth_year: None,
        version,
    };
    let known = Recipient::upserted(None, &told(2)).unwrap();
    assert_eq!(
        (known.email.as_str(), known.name.as_str(), known.is_erased),
        ("ada2@example.org", "Ada", false)
    );
    assert_eq!(Recipient::upserted(Some(&known), &told(1)), None);
    assert_eq!(Recipient::upserted(Some(&known), &told(2)), None);
    assert_eq!(Recipient::upserted(Some(&known), &told(3)).unwrap().version, 3);
    let gone = Recipient::erased(BUYER);
    assert!(gone.is_erased && gone.email.is_empty());
    assert_eq!(Recipient::upserted(Some(&gone), &told(9)), None);
}

#[test]
fn a_mail_says_what_the_organiser_last_said() {
    let occasion = Occasion::from(&EventUpserted {
        event_id: EVENT,
        organizer_id: BUYER,
        status: EventStatus::Published,
        title: "Concert".to_owned(),
        starts_at: NOW,
        ends_at: NOW.plus_seconds(60),
        time_zone: "Europe/Berlin".to_owned(),
        place: "Hall 1".to_owned(),
        ticket_types: Vec::new(),
        version: 3,
    });
    assert_eq!(
        (occasion.title.as_str(), occasion.place.as_str(), occasion.version),
        ("Concert", "Hall 1", 3)
    );
}

#[test]
fn a_log_learns_nothing_about_a_person() {
    let mail = Mail {
        message_id: "7.booked@boxoffice".to_owned(),
        to_name: "Ada".to_owned(),
        to_email: "ada@example.org".to_owned(),
        subject: "Your tickets".to_owned(),
        text: String::new(),
        html: String::new(),
    };
    let printed = format!("{mail:?}");
    assert!(printed.contains("7.booked@boxoffice") && !printed.contains("da@example"), "{printed}");
    let captured = domain::notification::Captured {
        id: "7".to_owned(),
        at_seconds: 0,
        to: "ada@example.org".to_owned(),
        subject: String::new(),
        text: String::new(),
    };
    let printed = format!("{captured:?}");
    assert!(printed.contains('7') && !printed.contains("ada"), "{printed}");
    assert_eq!(MailError::Transient("busy".to_owned()).to_string(), "not now: busy");
    assert_eq!(MailError::Permanent("refused".to_owned()).to_string(), "never: refused");
}
