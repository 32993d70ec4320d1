//! Booking, being refused, and giving back.

use crate::fixture::{Actor, Read, Sketch, eventually, hours_from_now, json, play};

async fn refused_because(buyer: &Actor, order: crate::fixture::Value, reason: &str) {
    let booking = buyer.orders(order).await;
    assert_eq!((booking.text("status"), booking.text("reason")), ("REJECTED", reason), "{booking}");
    assert_eq!(booking.list("tickets").len(), 0);
}

#[test]
fn a_free_booking_that_is_waited_for_comes_back_booked_with_its_tickets() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let event = olga.publishes(Sketch::new("Concert").free("Standing", 5)).await;
        let answer = anna.post("/v1/bookings", event.order(2)).header("prefer", "wait=5").await;
        let booking = answer.expect(201);
        assert_eq!(answer.header("location"), format!("/v1/bookings/{}", booking.id()));
        assert_eq!((booking.text("status"), booking.text("reason")), ("BOOKED", ""));
        assert_eq!(booking["event_id"], event.id.as_str());
        assert_eq!(booking["user_id"], anna.id.as_str());
        assert_eq!(booking["total"]["minor"], 0);
        let line = &booking.list("lines")[0];
        assert_eq!((line.text("ticket_type_id"), line.number("quantity")), (event.types[0].as_str(), 2));
        let tickets = booking.list("tickets");
        assert_eq!(tickets.len(), 2);
        assert_ne!(tickets[0].id(), tickets[1].id());
        for ticket in tickets {
            assert_eq!((ticket.text("status"), ticket.text("booking_id")), ("VALID", booking.id()));
            assert!(ticket["code"].as_str().unwrap_or_default().is_empty(), "a code is in the ticket only");
        }
        assert_eq!(anna.sees(&booking).await, booking);
    });
}

#[test]
fn a_booking_that_is_not_waited_for_is_pending_and_decided_later() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let event = olga.publishes(Sketch::new("Concert").free("Standing", 5)).await;
        let booking = anna.post("/v1/bookings", event.order(1)).await.expect(202);
        assert_eq!((booking.text("status"), booking.list("tickets").len()), ("PENDING", 0));
        let decided = eventually("the booking is decided", async || {
            let booking = anna.sees(&booking).await;
            (booking["status"] != "PENDING").then_some(booking)
        })
        .await;
        assert_eq!(decided["status"], "BOOKED");
    });
}

#[test]
fn a_booking_of_several_types_is_priced_together() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let event =
            olga.publishes(Sketch::new("Concert").priced("Seat", 2050, 5).priced("Box", 9900, 5)).await;
        let booking = anna.orders(event.order_of(&[(0, 2), (1, 1)])).await;
        assert_eq!(booking["status"], "HELD");
        assert_eq!(booking["total"], json!({"currency": "EUR", "minor": 14000}));
        assert_eq!(booking.list("lines")[1]["unit_price"], json!({"currency": "EUR", "minor": 9900}));
        assert!(booking.text("expires_at") > hours_from_now(0).as_str(), "{booking}");
        assert_eq!(booking.list("tickets").len(), 0, "unpaid places have no tickets");
    });
}

#[test]
fn a_booking_that_fits_not_is_rejected_whole_as_sold_out() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let event = olga.publishes(Sketch::new("Concert").free("Standing", 3).free("Seat", 5)).await;
        anna.gets(&event, 2).await;
        refused_because(&anna, event.order(2), "sold_out").await;
        refused_because(&anna, event.order_of(&[(1, 2), (0, 2)]), "sold_out").await;
        let left = anna.get(&event.at("/availability")).await.expect(200);
        let left: Vec<i64> = left.list("ticket_types").iter().map(|kind| kind.number("available")).collect();
        assert_eq!(left, [1, 5], "a rejected booking takes nothing");
        anna.gets(&event, 1).await;
    });
}

