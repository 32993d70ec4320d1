//! Rating an event.

use crate::fixture::{Read, Sketch, eventually, json, play};

fn running() -> Sketch {
    Sketch::new("Concert").running().free("Standing", 9)
}

#[test]
fn a_ticket_holder_rates_and_everybody_reads_the_average() {
    play(async |stage| {
        let (olga, anna, ben) = (stage.organiser().await, stage.user("Anna").await, stage.user("Ben").await);
        let event = olga.publishes(running()).await;
        anna.gets(&event, 1).await;
        ben.gets(&event, 1).await;
        stage.caught_up().await;
        let rating = json!({"rating": 5, "comment": "Schön!"});
        let feedback = anna.post(&event.at("/feedback"), rating).await.expect(201);
        assert_eq!((feedback.number("rating"), feedback.text("comment")), (5, "Schön!"));
        ben.post(&event.at("/feedback"), json!({"rating": 2})).await.expect(201);
        let read = stage.anonymous().get(&event.at("/feedback")).await.expect(200);
        assert_eq!((read["average_rating"].as_f64(), read.number("count")), (Some(3.5), 2));
        let ratings: Vec<i64> = read.list("feedback").iter().map(|one| one.number("rating")).collect();
        assert_eq!(ratings, [2, 5], "newest first");
        for person in [&anna, &ben] {
            assert!(!read.to_string().contains(&person.id), "ratings do not name their authors");
        }
    });
}

#[test]
fn a_second_rating_by_the_same_person_edits_the_first() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let event = olga.publishes(running()).await;
        anna.gets(&event, 2).await;
        stage.caught_up().await;
        let first =
            anna.post(&event.at("/feedback"), json!({"rating": 1, "comment": "bad"})).await.expect(201);
        let second = anna.post(&event.at("/feedback"), json!({"rating": 4})).await.expect(201);
        assert_eq!(first.id(), second.id());
        let read = anna.get(&event.at("/feedback")).await.expect(200);
        assert_eq!((read["average_rating"].as_f64(), read.number("count")), (Some(4.0), 1));
        assert_eq!(read.list("feedback")[0]["comment"], "");
    });
}

#[test]
fn only_holders_of_a_booked_ticket_rate() {
    play(async |stage| {
        let (olga, anna, ben) = (stage.organiser().await, stage.user("Anna").await, stage.user("Ben").await);
        let event = olga.publishes(running().priced("Seat", 500, 9)).await;
        stage.caught_up().await;
        let rate = async |actor: &crate::fixture::Actor| {
            actor.post(&event.at("/feedback"), json!({"rating": 3})).await
        };
        rate(&anna).await.problem(403, "not_a_ticket_holder");
        rate(&stage.anonymous()).await.problem(401, "unauthenticated");
        let held = ben.orders(event.order_of(&[(1, 1)])).await;
        assert_eq!(held["status"], "HELD");
        stage.caught_up().await;
        rate(&ben).await.problem(403, "not_a_ticket_holder");
        assert_eq!(anna.get(&event.at("/feedback")).await.expect(200)["count"], 0);
    });
}

#[test]
fn an_event_is_rated_from_its_start_on() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let event = olga.publishes(Sketch::new("Next month").free("Standing", 9)).await;
        anna.gets(&event, 1).await;
        stage.caught_up().await;
        anna.post(&event.at("/feedback"), json!({"rating": 3})).await.problem(409, "event_not_started");
    });
}

#[test]
fn a_rating_is_a_whole_number_from_one_to_five() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let event = olga.publishes(running()).await;
        anna.gets(&event, 1).await;
        stage.caught_up().await;
        for rating in [json!(0), json!(6), json!(-1), json!(4.5), json!("five"), json!(null)] {
            anna.post(&event.at("/feedback"), json!({"rating": rating})).await.bad_field("rating");
        }
        anna.post(&event.at("/feedback"), json!({})).await.bad_field("rating");
        let long = json!({"rating": 3, "comment": "x".repeat(50_000)});
        anna.post(&event.at("/feedback"), long).await.bad_field("comment");
        let read = anna.get(&event.at("/feedback")).await.expect(200);
        assert!(read["average_rating"].is_null());
    });
}

#[test]
fn the_average_reaches_the_event_itself() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let event = olga.publishes(running()).await;
        anna.gets(&event, 1).await;
        stage.caught_up().await;
        anna.post(&event.at("/feedback"), json!({"rating": 4})).await.expect(201);
        let shown = eventually("the event shows its rating", async || {
            let shown = anna.get(&event.path()).await.expect(200);
            (shown["rating_count"] == 1).then_some(shown)
        })
        .await;
        assert_eq!(shown["average_rating"].as_f64(), Some(4.0));
    });
}

#[test]
fn feedback_of_an_unknown_event_and_of_a_draft_is_not_found() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let draft = olga.drafts(running()).await;
        stage.caught_up().await;
        for path in [draft.at("/feedback"), "/v1/events/nonsense/feedback".to_owned()] {
            anna.get(&path).await.problem(404, "not_found");
            anna.post(&path, json!({"rating": 3})).await.problem(404, "not_found");
        }
    });
}
