//! The rules for every call: JSON, money, times, errors, waiting, traces.

use crate::fixture::{Read, Sketch, eventually, json, play};

#[test]
fn an_unknown_field_is_refused_by_its_name_and_nothing_happens() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let event = olga.publishes(Sketch::new("Concert").free("Standing", 5)).await;
        let mut order = event.order(1);
        order["colour"] = "red".into();
        anna.post("/v1/bookings", order).await.bad_field("colour");
        let mut order = event.order(1);
        order["lines"][0]["price"] = 0.into();
        anna.post("/v1/bookings", order).await.bad_field("lines[0].price");
        assert_eq!(anna.get("/v1/bookings").await.expect(200)["bookings"], json!([]));
        anna.get("/v1/events?colour=red&utm_source=mail").await.expect(200);
        anna.post("/v1/bookings?colour=red", event.order(1)).await.problem(400, "bad_input");
    });
}

#[test]
fn camel_case_is_taken_and_snake_case_is_given() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let event = olga.publishes(Sketch::new("Concert").free("Standing", 5)).await;
        let order = json!({"eventId": event.id, "lines": [{"ticketTypeId": event.types[0], "quantity": 1}]});
        let booking = anna.orders(order).await;
        assert_eq!(booking["event_id"], event.id.as_str());
        assert!(booking.get("eventId").is_none());
        let twice = json!({"event_id": event.id, "eventId": event.id, "lines": event.order(1)["lines"]});
        assert_eq!(anna.post("/v1/bookings", twice).await.status, 400);
    });
}

#[test]
fn large_numbers_come_as_numbers_and_enums_by_name() {
    play(async |stage| {
        let olga = stage.organiser().await;
        let event = olga.drafts(Sketch::new("Gala").priced("Box", 1_000_000_000_000, 5)).await;
        let read = olga.get(&event.path()).await.expect(200);
        let price = &read.list("ticket_types")[0]["price"];
        assert_eq!(*price, json!({"currency": "EUR", "minor": 1_000_000_000_000_i64}));
        assert_eq!(read["status"], "DRAFT");
        assert!(read["version"].is_i64());
        let words = Sketch::new("Gala").kind(json!({"name": "A", "quantity": 1,
            "price": {"currency": "EUR", "minor": "1500"}}));
        let lenient = olga.post("/v1/events", words.0).await;
        assert!(matches!(lenient.status, 201 | 400), "{lenient}");
    });
}

#[test]
fn times_are_given_in_utc_and_taken_with_any_offset() {
    play(async |stage| {
        let olga = stage.organiser().await;
        let sketch = Sketch::new("Concert")
            .with("starts_at", "2030-07-04T20:00:00+02:00")
            .with("ends_at", "2030-07-04T20:30:00.250Z");
        let event = olga.post("/v1/events", sketch.0).await.expect(201);
        assert_eq!(
            (event.text("starts_at"), event.text("ends_at")),
            ("2030-07-04T18:00:00Z", "2030-07-04T20:30:00.250Z")
        );
        assert!(event.text("created_at").ends_with('Z'));
        for time in ["2030-07-04", "2030-02-30T10:00:00Z", "tomorrow", "2030-07-04T20:00:00", ""] {
            let sketch = Sketch::new("Concert").with("starts_at", time);
            olga.post("/v1/events", sketch.0).await.bad_field("starts_at");
        }
    });
}

#[test]
fn money_is_a_currency_and_whole_minor_units() {
    play(async |stage| {
        let olga = stage.organiser().await;
        let post = async |price: crate::fixture::Value| {
            let kind = json!({"name": "Seat", "quantity": 1, "price": price});
            olga.post("/v1/events", Sketch::new("Concert").kind(kind).0).await
        };
        post(json!({"currency": "EUR", "minor": 20.5})).await.bad_field("ticket_types[0].price.minor");
        post(json!({"currency": "EUR", "minor": -1})).await.bad_field("ticket_types[0].price.minor");
        post(json!({"currency": "EUR", "minor": i64::MAX})).await.bad_field("ticket_types[0].price.minor");
        post(json!({"currency": "eur", "minor": 1})).await.bad_field("ticket_types[0].price.currency");
        post(json!({"minor": 1})).await.bad_field("ticket_types[0].price.currency");
        post(json!("20.50 EUR")).await.bad_field("ticket_types[0].price");
        post(json!({"currency": "JPY", "minor": 2050})).await.expect(201);
    });
}