#[test]
fn only_published_events_that_are_not_over_can_be_booked() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let sketch = || Sketch::new("Concert").free("Standing", 3);
        let draft = olga.drafts(sketch()).await;
        refused_because(&anna, draft.order(1), "event_not_published").await;
        let cancelled = olga.publishes(sketch()).await;
        olga.post(&cancelled.verb("cancel"), json!({})).await.expect(200);
        refused_because(&anna, cancelled.order(1), "event_cancelled").await;
        let over = olga.publishes(sketch().over()).await;
        refused_because(&anna, over.order(1), "event_ended").await;
        let mut unknown = over.order(1);
        unknown["event_id"] = "0198c0de-0000-7000-8000-000000000001".into();
        refused_because(&anna, unknown, "event_not_found").await;
        let running = olga.publishes(sketch().running()).await;
        anna.gets(&running, 1).await;
    });
}

#[test]
fn a_ticket_type_is_sold_in_its_window_only() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let window = |start: i64, end: i64| {
            let kind = json!({"name": "Seat", "quantity": 3, "sales_start": hours_from_now(start),
                "sales_end": hours_from_now(end)});
            Sketch::new("Concert").kind(kind)
        };
        let early = olga.publishes(window(1, 2)).await;
        refused_because(&anna, early.order(1), "sales_not_started").await;
        let late = olga.publishes(window(-2, -1)).await;
        refused_because(&anna, late.order(1), "sales_ended").await;
        let open = olga.publishes(window(-1, 1)).await;
        anna.gets(&open, 1).await;
    });
}

#[test]
fn a_booking_keeps_to_the_limit_of_its_type_and_to_types_of_its_event() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let limited = json!({"name": "Seat", "quantity": 30, "max_per_booking": 4});
        let event = olga.publishes(Sketch::new("Concert").kind(limited)).await;
        refused_because(&anna, event.order(5), "over_limit").await;
        anna.gets(&event, 4).await;
        let other = olga.publishes(Sketch::new("Other").free("Standing", 3)).await;
        let mut mixed = event.order(1);
        mixed["lines"] = other.order(1)["lines"].clone();
        refused_because(&anna, mixed, "unknown_ticket_type").await;
    });
}

#[test]
fn a_cancelled_booking_gives_its_places_back_once() {
    play(async |stage| {
        let (olga, anna, ben) = (stage.organiser().await, stage.user("Anna").await, stage.user("Ben").await);
        let event = olga.publishes(Sketch::new("Concert").free("Standing", 2)).await;
        let booking = anna.gets(&event, 2).await;
        let cancelled = anna.cancels(&booking).await.expect(200);
        assert_eq!((cancelled.text("status"), cancelled.text("reason")), ("CANCELLED", "buyer"));
        assert!(cancelled.list("tickets").iter().all(|ticket| ticket["status"] == "CANCELLED"));
        anna.cancels(&booking).await.problem(409, "already_cancelled");
        stage.caught_up().await;
        ben.gets(&event, 2).await;
        assert_eq!(anna.books(&event, 1).await["reason"], "sold_out");
    });
}

#[test]
fn a_part_of_a_booking_is_given_back_by_ticket() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let event = olga.publishes(Sketch::new("Concert").priced("Seat", 1000, 3)).await;
        let booking = anna.buys(&event, 3).await;
        let tickets = booking.each("tickets", "id");
        let changed = anna.gives_back(&booking, &[&tickets[1]]).await.expect(200);
        assert_eq!(changed["status"], "BOOKED");
        let states = changed.each("tickets", "status");
        assert_eq!(states, ["VALID", "CANCELLED", "VALID"]);
        assert_eq!(changed.list("refunds")[0]["amount"], json!({"currency": "EUR", "minor": 1000}));
        anna.gives_back(&booking, &[&tickets[1]]).await.problem(409, "already_cancelled");
        let nonsense = anna.gives_back(&booking, &["no such ticket"]).await;
        assert_eq!(nonsense.status, 400, "{nonsense}");
        stage.caught_up().await;
        let left = anna.get(&event.at("/availability")).await.expect(200);
        assert_eq!(left.list("ticket_types")[0]["available"], 1);
        let all = anna.gives_back(&booking, &[&tickets[0], &tickets[2]]).await.expect(200);
        assert_eq!(all["status"], "CANCELLED");
        let refunded: i64 = all.list("refunds").iter().map(|refund| refund["amount"].number("minor")).sum();
        assert_eq!(refunded, 3000);
    });
}

