//! Many at once: nothing is oversold, nothing is lost, nothing hangs.

use std::collections::BTreeMap;

use futures_util::future::join_all;

use crate::fixture::{Actor, Read, Show, Sketch, Stage, Value, actor::GOOD_CARD, json, play};

/// So many people, registered in parallel.
async fn crowd(stage: &Stage, count: usize) -> Vec<Actor> {
    let names: Vec<String> = (0..count).map(|number| format!("Buyer {number}")).collect();
    join_all(names.iter().map(|name| stage.user(name))).await
}

/// How often each outcome came.
fn tally(bookings: &[Value]) -> BTreeMap<String, usize> {
    let mut tally = BTreeMap::new();
    for booking in bookings {
        *tally.entry(format!("{} {}", booking.text("status"), booking.text("reason"))).or_default() += 1;
    }
    tally
}

/// What is left, held and sold, of all types together.
async fn places(actor: &Actor, event: &Show) -> (i64, i64, i64) {
    let availability = actor.get(&event.at("/availability")).await.expect(200);
    let sum = |field: &str| availability.list("ticket_types").iter().map(|kind| kind.number(field)).sum();
    (sum("available"), sum("held"), sum("sold"))
}

fn times(outcomes: &[(&str, usize)]) -> BTreeMap<String, usize> {
    outcomes.iter().map(|(outcome, count)| ((*outcome).to_owned(), *count)).collect()
}

#[test]
fn fifty_seats_and_three_hundred_attempts_of_64_buyers_give_fifty_bookings() {
    play(async |stage| {
        let olga = stage.organiser().await;
        let event = olga.publishes(Sketch::new("Hot").free("Standing", 50)).await;
        let buyers = crowd(stage, 64).await;
        let attempts = (0..64).map(|index| {
            let (buyer, event) = (&buyers[index], &event);
            let count = if index < 300 % 64 { 300 / 64 + 1 } else { 300 / 64 };
            async move {
                let mut bookings = Vec::new();
                for _ in 0..count {
                    bookings.push(buyer.books(event, 1).await);
                }
                bookings
            }
        });
        let bookings: Vec<Value> = join_all(attempts).await.into_iter().flatten().collect();
        assert_eq!(tally(&bookings), times(&[("BOOKED ", 50), ("REJECTED sold_out", 250)]));
        stage.caught_up().await;
        assert_eq!(places(&olga, &event).await, (0, 0, 50));
        let attendees = olga.get(&event.at("/attendees?page_size=100")).await.expect(200);
        assert_eq!(attendees.list("attendees").len(), 50);
    });
}

#[test]
fn a_capacity_that_types_share_is_never_exceeded() {
    play(async |stage| {
        let olga = stage.organiser().await;
        let sketch =
            Sketch::new("Shared").with("capacity", 30).free("A", 25).free("B", 25).priced("C", 100, 25);
        let event = olga.publishes(sketch).await;
        let buyers = crowd(stage, 20).await;
        let attempts = buyers.iter().enumerate().flat_map(|(number, buyer)| {
            let event = &event;
            (0..3).map(move |kind| buyer.orders(event.order_of(&[((number + kind) % 3, 1)])))
        });
        let bookings = join_all(attempts).await;
        let taken = bookings.iter().filter(|booking| booking["status"] != "REJECTED").count();
        assert_eq!(taken, 30, "{:?}", tally(&bookings));
        let (_, held, sold) = places(&olga, &event).await;
        assert_eq!(held + sold, 30);
    });
}

#[test]
fn bookings_of_several_places_fill_an_event_without_exceeding_it() {
    play(async |stage| {
        let olga = stage.organiser().await;
        let event = olga.publishes(Sketch::new("Groups").free("Standing", 40)).await;
        let buyers = crowd(stage, 30).await;
        let bookings =
            join_all(buyers.iter().enumerate().map(|(n, buyer)| buyer.books(&event, 1 + n as u32 % 4))).await;
        let booked = bookings.iter().filter(|booking| booking["status"] == "BOOKED");
        let sold: usize = booked.map(|booking| booking.list("tickets").len()).sum();
        assert_eq!(places(&olga, &event).await, (40 - sold as i64, 0, sold as i64));
        assert!(sold > 36, "a group that does not fit leaves at most three places: {sold}");
    });
}

#[test]
fn cancelling_and_booking_again_at_the_same_time_never_oversells() {
    play(async |stage| {
        let olga = stage.organiser().await;
        let event = olga.publishes(Sketch::new("Turnover").free("Standing", 5)).await;
        let buyers = crowd(stage, 12).await;
        let rounds = buyers.iter().map(|buyer| {
            let event = &event;
            async move {
                for _ in 0..6 {
                    let booking = buyer.books(event, 1).await;
                    if booking["status"] == "BOOKED" {
                        buyer.cancels(&booking).await.expect(200);
                    }
                }
            }
        });
        join_all(rounds).await;
        stage.caught_up().await;
        assert_eq!(places(&olga, &event).await, (5, 0, 0), "all came back, exactly once");
        let bookings = join_all(buyers.iter().map(|buyer| buyer.books(&event, 1))).await;
        assert_eq!(tally(&bookings), times(&[("BOOKED ", 5), ("REJECTED sold_out", 7)]));
    });
}

