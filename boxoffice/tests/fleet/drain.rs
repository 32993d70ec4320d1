//! Stopping: what has begun is finished, and nobody is told a lie meanwhile.

use std::time::{Duration, Instant};

use boxoffice::serve::Role;
use rustix::process::Signal;

use crate::{
    load::{Load, must_be_true},
    support::{Fleet, Layout},
    visitor::Visitor,
};

/// Every role is stopped and started again while people book; what is refused says when to come again, and nothing
/// that was answered is lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_restart_of_each_role_in_turn_loses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let Some(mut fleet) = tokio::task::block_in_place(|| Fleet::start(directory.path(), Layout::Sqlite))
    else {
        return;
    };
    let buyers =
        [Visitor::register(&fleet.url(), "Anna").await, Visitor::register(&fleet.url(), "Bruno").await];
    let sales = [buyers[0].publish(100_000, 0).await, buyers[1].publish(100_000, 0).await];
    let load = Load::start(&buyers, &sales);
    load.goes_on(10).await;
    for role in Role::SERVICES {
        let log = tokio::task::block_in_place(|| {
            let log = fleet.stop((role, 0));
            fleet.launch((role, 0));
            fleet.wait_until_ready((role, 0));
            log
        });
        assert!(!log.contains("did not end in time") && !log.contains("panicked"), "{role}: {log}");
        load.goes_on(10).await;
    }
    let told = load.end().await;
    let audit = tokio::task::block_in_place(|| fleet.audit());
    assert!(audit.contains("audit clean"), "{audit}");
    must_be_true(&told, &buyers, 0).await;
    // A gateway that is told to stop cuts nobody off.
    assert_eq!(told.lost, 0, "{} answers never came", told.lost);
    tokio::task::block_in_place(|| fleet.stop_all());
}

/// While it drains, a role says that it is not ready and goes on answering; then what runs is finished.
#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_drains_is_not_ready_and_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let settings = [("BOXOFFICE_DRAIN_SECONDS", "3")];
    let started =
        tokio::task::block_in_place(|| Fleet::start_with(directory.path(), Layout::Sqlite, &[], &settings));
    let Some(mut fleet) = started else { return };
    let anna = Visitor::register(&fleet.url(), "Anna").await;
    let sale = anna.publish(10, 0).await;
    let gateway = (Role::Gateway, 0);
    fleet.process(gateway).terminate();
    fleet.wait_for(gateway, "draining", &|status, body| status == 503 && body.contains("stopping"));
    assert_eq!(anna.book(&sale, "while it drains").await["status"], "BOOKED");
    let status = tokio::task::block_in_place(|| fleet.ended(gateway));
    assert_eq!(status.code(), Some(0));
    // A second signal ends it at once.
    fleet.launch(gateway);
    fleet.wait_until_ready(gateway);
    fleet.process(gateway).terminate();
    fleet.wait_for(gateway, "draining", &|status, _| status == 503);
    let began = Instant::now();
    fleet.process(gateway).signal(Signal::INT);
    let status = tokio::task::block_in_place(|| fleet.ended(gateway));
    assert_eq!(status.code(), Some(130));
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    drop(fleet);
}
