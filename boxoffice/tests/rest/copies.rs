//! Events from others: cloned, and imported from a file.

use crate::fixture::{Read, Show, Sketch, hours_from_now, json, play};

#[test]
fn a_clone_says_the_same_and_has_sold_nothing() {
    play(async |stage| {
        let olga = stage.organiser().await;
        let anna = stage.user("Anna").await;
        let sketch = Sketch::new("Concert")
            .with("description", "Strings.")
            .with("capacity", 30)
            .priced("Seat", 2050, 20);
        let event = olga.publishes(sketch).await;
        anna.buys(&event, 2).await;
        let original = olga.get(&event.path()).await.expect(200);
        let answer = olga.post(&event.verb("clone"), json!({})).await;
        let copy = answer.expect(201);
        assert_eq!(answer.header("location"), format!("/v1/events/{}", copy.id()));
        assert_eq!((copy.text("status"), copy.number("version")), ("DRAFT", 1));
        for same in ["title", "description", "capacity", "venue", "starts_at", "ends_at", "categories"] {
            assert_eq!(copy[same], original[same], "{same}");
        }
        assert_ne!(copy.id(), original.id());
        let (kind, old) = (&copy.list("ticket_types")[0], &original.list("ticket_types")[0]);
        assert_ne!(kind.id(), old.id());
        assert_eq!((kind.number("available"), old.number("available")), (20, 18));
        olga.post(&Show::of(&copy).verb("publish"), json!({})).await.expect(200);
    });
}

#[test]
fn a_clone_may_have_another_title_and_time_and_everything_moves_along() {
    play(async |stage| {
        let olga = stage.organiser().await;
        let sales_end = hours_from_now(700);
        let kind = json!({"name": "Seat", "quantity": 5, "sales_end": sales_end});
        let event = olga.drafts(Sketch::new("Spring").with("ticket_types", json!([kind]))).await;
        let body = json!({"title": "Autumn", "starts_at": "2031-10-01T18:00:00Z"});
        let copy = olga.post(&event.verb("clone"), body).await.expect(201);
        assert_eq!((copy.text("title"), copy.text("starts_at")), ("Autumn", "2031-10-01T18:00:00Z"));
        let original = olga.get(&event.path()).await.expect(200);
        let seconds = |event: &serde_json::Value, field: &str| {
            event.text(field).parse::<jiff::Timestamp>().unwrap().as_microsecond()
        };
        let lasts = |event: &serde_json::Value| seconds(event, "ends_at") - seconds(event, "starts_at");
        assert_eq!(lasts(&copy), lasts(&original));
        let before = |event: &serde_json::Value| {
            seconds(event, "starts_at") - seconds(&event.list("ticket_types")[0], "sales_end")
        };
        assert_eq!(before(&copy), before(&original));
        let long = json!({"title": "x".repeat(1_000)});
        olga.post(&event.verb("clone"), long).await.bad_field("title");
    });
}

#[test]
fn only_its_organiser_clones_an_event_and_a_repeated_request_clones_it_once() {
    play(async |stage| {
        let olga = stage.organiser().await;
        let anna = stage.user("Anna").await;
        let event = olga.publishes(Sketch::new("Concert").free("Standing", 5)).await;
        anna.post(&event.verb("clone"), json!({})).await.problem(403, "forbidden");
        stage.anonymous().post(&event.verb("clone"), json!({})).await.problem(401, "unauthenticated");
        let draft = olga.drafts(Sketch::new("Secret")).await;
        anna.post(&draft.verb("clone"), json!({})).await.problem(404, "not_found");
        let first = olga.post(&event.verb("clone"), json!({})).key("k1").await.expect(201);
        let again = olga.post(&event.verb("clone"), json!({})).key("k1").await;
        assert_eq!(again.header("idempotency-replayed"), "true");
        assert_eq!(again.expect(201).id(), first.id());
    });
}

const FILE: &str = "\
name,start_date,end_date,city,country,places,price,colour
Good,2031-03-01,2031-03-02,Leiden,Netherlands,50,12.50,red
No such day,2031-02-30,,Leiden,Netherlands,,,
Too many,2031-03-01,,Leiden,Netherlands,many,,
,2031-03-01,,Leiden,Netherlands,,,
Free,2031-04-01,,,,,,
";

#[test]
fn good_rows_become_drafts_and_bad_ones_are_told_by_line_and_column() {
    play(async |stage| {
        let olga = stage.organiser().await;
        let report = olga.post("/v1/events:import", json!({"csv": FILE})).await.expect(200);
        let created: Vec<_> =
            report.list("created").iter().map(|one| (one.number("row"), one.text("title"))).collect();
        assert_eq!(created, [(2, "Good"), (6, "Free")]);
        let bad: Vec<_> =
            report.list("bad").iter().map(|one| (one.number("row"), one.text("field"))).collect();
        assert_eq!(bad, [(3, "start_date"), (4, "places"), (5, "name")]);
        assert!(report.list("bad").iter().all(|one| !one.text("reason").is_empty()), "{report}");
        assert_eq!(report["unknown_columns"], json!(["colour"]));
        let id = report.list("created")[0].text("event_id");
        let event = olga.get(&format!("/v1/events/{id}")).await.expect(200);
        assert_eq!((event.text("status"), event.text("title")), ("DRAFT", "Good"));
        assert_eq!(event.list("ticket_types")[0]["price"], json!({"currency": "EUR", "minor": 1250}));
        // Nobody else sees them.
        stage.anonymous().get(&format!("/v1/events/{id}")).await.problem(404, "not_found");
        // Mended and sent again, the good rows are known.
        let mended = FILE.replace("2031-02-30", "2031-02-28");
        let again = olga.post("/v1/events:import", json!({"csv": mended})).await.expect(200);
        assert_eq!(again.number("known"), 2);
        assert_eq!(again.each("created", "title"), ["No such day"]);
    });
}

#[test]
fn a_file_that_is_none_is_refused_whole() {
    play(async |stage| {
        let olga = stage.organiser().await;
        for file in ["", "title,when\nA,2031-01-01\n", "\u{0}\u{1}"] {
            olga.post("/v1/events:import", json!({"csv": file})).await.bad_field("csv");
        }
        let many = format!("name,start_date\n{}", "A,2031-01-01\n".repeat(501));
        olga.post("/v1/events:import", json!({"csv": many})).await.bad_field("csv");
        let none = olga.get("/v1/events?organizer_id=me").await.expect(200);
        assert_eq!(none.list("events").len(), 0);
        stage
            .anonymous()
            .post("/v1/events:import", json!({"csv": FILE}))
            .await
            .problem(401, "unauthenticated");
    });
}