#[test]
fn a_booking_cancelled_twenty_times_at_once_is_cancelled_once() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let event = olga.publishes(Sketch::new("Concert").priced("Seat", 1000, 3)).await;
        let booking = anna.buys(&event, 2).await;
        let answers = join_all((0..20).map(|_| anna.cancels(&booking).into_future())).await;
        let done = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(done, 1);
        for answer in answers.iter().filter(|answer| answer.status != 200) {
            answer.problem(409, "already_cancelled");
        }
        stage.caught_up().await;
        assert_eq!(places(&olga, &event).await, (3, 0, 0));
        let refunds = anna.sees(&booking).await.list("refunds").to_vec();
        assert_eq!(refunds.len(), 1);
        assert_eq!(refunds[0]["amount"], json!({"currency": "EUR", "minor": 2000}));
    });
}

#[test]
fn a_booking_paid_ten_times_at_once_is_charged_once() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let event = olga.publishes(Sketch::new("Concert").priced("Seat", 1000, 3)).await;
        let held = anna.books(&event, 1).await;
        let answers = join_all((0..10).map(|_| anna.pays(&held, GOOD_CARD).into_future())).await;
        assert!(answers.iter().all(|answer| matches!(answer.status, 200 | 409)), "{answers:?}");
        assert!(answers.iter().any(|answer| answer.status == 200));
        let booking = anna.sees(&held).await;
        assert_eq!(booking["status"], "BOOKED");
        let captured =
            booking.list("payments").iter().filter(|payment| payment["status"] == "CAPTURED").count();
        assert_eq!(captured, 1, "{booking}");
        assert_eq!(places(&olga, &event).await, (2, 0, 1));
    });
}

#[test]
fn paying_and_cancelling_at_the_same_time_ends_in_one_of_the_two() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let event = olga.publishes(Sketch::new("Concert").priced("Seat", 1000, 12)).await;
        let race = async || {
            let held = anna.books(&event, 1).await;
            let (paid, cancelled) = futures_util::future::join(
                anna.pays(&held, GOOD_CARD).into_future(),
                anna.cancels(&held).into_future(),
            )
            .await;
            assert!(matches!(paid.status, 200 | 409) && matches!(cancelled.status, 200 | 409));
            assert!(paid.status == 200 || cancelled.status == 200, "{paid} and {cancelled}");
            held
        };
        let raced = join_all((0..12).map(|_| race())).await;
        stage.caught_up().await;
        let mut kept = 0;
        for held in &raced {
            let booking = anna.sees(held).await;
            let sum = |list: &str| -> i64 {
                let counted = booking
                    .list(list)
                    .iter()
                    .filter(|one| matches!(one.text("status"), "CAPTURED" | "DUE" | "REFUNDED"));
                counted.map(|one| one["amount"].number("minor")).sum()
            };
            match booking.text("status") {
                "BOOKED" => {
                    kept += 1;
                    assert_eq!((sum("payments"), sum("refunds")), (1000, 0), "{booking}");
                }
                "CANCELLED" => assert_eq!(sum("payments"), sum("refunds"), "{booking}"),
                other => panic!("{other}: {booking}"),
            }
        }
        assert_eq!(places(&olga, &event).await, (12 - kept, 0, kept));
    });
}

#[test]
fn an_event_called_off_while_it_is_booked_keeps_no_booking() {
    play(async |stage| {
        let olga = stage.organiser().await;
        let event = olga.publishes(Sketch::new("Concert").free("Standing", 200)).await;
        let buyers = crowd(stage, 16).await;
        let booking = join_all(buyers.iter().map(|buyer| {
            let event = &event;
            async move {
                let mut placed = Vec::new();
                for _ in 0..4 {
                    let answer = buyer.post("/v1/bookings", event.order(1)).await;
                    placed.push(answer.expect(202));
                }
                placed
            }
        }));
        let (placed, _) = futures_util::future::join(booking, async {
            olga.post(&event.verb("cancel"), json!({})).await.expect(200)
        })
        .await;
        stage.caught_up().await;
        for (buyer, placed) in buyers.iter().zip(placed) {
            for booking in placed {
                let booking = crate::fixture::eventually("the booking has ended", async || {
                    let booking = buyer.sees(&booking).await;
                    matches!(booking.text("status"), "CANCELLED" | "REJECTED").then_some(booking)
                })
                .await;
                assert_eq!(booking["reason"], "event_cancelled");
            }
        }
        let (_, held, sold) = places(&olga, &event).await;
        assert_eq!((held, sold), (0, 0));
    });
}