#[test]
fn a_wait_that_runs_out_is_answered_with_202() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let event = olga.publishes(Sketch::new("Concert").free("Standing", 5)).await;
        let answer = anna.post("/v1/bookings", event.order(1)).header("prefer", "wait=0").await;
        assert!(matches!(answer.status, 201 | 202), "{answer}");
        for ignored in ["respond-async", "wait=soon", "wait=-1"] {
            let answer = anna.post("/v1/bookings", event.order(1)).header("prefer", ignored).await;
            let booking = answer.expect(202);
            assert_eq!(booking["status"], "PENDING");
            assert_eq!(answer.header("location"), format!("/v1/bookings/{}", booking.id()));
        }
        let waited =
            anna.post("/v1/bookings", event.order(1)).header("prefer", "return=minimal, wait=10").await;
        assert_eq!(waited.expect(201)["status"], "BOOKED");
        assert_eq!(waited.header("preference-applied"), "wait");
        let refused = anna.post("/v1/bookings", event.order(5)).waiting().await;
        assert_eq!(refused.expect(201)["status"], "REJECTED", "decided is decided");
    });
}

#[test]
fn a_request_is_traced_by_the_ids_that_came_with_it() {
    play(async |stage| {
        let nobody = stage.anonymous();
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        let parent = format!("00-{trace}-00f067aa0ba902b7-01");
        let answer =
            nobody.get("/v1/bookings").header("traceparent", &parent).header("x-request-id", "mine-1").await;
        assert_eq!(answer.problem(401, "unauthenticated")["trace_id"], trace);
        assert_eq!(answer.header("x-request-id"), "mine-1");
        let own = nobody.get("/v1/bookings").header("traceparent", "nonsense").await;
        let own_trace = own.problem(401, "unauthenticated").text("trace_id").to_owned();
        assert_eq!(own_trace.len(), 32);
        let other = nobody.get("/v1/bookings").await;
        assert_ne!(other.problem(401, "unauthenticated")["trace_id"], own_trace.as_str());
        assert_ne!(own.header("x-request-id"), other.header("x-request-id"));
    });
}

#[test]
fn a_problem_names_its_path_and_its_field() {
    play(async |stage| {
        let anna = stage.user("Anna").await;
        let order = json!({"event_id": "0198c0de-0000-7000-8000-000000000001",
            "lines": [{"ticket_type_id": "0198c0de-0000-7000-8000-000000000002", "quantity": 0}]});
        let problem = anna.post("/v1/bookings", order).await.bad_field("lines[0].quantity");
        assert_eq!(problem["instance"], "/v1/bookings");
        let missing = anna.get("/v1/bookings/0198c0de-0000-7000-8000-000000000001").await;
        assert_eq!(missing.problem(404, "not_found").get("errors"), None);
        anna.get("/v1/bookings/not-an-id").await.problem(404, "not_found");
        anna.get("/v1/nothing/here").await.problem(404, "not_found");
    });
}

#[test]
fn a_wrong_method_says_which_ones_are_right() {
    play(async |stage| {
        let answer = stage.anonymous().delete("/v1/auth/login").await;
        answer.problem(405, "method_not_allowed");
        assert_eq!(answer.header("allow"), "POST");
        let head = stage.anonymous().call(reqwest::Method::HEAD, "/v1/events").await;
        assert_eq!((head.status, head.bytes.len()), (200, 0));
    });
}

#[test]
fn bookings_tickets_notifications_and_attendees_come_in_pages_too() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let event = olga.publishes(Sketch::new("Concert").free("Standing", 50)).await;
        for _ in 0..5 {
            anna.gets(&event, 2).await;
        }
        eventually("five notifications", async || {
            let list = anna.get("/v1/notifications").await.expect(200);
            (list.list("notifications").len() == 5).then_some(())
        })
        .await;
        stage.caught_up().await;
        for (actor, path, list, id, count) in [
            (&anna, "/v1/bookings".to_owned(), "bookings", "id", 5),
            (&anna, "/v1/tickets".to_owned(), "tickets", "id", 10),
            (&anna, "/v1/notifications".to_owned(), "notifications", "id", 5),
            (&olga, event.at("/attendees"), "attendees", "ticket_id", 10),
        ] {
            let whole = actor.get(&path).await.expect(200).each(list, id);
            assert_eq!(whole.len(), count, "{path}");
            let (mut seen, mut token) = (Vec::new(), String::new());
            loop {
                let page = actor.get(&format!("{path}?page_size=3&page_token={token}")).await.expect(200);
                assert!(page.list(list).len() <= 3);
                seen.extend(page.each(list, id));
                token = page.text("next_page_token").to_owned();
                if token.is_empty() {
                    break;
                }
            }
            assert_eq!(seen, whole, "{path}");
            actor.get(&format!("{path}?page_size=101")).await.bad_field("page_size");
            actor.get(&format!("{path}?page_token=nonsense")).await.bad_field("page_token");
        }
    });
}
