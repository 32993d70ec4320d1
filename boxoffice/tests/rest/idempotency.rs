//! `Idempotency-Key`: the same request again has the same answer, and happens once.

use futures_util::future::join_all;

use crate::fixture::{Answer, Read, Sketch, actor::PASSWORD, json, play};

fn concert() -> Sketch {
    Sketch::new("Concert").free("Standing", 50)
}

#[test]
fn twenty_posts_at_once_with_one_key_make_one_booking_and_one_body() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let event = olga.publishes(concert()).await;
        let posts =
            (0..20).map(|_| anna.post("/v1/bookings", event.order(2)).waiting().key("k-1").into_future());
        let answers = join_all(posts).await;
        let (done, running): (Vec<&Answer>, Vec<&Answer>) =
            answers.iter().partition(|answer| answer.status == 201);
        for answer in running {
            answer.problem(409, "request_in_progress");
        }
        assert!(done.iter().all(|answer| answer.bytes == done[0].bytes), "one body");
        let first = done.iter().filter(|answer| answer.header("idempotency-replayed").is_empty()).count();
        assert_eq!(first, 1, "all others are marked as repeated");
        assert!(done.iter().all(|answer| matches!(answer.header("idempotency-replayed"), "" | "true")));
        let bookings = anna.get("/v1/bookings").await.expect(200);
        assert_eq!(bookings.each("bookings", "id"), [done[0].json().id()]);
        let sold = anna.get(&event.at("/availability")).await.expect(200);
        assert_eq!(sold.list("ticket_types")[0]["sold"], 2);
    });
}

#[test]
fn a_repeated_booking_is_answered_as_the_first_time_whatever_became_of_it() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let event = olga.publishes(concert()).await;
        let post = || anna.post("/v1/bookings", event.order(1)).waiting().key("again");
        let first = post().await;
        let booking = first.expect(201);
        anna.cancels(&booking).await.expect(200);
        let second = post().await;
        assert_eq!(second.expect(201), booking);
        assert_eq!(second.header("idempotency-replayed"), "true");
        assert_eq!(second.header("location"), first.header("location"));
    });
}

#[test]
fn a_key_that_comes_with_another_body_is_refused() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let event = olga.publishes(concert()).await;
        anna.post("/v1/bookings", event.order(1)).waiting().key("k").await.expect(201);
        let other = anna.post("/v1/bookings", event.order(2)).waiting().key("k").await;
        other.problem(422, "idempotency_key_reused");
        assert_eq!(anna.get("/v1/bookings").await.expect(200).list("bookings").len(), 1);
    });
}

#[test]
fn the_same_body_written_in_another_way_is_the_same_request() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let event = olga.publishes(concert()).await;
        let first = anna.post("/v1/bookings", event.order(1)).waiting().key("k").await.expect(201);
        let spaced = format!(
            "{{ \"lines\" : [ {{ \"quantity\": 1, \"ticketTypeId\": \"{}\" }} ],\n\"eventId\": \"{}\" }}",
            event.types[0], event.id
        );
        let again = anna.call(reqwest::Method::POST, "/v1/bookings").waiting().key("k");
        assert_eq!(again.raw("application/json", spaced).await.expect(201), first);
    });
}

#[test]
fn a_key_belongs_to_its_user_and_to_its_call() {
    play(async |stage| {
        let (olga, anna, ben) = (stage.organiser().await, stage.user("Anna").await, stage.user("Ben").await);
        let event = olga.publishes(concert()).await;
        let annas = anna.post("/v1/bookings", event.order(1)).waiting().key("1").await.expect(201);
        let bens = ben.post("/v1/bookings", event.order(1)).waiting().key("1").await.expect(201);
        assert_ne!(annas.id(), bens.id());
        let cancelled = anna.cancels(&annas).key("1").await;
        assert_eq!(cancelled.expect(200)["status"], "CANCELLED");
        let again = anna.cancels(&annas).key("1").await;
        assert_eq!((again.expect(200), again.header("idempotency-replayed")), (cancelled.json(), "true"));
    });
}

#[test]
fn everything_that_is_created_with_a_key_is_created_once() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let twice = async |path: String, body: crate::fixture::Value, actor: &crate::fixture::Actor| {
            let first = actor.post(&path, body.clone()).key("once").await;
            let second = actor.post(&path, body).key("once").await;
            assert_eq!(first.status, second.status, "{second}");
            assert_eq!(first.bytes, second.bytes, "{second}");
            assert_eq!(second.header("idempotency-replayed"), "true", "{second}");
            first.json()
        };
        let event = twice("/v1/events".to_owned(), concert().running().0, &olga).await;
        let path = format!("/v1/events/{}", event.id());
        twice(format!("{path}/ticket-types"), json!({"name": "Seat", "quantity": 3}), &olga).await;
        twice(format!("{path}:publish"), json!({}), &olga).await;
        let event = crate::fixture::Show::of(&olga.get(&path).await.expect(200));
        assert_eq!(event.types.len(), 2);
        anna.gets(&event, 1).await;
        stage.caught_up().await;
        twice(event.at("/feedback"), json!({"rating": 4}), &anna).await;
        let count = olga.get("/v1/events?organizer_id=me").await.expect(200).list("events").len();
        assert_eq!(count, 1);
    });
}

#[test]
fn a_registration_with_a_key_is_made_once() {
    play(async |stage| {
        let body = json!({"name": "Anna", "email": "anna@example.org", "password": PASSWORD});
        let register = || stage.anonymous().post("/v1/auth/register", body.clone()).key("join");
        let first = register().await;
        let again = register().await;
        assert_eq!(first.expect(201), again.expect(201));
        assert_eq!(again.header("idempotency-replayed"), "true");
        stage.anonymous().post("/v1/auth/register", body.clone()).await.problem(409, "email_taken");
    });
}

#[test]
fn a_refused_request_does_not_use_up_its_key() {
    play(async |stage| {
        let olga = stage.organiser().await;
        let wrong = olga.post("/v1/events", Sketch::new("").0).key("k").await;
        wrong.bad_field("title");
        olga.post("/v1/events", concert().0).key("k").await.expect(201);
        let (empty, long) = (" ", "k".repeat(256));
        for key in [empty.trim(), &long] {
            let answer = olga.post("/v1/events", concert().0).key(key).await;
            answer.bad_field("Idempotency-Key");
        }
    });
}
