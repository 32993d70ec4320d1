//! A buyer's way: from an event to a ticket and back.

use http::StatusCode;
use serde_json::json;

use crate::browser::{Browser, Form, House, Page, play};

/// Chooses that many tickets of the only kind; the page that shows the choice.
async fn choose(browser: &mut Browser, event: &str, number: u32) -> Page {
    let page = browser.get(&format!("/events/{event}")).await;
    let kind = page.attribute("data-kind");
    let choice = page.form("book").with(&[(&format!("n.{kind}"), &number.to_string())]);
    browser.send_and_follow(&choice).await
}

async fn held(house: &House, browser: &mut Browser) -> Page {
    let event = house.event(json!({})).await;
    let review = choose(browser, &event, 2).await;
    review.must_have("€50.00");
    let page = browser.send_and_follow(&review.form("confirm")).await;
    page.must_have("data-status=\"HELD\"");
    page
}

#[test]
fn a_buyer_books_pays_shows_a_ticket_and_gives_one_back() {
    play(async |house| {
        let mut ana = house.somebody("Ana").await;
        let page = held(house, &mut ana).await;
        let page = ana.send_and_follow(&page.form("pay").with(&[("card", "4242 4242 4242 4242")])).await;
        page.must_have("data-status=\"BOOKED\"");
        page.must_have("data-notice=\"paid\"");
        let ticket = page.attribute("data-ticket");
        let shown = ana.get(&format!("/tickets/{ticket}")).await;
        shown.must_have("id=\"ticket-code\"");
        shown.must_have("<svg");
        let pdf = ana.get(&format!("/tickets/{ticket}/ticket.pdf")).await;
        assert!(pdf.text.starts_with("%PDF"));
        assert!(ana.get(&format!("/tickets/{ticket}/event.ics")).await.has("BEGIN:VCALENDAR"));
        let booking = page.attribute("data-booking");
        let asked = ana.get(&format!("/bookings/{booking}/cancel")).await;
        let one = asked.form("cancel").without("ticket").with(&[("ticket", &ticket)]);
        let page = ana.send_and_follow(&one).await;
        page.must_have("data-notice=\"cancelled\"");
        page.must_have("data-status=\"BOOKED\"");
        assert!(ana.get("/bookings").await.has(&booking));
    });
}

#[test]
fn who_is_not_signed_in_keeps_the_choice_through_the_sign_up() {
    play(async |house| {
        let event = house.event(json!({})).await;
        let mut visitor = house.visitor();
        let page = choose(&mut visitor, &event, 3).await;
        page.must_have("id=\"log-in\"");
        let back = page.form("log-in").fields.iter().find(|(name, _)| name == "return_to").unwrap().1.clone();
        let sign_up = visitor
            .get(&format!("/sign-up?return_to={}", back.replace('?', "%3F").replace('&', "%26")))
            .await;
        let filled = [("name", "Ben"), ("email", "ben@example.org"), ("password", "correct horse")];
        let review = visitor.send_and_follow(&sign_up.form("sign-up").with(&filled)).await;
        review.must_have("€75.00");
    });
}

#[test]
fn a_declined_card_is_told_and_another_one_pays() {
    play(async |house| {
        let mut ana = house.somebody("Ana").await;
        let page = held(house, &mut ana).await;
        let refused = ana.send(&page.form("pay").with(&[("card", "4000000000000002")])).await;
        assert_eq!(refused.status, StatusCode::CONFLICT);
        refused.must_have("href=\"#card\"");
        let unknown = ana.send(&refused.form("pay").with(&[("card", "1234")])).await;
        assert_eq!(unknown.status, StatusCode::UNPROCESSABLE_ENTITY);
        let paid = ana.send_and_follow(&unknown.form("pay").with(&[("card", "4242424242424242")])).await;
        paid.must_have("data-status=\"BOOKED\"");
    });
}

#[test]
fn a_form_that_is_sent_twice_books_once() {
    play(async |house| {
        let event = house.event(json!({})).await;
        let mut ana = house.somebody("Ana").await;
        let form = choose(&mut ana, &event, 2).await.form("confirm");
        let first = ana.send(&form).await.location().unwrap();
        let second = ana.send(&form).await.location().unwrap();
        assert_eq!(first, second);
        assert!(ana.get(&format!("/events/{event}")).await.has("8 left"));
        ana.get(&format!("/events/{event}/availability")).await.must_have("\"available\":8");
    });
}

#[test]
fn the_last_seats_are_sold_once_and_the_others_are_told_what_to_do() {
    play(async |house| {
        let free = json!([{"name": "Seat", "quantity": 10}]);
        let event = house.event(json!({"ticket_types": free})).await;
        let mut racers = Vec::new();
        for number in 0..64 {
            let mut browser = house.somebody(&format!("racer{number}")).await;
            let form = choose(&mut browser, &event, 1).await.form("confirm");
            racers.push((browser, form));
        }
        let race = racers.into_iter().map(|(mut browser, form): (Browser, Form)| async move {
            let page = browser.send_and_follow(&form).await;
            match page.has("data-status=\"BOOKED\"") {
                true => 1,
                false => {
                    page.must_have("sold_out");
                    page.must_have("Places that others hold and do not pay come back");
                    0
                }
            }
        });
        assert_eq!(futures_util::future::join_all(race).await.iter().sum::<u32>(), 10);
        let page = house.visitor().get(&format!("/events/{event}")).await;
        page.must_have("disabled>Sold out");
    });
}

#[test]
fn a_ticket_is_handed_on() {
    play(async |house| {
        let mut ben = house.somebody("Ben").await;
        let mut ana = house.somebody("Ana").await;
        let page = held(house, &mut ana).await;
        let page = ana.send_and_follow(&page.form("pay").with(&[("card", "4242424242424242")])).await;
        let ticket = page.attribute("data-ticket");
        let shown = ana.get(&format!("/tickets/{ticket}")).await;
        let nobody = ana.send(&shown.form("transfer").with(&[("email", "nobody@example.org")])).await;
        assert_eq!(nobody.status, StatusCode::UNPROCESSABLE_ENTITY);
        let done = ana.send_and_follow(&shown.form("transfer").with(&[("email", "ben@example.org")])).await;
        done.must_have("data-notice=\"transferred\"");
        ben.get(&format!("/tickets/{ticket}")).await.must_have("id=\"ticket-code\"");
    });
}
