//! Figures for organisers.

use crate::fixture::{Actor, Read, Show, Sketch, Value, eventually, json, play};

/// A figure of an event, once it is as wanted.
async fn figures(actor: &Actor, event: &Show, which: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    eventually(&format!("{which} is as wanted"), async || {
        let answer = actor.get(&event.figures(which)).await;
        (answer.status == 200).then(|| answer.json()).filter(&wanted)
    })
    .await
}

#[test]
fn popularity_counts_sales_cancellations_visits_and_money() {
    play(async |stage| {
        let (olga, anna, ben) = (stage.organiser().await, stage.user("Anna").await, stage.user("Ben").await);
        let event = olga.publishes(Sketch::new("Concert").priced("Seat", 1000, 9)).await;
        for _ in 0..4 {
            stage.anonymous().get(&event.path()).await.expect(200);
        }
        anna.buys(&event, 3).await;
        let booking = ben.buys(&event, 2).await;
        let tickets = booking.each("tickets", "id");
        ben.gives_back(&booking, &[&tickets[0]]).await.expect(200);
        let seen = figures(&olga, &event, "popularity", |seen| {
            (seen["booked"].as_i64(), seen["cancelled"].as_i64(), seen["visits"].as_i64())
                == (Some(5), Some(1), Some(4))
        })
        .await;
        assert_eq!(seen["revenue"], json!([{"currency": "EUR", "minor": 4000}]));
        assert_eq!(seen["conversion"].as_f64(), Some(0.5), "two bookings of four visits");
        assert!(seen["average_rating"].is_null());
    });
}

#[test]
fn holders_and_their_ratings_are_grouped_by_gender_and_age_in_the_year_of_the_event() {
    play(async |stage| {
        let olga = stage.organiser().await;
        let sketch = Sketch::new("Concert").running().free("Standing", 9);
        let year: i64 = sketch.0.text("starts_at")[..4].parse().unwrap();
        let event = olga.publishes(sketch).await;
        let anna = stage.user_with("Anna", json!({"gender": "FEMALE", "birth_year": year - 30})).await;
        let ben = stage.user_with("Ben", json!({"gender": "MALE", "birth_year": year - 18})).await;
        let kim = stage.user("Kim").await;
        stage.caught_up().await;
        anna.gets(&event, 2).await;
        ben.gets(&event, 1).await;
        kim.gets(&event, 1).await;
        stage.caught_up().await;
        anna.post(&event.at("/feedback"), json!({"rating": 5})).await.expect(201);
        ben.post(&event.at("/feedback"), json!({"rating": 2})).await.expect(201);
        let holders = figures(&olga, &event, "demographics", |seen| seen.list("groups").len() == 3).await;
        let group = |gender: &str, age: &str, tickets: i64| json!({"gender": gender, "age_band": age, "tickets": tickets});
        for expected in
            [group("FEMALE", "25_34", 2), group("MALE", "18_24", 1), group("UNKNOWN", "UNKNOWN", 1)]
        {
            assert!(holders.list("groups").contains(&expected), "{expected} is not in {holders}");
        }
        let ratings = figures(&olga, &event, "ratings", |seen| seen["count"] == 2).await;
        assert_eq!(ratings["average_rating"].as_f64(), Some(3.5));
        let of = |gender: &str| {
            let found = ratings.list("groups").iter().find(|group| group["gender"] == gender);
            found.unwrap()["average_rating"].as_f64().unwrap()
        };
        assert_eq!((of("FEMALE"), of("MALE")), (5.0, 2.0));
    });
}

#[test]
fn a_cancelled_booking_leaves_the_demographics() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let event = olga.publishes(Sketch::new("Concert").free("Standing", 9)).await;
        let booking = anna.gets(&event, 2).await;
        figures(&olga, &event, "demographics", |seen| !seen.list("groups").is_empty()).await;
        anna.cancels(&booking).await.expect(200);
        figures(&olga, &event, "demographics", |seen| seen.list("groups").is_empty()).await;
    });
}

#[test]
fn trends_count_by_day_week_and_month() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let event = olga.publishes(Sketch::new("Concert").free("Standing", 9)).await;
        let booking = anna.gets(&event, 3).await;
        anna.cancels(&booking).await.expect(200);
        let sum = |seen: &Value, field: &str| -> i64 {
            seen.list("points").iter().map(|point| point.number(field)).sum()
        };
        for period in ["", "?period=DAILY", "?period=WEEKLY", "?period=MONTHLY"] {
            let which = format!("trends{period}");
            let seen = figures(&olga, &event, &which, |seen| sum(seen, "cancelled") == 3).await;
            assert_eq!(sum(&seen, "booked"), 3);
            let start = seen.list("points")[0].text("start").to_owned();
            assert_eq!(start.len(), 10, "a date: {start}");
            if period.ends_with("MONTHLY") {
                assert!(start.ends_with("-01"), "{start}");
            }
        }
        olga.get(&event.figures("trends?period=HOURLY")).await.bad_field("period");
    });
}

#[test]
fn top_events_are_ones_own_most_booked_first_and_all_for_admin() {
    play(async |stage| {
        let (olga, anna, admin) = (stage.organiser().await, stage.user("Anna").await, stage.admin().await);
        let small = olga.publishes(Sketch::new("Small").free("Standing", 9)).await;
        let large = olga.publishes(Sketch::new("Large").free("Standing", 9)).await;
        let theirs = anna.publishes(Sketch::new("Anna's").free("Standing", 9)).await;
        anna.gets(&small, 1).await;
        anna.gets(&large, 3).await;
        olga.gets(&theirs, 2).await;
        let titles = async |actor: &Actor, wanted: &[&str], query: &str| {
            eventually(&format!("top events {wanted:?}"), async || {
                let list = actor.get(&format!("/v1/analytics/top-events{query}")).await.expect(200);
                (list.each("events", "title") == wanted).then_some(())
            })
            .await;
        };
        titles(&olga, &["Large", "Small"], "").await;
        titles(&anna, &["Anna's"], "").await;
        titles(&admin, &["Large", "Anna's", "Small"], "").await;
        titles(&admin, &["Large"], "?limit=1").await;
        olga.get("/v1/analytics/top-events?limit=101").await.bad_field("limit");
        olga.get("/v1/analytics/top-events?limit=-1").await.bad_field("limit");
    });
}

#[test]
fn figures_are_the_organisers_and_admins_only() {
    play(async |stage| {
        let (olga, anna, admin) = (stage.organiser().await, stage.user("Anna").await, stage.admin().await);
        let event = olga.publishes(Sketch::new("Concert").free("Standing", 9)).await;
        stage.caught_up().await;
        for which in ["popularity", "demographics", "ratings", "trends"] {
            olga.get(&event.figures(which)).await.expect(200);
            admin.get(&event.figures(which)).await.expect(200);
            anna.get(&event.figures(which)).await.problem(403, "forbidden");
            stage.anonymous().get(&event.figures(which)).await.problem(401, "unauthenticated");
            olga.get(&format!("/v1/analytics/events/nonsense/{which}")).await.problem(404, "not_found");
        }
    });
}
