//! A buyer's way to a ticket.

use serde_json::json;

use crate::{
    browser::{Browser, Scripts, key},
    house::{House, PASSWORD, play},
};

/// From an empty account to a ticket on the screen.
async fn buys(house: &House, browser: &Browser, scripts: Scripts) {
    let organiser = house.account("Olga").await;
    house.event(&organiser, json!({"title": "Somewhere else"})).await;
    let event = house.event(&organiser, json!({"title": "Village Brass"})).await;
    sign_up(browser).await;
    browser.fill("#q", "brass").await;
    browser.click(".search button").await;
    browser.see("[href='/?q=brass'], .chips").await;
    browser.click(&format!("a[href='/events/{event}']")).await;
    browser.click(".kind option[value='2']").await;
    browser.click("#book button").await;
    browser.see("#confirm").await;
    assert!(browser.text("#confirm").await.contains("€50.00"));
    browser.click("#confirm button").await;
    browser.see("[data-status=HELD]").await;
    sees_the_hold(browser, scripts).await;
    browser.fill("#card", "4242 4242 4242 4242").await;
    browser.click("#pay button").await;
    browser.see("[data-notice=paid]").await;
    browser.click("[data-status=BOOKED] .stub-actions a").await;
    browser.see(".paper[data-status=VALID]").await;
    let (width, height) = browser.size(".qr svg").await;
    assert!(width >= 150.0 && (width - height).abs() < 1.0, "the code is {width} by {height} pixels");
    browser.click(".paper-code summary").await;
    assert!(browser.text("#ticket-code").await.starts_with("BX1."));
}

async fn sign_up(browser: &Browser) {
    browser.open("/").await;
    browser.click("nav a[href='/sign-up']").await;
    browser.fill("#name", "Ana").await;
    browser.fill("#email", "ana@example.org").await;
    browser.fill("#password", PASSWORD).await;
    browser.click("#sign-up button").await;
    browser.see("[data-notice=signed-up]").await;
}

/// A script counts down; without one, the page says until when.
async fn sees_the_hold(browser: &Browser, scripts: Scripts) {
    match scripts {
        Scripts::On => {
            let counts = "(async () => /held for 14:[0-5][0-9] more/.test(document.querySelector('#hold').innerText))()";
            browser.until(counts).await;
        }
        Scripts::Off => {
            let said = browser.text("#hold").await;
            assert!(said.starts_with("Your places are held until"), "{said}");
        }
    }
}

#[test]
fn a_buyer_signs_up_finds_an_event_pays_and_has_a_ticket() {
    play(async |house| {
        let browser = house.browser(Scripts::On).await;
        buys(house, &browser, Scripts::On).await;
    });
}

#[test]
fn it_is_the_same_without_scripts() {
    play(async |house| {
        let browser = house.browser(Scripts::Off).await;
        browser.open("/").await;
        buys(house, &browser, Scripts::Off).await;
    });
}

#[test]
fn the_page_says_what_is_left_as_others_book() {
    play(async |house| {
        let organiser = house.account("Olga").await;
        let event = house.event(&organiser, json!({"ticket_types": [{"name": "Seat", "quantity": 3}]})).await;
        let browser = house.browser(Scripts::On).await;
        browser.open(&format!("/events/{event}")).await;
        assert_eq!(browser.text("[data-available]").await, "3 left");
        house.book(&organiser, &event, 2).await;
        let says = |words: &str| {
            format!("(async () => document.querySelector('[data-available]').textContent === '{words}')()")
        };
        browser.until(&says("1 left")).await;
        browser.see(".kind option[value='2']:disabled").await;
        house.book(&organiser, &event, 1).await;
        browser.until(&says("Sold out")).await;
        browser.see(".kind select:disabled").await;
    });
}

#[test]
fn a_place_is_booked_and_paid_by_keyboard_alone() {
    play(async |house| {
        let ana = house.account("Ana").await;
        let event = house.event(&ana, json!({})).await;
        let browser = house.browser(Scripts::On).await;
        browser.open("/").await;
        browser.press(key::TAB).await;
        assert_eq!(browser.evaluate("return document.activeElement.className").await, "skip");
        browser.press(key::ENTER).await;
        browser.tab_to(&format!("a[href='/events/{event}']")).await;
        browser.press(key::ENTER).await;
        browser.see("#book").await;
        browser.tab_to(".kind select").await;
        browser.press("2").await;
        browser.tab_to("#book button").await;
        browser.press(key::SPACE).await;
        browser.see("#log-in").await;
        browser.tab_to("#email").await;
        browser.press(&ana.email).await;
        browser.press(key::TAB).await;
        browser.press(PASSWORD).await;
        browser.press(key::ENTER).await;
        browser.see("#confirm").await;
        browser.tab_to("#confirm button").await;
        browser.press(key::SPACE).await;
        browser.see("#pay").await;
        browser.tab_to("#card").await;
        browser.press("1234").await;
        browser.press(key::ENTER).await;
        // What is wrong has the focus, and leads to its field.
        browser.see("#error-summary:focus").await;
        browser.tab_to("#error-summary a").await;
        browser.press(key::ENTER).await;
        browser.see("#card:focus").await;
        browser.press("4242424242424242").await;
        browser.press(key::ENTER).await;
        browser.see("[data-status=BOOKED]").await;
        browser.tab_to(".stub-actions a").await;
        browser.press(key::ENTER).await;
        browser.see(".paper[data-status=VALID]").await;
    });
}
