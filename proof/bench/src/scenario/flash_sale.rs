//! One hot event, and everybody wants a ticket of it.

use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::{Outcome, Scenario, login::Login, named};
use crate::{
    account::{Account, unique},
    booking::{Booking, Offer, Status},
    http::Connection,
    ledger::Ledger,
    load::{self, Pace, Plan, Tally},
    organizer::{self, Taken},
    report::{ms, per_second},
    target::Target,
};

const BOOKED: usize = 0;
const SOLD_OUT: usize = 1;

/// The options of the sale.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct Options {
    /// How many seats the event has; with fewer than are wanted the rest is answered `sold_out`
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    seats: u32,
    /// How many accounts book, in turn; making one costs two password hashes
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    buyers: u32,
    /// How many connections sign in in a loop meanwhile
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=1_000))]
    logins: u32,
}

/// How many accounts the logins beside the sale use.
const LOGIN_ACCOUNTS: u32 = 16;

/// The scenario `flash-sale`.
pub struct FlashSale {
    options: Options,
    organizer: Account,
    buyers: Vec<Account>,
    offer: Offer,
    ledger: Ledger,
    confirmed: u64,
    readers_behind: Option<Duration>,
    logins: Option<Logins>,
}

/// Logins beside the sale.
struct Logins {
    login: Login,
    tally: Option<Tally>,
}

impl Scenario for FlashSale {
    type Options = Options;

    const NAME: &str = "flash-sale";
    const KINDS: &[&str] = &["booked", "sold_out"];

    async fn set_up(target: &Target, options: &Options) -> anyhow::Result<Self> {
        let organizer = Account::register(target, "organizer").await?;
        let buyers = Account::register_many(target, "buyer", options.buyers).await?;
        let plan = organizer::Plan {
            title: &format!("On sale now {}", unique()),
            city: "Amsterdam",
            category: "music",
            seats: options.seats,
            price_minor: 0,
        };
        let offer = organizer::publish(&mut Connection::to(target), &organizer, &plan).await?;
        let logins = match options.logins {
            0 => None,
            _ => Some(Logins { login: Login::with(target, LOGIN_ACCOUNTS).await?, tally: None }),
        };
        let (options, ledger) = (options.clone(), Ledger::new(buyers.len()));
        Ok(Self { options, organizer, buyers, offer, ledger, confirmed: 0, readers_behind: None, logins })
    }

    async fn attempt(&self, number: u64, connection: &mut Connection) -> anyhow::Result<Outcome> {
        let buyer = usize::try_from(number)? % self.buyers.len();
        let authorization = self.buyers[buyer].authorization();
        let answer = connection.call(&self.offer.call(&authorization)).await?;
        let Some(booking) = Booking::read(&answer) else { return Ok(Outcome::refused(&answer)) };
        self.ledger.note(buyer, &booking);
        Ok(match booking.status {
            Status::Booked => Outcome::Done(BOOKED),
            Status::Rejected if booking.is_sold_out() => Outcome::Done(SOLD_OUT),
            Status::Pending => Outcome::Undecided,
            _ => Outcome::Failed(answer.tell()),
        })
    }

    async fn run(&mut self, target: &Target, plan: &Plan) -> anyhow::Result<Tally> {
        let Some(mut logins) = self.logins.take() else { return load::drive(self, target, plan).await };
        let beside =
            Plan { connections: self.options.logins, pace: Pace::Closed, attempts: u64::MAX, ..*plan };
        let both =
            tokio::try_join!(load::drive(&*self, target, plan), load::drive(&logins.login, target, &beside));
        let (tally, beside) = both?;
        logins.tally = Some(beside);
        self.logins = Some(logins);
        Ok(tally)
    }

    fn problems(&self, tally: &Tally) -> Vec<String> {
        let logins = self.logins.iter().filter_map(|logins| logins.tally.as_ref());
        let problems = logins.flat_map(Tally::problems).map(|problem| format!("logins: {problem}"));
        tally.problems().into_iter().chain(problems).collect()
    }

    async fn check(&mut self, target: &Target, tally: &Tally) -> anyhow::Result<Vec<String>> {
        self.check_sale(target, tally.unknown() + tally.undecided).await
    }

    fn configuration(&self) -> Map<String, Value> {
        let Options { seats, buyers, logins } = self.options;
        named([("seats", json!(seats)), ("buyers", json!(buyers)), ("logins", json!(logins))])
    }

    fn details(&self) -> Map<String, Value> {
        let behind_ms = self.readers_behind.map(|behind| behind.as_millis());
        let logins = self.logins.as_ref().and_then(|logins| logins.tally.as_ref()).map(beside);
        named([
            ("bookings_read_again", json!(self.confirmed)),
            ("readers_behind_ms", json!(behind_ms)),
            ("logins", json!(logins)),
        ])
    }
}

impl FlashSale {
    /// What was answered is there, what is there is sold, and analytics catches up. Up to `unknown` more
    /// than were answered may be booked.
    ///
    /// # Errors
    /// When the platform does not answer.
    pub async fn check_sale(&mut self, target: &Target, unknown: u64) -> anyhow::Result<Vec<String>> {
        let (mut connection, event_id) = (Connection::to(target), self.offer.event_id);
        // First, because reading all bookings again gives the readers time that a sale does not give them.
        let behind = organizer::wait_for_readers(&mut connection, &self.organizer, event_id).await;
        let mut found = self.ledger.check(target, &self.buyers, unknown).await?;
        match behind {
            Ok(behind) => self.readers_behind = Some(behind),
            Err(problem) => found.problems.push(problem.to_string()),
        }
        let booked = found.booked.get(&event_id).copied().unwrap_or_default();
        let until = Instant::now() + organizer::SETTLE_TIMEOUT;
        let taken = Taken::settled(&mut connection, event_id, booked, until).await?;
        found.problems.extend(taken.problems(event_id, booked, self.options.seats));
        self.confirmed = found.confirmed;
        Ok(found.problems)
    }
}

/// The figures of the logins beside the sale.
fn beside(tally: &Tally) -> Value {
    let latency = &tally.done[0].latency;
    json!({
        "count": latency.len(),
        "per_s": per_second(latency.len(), tally.took.as_secs_f64()),
        "p50_ms": ms(latency.value_at_quantile(0.5)),
        "p99_ms": ms(latency.value_at_quantile(0.99)),
        "busy": tally.busy.len(),
        "errors": tally.errors(),
    })
}
