//! Accounts: which addresses are one, what an edit may say, and how a session ends.

use domain::{
    Check, SessionId, Time, UserId,
    facts::Gender,
    user::{
        Application, Edit, Email, MAX_EMAIL_BYTES, NewPassword, PasswordHash, Patch, Role, Rotation,
        SecretHash, Session, register,
        session::{FAMILY_SECONDS, IDLE_SECONDS},
    },
};
use uuid::Uuid;

/// 2027-01-15.
const NOW: Time = Time::from_micros(1_800_000_000_000_000);

fn is_address(text: &str) -> bool {
    Email::parse(text).is_ok()
}

/// An address of so many bytes, whose parts are as long as they may be.
fn address(bytes: usize) -> String {
    let local = "a".repeat(64);
    let label = "b".repeat(63);
    let rest = bytes - local.len() - 1 - 2 * (label.len() + 1);
    format!("{local}@{label}.{label}.{}", "c".repeat(rest))
}

#[test]
fn an_address_ends_where_the_rfc_says() {
    assert_eq!(address(MAX_EMAIL_BYTES).len(), MAX_EMAIL_BYTES);
    assert!(is_address(&address(MAX_EMAIL_BYTES)) && !is_address(&address(MAX_EMAIL_BYTES + 1)));
    for (local, right) in [(1, true), (64, true), (65, false)] {
        assert_eq!(is_address(&format!("{}@example.org", "a".repeat(local))), right, "{local}");
    }
    for (label, right) in [(1, true), (63, true), (64, false)] {
        assert_eq!(is_address(&format!("a@{}.org", "b".repeat(label))), right, "{label}");
    }
    // The canonical form counts: one character of these becomes four.
    let domain = |labels: usize| vec!["\u{3300}".repeat(5); labels].join(".");
    assert!(is_address(&format!("a@{}.org", domain(4))) && !is_address(&format!("a@{}.org", domain(5))));
    // And this one becomes a blank with a mark.
    assert!(!is_address("a\u{a8}b@example.org"));
}

#[test]
fn each_kind_of_character_has_its_place_in_an_address() {
    for c in "<>()[],;:\\\"@".chars() {
        assert!(!is_address(&format!("a{c}b@example.org")), "{c}");
    }
    for c in "_ !/$".chars() {
        assert!(!is_address(&format!("a@exa{c}mple.org")), "{c}");
    }
    for hidden in ['\u{7f}', '\u{a0}', '\u{ad}', '\u{200b}', '\u{202e}', '\u{feff}', '\t'] {
        assert!(!is_address(&format!("a{hidden}b@example.org")), "{hidden:?}");
        assert!(!is_address(&format!("ab@exa{hidden}mple.org")), "{hidden:?}");
    }
    for domain in ["exa-mple.org", "a1.example.org", "localhost", "пример.рф", "उदाहरण.org"]
    {
        assert!(is_address(&format!("a@{domain}")), "{domain}");
    }
    for domain in
        ["example-.org", "-example.org", "example", "localhost.", ".", "example..org", "a@localhost"]
    {
        assert!(!is_address(&format!("a@{domain}")), "{domain}");
    }
    for local in ["", ".a", "a.", "a..b"] {
        assert!(!is_address(&format!("{local}@example.org")), "{local}");
    }
    assert_eq!(Email::parse(" A@Example.org").unwrap().to_string(), "a@example.org");
}

fn application() -> Application {
    Application {
        name: "Ada".to_owned(),
        email: "ada@example.org".to_owned(),
        gender: None,
        birth_year: Some(1_915),
    }
}

fn account() -> domain::user::Account {
    let email = Email::parse("ada@example.org").unwrap();
    let hash = PasswordHash("hash".to_owned());
    register(UserId(Uuid::from_u128(1)), &application(), email, hash, vec![Role::User], NOW)
}

#[test]
fn a_password_is_counted_in_characters() {
    let is_right = |password: &str| {
        let mut check = Check::default();
        application().check(&mut check, password, NOW);
        check.finish().is_ok()
    };
    for (chars, right) in [(7, false), (8, true), (9, true), (255, true), (256, true), (257, false)] {
        for letter in ["a", "€", "😀"] {
            assert_eq!(is_right(&letter.repeat(chars)), right, "{chars} {letter}");
        }
    }
}

#[test]
fn an_edit_is_held_against_the_same_limits() {
    let wrong = |edit: Edit| {
        let mut check = Check::default();
        edit.check(&mut check, NOW);
        check.finish().map_or_else(|refusal| refusal.fields.len(), |()| 0)
    };
    assert_eq!(wrong(Edit::default()), 0);
    assert_eq!(
        wrong(Edit { name: Some(" ".to_owned()), birth_year: Patch::Set(2_028), ..Edit::default() }),
        2
    );
    assert_eq!(wrong(Edit { name: Some("Ada".to_owned()), birth_year: Patch::Clear, ..Edit::default() }), 0);
    let edit = Edit { gender: Patch::Set(Gender::Other), birth_year: Patch::Set(1_916), ..Edit::default() };
    let edited = account().update(&edit).unwrap();
    assert_eq!((edited.gender, edited.birth_year), (Some(Gender::Other), Some(1_916)));
    let told = edited.upserted();
    assert_eq!((told.name.as_str(), told.email.as_str(), told.version), ("Ada", "ada@example.org", 2));
}

#[test]
fn each_new_password_is_counted() {
    let mut account = account();
    for checked in 0..3 {
        let password = Some(NewPassword { checked, hash: PasswordHash("new".to_owned()) });
        account = account.update(&Edit { password, ..Edit::default() }).unwrap();
        assert_eq!(account.password_changes, checked + 1);
    }
}

fn secret(text: &str) -> SecretHash {
    SecretHash(text.to_owned())
}

#[test]
fn a_session_lasts_from_its_last_use_but_not_for_ever() {
    assert_eq!((IDLE_SECONDS, FAMILY_SECONDS), (30 * 24 * 60 * 60, 90 * 24 * 60 * 60));
    let session =
        Session::open(SessionId(Uuid::from_u128(1)), UserId(Uuid::from_u128(2)), secret("one"), NOW);
    assert_eq!(session.expires_at, NOW.plus_seconds(IDLE_SECONDS));
    let last = NOW.plus_seconds(IDLE_SECONDS - 1);
    let Rotation::Renewed(renewed) = session.rotate(&secret("one"), secret("two"), last) else {
        panic!("it is still valid");
    };
    assert_eq!((renewed.renewed_at, renewed.created_at), (last, NOW));
    assert_eq!(
        (renewed.secret.clone(), renewed.expires_at),
        (secret("two"), last.plus_seconds(IDLE_SECONDS))
    );
    assert_eq!(format!("{:?}", renewed.secret), "SecretHash(..)");
}

#[test]
fn secrets_that_share_letters_are_not_the_same() {
    // Differences that cancel each other, or share no bit, are differences.
    for (left, right) in [("ab", "ba"), ("aa", "bb"), ("a`", "`a"), ("ad", "be"), ("", "a"), ("a", "")] {
        assert!(!secret(left).matches(&secret(right)), "{left} {right}");
    }
    assert!(secret("").matches(&secret("")) && secret("ab").matches(&secret("ab")));
}

#[test]
fn nothing_secret_is_printed() {
    let account = account();
    assert_eq!(
        format!("{:?} {:?}", account.password_hash, account.canonical_email),
        "PasswordHash(..) Email(..)"
    );
    assert_eq!(format!("{account:?}"), format!("Account {{ id: {:?}, .. }}", account.id));
}
