//! What buyers are told, as mail and as a list.

use crate::fixture::{Actor, Read, Sketch, Value, eventually, header_of, json, play};

/// The notifications of somebody, once there are so many and all are sent.
async fn notified(actor: &Actor, count: usize) -> Vec<Value> {
    eventually(&format!("{count} notifications"), async || {
        let list = actor.get("/v1/notifications").await.expect(200).list("notifications").to_vec();
        let is_sent = list.iter().all(|one| one["status"] == "SENT");
        (list.len() >= count && is_sent).then_some(list)
    })
    .await
}

fn kinds(list: &[Value]) -> Vec<&str> {
    list.iter().map(|one| one.text("kind")).collect()
}

#[test]
fn a_buyer_gets_one_mail_for_a_booking() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let event = olga.publishes(Sketch::new("Spring Concert").free("Standing", 9)).await;
        let booking = anna.gets(&event, 2).await;
        let list = notified(&anna, 1).await;
        assert_eq!(kinds(&list), ["BOOKED"]);
        assert_eq!(list[0].text("subject"), "Your tickets for Spring Concert");
        assert_eq!((list[0].text("booking_id"), list[0].text("event_id")), (booking.id(), event.id.as_str()));
        let mails = stage.mails_to(&anna.email, 1).await;
        assert_eq!(header_of(&mails[0], "Subject"), "Your tickets for Spring Concert");
        assert!(header_of(&mails[0], "From").contains("boxoffice@localhost"));
        assert!(mails[0].contains("multipart/alternative"), "HTML and text");
        assert!(mails[0].contains("text/plain") && mails[0].contains("text/html"));
    });
}

#[test]
fn a_cancellation_is_told_too() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let event = olga.publishes(Sketch::new("Concert").free("Standing", 9)).await;
        let booking = anna.gets(&event, 2).await;
        let tickets = booking.each("tickets", "id");
        anna.gives_back(&booking, &[&tickets[0]]).await.expect(200);
        notified(&anna, 1).await;
        anna.cancels(&booking).await.expect(200);
        assert_eq!(kinds(&notified(&anna, 2).await), ["CANCELLED", "BOOKED"], "newest first");
        stage.mails_to(&anna.email, 2).await;
    });
}

#[test]
fn a_refusal_is_told_with_its_reason_and_a_hold_is_not() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let event = olga.publishes(Sketch::new("Concert").priced("Seat", 1000, 1)).await;
        let held = anna.books(&event, 1).await;
        assert_eq!(held["status"], "HELD");
        assert_eq!(anna.books(&event, 1).await["reason"], "sold_out");
        assert_eq!(kinds(&notified(&anna, 1).await), ["REFUSED"]);
        let mails = stage.mails_to(&anna.email, 1).await;
        assert_eq!(header_of(&mails[0], "Subject"), "No tickets for Concert");
    });
}

#[test]
fn a_called_off_event_is_told_to_everybody_who_booked() {
    play(async |stage| {
        let (olga, anna, ben) = (stage.organiser().await, stage.user("Anna").await, stage.user("Ben").await);
        let event = olga.publishes(Sketch::new("Concert").free("Standing", 9)).await;
        anna.gets(&event, 1).await;
        ben.gets(&event, 1).await;
        olga.post(&event.verb("cancel"), json!({})).await.expect(200);
        for buyer in [&anna, &ben] {
            assert_eq!(kinds(&notified(buyer, 2).await), ["CANCELLED", "BOOKED"]);
            let mails = stage.mails_to(&buyer.email, 2).await;
            let subjects: Vec<&str> = mails.iter().map(|mail| header_of(mail, "Subject")).collect();
            assert!(subjects.contains(&"Your booking for Concert was cancelled"), "{subjects:?}");
        }
        assert_eq!(olga.get("/v1/notifications").await.expect(200)["notifications"], json!([]));
    });
}

#[test]
fn nothing_in_a_title_becomes_markup_or_a_header() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let event = olga.publishes(Sketch::new("<script>alert(1)</script> & more").free("Standing", 9)).await;
        anna.gets(&event, 1).await;
        let mails = stage.mails_to(&anna.email, 1).await;
        let html = mails[0].split("text/html").nth(1).unwrap();
        assert!(!html.contains("<script>"), "{html}");
        assert_eq!(header_of(&mails[0], "Bcc"), "");
        let newline = Sketch::new("Concert\r\nBcc: all@example.org").free("Standing", 9);
        olga.post("/v1/events", newline.0).await.bad_field("title");
    });
}

#[test]
fn a_notification_follows_the_name_that_the_buyer_has_now() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let event = olga.publishes(Sketch::new("Concert").free("Standing", 9)).await;
        anna.patch("/v1/users/me", json!({"name": "Anna Neumann"})).await.expect(200);
        stage.caught_up().await;
        anna.gets(&event, 1).await;
        let mails = stage.mails_to(&anna.email, 1).await;
        assert!(header_of(&mails[0], "To").contains("Anna Neumann"), "{}", header_of(&mails[0], "To"));
    });
}
