//! What is held about somebody: they get all of it, and it goes when they go.

use futures_util::{StreamExt, stream};

use crate::fixture::{Read, Sketch, Stage, actor::PASSWORD, eventually, json, play, play_then};

const COMMENT: &str = "As I told my neighbour Waldemar";

#[test]
fn an_export_holds_what_every_service_knows() {
    play(async |stage| {
        let (olga, anna) =
            (stage.organiser().await, stage.user_with("Anna", json!({"birth_year": 1990})).await);
        let event = olga.publishes(Sketch::new("Concert").running().free("Standing", 5)).await;
        let own = anna.drafts(Sketch::new("Anna's own draft")).await;
        let booking = anna.gets(&event, 1).await;
        stage.caught_up().await;
        anna.post(&event.at("/feedback"), json!({"rating": 5, "comment": COMMENT})).await.expect(201);
        stage.mails_to(&anna.email, 1).await;
        stage.caught_up().await;
        let answer = anna.get("/v1/users/me:export").await;
        let export = answer.expect(200);
        assert!(answer.header("content-disposition").starts_with("attachment"));
        assert_eq!(export["user"]["account"]["email"], "anna@example.org");
        assert_eq!(export["event"]["events"][0]["id"], own.id.as_str());
        assert_eq!(export["ticket"]["bookings"][0]["id"], booking.id());
        assert_eq!(export["feedback"]["feedback"][0]["comment"], COMMENT);
        assert_eq!(export["notification"]["notifications"][0]["booking_id"], booking.id());
        assert!(export["analytics"].to_string().contains("1990"), "{}", export["analytics"]);
        let text = export.to_string();
        for foreign in [olga.email.as_str(), PASSWORD, "argon2", "refresh_token"] {
            assert!(!text.contains(foreign), "{foreign} is in the export");
        }
        stage.anonymous().get("/v1/users/me:export").await.problem(401, "unauthenticated");
    });
}

#[test]
fn who_erases_their_account_cannot_come_back_by_password_or_token() {
    play(async |stage| {
        let anna = stage.user("Anna").await;
        let tokens = anna.logs_in(PASSWORD).await.expect(200);
        anna.delete("/v1/users/me").await.expect(204);
        anna.logs_in(PASSWORD).await.problem(401, "wrong_credentials");
        let refresh = json!({"refresh_token": tokens["refresh_token"]});
        stage.anonymous().post("/v1/auth/refresh", refresh).await.problem(401, "invalid_refresh_token");
        let answer = anna.get("/v1/users/me").await;
        assert!(matches!(answer.status, 401 | 404), "{answer}");
        let again = stage.user("Anna").await;
        assert_ne!(again.id, anna.id, "the address is free for a new account");
        assert_eq!(again.get("/v1/bookings").await.expect(200)["bookings"], json!([]));
    });
}

#[test]
fn an_erased_person_is_on_no_list_of_others() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Waldtraut Quast").await);
        let event = olga.publishes(Sketch::new("Concert").running().free("Standing", 5)).await;
        let mut order = event.order(2);
        order["attendees"] = json!([{"name": "Waldtraut Quast", "email": "quast@example.org"}]);
        anna.orders(order).await;
        stage.caught_up().await;
        anna.post(&event.at("/feedback"), json!({"rating": 4, "comment": COMMENT})).await.expect(201);
        anna.delete("/v1/users/me").await.expect(204);
        stage.caught_up().await;
        eventually("nobody's name is left", async || {
            let attendees = olga.get(&event.at("/attendees")).await.expect(200).to_string();
            let file = olga.get(&event.at("/attendees?format=csv")).await.text().to_owned();
            let feedback = stage.anonymous().get(&event.at("/feedback")).await.expect(200).to_string();
            let all = format!("{attendees}{file}{feedback}");
            let personal = ["Waldtraut", "waldtraut", "quast@", COMMENT];
            personal.iter().all(|text| !all.contains(text)).then_some(())
        })
        .await;
        let seen = olga.get(&event.figures("popularity")).await.expect(200);
        assert_eq!(seen["booked"], 2, "the figures stay");
    });
}

/// More than one page of a query.
const MANY: usize = store::MAX_PAGE + 1;

#[test]
fn nobody_is_named_any_more_in_however_many_bookings() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let event = olga.publishes(Sketch::new("Concert").free("Standing", 2_000)).await;
        let mut order = event.order(1);
        order["attendees"] = json!([{"name": "Waldtraut Quast"}]);
        let bookings = (0..MANY).map(|_| anna.orders(order.clone()));
        stream::iter(bookings).buffer_unordered(16).for_each(async |_| ()).await;
        stage.caught_up().await;
        let named = async || {
            let file = olga.get(&event.at("/attendees?format=csv")).await.text().to_owned();
            (file.lines().count() - 1, file.matches("Waldtraut").count())
        };
        assert_eq!(named().await, (MANY, MANY));
        anna.delete("/v1/users/me").await.expect(204);
        eventually("nobody's name is left", async || (named().await == (MANY, 0)).then_some(())).await;
    });
}

#[test]
fn a_token_that_outlives_its_account_names_nobody() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let event = olga.publishes(Sketch::new("Concert").free("Standing", 5)).await;
        anna.delete("/v1/users/me").await.expect(204);
        stage.caught_up().await;
        let mut order = event.order(1);
        order["attendees"] = json!([{"name": "Waldtraut Quast"}]);
        anna.post("/v1/bookings", order).await.problem(401, "unauthenticated");
        assert_eq!(olga.get(&event.at("/attendees")).await.expect(200)["attendees"], json!([]));
    });
}

/// Plays the life of an account from registration to erasure, then looks for what is left of it on
/// disk: which databases of these hold its address, its name or its words.
fn databases_that_remember(looked_at: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let story = async |stage: &Stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Waldtraut Quast").await);
        let event = olga.publishes(Sketch::new("Concert").running().free("Standing", 5)).await;
        anna.gets(&event, 1).await;
        stage.caught_up().await;
        anna.post(&event.at("/feedback"), json!({"rating": 4, "comment": COMMENT})).await.expect(201);
        // Mail that was sent is out of reach, so the directory that stands for it is not looked at.
        stage.mails_to(&anna.email, 1).await;
        anna.delete("/v1/users/me").await.expect(204);
        stage.caught_up().await;
    };
    play_then(story, |(), dir| {
        for database in looked_at {
            let bytes = std::fs::read(dir.join(database)).unwrap().to_ascii_lowercase();
            for text in ["waldtraut", &COMMENT.to_ascii_lowercase()] {
                if bytes.windows(text.len()).any(|window| window == text.as_bytes()) {
                    found.push(format!("{database}: {text}"));
                }
            }
        }
    });
    found
}

#[test]
fn no_database_keeps_anything_of_an_erased_person_on_disk() {
    let all = ["user.db", "event.db", "ticket.db", "feedback.db", "notification.db", "analytics.db"];
    assert_eq!(databases_that_remember(&all), Vec::<String>::new());
}
