//! A session: the family of refresh tokens that came of one sign-in. One token of it is alive at a time.
//!
//! ```text
//!   sign-in -> token 1 -spent-> token 2 -spent-> token 3 ...   idle 30 days or 90 days old: over
//!                 \-used again: somebody else has it, and the family ends
//! ```

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    ids::{SessionId, UserId},
    planted::{Defect, planted},
    time::Time,
};

/// How long a refresh token that is not used stays valid.
pub const IDLE_SECONDS: i64 = 30 * 86_400;
/// How long a family lives, however often it is used.
pub const FAMILY_SECONDS: i64 = 90 * 86_400;
/// The most live families of a user; a further sign-in ends the oldest.
pub const MAX_SESSIONS: usize = 50;

const _: () = assert!(IDLE_SECONDS <= FAMILY_SECONDS, "a family outlives its tokens");

/// The hash of a refresh token's secret, as text. The secret itself is stored nowhere.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretHash(pub String);

impl SecretHash {
    /// Whether it is the same, in a time that does not tell where they differ.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        let (left, right) = (self.0.as_bytes(), other.0.as_bytes());
        let difference = left.iter().zip(right).fold(0, |difference, (a, b)| difference | (a ^ b));
        left.len() == right.len() && difference == 0
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(..)")
    }
}

/// A family of refresh tokens. One that ended is removed, so every session there is may go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Which.
    pub id: SessionId,
    /// Whose.
    pub user_id: UserId,
    /// Of the one token that is not spent.
    pub secret: SecretHash,
    /// When the user signed in.
    pub created_at: Time,
    /// When the last token was given.
    pub renewed_at: Time,
    /// When it ends unless it is used.
    pub expires_at: Time,
}

/// What using a refresh token does to its family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rotation {
    /// The token is spent; the family goes on with the next.
    Renewed(Session),
    /// The family is over: it was too old, or the token was spent before.
    Ended,
}

impl Session {
    /// A new family.
    #[must_use]
    pub fn open(id: SessionId, user_id: UserId, secret: SecretHash, now: Time) -> Self {
        let expires_at = now.plus_seconds(IDLE_SECONDS);
        Self { id, user_id, secret, created_at: now, renewed_at: now, expires_at }
    }

    /// Uses a token. Any secret but the current one was spent, for nobody else knows the family's id.
    #[must_use]
    pub fn rotate(&self, presented: &SecretHash, next: SecretHash, now: Time) -> Rotation {
        if self.expires_at <= now || !self.secret.matches(presented) && !planted(Defect::SpentTokenRenews) {
            return Rotation::Ended;
        }
        let end_of_family = self.created_at.plus_seconds(FAMILY_SECONDS);
        let expires_at = now.plus_seconds(IDLE_SECONDS).min(end_of_family);
        Rotation::Renewed(Self { secret: next, renewed_at: now, expires_at, ..self.clone() })
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const NOW: Time = Time::from_micros(1_800_000_000_000_000);

    fn secret(text: &str) -> SecretHash {
        SecretHash(text.to_owned())
    }

    fn session() -> Session {
        Session::open(SessionId(Uuid::from_u128(1)), UserId(Uuid::from_u128(2)), secret("one"), NOW)
    }

    #[test]
    fn a_token_is_spent_by_its_use() {
        let Rotation::Renewed(renewed) = session().rotate(&secret("one"), secret("two"), NOW) else {
            panic!("the first use renews");
        };
        assert_eq!(renewed.rotate(&secret("one"), secret("three"), NOW), Rotation::Ended);
        assert!(matches!(renewed.rotate(&secret("two"), secret("three"), NOW), Rotation::Renewed(_)));
    }

    #[test]
    fn an_idle_family_ends_and_a_busy_one_ends_too() {
        let idle = NOW.plus_seconds(IDLE_SECONDS);
        assert_eq!(session().rotate(&secret("one"), secret("two"), idle), Rotation::Ended);
        let (mut busy, mut now, mut renewals) = (session(), NOW, 0);
        loop {
            now = now.plus_seconds(IDLE_SECONDS - 1);
            match busy.rotate(&secret("one"), secret("one"), now) {
                Rotation::Renewed(renewed) => busy = renewed,
                Rotation::Ended => break,
            }
            renewals += 1;
        }
        assert_eq!(renewals, 3);
        assert_eq!(busy.expires_at, NOW.plus_seconds(FAMILY_SECONDS));
    }

    #[test]
    fn secrets_match_as_a_whole() {
        assert!(secret("abc").matches(&secret("abc")));
        for other in ["", "ab", "abd", "abcd"] {
            assert!(!secret("abc").matches(&secret(other)), "{other}");
        }
    }
}
