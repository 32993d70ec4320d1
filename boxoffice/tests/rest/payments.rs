//! Paying with the simulator's test cards.

use crate::fixture::{
    Read, Sketch,
    actor::{DECLINED_CARD, GOOD_CARD, SILENT_CARD},
    eventually, json, play,
};

fn concert() -> Sketch {
    Sketch::new("Concert").priced("Seat", 2050, 4)
}

#[test]
fn a_paid_booking_is_booked_and_shows_its_payment() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let event = olga.publishes(concert()).await;
        let held = anna.books(&event, 2).await;
        let booking = anna.pays(&held, GOOD_CARD).await.expect(200);
        assert_eq!(booking["status"], "BOOKED");
        assert_eq!(booking.list("tickets").len(), 2);
        let payment = &booking.list("payments")[0];
        assert_eq!(payment["status"], "CAPTURED");
        assert_eq!(payment["amount"], json!({"currency": "EUR", "minor": 4100}));
        assert_eq!(booking["refunds"], json!([]));
    });
}

#[test]
fn a_declined_card_leaves_the_seats_held_and_another_card_pays_them() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let event = olga.publishes(concert()).await;
        let held = anna.books(&event, 1).await;
        anna.pays(&held, DECLINED_CARD).await.problem(409, "payment_declined");
        let still = anna.sees(&held).await;
        assert_eq!(
            (still.text("status"), still.each("payments", "status")),
            ("HELD", vec!["DECLINED".to_owned()])
        );
        let booking = anna.pays(&held, GOOD_CARD).await.expect(200);
        assert_eq!(booking["status"], "BOOKED");
        assert_eq!(booking.each("payments", "status"), ["DECLINED", "CAPTURED"]);
    });
}

#[test]
fn the_third_declined_card_ends_the_booking_and_frees_the_seats() {
    play(async |stage| {
        let (olga, anna, ben) = (stage.organiser().await, stage.user("Anna").await, stage.user("Ben").await);
        let event = olga.publishes(concert()).await;
        let held = anna.books(&event, 4).await;
        for _ in 0..3 {
            anna.pays(&held, DECLINED_CARD).await.problem(409, "payment_declined");
        }
        let ended = anna.sees(&held).await;
        assert_eq!((ended.text("status"), ended.text("reason")), ("CANCELLED", "payment_failed"));
        anna.pays(&held, GOOD_CARD).await.problem(409, "not_payable");
        stage.caught_up().await;
        ben.buys(&event, 4).await;
    });
}

#[test]
fn a_card_that_does_not_answer_leaves_the_payment_open() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let event = olga.publishes(concert()).await;
        let held = anna.books(&event, 1).await;
        let open = anna.pays(&held, SILENT_CARD).await.expect(202);
        assert_eq!(open["status"], "HELD");
        assert_eq!(open.each("payments", "status"), ["STARTED"]);
        anna.pays(&held, GOOD_CARD).await.problem(409, "payment_in_progress");
        assert_eq!(anna.sees(&held).await.list("tickets").len(), 0);
    });
}

#[test]
fn only_what_is_held_can_be_paid() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let event = olga.publishes(concert().free("Standing", 5)).await;
        let free = anna.orders(event.order_of(&[(1, 1)])).await;
        anna.pays(&free, GOOD_CARD).await.problem(409, "nothing_to_pay");
        let paid = anna.buys(&event, 4).await;
        let twice = anna.pays(&paid, GOOD_CARD).await;
        assert_eq!(twice.status, 409, "{twice}");
        assert_eq!(anna.sees(&paid).await.list("payments").len(), 1, "charged once");
        let rejected = anna.books(&event, 1).await;
        anna.pays(&rejected, GOOD_CARD).await.problem(409, "not_payable");
    });
}

#[test]
fn an_unknown_payment_method_is_refused_by_its_field() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let event = olga.publishes(concert()).await;
        let held = anna.books(&event, 1).await;
        for method in ["", "cash", "4242", "4111111111111111"] {
            anna.pays(&held, method).await.bad_field("payment_method");
        }
        assert_eq!(anna.sees(&held).await["payments"], json!([]));
    });
}

#[test]
fn a_held_booking_can_be_cancelled_and_costs_nothing() {
    play(async |stage| {
        let (olga, anna, ben) = (stage.organiser().await, stage.user("Anna").await, stage.user("Ben").await);
        let event = olga.publishes(concert()).await;
        let held = anna.books(&event, 4).await;
        let cancelled = anna.cancels(&held).await.expect(200);
        assert_eq!((cancelled.text("status"), cancelled.text("reason")), ("CANCELLED", "buyer"));
        assert_eq!(cancelled["refunds"], json!([]));
        anna.pays(&held, GOOD_CARD).await.problem(409, "not_payable");
        stage.caught_up().await;
        ben.buys(&event, 4).await;
    });
}

#[test]
fn who_cancels_a_paid_booking_gets_the_money_back() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let event = olga.publishes(concert()).await;
        let booking = anna.buys(&event, 2).await;
        let cancelled = anna.cancels(&booking).await.expect(200);
        assert_eq!(cancelled["status"], "CANCELLED");
        assert_eq!(cancelled.list("refunds")[0]["amount"], json!({"currency": "EUR", "minor": 4100}));
        let refunds = eventually("the money is back", async || {
            let refunds = anna.sees(&booking).await.list("refunds").to_vec();
            (refunds[0]["status"] == "REFUNDED").then_some(refunds)
        })
        .await;
        assert_eq!(refunds.len(), 1);
    });
}

#[test]
fn a_payment_repeated_with_its_key_charges_once() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let event = olga.publishes(concert()).await;
        let held = anna.books(&event, 1).await;
        let first = anna.pays(&held, GOOD_CARD).key("pay-1").await;
        let again = anna.pays(&held, GOOD_CARD).key("pay-1").await;
        assert_eq!(first.expect(200)["status"], "BOOKED");
        assert_eq!(
            (again.expect(200)["status"].clone(), again.header("idempotency-replayed")),
            (json!("BOOKED"), "true")
        );
        assert_eq!(first.bytes, again.bytes);
        anna.pays(&held, DECLINED_CARD).key("pay-1").await.problem(422, "idempotency_key_reused");
        assert_eq!(anna.sees(&held).await.list("payments").len(), 1);
    });
}

#[test]
fn a_declined_payment_repeated_with_its_key_is_declined_again_and_counted_once() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let event = olga.publishes(concert()).await;
        let held = anna.books(&event, 1).await;
        for _ in 0..4 {
            anna.pays(&held, DECLINED_CARD).key("pay-1").await.problem(409, "payment_declined");
        }
        assert_eq!(anna.sees(&held).await["status"], "HELD");
        anna.pays(&held, GOOD_CARD).key("pay-2").await.expect(200);
    });
}
