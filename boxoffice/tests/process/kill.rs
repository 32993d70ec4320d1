//! kill -9 in the middle of a sale: what was answered is there, what was not is done once.
//!
//! `BOXOFFICE_KILLS` sets how often (50), `BOXOFFICE_SEED` repeats the instants of an earlier run.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::Value;

use crate::support::{Home, Running, Sale, Visitor};

const KILLS: u64 = 50;
const SEATS: u64 = 10_000;
/// The time from a start to its kill, in milliseconds; the seats last for several of them.
const ALIVE_MS: Range<u64> = 20..500;
/// How many buyers post at the same time.
const BUYERS_AT_ONCE: Range<u64> = 16..65;

/// What a buyer got to know about a request.
struct Posted {
    key: String,
    /// The id and the status that were answered; none when no answer came.
    answer: Option<(String, String)>,
}

/// A stream of numbers that a seed repeats (SplitMix64).
pub struct Dice(pub u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn within(&mut self, range: Range<u64>) -> u64 {
        range.start + self.next() % (range.end - range.start)
    }
}

/// A number from the environment, where it is set.
pub fn number_from_env(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} must be a number")))
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_minus_nine_loses_no_answered_booking() {
    let kills = number_from_env("BOXOFFICE_KILLS").unwrap_or(KILLS);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
    let seed = number_from_env("BOXOFFICE_SEED").unwrap_or(now);
    println!("BOXOFFICE_SEED={seed} BOXOFFICE_KILLS={kills}");
    let mut campaign = Campaign::start(Dice(seed)).await;
    for round in 1..=kills {
        campaign.kill_once(round).await;
    }
    campaign.finish().await;
}

struct Campaign {
    dice: Dice,
    home: Home,
    running: Option<Running>,
    buyer: Visitor,
    sale: Sale,
    /// Every booking that somebody was told of, with the status that it had last.
    known: BTreeMap<String, String>,
}

impl Campaign {
    async fn start(dice: Dice) -> Self {
        let home = Home::new();
        let running = home.up();
        let buyer = Visitor::register(&running.url, "bruno").await;
        let sale = buyer.publish(u32::try_from(SEATS).unwrap(), 0).await;
        Self { dice, home, running: Some(running), buyer, sale, known: BTreeMap::new() }
    }

    async fn kill_once(&mut self, round: u64) {
        let alive_ms = self.dice.within(ALIVE_MS);
        let buyers = self.dice.within(BUYERS_AT_ONCE);
        let posting: Vec<_> = (0..buyers)
            .map(|number| {
                let (buyer, sale) = (self.buyer.clone(), self.sale.clone());
                // Every fourth does not wait for the decision, and is answered while it is PENDING.
                let waits = number % 4 != 0;
                tokio::spawn(post_until_it_ends(buyer, sale, format!("{round}-{number}"), waits))
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(alive_ms)).await;
        self.running.take().unwrap().kill();
        let mut posted = Vec::new();
        for buyer in posting {
            posted.extend(buyer.await.unwrap());
        }
        let running = self.home.up();
        self.buyer = self.buyer.sign_in(&running.url).await;
        self.running = Some(running);

        let (answered, unanswered): (Vec<_>, Vec<_>) = posted.into_iter().partition(|p| p.answer.is_some());
        for (id, status) in answered.iter().filter_map(|posted| posted.answer.clone()) {
            let earlier = self.known.insert(id.clone(), status);
            assert_eq!(earlier, None, "two requests were answered with booking {id}");
        }
        let done = self.check_known().await.len();
        println!(
            "kill {round} after {alive_ms} ms with {buyers} buyers: {} requests answered, {} not, {done} of \
             them done",
            answered.len(),
            unanswered.len()
        );
        assert!(done <= unanswered.len(), "{done} bookings of {} requests", unanswered.len());
        self.repeat(&unanswered).await;
        assert_eq!(self.check_known().await, BTreeSet::new(), "bookings of no request");
        self.check_seats().await;
    }

    /// A request that was not answered is done once, however often it is repeated.
    async fn repeat(&mut self, unanswered: &[Posted]) {
        for posted in unanswered {
            let first = self.buyer.book(&self.sale, &posted.key).await;
            let again = self.buyer.book(&self.sale, &posted.key).await;
            assert_eq!(first["id"], again["id"], "key {} made two bookings", posted.key);
            let (id, status) = id_and_status(&first);
            let earlier = self.known.insert(id.clone(), status);
            assert_eq!(earlier, None, "two requests were answered with booking {id}");
        }
    }

    /// Every booking that somebody was told of is there, with the status that was told or, after PENDING,
    /// a decision; the ids of those that nobody was told of.
    async fn check_known(&mut self) -> BTreeSet<String> {
        let mut there = self.bookings().await;
        for (id, told) in &mut self.known {
            let now =
                there.remove(id).unwrap_or_else(|| panic!("booking {id} was answered {told} and is lost"));
            assert!(*told == now || told == "PENDING", "booking {id} was answered {told} and is {now}");
            *told = now;
        }
        there.into_keys().collect()
    }

    async fn check_seats(&self) {
        let booked = self.known.values().filter(|status| *status == "BOOKED").count() as u64;
        assert_eq!(self.buyer.sold(&self.sale).await, booked);
        assert!(booked <= SEATS, "{booked} of {SEATS} seats are sold");
        let is_refused = self.known.values().any(|status| status == "REJECTED");
        assert!(!is_refused || booked == SEATS, "somebody was refused at {booked} of {SEATS} sold");
    }

    /// All bookings by id, once each of them is decided.
    async fn bookings(&self) -> BTreeMap<String, String> {
        let mut all = BTreeMap::new();
        for booking in self.buyer.list("/v1/bookings", "bookings").await {
            let (id, status) = id_and_status(&booking);
            let is_pending = status == "PENDING";
            let status = if is_pending { id_and_status(&self.buyer.settled(&id).await).1 } else { status };
            assert!(["BOOKED", "REJECTED"].contains(&status.as_str()), "booking {id} is {status}");
            assert_eq!(all.insert(id, status), None, "a list has a booking twice");
        }
        all
    }

    async fn finish(mut self) {
        self.running.take().unwrap().stop();
        let audit = self.home.audit().succeeded();
        let booked = self.known.values().filter(|status| *status == "BOOKED").count();
        let expected = format!("{} bookings, {booked} of them BOOKED", self.known.len());
        assert!(audit.out.contains(&expected), "not {expected}: {audit:?}");
        println!("{}", audit.out.trim());
    }
}

/// Posts one booking after the other, each under a key of its own, until one is not answered.
async fn post_until_it_ends(buyer: Visitor, sale: Sale, name: String, waits: bool) -> Vec<Posted> {
    let mut posted = Vec::new();
    loop {
        let key = format!("{name}-{}", posted.len());
        let answered = match waits {
            true => buyer.try_book(&sale, &key).await,
            false => buyer.try_place(&sale, &key).await,
        };
        match answered {
            Ok((status, booking)) => {
                assert_eq!(status, if waits { 201 } else { 202 }, "{booking}");
                posted.push(Posted { key, answer: Some(id_and_status(&booking)) });
            }
            Err(_) => {
                posted.push(Posted { key, answer: None });
                return posted;
            }
        }
    }
}

fn id_and_status(booking: &Value) -> (String, String) {
    let text = |field: &str| booking[field].as_str().unwrap_or_else(|| panic!("{booking}")).to_owned();
    (text("id"), text("status"))
}
