//! Money, ids and refusals: what every rule is made of.

use domain::{
    BookingId, Check, Currency, EventId, Money, Refusal, RefusalKind,
    facts::{CancelReason, Published, UserErased},
    money::MAX_MINOR,
    user,
};

fn euros(minor: i64) -> Money {
    Money { currency: Currency::EUR, minor }
}

#[test]
fn the_largest_amount_is_still_an_amount() {
    assert_eq!(euros(MAX_MINOR / 2).times(2), Some(euros(MAX_MINOR)));
    assert_eq!(euros(MAX_MINOR - 1).plus(euros(1)), Some(euros(MAX_MINOR)));
    assert_eq!((euros(MAX_MINOR / 2 + 1).times(2), euros(MAX_MINOR).plus(euros(1))), (None, None));
    assert_eq!(euros(3).plus(euros(4)), Some(euros(7)));
    let dollars = Money { currency: Currency::try_from("USD".to_owned()).unwrap(), minor: 4 };
    assert_eq!(euros(3).plus(dollars), None);
}

#[test]
fn nothing_is_free_and_a_cent_is_not() {
    assert!(Money::zero(Currency::EUR).is_zero() && !euros(1).is_zero() && !euros(-1).is_zero());
    assert_eq!(euros(0).to_string(), "0.00 EUR");
}

#[test]
fn money_is_stored_as_it_is_read() {
    let json = serde_json::to_string(&euros(2_050)).unwrap();
    assert_eq!(json, r#"{"currency":"EUR","minor":2050}"#);
    assert_eq!(serde_json::from_str::<Money>(&json).unwrap(), euros(2_050));
    assert_eq!(format!("{:?}", Currency::EUR), "EUR");
    assert!(serde_json::from_str::<Money>(r#"{"currency":"eur","minor":1}"#).is_err());
}

#[test]
fn an_id_is_written_as_it_is_read() {
    let text = "01920000-0000-7000-8000-000012340000";
    let id: BookingId = text.parse().unwrap();
    assert_eq!(id.to_string(), text);
    assert_eq!(id.ticket(3).to_string(), "01920000-0000-7000-8000-000012340003");
    assert_eq!(id.ticket(3).parts(), (id, 3));
    assert!("01920000-0000-7000-8000-00001234000g".parse::<EventId>().is_err());
}

#[test]
fn a_refusal_says_what_is_wrong_and_of_which_kind() {
    let mut check = Check::default();
    check.require(true, "title", "must be there");
    assert_eq!(Check::default().finish(), Ok(()));
    check.require(false, "title", "must not be empty");
    check.fail("price", "must be from 0");
    let refusal = check.finish().unwrap_err();
    assert_eq!((refusal.kind, refusal.code), (RefusalKind::BadInput, "bad_input"));
    assert_eq!(refusal.detail, "title must not be empty; price must be from 0");
    assert_eq!(refusal.fields.len(), 2);
    for (refusal, kind, code) in [
        (Refusal::conflict("sold_out", "no places"), RefusalKind::Conflict, "sold_out"),
        (Refusal::not_found("booking"), RefusalKind::NotFound, "not_found"),
        (Refusal::forbidden("not yours"), RefusalKind::Forbidden, "forbidden"),
        (Refusal::field("a", "b"), RefusalKind::BadInput, "bad_input"),
        (user::wrong_credentials(), RefusalKind::Unauthenticated, "wrong_credentials"),
        (user::invalid_refresh_token(), RefusalKind::Unauthenticated, "invalid_refresh_token"),
        (user::email_taken(), RefusalKind::Conflict, "email_taken"),
        (user::account_gone(), RefusalKind::Unauthenticated, "unauthenticated"),
        (user::wrong_current_password(), RefusalKind::BadInput, "bad_input"),
    ] {
        assert_eq!((refusal.kind, refusal.code), (kind, code));
        assert!(!refusal.detail.is_empty() && !refusal.detail.ends_with('.'), "{}", refusal.detail);
    }
}

#[test]
fn each_way_to_end_has_a_code_of_its_own() {
    let reasons = [
        CancelReason::Buyer,
        CancelReason::Expired,
        CancelReason::PaymentFailed,
        CancelReason::EventCancelled,
    ];
    let codes = ["buyer", "expired", "payment_failed", "event_cancelled"];
    assert_eq!(reasons.map(CancelReason::code), codes);
    // The fact says the same word, in the spelling of the wire.
    for (reason, code) in reasons.into_iter().zip(codes) {
        assert_eq!(serde_json::to_string(&reason).unwrap(), format!("\"{}\"", code.to_uppercase()));
    }
}

#[test]
fn a_fact_is_read_by_its_kind() {
    let erased = UserErased { user_id: "01920000-0000-7000-8000-000012340000".parse().unwrap() };
    let fact = Published::from(erased.clone());
    assert_eq!((fact.kind(), fact.topic()), ("user.erased", "upsert-data"));
    assert_eq!((fact.key(), fact.ends_its_key()), (erased.user_id.to_string(), true));
    assert_eq!(Published::read(fact.kind(), &fact.payload().unwrap()).unwrap(), fact);
    assert!(Published::read("user.erased", "{}").is_err() && Published::read("user.gone", "{}").is_err());
}
