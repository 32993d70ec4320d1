//! Ticket types: adding, changing and removing them, and the figures of their places.

use crate::fixture::{Read, Sketch, Value, hours_from_now, json, play};

fn figures(availability: &Value, index: usize) -> (i64, i64, i64) {
    let kind = &availability.list("ticket_types")[index];
    (kind.number("available"), kind.number("held"), kind.number("sold"))
}

#[test]
fn a_ticket_type_is_added_changed_and_removed() {
    play(async |stage| {
        let olga = stage.organiser().await;
        let event = olga.publishes(Sketch::new("Concert").free("Standing", 5)).await;
        let seat = json!({"name": "Seat", "quantity": 10, "price": {"currency": "EUR", "minor": 1500},
            "max_per_booking": 4});
        let seat = olga.post(&event.at("/ticket-types"), seat).await.expect(201);
        assert_eq!((seat.text("name"), seat.number("available")), ("Seat", 10));
        let path = event.at(&format!("/ticket-types/{}", seat.id()));
        let changed = olga.patch(&path, json!({"quantity": 12, "name": "Good seat"})).await.expect(200);
        assert_eq!((changed.text("name"), changed.number("quantity")), ("Good seat", 12));
        assert_eq!(changed["price"], json!({"currency": "EUR", "minor": 1500}));
        assert_eq!(changed["max_per_booking"], 4);
        olga.delete(&path).await.expect(204);
        olga.delete(&path).await.problem(404, "not_found");
        let types = olga.get(&event.path()).await.expect(200).each("ticket_types", "name");
        assert_eq!(types, ["Standing"]);
    });
}

#[test]
fn ticket_types_of_an_event_have_different_names_and_one_currency() {
    play(async |stage| {
        let olga = stage.organiser().await;
        let twice = Sketch::new("Concert").free("Standing", 5).free("standing", 5);
        olga.post("/v1/events", twice.0).await.bad_field("ticket_types");
        let dollar = json!({"name": "B", "quantity": 1, "price": {"currency": "USD", "minor": 1}});
        let mixed = Sketch::new("Concert").priced("A", 100, 5).kind(dollar);
        olga.post("/v1/events", mixed.0).await.bad_field("ticket_types");
    });
}

#[test]
fn a_type_that_somebody_booked_cannot_be_removed_nor_shrunk_below_that() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let event = olga.publishes(Sketch::new("Concert").free("Standing", 5).free("Seat", 5)).await;
        anna.gets(&event, 3).await;
        let path = event.at(&format!("/ticket-types/{}", event.types[0]));
        olga.delete(&path).await.problem(409, "ticket_type_in_use");
        olga.patch(&path, json!({"quantity": 2})).await.problem(409, "capacity_below_sold");
        assert_eq!(olga.patch(&path, json!({"quantity": 3})).await.expect(200)["available"], 0);
        olga.patch(&event.path(), json!({"capacity": 2})).await.problem(409, "capacity_below_sold");
        olga.patch(&event.path(), json!({"capacity": 3})).await.expect(200);
        olga.delete(&event.at(&format!("/ticket-types/{}", event.types[1]))).await.expect(204);
    });
}

#[test]
fn the_availability_counts_what_is_left_held_and_sold() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let event = olga.publishes(Sketch::new("Concert").priced("Seat", 1000, 10).free("Standing", 4)).await;
        let read = async || stage.anonymous().get(&event.at("/availability")).await.expect(200);
        let fresh = read().await;
        assert_eq!(fresh["event_id"], event.id.as_str());
        assert_eq!((figures(&fresh, 0), figures(&fresh, 1)), ((10, 0, 0), (4, 0, 0)));
        let held = anna.books(&event, 3).await;
        let after_hold = read().await;
        assert_eq!(figures(&after_hold, 0), (7, 3, 0));
        assert!(after_hold.number("sequence") > fresh.number("sequence"));
        anna.pays(&held, crate::fixture::actor::GOOD_CARD).await.expect(200);
        assert_eq!(figures(&read().await, 0), (7, 0, 3));
        anna.cancels(&held).await.expect(200);
        stage.caught_up().await;
        assert_eq!(figures(&read().await, 0), (10, 0, 0));
    });
}

#[test]
fn a_hidden_type_is_not_shown_and_can_be_booked_by_its_id() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let hidden = json!({"name": "Friends", "quantity": 2, "hidden": true});
        let event = olga.publishes(Sketch::new("Concert").free("Standing", 5).kind(hidden)).await;
        for path in [event.path(), event.at("/availability")] {
            assert_eq!(anna.get(&path).await.expect(200).list("ticket_types").len(), 1, "{path}");
            assert_eq!(olga.get(&path).await.expect(200).list("ticket_types").len(), 2, "{path}");
        }
        let listed = anna.get("/v1/events").await.expect(200);
        assert_eq!(listed.list("events")[0].list("ticket_types").len(), 1);
        assert_eq!(anna.orders(event.order_of(&[(1, 1)])).await["status"], "BOOKED");
    });
}

#[test]
fn a_sales_window_that_ends_before_it_starts_is_refused() {
    play(async |stage| {
        let olga = stage.organiser().await;
        let kind = json!({"name": "Seat", "quantity": 2, "sales_start": hours_from_now(5),
            "sales_end": hours_from_now(4)});
        let sketch = Sketch::new("Concert").kind(kind);
        olga.post("/v1/events", sketch.0).await.bad_field("ticket_types[0].sales_end");
    });
}
