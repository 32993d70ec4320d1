//! kill -9 in the middle of a sale: what was answered is there, what was not is done once.
//!
//! `BOXOFFICE_KILLS` sets how often (5), `BOXOFFICE_SEED` repeats the instants of an earlier run.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::Value;

use crate::support::{Home, Running, Sale, Visitor};

const KILLS: u64 = 5;
const SEATS: u64 = 1_000;
/// The time from a start to its kill, in milliseconds; the seats last for several of them.
const ALIVE_MS: std::ops::Range<u64> = 20..500;
/// How many buyers post at the same time.
const BUYERS_AT_ONCE: std::ops::RangeInclusive<u64> = 16..=64;

/// What a buyer got to know about a request.
struct Posted {
    key: String,
    /// The id and the status that were answered; none when no answer came.
    answer: Option<(String, String)>,
}

/// A stream of numbers that a seed repeats (SplitMix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn within(&mut self, from: u64, to: u64) -> u64 {
        from + self.next() % (to - from)
    }
}

fn number_from_env(name: &str) -> Option<u64> {
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
    running: Running,
    buyer: Visitor,
    sale: Sale,
    /// Every booking that anybody knows of, with the status that it had last.
    known: BTreeMap<String, String>,
    /// The kills that cut off at least one request.
    interrupted: u64,
}

impl Campaign {
    async fn start(dice: Dice) -> Self {
        let home = Home::new();
        let running = home.up();
        let buyer = Visitor::register(&running.url, "bruno").await;
        let sale = buyer.publish(u32::try_from(SEATS).unwrap(), 0).await;
        Self { dice, home, running, buyer, sale, known: BTreeMap::new(), interrupted: 0 }
    }

    async fn kill_once(&mut self, round: u64) {
        let alive = self.dice.within(ALIVE_MS.start, ALIVE_MS.end);
        let buyers = self.dice.within(*BUYERS_AT_ONCE.start(), *BUYERS_AT_ONCE.end() + 1);
        let posting: Vec<_> = (0..buyers)
            .map(|number| {
                tokio::spawn(post_until_it_ends(self.buyer.clone(), self.sale.clone(), format!("{round}-{number}")))
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(alive)).await;
        let next = Running::kill;
        next(std::mem::replace(&mut self.running, self.home.idle()));
        let mut posted = Vec::new();
        for buyer in posting {
            posted.extend(buyer.await.unwrap());
        }
        self.running = self.home.up();
        self.buyer = self.buyer.sign_in(&self.running.url).await;
        self.check_answered(&posted).await;
        self.repeat_unanswered(&posted).await;
        self.check_nothing_is_stuck().await;
        let answered = posted.iter().filter(|posted| posted.answer.is_some()).count();
        println!("kill {round} after {alive} ms: {answered} answered, {} not", posted.len() - answered);
    }
}
