//! What must hold of accounts, sessions and ratings after every commit.

use std::sync::Arc;

use domain::{
    EventId,
    facts::Published,
    feedback::{MAX_RATING, MIN_RATING, Rating, Summary},
    user::Account,
};
use feedback::FeedbackRow;
use store::RowId;
use user::UserRow;

use crate::{
    faults::Marker,
    witness::{Seen, Witness, said},
};

impl Witness {
    /// Looks at a commit of the user service.
    pub(crate) fn see_accounts(&mut self, seen: Seen<UserRow>) {
        for key in &seen.removed {
            match key.table {
                "account" => {
                    let gone = self.accounts.keys().find(|id| RowId::from(id.0) == key.id).copied();
                    if let Some(id) = gone {
                        self.accounts.remove(&id);
                        self.erased.insert(id);
                    }
                }
                "email" => {
                    self.claims.remove(&key.id.to_string());
                }
                _ => self.sessions.retain(|_, session| RowId::from(session.id.0) != key.id),
            }
        }
        let told: Vec<Arc<Result<Published, String>>> = seen.facts.iter().map(|fact| said(fact)).collect();
        let mut due = 0;
        for row in seen.rows {
            match Arc::unwrap_or_clone(row) {
                UserRow::Account(account) => due += usize::from(self.see_account(account, &told)),
                UserRow::Email(claim) => {
                    let email = claim.email.as_str().to_owned();
                    let before = self.claims.insert(email.clone(), claim.user_id);
                    self.require(
                        before.is_none_or(|before| before == claim.user_id),
                        "one account for an address",
                        || format!("{email} went from {before:?} to {}", claim.user_id),
                    );
                }
                UserRow::Session(session) => {
                    let is_known = self
                        .accounts
                        .get(&session.user_id)
                        .is_some_and(|account| account.sessions.contains(&session.id));
                    self.require(is_known, "a session is of an account", || format!("{:?}", session.id));
                    self.sessions.insert(session.id, session);
                }
            }
        }
        let gone = seen.removed.iter().filter(|key| key.table == "account").count();
        self.require(told.len() == due + gone, "one fact for each transition", || {
            format!("{} facts of {due} changed and {gone} erased accounts", told.len())
        });
    }

    /// Looks at an account; whether the others must be told.
    fn see_account(&mut self, account: Account, told: &[Arc<Result<Published, String>>]) -> bool {
        let id = account.id;
        let before = self.accounts.insert(id, account.clone());
        let was = before.as_ref();
        let is_erased = self.erased.contains(&id);
        self.require(!is_erased, "erased is erased", || format!("account {id} is back"));
        let email = account.canonical_email.as_str();
        let is_same_address = was.is_none_or(|was| was.canonical_email.as_str() == email);
        self.require(is_same_address, "one account for an address", || format!("account {id} moved"));
        let is_new_password = was.is_some_and(|was| was.password_hash != account.password_hash);
        let counts_on = was.map_or(0, |was| was.password_changes + u32::from(is_new_password));
        self.require(account.password_changes == counts_on, "a password is counted", || {
            format!("account {id}")
        });
        let kept =
            was.is_some_and(|was| was.sessions.iter().any(|session| account.sessions.contains(session)));
        self.require(!is_new_password || !kept, "a new password ends the sessions", || {
            format!("account {id}")
        });
        let is_told_anew = was.is_none_or(|was| was.upserted() != account.upserted());
        if is_told_anew {
            let version = was.map_or(1, |was| was.version + 1);
            self.require(account.version == version, "versions grow by one", || {
                format!("account {id} is at {} and not at {version}", account.version)
            });
            let expected = Ok(Published::from(account.upserted()));
            let is_told = told.iter().any(|fact| **fact == expected);
            self.require(is_told, "one fact for each transition", || format!("account {id} was not told"));
        }
        is_told_anew
    }

    /// Looks at a commit of the feedback service.
    pub(crate) fn see_ratings(&mut self, seen: Seen<FeedbackRow>) {
        let told: Vec<Arc<Result<Published, String>>> = seen.facts.iter().map(|fact| said(fact)).collect();
        let (mut rated, mut nameless) = (0, 0);
        for row in seen.rows {
            match Arc::unwrap_or_clone(row) {
                FeedbackRow::Rating(rating) if rating.user_id.is_none() => nameless += 1,
                FeedbackRow::Rating(rating) => {
                    rated += 1;
                    self.see_rating(rating, &told, seen.at_us);
                }
                FeedbackRow::Summary(summary) => self.see_summary(summary),
                FeedbackRow::Holding(_) | FeedbackRow::Event(_) | FeedbackRow::Erased(_) => {}
            }
        }
        let gone = seen.removed.iter().filter(|key| key.table == "rating").count();
        self.require(gone == nameless && gone == seen.removed.len(), "durable", || {
            format!("{gone} ratings lost their names, and {nameless} nameless ones came")
        });
        self.require(told.len() >= rated, "one fact for each transition", || {
            format!("{} facts of {rated} ratings", told.len())
        });
    }

    fn see_rating(&mut self, rating: Rating, told: &[Arc<Result<Published, String>>], at_us: i64) {
        let (event_id, Some(user_id)) = (rating.event_id, rating.user_id) else { return };
        let name = || format!("rating of {event_id} by {user_id}");
        let is_in_range = (MIN_RATING..=MAX_RATING).contains(&(rating.rating.cast_signed()));
        self.require(is_in_range, "ratings are from 1 to 5", name);
        let had_ticket = self.ledger.holders.contains(&(event_id, user_id));
        self.require(had_ticket, "feedback only from ticket holders", name);
        let has_begun =
            self.events.get(&event_id).is_some_and(|event| event.draft.starts_at.micros() <= at_us);
        self.require(has_begun, "feedback only after the start", name);
        let fact = told.iter().any(|fact| {
            matches!(fact.as_ref(), Ok(Published::FeedbackRecorded(fact))
                if fact.user_id == user_id && fact.sequence == rating.sequence
                    && fact.rating == rating.rating && fact.edition == rating.edition)
        });
        self.require(fact, "one fact for each transition", name);
        let (removed, editions) = match self.ratings.get(&(event_id, user_id)) {
            Some(before) => (i64::from(before.rating), before.edition),
            None => (0, 0),
        };
        self.faults.mark(if editions == 0 { Marker::Rated } else { Marker::RatedAgain });
        self.require(rating.edition > editions, "editions grow", name);
        let (sum, count) = self.ledger.ratings.entry(event_id).or_default();
        *sum += i64::from(rating.rating) - removed;
        *count += i64::from(editions == 0);
        self.ratings.insert((event_id, user_id), rating);
    }

    fn see_summary(&mut self, summary: Summary) {
        let id: EventId = summary.event_id;
        let before = self.summaries.get(&id).map_or(0, |before| before.sequence);
        self.require(summary.sequence > before, "sequences grow", || format!("ratings of event {id}"));
        self.summaries.insert(id, summary);
    }

    /// The figures of each event's ratings are those of the ratings.
    pub(crate) fn check_summaries(&mut self) {
        let found: Vec<String> = self
            .summaries
            .values()
            .filter_map(|summary| {
                let (sum, count) = self.ledger.ratings.get(&summary.event_id).copied().unwrap_or_default();
                let is_same = (summary.sum.cast_signed(), summary.count.cast_signed()) == (sum, count);
                (!is_same).then(|| {
                    format!(
                        "event {}: {} of {}, not {sum} of {count}",
                        summary.event_id, summary.sum, summary.count
                    )
                })
            })
            .collect();
        for text in found {
            self.violate("ratings add up", text);
        }
    }
}
