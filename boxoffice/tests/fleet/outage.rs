//! Servers that fail: what can go on goes on, what cannot is refused at once, and all comes to rest afterwards.

use std::time::{Duration, Instant};

use boxoffice::serve::Role;
use reqwest::StatusCode;
use rustix::process::Signal;

use crate::{
    load::{Load, must_be_true},
    mails,
    support::{Fleet, Layout},
    visitor::Visitor,
};

/// A refusal that takes longer than that has waited for somebody.
const AT_ONCE: Duration = Duration::from_secs(3);
/// How long something is away, in seconds, unless the environment says otherwise: longer than the sessions of its group
/// and of its leases.
const OUTAGE_SECONDS: u64 = 8;
/// The environment variable that says so.
const OUTAGE_SETTING: &str = "BOXOFFICE_TEST_OUTAGE_SECONDS";
/// The shortest pause between two bookings of an outage.
const PAUSE: Duration = Duration::from_millis(200);
/// In a long outage there are so many bookings at the most: all of them must come to rest soon afterwards.
const MOST_BOOKINGS: u32 = 400;

/// A token lasts for minutes, an outage may last longer.
const SIGN_IN_EVERY: Duration = Duration::from_secs(120);

fn outage() -> Duration {
    let chosen = std::env::var(OUTAGE_SETTING).ok();
    Duration::from_secs(chosen.map_or(OUTAGE_SECONDS, |seconds| seconds.parse().unwrap()))
}

/// Between two bookings of an outage.
fn pause() -> Duration {
    PAUSE.max(outage() / MOST_BOOKINGS)
}

/// Without the log bookings are taken, and decided once it is back.
#[tokio::test(flavor = "multi_thread")]
async fn without_kafka_bookings_are_taken_and_decided_later() {
    let directory = tempfile::tempdir().unwrap();
    let started = tokio::task::block_in_place(|| Fleet::start_alone(directory.path(), Layout::Sqlite));
    let Some(mut fleet) = started else { return };
    let mut anna = Visitor::register(&fleet.url(), "Anna").await;
    let sale = anna.publish(100_000, 0).await;
    anna.book(&sale, "before").await;
    fleet.engines.kafka().kill(0);
    let mut placed = Vec::new();
    let (mut signed_in, until) = (Instant::now(), Instant::now() + outage());
    while Instant::now() < until {
        if signed_in.elapsed() > SIGN_IN_EVERY {
            (anna, signed_in) = (anna.sign_in(&fleet.url()).await, Instant::now());
        }
        let began = Instant::now();
        let (status, booking) = anna.try_place(&sale, &format!("during-{}", placed.len())).await.unwrap();
        assert_eq!(
            (status, booking["status"].as_str()),
            (StatusCode::ACCEPTED, Some("PENDING")),
            "{booking}"
        );
        assert!(began.elapsed() < AT_ONCE, "{:?}", began.elapsed());
        placed.push(booking["id"].as_str().unwrap().to_owned());
        tokio::time::sleep(pause()).await;
    }
    // It is still ready: it does its work.
    fleet.wait_until_ready((Role::Ticket, 0));
    tokio::task::block_in_place(|| fleet.engines.kafka().restart(0)).unwrap();
    let back = Instant::now();
    for id in &placed {
        assert_eq!(anna.settled(id).await["status"], "BOOKED");
    }
    assert!(back.elapsed() < Duration::from_secs(60), "{:?}", back.elapsed());
    let audit = tokio::task::block_in_place(|| fleet.audit());
    assert!(audit.contains("audit clean"), "{audit}");
    mails::arrive(&fleet, placed.len() + 1).await;
    mails::each_went_out_once(&fleet, placed.len() + 1);
    tokio::task::block_in_place(|| fleet.stop_all());
}

