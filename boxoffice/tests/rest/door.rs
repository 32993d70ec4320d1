//! At the door: who is admitted, and what the others are told.

use crate::fixture::{Read, Sketch, json, play};

fn concert() -> Sketch {
    Sketch::new("Concert").free("Standing", 9).priced("Seat", 1000, 9)
}

#[test]
fn a_ticket_admits_once_and_says_when() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let event = olga.publishes(concert()).await;
        let booking = anna.gets(&event, 1).await;
        let ticket = anna.first_ticket(&booking).await;
        stage.caught_up().await;
        let first = olga.checks_in(&event, ticket.text("code")).await;
        let first = first.json();
        assert_eq!(first["result"], "ADMITTED");
        assert_eq!(first["ticket"]["id"], ticket["id"]);
        assert_eq!(first["ticket"]["status"], "ADMITTED");
        assert!(first["ticket"]["code"].as_str().unwrap_or_default().is_empty());
        let second = olga.checks_in(&event, ticket.text("code")).await.json();
        assert_eq!(second["result"], "ALREADY_ADMITTED");
        assert_eq!(second.text("first_admitted_at"), first["ticket"].text("admitted_at"));
        let attendees = olga.get(&event.at("/attendees")).await.expect(200);
        assert_eq!(attendees.each("attendees", "status"), ["ADMITTED"]);
        anna.cancels(&booking).await.problem(409, "not_cancellable");
    });
}

#[test]
fn of_twenty_scans_at_once_one_is_admitted() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let event = olga.publishes(concert()).await;
        let booking = anna.gets(&event, 1).await;
        let ticket = anna.first_ticket(&booking).await;
        stage.caught_up().await;
        let scans = (0..20).map(|_| olga.checks_in(&event, ticket.text("code")).into_future());
        let answers = futures_util::future::join_all(scans).await;
        let admitted = answers.iter().filter(|answer| answer.json()["result"] == "ADMITTED").count();
        let again = answers.iter().filter(|answer| answer.json()["result"] == "ALREADY_ADMITTED").count();
        assert_eq!((admitted, again), (1, 19));
    });
}

#[test]
fn a_code_that_is_not_ours_or_was_changed_is_forged() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let event = olga.publishes(concert()).await;
        let booking = anna.gets(&event, 1).await;
        let code = anna.first_ticket(&booking).await.text("code").to_owned();
        stage.caught_up().await;
        let mut changed = code.clone().into_bytes();
        let middle = changed.len() / 2;
        changed[middle] = if changed[middle] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        for forged in [&changed, &code[..code.len() - 1], "hello", &format!("{code}{code}")] {
            let answer = olga.checks_in(&event, forged).await.json();
            assert_eq!((&answer["result"], &answer["ticket"]), (&json!("FORGED"), &json!(null)), "{forged}");
        }
        olga.checks_in(&event, "").await.bad_field("code");
        assert_eq!(olga.checks_in(&event, &code).await.json()["result"], "ADMITTED");
    });
}

#[test]
fn a_ticket_of_another_event_is_sent_away() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let tonight = olga.publishes(concert()).await;
        let tomorrow = olga.publishes(concert()).await;
        let booking = anna.gets(&tomorrow, 1).await;
        let code = anna.first_ticket(&booking).await.text("code").to_owned();
        stage.caught_up().await;
        let answer = olga.checks_in(&tonight, &code).await.json();
        assert_eq!((&answer["result"], &answer["ticket"]), (&json!("WRONG_EVENT"), &json!(null)));
        assert_eq!(olga.checks_in(&tomorrow, &code).await.json()["result"], "ADMITTED");
    });
}

#[test]
fn a_cancelled_ticket_does_not_admit() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let event = olga.publishes(concert()).await;
        let booking = anna.gets(&event, 1).await;
        let code = anna.first_ticket(&booking).await.text("code").to_owned();
        anna.cancels(&booking).await.expect(200);
        stage.caught_up().await;
        assert_eq!(olga.checks_in(&event, &code).await.json()["result"], "CANCELLED");
    });
}

#[test]
fn the_old_code_of_a_given_ticket_is_told_apart_from_the_new_one() {
    play(async |stage| {
        let (olga, anna, ben) = (stage.organiser().await, stage.user("Anna").await, stage.user("Ben").await);
        let event = olga.publishes(concert()).await;
        let booking = anna.gets(&event, 1).await;
        let ticket = anna.first_ticket(&booking).await;
        stage.caught_up().await;
        let path = format!("/v1/tickets/{}", ticket.id());
        anna.post(&format!("{path}:transfer"), json!({"email": ben.email})).await.expect(200);
        let new = ben.get(&path).await.expect(200);
        assert_eq!(olga.checks_in(&event, ticket.text("code")).await.json()["result"], "TRANSFERRED");
        assert_eq!(olga.checks_in(&event, new.text("code")).await.json()["result"], "ADMITTED");
        let back = ben.post(&format!("{path}:transfer"), json!({"email": anna.email})).await;
        back.problem(409, "not_transferable");
    });
}

#[test]
fn the_door_is_the_organisers() {
    play(async |stage| {
        let (olga, anna, admin) = (stage.organiser().await, stage.user("Anna").await, stage.admin().await);
        let event = olga.publishes(concert()).await;
        let booking = anna.gets(&event, 1).await;
        let code = anna.first_ticket(&booking).await.text("code").to_owned();
        stage.caught_up().await;
        anna.checks_in(&event, &code).await.problem(403, "forbidden");
        stage.anonymous().checks_in(&event, &code).await.problem(401, "unauthenticated");
        assert_eq!(admin.checks_in(&event, &code).await.json()["result"], "ADMITTED");
    });
}
