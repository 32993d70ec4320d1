//! Several replicas of a service side by side, on databases that are servers.

use boxoffice::serve::Role;

use crate::{
    load::{Load, must_be_true},
    mails,
    support::{Fleet, Layout},
    visitor::Visitor,
};

/// So often does each buyer wait for a decision.
const WAITS: usize = 12;
const SALES: usize = 12;
/// At least so many mails go out.
const MAILS: usize = 20;

/// Three of ticket and of event, two of each other service: waits are answered whichever hears the outcome, no seat is
/// sold twice, each mail goes out once, and a rolling restart is not noticed.
#[tokio::test(flavor = "multi_thread")]
async fn three_replicas_share_the_work_and_restart_one_by_one_without_a_failed_booking() {
    let directory = tempfile::tempdir().unwrap();
    let replicas = [(Role::Ticket, 3), (Role::Event, 3), (Role::Notification, 2), (Role::User, 2)];
    let started =
        tokio::task::block_in_place(|| Fleet::start_with(directory.path(), Layout::Servers, &replicas, &[]));
    let Some(mut fleet) = started else { return };
    let mut buyers = Vec::new();
    for name in ["Anna", "Bruno", "Carla", "Dino", "Emma", "Fritz"] {
        buyers.push(Visitor::register(&fleet.url(), name).await);
    }
    // So many that every partition has some; the last one sells out.
    let mut sales = Vec::new();
    for number in 0..SALES {
        sales.push(
            buyers[number % buyers.len()].publish(if number + 1 == SALES { 50 } else { 100_000 }, 0).await,
        );
    }
    // Each wait is answered with a decision, wherever it was heard.
    for round in 0..WAITS {
        for (number, buyer) in buyers.iter().enumerate() {
            let booking =
                buyer.book(&sales[(number + round) % (SALES - 1)], &format!("wait-{number}-{round}")).await;
            assert_eq!(booking["status"], "BOOKED", "{booking}");
        }
    }
    let load = Load::start(&buyers, &sales);
    load.goes_on(100).await;
    for role in [Role::Ticket, Role::Event] {
        let busy = (0..3).filter(|replica| committed(&fleet, (role, *replica))).count();
        assert!(busy >= 2, "the replicas of {role} do not share the work");
    }
    for member in [(Role::Ticket, 0), (Role::Ticket, 1), (Role::Event, 0), (Role::Event, 1), (Role::User, 0)]
    {
        tokio::task::block_in_place(|| {
            fleet.stop(member);
            fleet.launch(member);
            fleet.wait_until_ready(member);
        });
        load.goes_on(20).await;
    }
    let told = load.end().await;
    assert_eq!((told.refused, told.lost), (0, 0), "a rolling restart was noticed");
    let audit = tokio::task::block_in_place(|| fleet.audit());
    assert!(audit.contains("audit clean"), "{audit}");
    must_be_true(&told, &buyers, WAITS * buyers.len()).await;
    mails::each_went_out_once(&fleet, MAILS);
    tokio::task::block_in_place(|| fleet.stop_all());
}

/// Whether a replica has committed anything.
fn committed(fleet: &Fleet, member: (Role, usize)) -> bool {
    let (_, text) = crate::support::get(&format!("{}/metrics", fleet.admin(member))).unwrap();
    let series = text.lines().find(|line| line.starts_with("boxoffice_commit_batch_size_sum"));
    series.and_then(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).is_some_and(|sum| sum > 0.0)
}
