//! Accounts: their limits, their changes and their sessions.

use uuid::Uuid;

use super::*;

/// 2027-01-15.
const NOW: Time = Time::from_micros(1_800_000_000_000_000);

fn application() -> Application {
    Application {
        name: " Ada Lovelace ".to_owned(),
        email: " Ada@Example.org ".to_owned(),
        gender: Some(Gender::Female),
        birth_year: Some(1_915),
    }
}

fn checked(application: &Application, password: &str) -> Result<Email, Refusal> {
    let mut check = Check::default();
    let email = application.check(&mut check, password, NOW);
    check.finish().map(|()| email.unwrap())
}

fn account() -> Account {
    let email = checked(&application(), "correct horse").unwrap();
    let hash = PasswordHash("hash".to_owned());
    register(UserId(Uuid::from_u128(1)), &application(), email, hash, vec![Role::User], NOW)
}

fn session(number: u128) -> SessionId {
    SessionId(Uuid::from_u128(number))
}

#[test]
fn an_account_keeps_the_address_as_written_and_is_unique_by_its_canonical_form() {
    let account = account();
    assert_eq!((account.name.as_str(), account.email.as_str()), ("Ada Lovelace", "Ada@Example.org"));
    assert_eq!(account.canonical_email.as_str(), "ada@example.org");
    assert_eq!((account.upserted().version, account.erased().user_id), (1, account.id));
}

#[test]
fn every_wrong_field_is_named() {
    let wrong = Application {
        name: " ".to_owned(),
        email: "ada".to_owned(),
        birth_year: Some(2_028),
        ..application()
    };
    let refusal = checked(&wrong, "short").unwrap_err();
    let fields: Vec<_> = refusal.fields.iter().map(|error| error.field.as_str()).collect();
    assert_eq!(fields, ["name", "email", "password", "birth_year"]);
}

#[test]
fn limits_hold_at_their_edges() {
    let is_right = |application: &Application, password: &str| checked(application, password).is_ok();
    for (year, right) in [(1_899, false), (1_900, true), (2_027, true), (2_028, false), (i32::MIN, false)] {
        assert_eq!(is_right(&Application { birth_year: Some(year), ..application() }, "12345678"), right);
    }
    for (password, right) in [
        ("1234567".to_owned(), false),
        ("12345678".to_owned(), true),
        ("€".repeat(256), true),
        ("€".repeat(257), false),
        ("a".repeat(1_000_000), false),
    ] {
        assert_eq!(is_right(&application(), &password), right, "{}", password.len());
    }
    for (chars, right) in [(1, true), (120, true), (121, false)] {
        assert_eq!(is_right(&Application { name: "é".repeat(chars), ..application() }, "12345678"), right);
    }
}

#[test]
fn an_edit_changes_what_it_names_and_counts_as_one_version() {
    let before = account();
    let edit = Edit { name: Some("Ada".to_owned()), gender: Patch::Clear, ..Edit::default() };
    let after = before.update(&edit).unwrap();
    assert_eq!((after.name.as_str(), after.gender, after.birth_year), ("Ada", None, Some(1_915)));
    assert_eq!(after.version, 2);
    assert_eq!(after.update(&edit).unwrap(), after, "the same edit again changes nothing");
}

#[test]
fn a_new_password_ends_all_sessions_and_needs_the_one_that_was_checked() {
    let mut before = account();
    before.add_session(session(1));
    let hash = PasswordHash("new".to_owned());
    let edit =
        |checked| Edit { password: Some(NewPassword { checked, hash: hash.clone() }), ..Edit::default() };
    let after = before.update(&edit(0)).unwrap();
    assert!(after.sessions.is_empty());
    assert_eq!((after.password_changes, after.version), (1, 1));
    assert_eq!(after.update(&edit(0)).unwrap_err(), wrong_current_password());
}

#[test]
fn the_oldest_session_makes_room() {
    let mut account = account();
    for number in 1..=MAX_SESSIONS as u128 {
        assert!(account.add_session(session(number)).is_empty());
    }
    assert_eq!(account.add_session(session(99)), [session(1)]);
    assert_eq!(account.sessions.len(), MAX_SESSIONS);
}

#[test]
fn a_role_is_granted_once() {
    let mut account = account();
    account.grant(Role::Admin);
    account.grant(Role::Admin);
    assert_eq!(account.roles, [Role::User, Role::Admin]);
}

#[test]
fn secrets_do_not_print_themselves() {
    let printed = format!("{:?}", account());
    assert!(!printed.contains("hash") && !printed.contains("Ada"), "{printed}");
}
