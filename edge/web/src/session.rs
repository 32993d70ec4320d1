//! Who is signed in, in a cookie that only this program can read or make.
//!
//! The cookie is sealed with AES-256-GCM and opaque to everyone else: the tokens in it never reach a script, and a
//! changed cookie is no cookie. There is no table of sessions, so any replica with the same key serves any visitor.

pub(crate) mod exchange;

use std::fmt;

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    constant_time::verify_slices_are_equal,
    hmac,
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use kit::Environment;
use serde::{Deserialize, Serialize};

pub(crate) use exchange::Exchanges;

/// The length of the key that cookies are sealed with, in bytes.
pub const SESSION_KEY_BYTES: usize = 32;
/// What a sealed cookie is for; part of what is authenticated, and changed with the format.
const PURPOSE: &[u8] = b"boxoffice session 1";
/// How much of a code is enough for a form's token, in bytes.
const TOKEN_BYTES: usize = 16;

/// The key that cookies are sealed with. Who has it can be anybody, so it is shown to nobody.
#[derive(Clone)]
pub struct SessionKey([u8; SESSION_KEY_BYTES]);

impl SessionKey {
    /// A key of the right length; none otherwise.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionKey")
    }
}

/// Somebody who is signed in.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct SignedIn {
    /// For the services.
    pub access_token: String,
    /// For the next access token.
    pub refresh_token: String,
    /// When the access token ends, in seconds since 1970.
    pub expires_at: i64,
    /// The id of the account.
    pub user_id: String,
    /// The name, as of the sign-in or the last change of the account here.
    pub name: String,
    /// Whether the person is an administrator, as of the sign-in. Services decide by the token, not by this.
    pub is_admin: bool,
}

/// What a cookie holds.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Session {
    /// Random; the tokens of forms follow from it.
    visitor: [u8; 16],
    /// Who is signed in, if anybody is.
    pub signed_in: Option<SignedIn>,
}

impl Session {
    /// Of somebody new. Who signs in or out gets a fresh one, so a session that was known before is worth nothing.
    pub fn fresh(environment: &Environment, signed_in: Option<SignedIn>) -> Self {
        Self { visitor: environment.random(), signed_in }
    }
}

/// Seals cookies, and makes the tokens of forms.
pub(crate) struct Sealer {
    cookies: LessSafeKey,
    tokens: hmac::Key,
}

impl Sealer {
    /// With a key of its own for each of its two uses.
    pub fn new(key: &SessionKey) -> Self {
        let root = hmac::Key::new(hmac::HMAC_SHA256, &key.0);
        let cookies = hmac::sign(&root, b"cookies");
        #[allow(clippy::expect_used, reason = "a code of HMAC-SHA-256 has the length of a key of AES-256")]
        let cookies = UnboundKey::new(&AES_256_GCM, cookies.as_ref()).expect("the length is right");
        let tokens = hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&root, b"tokens").as_ref());
        Self { cookies: LessSafeKey::new(cookies), tokens }
    }

    /// A session as a cookie's value; none where it cannot be sealed.
    pub fn seal(&self, session: &Session, environment: &Environment) -> Option<String> {
        let mut bytes = serde_json::to_vec(session).ok()?;
        let nonce: [u8; NONCE_LEN] = environment.random();
        let sealing = Nonce::assume_unique_for_key(nonce);
        self.cookies.seal_in_place_append_tag(sealing, Aad::from(PURPOSE), &mut bytes).ok()?;
        Some(BASE64_URL_SAFE_NO_PAD.encode([&nonce[..], &bytes].concat()))
    }

    /// The session of a cookie; none where it is none of ours.
    pub fn open(&self, cookie: &str) -> Option<Session> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(cookie).ok()?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut sealed = sealed.to_vec();
        let plain = self.cookies.open_in_place(nonce, Aad::from(PURPOSE), &mut sealed).ok()?;
        serde_json::from_slice(plain).ok()
    }

    /// The token that forms of this session carry.
    pub fn token(&self, session: &Session) -> String {
        let code = hmac::sign(&self.tokens, &session.visitor);
        BASE64_URL_SAFE_NO_PAD.encode(&code.as_ref()[..TOKEN_BYTES])
    }

    /// Whether a form's token is that of this session.
    pub fn has_token(&self, session: &Session, token: &str) -> bool {
        verify_slices_are_equal(self.token(session).as_bytes(), token.as_bytes()).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer(byte: u8) -> Sealer {
        Sealer::new(&SessionKey([byte; SESSION_KEY_BYTES]))
    }

    fn session() -> Session {
        let signed_in = SignedIn {
            access_token: "access".to_owned(),
            refresh_token: "refresh".to_owned(),
            expires_at: 7,
            user_id: "0192".to_owned(),
            name: "Bruno".to_owned(),
            is_admin: false,
        };
        Session::fresh(&Environment::system(), Some(signed_in))
    }

    #[test]
    fn a_cookie_comes_back_as_it_was_and_shows_nothing() {
        let (sealer, session) = (sealer(1), session());
        let cookie = sealer.seal(&session, &Environment::system()).unwrap();
        let back = sealer.open(&cookie).unwrap();
        assert_eq!(back.signed_in.unwrap().refresh_token, "refresh");
        assert_eq!(back.visitor, session.visitor);
        assert_ne!(cookie, sealer.seal(&session, &Environment::system()).unwrap());
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(&cookie).unwrap();
        assert!(!bytes.windows(7).any(|window| window == b"refresh"));
    }

    #[test]
    fn a_changed_or_foreign_cookie_is_none() {
        let cookie = sealer(1).seal(&session(), &Environment::system()).unwrap();
        assert!(sealer(2).open(&cookie).is_none());
        for at in [0, 20, cookie.len() - 2] {
            let mut bytes = cookie.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            assert!(sealer(1).open(&String::from_utf8(bytes).unwrap()).is_none(), "{at}");
        }
        for cookie in ["", "a", "not base64!", &cookie[..15]] {
            assert!(sealer(1).open(cookie).is_none(), "{cookie}");
        }
    }

    #[test]
    fn a_form_s_token_is_of_one_session() {
        let (sealer, one, other) = (sealer(1), session(), session());
        assert!(sealer.has_token(&one, &sealer.token(&one)));
        assert!(!sealer.has_token(&one, &sealer.token(&other)) && !sealer.has_token(&one, ""));
    }
}