#[test]
fn a_called_off_event_ends_every_booking_with_refund() {
    play(async |stage| {
        let (olga, anna, ben) = (stage.organiser().await, stage.user("Anna").await, stage.user("Ben").await);
        let event = olga.publishes(Sketch::new("Concert").priced("Seat", 1200, 9).free("Standing", 9)).await;
        let paid = anna.buys(&event, 2).await;
        let held = ben.books(&event, 1).await;
        let free = ben.orders(event.order_of(&[(1, 1)])).await;
        olga.post(&event.verb("cancel"), json!({})).await.expect(200);
        for (buyer, booking) in [(&anna, &paid), (&ben, &held), (&ben, &free)] {
            let ended = eventually("the booking has ended", async || {
                let booking = buyer.sees(booking).await;
                (booking["status"] == "CANCELLED").then_some(booking)
            })
            .await;
            assert_eq!(ended["reason"], "event_cancelled");
        }
        let refund = eventually("the money is back", async || {
            let refunds = anna.sees(&paid).await["refunds"].clone();
            (refunds[0]["status"] == "REFUNDED").then_some(refunds)
        })
        .await;
        assert_eq!(refund[0]["amount"], json!({"currency": "EUR", "minor": 2400}));
        ben.pays(&held, crate::fixture::actor::GOOD_CARD).await.problem(409, "not_payable");
    });
}

#[test]
fn bookings_are_listed_newest_first_by_event_and_by_status() {
    play(async |stage| {
        let (olga, anna, ben) = (stage.organiser().await, stage.user("Anna").await, stage.user("Ben").await);
        let first = olga.publishes(Sketch::new("First").free("Standing", 3)).await;
        let second = olga.publishes(Sketch::new("Second").free("Standing", 3)).await;
        let a = anna.gets(&first, 1).await;
        let b = anna.gets(&second, 1).await;
        let c = anna.gets(&first, 1).await;
        ben.gets(&first, 1).await;
        anna.cancels(&a).await.expect(200);
        let ids = async |query: &str| {
            anna.get(&format!("/v1/bookings{query}")).await.expect(200).each("bookings", "id")
        };
        assert_eq!(ids("").await, [c.id(), b.id(), a.id()]);
        assert_eq!(ids(&format!("?event_id={}", first.id)).await, [c.id(), a.id()]);
        assert_eq!(ids("?status=CANCELLED").await, [a.id()]);
        assert_eq!(ids(&format!("?event_id={}&status=BOOKED", first.id)).await, [c.id()]);
        assert_eq!(ids("?status=EXPIRED").await, Vec::<String>::new());
    });
}

#[test]
fn who_was_named_as_attendee_is_on_the_ticket() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let event = olga.publishes(Sketch::new("Concert").free("Standing", 3)).await;
        let mut order = event.order(2);
        order["attendees"] =
            json!([{"name": "Zoë", "email": "zoe@example.org"}, {"name": "Max", "email": ""}]);
        let booking = anna.orders(order).await;
        assert_eq!(booking.each("tickets", "attendee_name"), ["Zoë", "Max"]);
        let mut order = event.order(1);
        order["attendees"] = json!([{"name": "A", "email": ""}, {"name": "B", "email": ""}]);
        let refused = anna.post("/v1/bookings", order).waiting().await;
        assert_eq!(refused.status, 400, "more attendees than places: {refused}");
    });
}
