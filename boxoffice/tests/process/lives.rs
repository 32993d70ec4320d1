//! kill -9 while bookings live: they are made, paid, cancelled and admitted. What was answered is so after the start,
//! and nobody pays twice or gets too much back.
//!
//! As with the other campaign, `BOXOFFICE_KILLS` sets how often (20), `BOXOFFICE_SEED` repeats the instants.

use std::{
    collections::BTreeMap,
    ops::Range,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    kill::{Dice, number_from_env},
    support::{Home, Running, Sale, Visitor},
};

const KILLS: u64 = 20;
const SEATS: u32 = 100_000;
const PRICE_MINOR: i64 = 1_000;
/// The time from a start to its kill, in milliseconds: room for whole lives.
const ALIVE_MS: Range<u64> = 100..900;
const BUYERS_AT_ONCE: u64 = 12;
/// A card of the simulator that pays.
const GOOD_CARD: &str = "4242424242424242";

/// How far a booking came, by its buyer's account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Held,
    Paid,
    /// Given back, or let in at the door: where a life ends.
    Over,
}

/// How a life ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Kept,
    Cancelled,
    Admitted,
}

/// A booking as its buyer knows it.
#[derive(Debug, Clone, Copy)]
struct Life {
    ending: Ending,
    /// What was answered last.
    told: Step,
    /// What was asked last; the answer may be missing.
    asked: Step,
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_minus_nine_loses_no_payment_no_cancellation_and_no_admission() {
    let kills = number_from_env("BOXOFFICE_KILLS").unwrap_or(KILLS);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
    let seed = number_from_env("BOXOFFICE_SEED").unwrap_or(now);
    println!("BOXOFFICE_SEED={seed} BOXOFFICE_KILLS={kills}");
    let (home, mut dice) = (Home::new(), Dice(seed));
    let mut running = home.up();
    let mut buyer = Visitor::register(&running.url, "bruno").await;
    // The door is open at the one, and the other can still be cancelled.
    let sales = [buyer.publish_running(SEATS, PRICE_MINOR).await, buyer.publish(SEATS, PRICE_MINOR).await];
    let mut lives = BTreeMap::new();
    for round in 1..=kills {
        let alive = Duration::from_millis(dice.within(ALIVE_MS));
        lives.extend(one_round(round, alive, running, &buyer, &sales).await);
        running = home.up();
        buyer = buyer.sign_in(&running.url).await;
        check(&buyer, &lives).await;
    }
    let count = |step: Step, ending: Ending| {
        lives.values().filter(|life| life.told == step && life.ending == ending).count()
    };
    let (cancelled, admitted) = (count(Step::Over, Ending::Cancelled), count(Step::Over, Ending::Admitted));
    println!("{kills} kills, {} bookings, {cancelled} cancelled, {admitted} admitted", lives.len());
    assert!(cancelled > 0 && admitted > 0, "the campaign was too short to see anything");
    running.stop();
    home.audit().succeeded();
}

async fn one_round(
    round: u64,
    alive: Duration,
    running: Running,
    buyer: &Visitor,
    sales: &[Sale; 2],
) -> BTreeMap<String, Life> {
    let living = (0..BUYERS_AT_ONCE).map(|number| {
        let ending = [Ending::Kept, Ending::Cancelled, Ending::Admitted][number as usize % 3];
        let sale = &sales[usize::from(ending == Ending::Cancelled)];
        tokio::spawn(live_until_it_ends(buyer.clone(), sale.clone(), format!("{round}-{number}"), ending))
    });
    let living: Vec<_> = living.collect();
    tokio::time::sleep(alive).await;
    running.kill();
    let mut lives = BTreeMap::new();
    for buyer in living {
        lives.extend(buyer.await.unwrap());
    }
    lives
}

/// One life after the other, until a request is not answered.
async fn live_until_it_ends(buyer: Visitor, sale: Sale, name: String, ending: Ending) -> Vec<(String, Life)> {
    let mut lives = Vec::new();
    while let Ok((status, booking)) = buyer.try_book(&sale, &format!("{name}-{}", lives.len())).await {
        assert_eq!((status, &booking["status"]), (StatusCode::CREATED, &json!("HELD")), "{booking}");
        let id = booking["id"].as_str().unwrap().to_owned();
        let mut life = Life { ending, told: Step::Held, asked: Step::Held };
        let whole = lives_on(&buyer, &sale, &id, &mut life).await;
        lives.push((id, life));
        if whole.is_none() {
            break;
        }
    }
    lives
}

/// Pays, and ends the life; none when an answer is missing.
async fn lives_on(buyer: &Visitor, sale: &Sale, id: &str, life: &mut Life) -> Option<()> {
    life.asked = Step::Paid;
    let card = json!({ "payment_method": GOOD_CARD });
    let (status, booking) = buyer.try_post(&format!("/v1/bookings/{id}:pay"), &card).await.ok()?;
    assert_eq!(status, 200, "{booking}");
    life.told = Step::Paid;
    // Paid, and decided a moment later.
    let booking = buyer.try_settled(id, "BOOKED").await?;
    match life.ending {
        Ending::Kept => return Some(()),
        Ending::Cancelled => {
            life.asked = Step::Over;
            let (status, booking) =
                buyer.try_post(&format!("/v1/bookings/{id}:cancel"), &json!({})).await.ok()?;
            assert_eq!((status, &booking["status"]), (StatusCode::OK, &json!("CANCELLED")), "{booking}");
        }
        Ending::Admitted => {
            let ticket = booking["tickets"][0]["id"].as_str().unwrap();
            let (_, ticket) = buyer.try_get(&format!("/v1/tickets/{ticket}")).await.ok()?;
            life.asked = Step::Over;
            let door = format!("/v1/events/{}/check-ins", sale.event_id);
            let (status, answer) = buyer.try_post(&door, &json!({ "code": ticket["code"] })).await.ok()?;
            assert_eq!((status, &answer["result"]), (StatusCode::OK, &json!("ADMITTED")), "{answer}");
        }
    }
    life.told = Step::Over;
    Some(())
}

/// Every booking is as it was answered, or as it was asked.
async fn check(buyer: &Visitor, lives: &BTreeMap<String, Life>) {
    let mut there = BTreeMap::new();
    for booking in buyer.list("/v1/bookings", "bookings").await {
        there.insert(booking["id"].as_str().unwrap().to_owned(), booking);
    }
    for (id, life) in lives {
        let booking = there.get(id).unwrap_or_else(|| panic!("{life:?} of {id} is lost"));
        check_status(booking, life);
        check_money(booking, life);
    }
}

fn check_status(booking: &Value, life: &Life) {
    let status = booking["status"].as_str().unwrap();
    let is_cancelled = life.ending == Ending::Cancelled;
    let allowed: &[&str] = match (life.told, life.asked) {
        (Step::Held, Step::Held) => &["HELD"],
        (Step::Held, _) => &["HELD", "BOOKED"],
        // The payment was taken; the seats may still be on their way.
        (Step::Paid, Step::Over) if is_cancelled => &["BOOKED", "CANCELLED"],
        (Step::Paid, _) => &["HELD", "BOOKED"],
        (Step::Over, _) if is_cancelled => &["CANCELLED"],
        (Step::Over, _) => &["BOOKED"],
    };
    assert!(allowed.contains(&status), "{life:?} is {booking}");
    let is_admitted = booking["tickets"][0]["status"] == "ADMITTED";
    let was_let_in = life.ending == Ending::Admitted && life.told == Step::Over;
    assert!(is_admitted || !was_let_in, "was let in, and is not: {booking}");
    let asked_in = life.ending == Ending::Admitted && life.asked == Step::Over;
    assert!(asked_in || !is_admitted, "is let in, and nobody asked: {booking}");
}

fn check_money(booking: &Value, life: &Life) {
    let sum = |list: &str, statuses: &[&str]| -> i64 {
        let entries = booking[list].as_array().into_iter().flatten();
        let counted = entries.filter(|entry| statuses.contains(&entry["status"].as_str().unwrap()));
        counted.map(|entry| entry["amount"]["minor"].as_i64().unwrap()).sum()
    };
    let (captured, refunded) = (sum("payments", &["CAPTURED"]), sum("refunds", &["DUE", "REFUNDED"]));
    assert!(captured == 0 || captured == PRICE_MINOR, "paid {captured}: {booking}");
    assert!(life.told < Step::Paid || captured == PRICE_MINOR, "a payment is lost: {booking}");
    let is_cancelled = booking["status"] == "CANCELLED";
    assert_eq!(refunded, if is_cancelled { captured } else { 0 }, "{booking}");
}