/// A notification service that is frozen is put out of its group, and wakes as somebody who was. Bookings do not notice;
/// then each mail goes out once.
#[tokio::test(flavor = "multi_thread")]
async fn while_notification_is_frozen_bookings_go_on_and_their_mails_go_out_once_afterwards() {
    let directory = tempfile::tempdir().unwrap();
    let started = tokio::task::block_in_place(|| Fleet::start(directory.path(), Layout::Servers));
    let Some(mut fleet) = started else { return };
    let mut anna = Visitor::register(&fleet.url(), "Anna").await;
    let sale = anna.publish(100_000, 0).await;
    anna.book(&sale, "before").await;
    // A mail that is on its way for so long is sent again, as after a crash: so it is noted as sent first.
    mails::are_noted(&anna, 1).await;
    fleet.process((Role::Notification, 0)).signal(Signal::STOP);
    let mails_before = mails::count(&fleet);
    let (mut booked, mut signed_in, until) = (0, Instant::now(), Instant::now() + outage());
    while Instant::now() < until {
        if signed_in.elapsed() > SIGN_IN_EVERY {
            (anna, signed_in) = (anna.sign_in(&fleet.url()).await, Instant::now());
        }
        let booking = anna.book(&sale, &format!("during-{booked}")).await;
        assert_eq!(booking["status"], "BOOKED", "{booking}");
        booked += 1;
        tokio::time::sleep(pause()).await;
    }
    assert_eq!(mails::count(&fleet), mails_before, "it was frozen");
    fleet.process((Role::Notification, 0)).signal(Signal::CONT);
    mails::arrive(&fleet, mails_before + booked).await;
    let audit = tokio::task::block_in_place(|| fleet.audit());
    assert!(audit.contains("audit clean"), "{audit}");
    mails::each_went_out_once(&fleet, mails_before + booked);
    tokio::task::block_in_place(|| fleet.stop_all());
}

/// Without its database a service says that it is not ready and refuses at once; nothing that was answered is lost.
#[tokio::test(flavor = "multi_thread")]
async fn without_its_database_a_service_refuses_at_once_and_recovers() {
    let directory = tempfile::tempdir().unwrap();
    let started = tokio::task::block_in_place(|| Fleet::start_alone(directory.path(), Layout::Servers));
    let Some(mut fleet) = started else { return };
    let buyers =
        [Visitor::register(&fleet.url(), "Anna").await, Visitor::register(&fleet.url(), "Bruno").await];
    let sales = [buyers[0].publish(100_000, 0).await];
    let load = Load::start(&buyers, &sales);
    load.goes_on(10).await;
    fleet.engines.mariadb().kill();
    tokio::task::block_in_place(|| {
        fleet.wait_for((Role::Ticket, 0), "not ready", &|status, body| {
            status == 503 && body.contains("store")
        });
    });
    // Those that were on their way have waited; then nothing waits any more.
    let killed = Instant::now();
    while refused_after(&buyers[0]).await > AT_ONCE {
        assert!(killed.elapsed() < Duration::from_secs(20), "everybody waits");
    }
    for number in 0..10 {
        let began = Instant::now();
        let request = buyers[0].request(reqwest::Method::GET, "/v1/bookings").send().await.unwrap();
        assert_eq!(request.status(), StatusCode::SERVICE_UNAVAILABLE, "{number}");
        assert!(request.headers().contains_key("retry-after"));
        assert!(began.elapsed() < AT_ONCE, "{number}: {:?}", began.elapsed());
        // The others go on.
        buyers[0].see(&format!("/v1/events/{}", sales[0].event_id)).await;
    }
    tokio::time::sleep(Duration::from_secs(OUTAGE_SECONDS)).await;
    tokio::task::block_in_place(|| fleet.engines.mariadb().restart()).unwrap();
    let back = Instant::now();
    tokio::task::block_in_place(|| fleet.wait_until_ready((Role::Ticket, 0)));
    load.goes_on(20).await;
    assert!(back.elapsed() < Duration::from_secs(30), "{:?}", back.elapsed());
    let told = load.end().await;
    assert!(told.refused > 0);
    let audit = tokio::task::block_in_place(|| fleet.audit());
    assert!(audit.contains("audit clean"), "{audit}");
    must_be_true(&told, &buyers, 0).await;
    tokio::task::block_in_place(|| fleet.stop_all());
}

/// How long somebody waits who asks for their bookings and is refused.
async fn refused_after(buyer: &Visitor) -> Duration {
    let began = Instant::now();
    let (status, body) = buyer.get("/v1/bookings").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{body}");
    began.elapsed()
}
