//! The commands over a fleet: each says what is so.

use std::process::Output;

use boxoffice::serve::Role;

use crate::{
    support::{Fleet, Layout},
    visitor::Visitor,
};

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_says_what_is_wrong_and_how_to_mend_it() {
    let directory = tempfile::tempdir().unwrap();
    let Some(mut fleet) = tokio::task::block_in_place(|| Fleet::start(directory.path(), Layout::Sqlite))
    else {
        return;
    };
    let well = tokio::task::block_in_place(|| fleet.run(&["doctor"]));
    for part in
        ["access token keys", "store of ticket", "topics: all topics are there", "BOXOFFICE_TICKET_URL="]
    {
        assert!(well.contains(part), "{part}: {well}");
    }
    assert!(well.contains("0 are not"), "{well}");
    tokio::task::block_in_place(|| {
        let health = fleet.try_run(&["health", &format!("{}/readyz", fleet.admin((Role::Ticket, 0)))]);
        assert!(health.status.success(), "{}", text(&health));
        fleet.stop((Role::Ticket, 0));
        let health = fleet.try_run(&["health", &format!("{}/readyz", fleet.admin((Role::Ticket, 0)))]);
        assert_eq!(health.status.code(), Some(1), "{}", text(&health));
    });
    let mut command = fleet.command(&["doctor"]);
    command
        .env("BOXOFFICE_TICKET_KEY_FILE", "nowhere.pk8")
        .env("BOXOFFICE_EVENT_STORE_URL", "sqlite:./nowhere");
    command.env("BOXOFFICE_LOG_URL", "kafka://127.0.0.1:1");
    let output = tokio::task::block_in_place(|| command.output().unwrap());
    let said = text(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    for part in [
        "there is no key file nowhere.pk8",
        "store of event",
        "`boxoffice migrate event` prepares the tables",
        "PROBLEM  log: ",
        "PROBLEM  BOXOFFICE_TICKET_URL=",
        "is `boxoffice serve ticket` running there",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    tokio::task::block_in_place(|| fleet.stop_all());
}

/// A read model that is built anew is the one in use.
#[tokio::test(flavor = "multi_thread")]
async fn a_replay_gives_the_read_models_that_are_in_use_and_notices_a_difference() {
    let directory = tempfile::tempdir().unwrap();
    let Some(mut fleet) = tokio::task::block_in_place(|| Fleet::start(directory.path(), Layout::Sqlite))
    else {
        return;
    };
    let anna = Visitor::register(&fleet.url(), "Anna").await;
    let sale = anna.publish(3, 0).await;
    for number in 0..5 {
        anna.book(&sale, &format!("key-{number}")).await;
    }
    let audit = tokio::task::block_in_place(|| fleet.audit());
    assert!(audit.contains("1 events, 5 bookings, 3 of them BOOKED"), "{audit}");
    for role in ["analytics", "notification", "feedback"] {
        let into = format!("sqlite:{}", directory.path().join(format!("anew-{role}")).display());
        let said = tokio::task::block_in_place(|| fleet.run(&["replay", role, "--into", &into]));
        assert!(said.contains(": same: ") && !said.contains("DIFFERENT"), "{role}: {said}");
        let again = tokio::task::block_in_place(|| fleet.try_run(&["replay", role, "--into", &into]));
        assert!(text(&again).contains("is not fresh"), "{}", text(&again));
    }
    let refused =
        tokio::task::block_in_place(|| fleet.try_run(&["replay", "ticket", "--into", "sqlite:./x"]));
    assert!(text(&refused).contains("cannot be built anew"), "{}", text(&refused));
    tokio::task::block_in_place(|| fleet.stop_all());
    // A figure that is not what the facts say is found.
    let file = rusqlite::Connection::open(directory.path().join("analytics.db")).unwrap();
    let changed =
        file.execute("UPDATE event_stat SET state = replace(state, '\"booked\":3', '\"booked\":4')", []);
    assert_eq!(changed.unwrap(), 1);
    drop(file);
    let into = format!("sqlite:{}", directory.path().join("anew-again").display());
    let found = tokio::task::block_in_place(|| fleet.try_run(&["replay", "analytics", "--into", &into]));
    assert_eq!(found.status.code(), Some(1));
    assert!(text(&found).contains("event_stat: DIFFERENT"), "{}", text(&found));
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_and_migrations_may_be_made_again_and_nothing_is_parked() {
    let directory = tempfile::tempdir().unwrap();
    let prepared = tokio::task::block_in_place(|| Fleet::prepare(directory.path(), Layout::Sqlite, &[], &[]));
    let Some(fleet) = prepared else { return };
    tokio::task::block_in_place(|| {
        let topics = fleet.run(&["topics"]);
        assert!(
            topics.contains("ticket-event: was there") && topics.contains("feedback-event.parked"),
            "{topics}"
        );
        for _ in 0..2 {
            let migrated = fleet.run(&["migrate"]);
            assert_eq!(migrated.lines().count(), 6, "{migrated}");
        }
        assert_eq!(fleet.run(&["migrate", "ticket"]).lines().count(), 1);
        assert_eq!(fleet.run(&["parked", "list"]), "");
        assert_eq!(fleet.run(&["parked", "redrive", "analytics"]), "0 done, 0 still parked\n");
        let refused = fleet.try_run(&["parked", "redrive", "user"]);
        assert!(text(&refused).contains("consumes no facts"), "{}", text(&refused));
        assert!(fleet.audit().contains("audit clean: 0 events, 0 bookings"));
    });
}

/// A fact that nobody can process is set aside, named without what it says, and tried again by command.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_processed_is_parked_named_and_tried_again() {
    let directory = tempfile::tempdir().unwrap();
    let started =
        tokio::task::block_in_place(|| Fleet::start_with(directory.path(), Layout::Servers, &[], &[]));
    let Some(mut fleet) = started else { return };
    let settings = boxoffice::serve::log::settings(&fleet.config()).unwrap();
    let mut fact = bus::conformance::sample(bus::Topic::FeedbackEvent, 7);
    fact.payload = "{\"secret\":\"hunter2\"}".to_owned();
    let publisher = kafka::KafkaPublisher::new(&settings).unwrap();
    bus::Publisher::publish(&publisher, fact.topic, &[std::sync::Arc::new(fact)]).await.unwrap();
    let began = std::time::Instant::now();
    let listed = loop {
        let listed = tokio::task::block_in_place(|| fleet.run(&["parked", "list"]));
        if listed.lines().count() == 2 {
            break listed;
        }
        assert!(began.elapsed() < std::time::Duration::from_secs(60), "{listed}");
    };
    assert!(!listed.contains("hunter2"), "{listed}");
    for part in ["event feedback-event/", "analytics feedback-event/", "sample.made of key-7"] {
        assert!(listed.contains(part), "{part}: {listed}");
    }
    let doctor = tokio::task::block_in_place(|| fleet.try_run(&["doctor", "analytics"]));
    assert!(text(&doctor).contains("analytics has 1 facts that it could not process"), "{}", text(&doctor));
    let again = tokio::task::block_in_place(|| fleet.try_run(&["parked", "redrive", "analytics"]));
    assert_eq!(again.status.code(), Some(1));
    assert!(text(&again).contains("0 done, 1 still parked"), "{}", text(&again));
    let audit = tokio::task::block_in_place(|| fleet.run(&["audit", "--wait", "1"]));
    assert!(audit.contains("audit clean") && audit.contains("has parked sample.made"), "{audit}");
    tokio::task::block_in_place(|| fleet.stop_all());
}

/// The user service goes on: its rows are written by version.
#[tokio::test(flavor = "multi_thread")]
async fn an_admin_is_made_in_the_database_of_a_running_fleet() {
    let directory = tempfile::tempdir().unwrap();
    let Some(mut fleet) = tokio::task::block_in_place(|| Fleet::start(directory.path(), Layout::Servers))
    else {
        return;
    };
    let anna = Visitor::register(&fleet.url(), "Anna").await;
    let nobody = tokio::task::block_in_place(|| fleet.try_run(&["grant-admin", "nobody@visitor.example"]));
    assert_eq!(nobody.status.code(), Some(1), "{}", text(&nobody));
    assert!(text(&nobody).contains("nobody@visitor.example"), "{}", text(&nobody));
    let said = tokio::task::block_in_place(|| fleet.run(&["grant-admin", &anna.email]));
    assert!(said.contains(&anna.email), "{said}");
    let me = anna.sign_in(&fleet.url()).await.see("/v1/users/me").await;
    assert!(me["roles"].as_array().unwrap().contains(&"ADMIN".into()), "{me}");
    // A directory that is named is meant: there is no platform in this one.
    let empty = directory.path().join("empty").display().to_string();
    let refused =
        tokio::task::block_in_place(|| fleet.try_run(&["grant-admin", &anna.email, "--data-dir", &empty]));
    assert_eq!(refused.status.code(), Some(1), "{}", text(&refused));
    tokio::task::block_in_place(|| fleet.stop_all());
}
