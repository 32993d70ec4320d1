//! The accounts, and what the other services know of them.

use analytics::AnalyticsRow;
use anyhow::Context;
use domain::{
    Time, UserId,
    analytics::UserStat,
    facts::Gender,
    notification::Recipient,
    user::{Account, Application, Email, PasswordHash, Role, register},
};
use notification::NotificationRow;
use ticket::{TicketRow, UserInfo};
use user::{UserRow, rows::EmailClaim};

use crate::{
    clock::{SECONDS_OF_A_DAY, SeedClock},
    facts::fact,
    writer::{Round, Writer},
};

/// The accounts of one round of commits.
const AT_ONCE: u32 = 10_000;
/// The first so many accounts organise.
const ORGANIZERS: u32 = 1_000;
/// Buyers come and go: those of neighbouring bookings are among so many.
const AROUND: u64 = 4_096;
/// Prime, so that each booking has another buyer than the one before.
const STRIDE: u64 = 1_009;
/// The hash of a password that nobody knows.
const NO_PASSWORD: &str = "$argon2id$v=19$m=19456,t=2,p=1$c2VlZGVkIGJ5IG5vYm9keQ$\
                           RdescudvJCsgt3ub+b5dWRWJTmaaJObG4ZJdxGJWEvM";

/// Everybody's ids, in the order of their registration.
pub struct People(Vec<UserId>);

impl People {
    /// Opens the accounts, shortly before the first sale.
    pub async fn register(
        count: u32,
        clock: &SeedClock,
        first_sale: Time,
        writer: &mut Writer,
    ) -> anyhow::Result<Self> {
        let environment = clock.environment();
        let mut ids = Vec::with_capacity(count as usize);
        let mut round = Round::default();
        for number in 0..count {
            clock.set(first_sale.plus_seconds(-SECONDS_OF_A_DAY * 30 + i64::from(number)));
            let account = account(number, UserId(environment.id()), environment.now())?;
            ids.push(account.id);
            let told = account.upserted();
            let published = fact("user", &environment, environment.now(), &told.clone().into())?;
            round.user_facts.push(published);
            let claim = EmailClaim { email: account.canonical_email.clone(), user_id: account.id };
            round.user.extend([UserRow::Account(account), UserRow::Email(claim)]);
            round.ticket.push(TicketRow::User(UserInfo {
                id: told.user_id,
                name: told.name.clone(),
                email: told.email.clone(),
                version: told.version,
            }));
            round.notification.extend(Recipient::upserted(None, &told).map(NotificationRow::User));
            round.analytics.extend(UserStat::upserted(None, &told).map(AnalyticsRow::User));
            if (number + 1).is_multiple_of(AT_ONCE) || number + 1 == count {
                writer.write(std::mem::take(&mut round), environment.now()).await?;
            }
        }
        Ok(Self(ids))
    }

    /// Who organises the event with a number.
    pub fn organizer(&self, event: u32) -> UserId {
        self.0[(event % ORGANIZERS) as usize % self.0.len()]
    }

    /// Who makes the booking with a number, of so many.
    pub fn buyer(&self, booking: u64, of: u64) -> UserId {
        let people = self.0.len() as u64;
        let around = AROUND.min(people);
        let first = u128::from(booking) * u128::from(people - around) / u128::from(of.max(1));
        let index = first as u64 + booking.wrapping_mul(STRIDE) % around;
        self.0[index as usize]
    }
}

fn account(number: u32, id: UserId, now: Time) -> anyhow::Result<Account> {
    let application = Application {
        name: format!("Ada Seeded {number}"),
        email: format!("ada.{number}@seed.example"),
        gender: [None, Some(Gender::Female), Some(Gender::Male)][number as usize % 3],
        birth_year: Some(1950 + (number % 55) as i32),
    };
    let email = Email::parse(&application.email).ok().context("the address is one")?;
    let hash = PasswordHash(NO_PASSWORD.to_owned());
    Ok(register(id, &application, email, hash, vec![Role::User], now))
}
