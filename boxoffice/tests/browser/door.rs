//! The door: codes are typed, refused in words, and kept while there is no network.

use serde_json::{Value, json};

use crate::{
    browser::{Browser, key},
    house::{Account, House, play},
};

async fn enter(browser: &Browser, code: &str) {
    browser.fill("#code", code).await;
    browser.press(key::ENTER).await;
}

/// An event of somebody with tickets for it; its id and their codes.
async fn sold(house: &House, olga: &Account, number: usize) -> (String, Vec<String>) {
    let event = house.event(olga, json!({"ticket_types": [{"name": "Seat", "quantity": 10}]})).await;
    let mut codes = Vec::new();
    for _ in 0..number {
        let booking = house.book(olga, &event, 1).await;
        codes.push(house.code(olga, &booking).await);
    }
    (event, codes)
}

/// The same code, signed by nobody.
fn forged(code: &str) -> String {
    let last = if code.ends_with('A') { 'B' } else { 'A' };
    let mut letters: Vec<char> = code.chars().collect();
    let middle = letters.len() - 20;
    letters[middle] = last;
    letters.into_iter().collect()
}

#[test]
fn a_code_admits_once_and_others_are_refused_in_words() {
    play(async |house| {
        let olga = house.account("Olga").await;
        let (event, codes) = sold(house, &olga, 1).await;
        let browser = house.browser_of(&olga).await;
        browser.open("/door").await;
        browser.click(&format!("a[href='/door/{event}']")).await;
        browser.see("#verdict[data-result=READY]").await;
        enter(&browser, &codes[0]).await;
        browser.see("#verdict[data-result=ADMITTED]").await;
        assert_eq!(browser.text("#count").await, "1");
        enter(&browser, &codes[0]).await;
        browser.see("#verdict[data-result=ALREADY_ADMITTED]").await;
        for wrong in [forged(&codes[0]), "HELLO".to_owned(), "x".repeat(3_000)] {
            enter(&browser, &codes[0]).await;
            browser.see("#verdict[data-result=ALREADY_ADMITTED]").await;
            enter(&browser, &wrong).await;
            browser.see("#verdict[data-result=FORGED]").await;
            assert_eq!(browser.text(".verdict-words").await, "Not a ticket of ours");
        }
        assert_eq!(browser.text("#count").await, "1");
    });
}

/// What the door answers to a code that is sent under keys, one after the other.
async fn answers(browser: &Browser, code: &str, keys: [&str; 3]) -> Value {
    let asks = format!(
        "(async () => {{
            const results = [];
            for (const key of {}) {{
                const body = new URLSearchParams(new FormData(document.getElementById('check-in')));
                body.set('code', {});
                body.set('idempotency_key', key);
                const headers = {{ accept: 'application/json' }};
                const answer = await fetch(location.pathname, {{ method: 'POST', body, headers }});
                results.push((await answer.json()).result);
            }}
            return results;
        }})()",
        json!(keys),
        json!(code)
    );
    browser.resolve(&asks).await
}

#[test]
fn who_was_admitted_by_an_answer_that_was_lost_is_not_refused() {
    play(async |house| {
        let olga = house.account("Olga").await;
        let (event, codes) = sold(house, &olga, 1).await;
        let browser = house.browser_of(&olga).await;
        browser.open(&format!("/door/{event}")).await;
        let answers = answers(&browser, &codes[0], ["one", "one", "two"]).await;
        assert_eq!(answers, json!(["ADMITTED", "ADMITTED", "ALREADY_ADMITTED"]));
    });
}

#[test]
fn the_door_goes_on_without_a_network_and_asks_when_it_is_back() {
    play(async |house| {
        let olga = house.account("Olga").await;
        let (event, codes) = sold(house, &olga, 2).await;
        let browser = house.browser_of(&olga).await;
        browser.open(&format!("/door/{event}")).await;
        browser.until("caches.match(location.href).then(kept => kept !== undefined)").await;
        house.cut().await;
        enter(&browser, &codes[0]).await;
        browser.see("#verdict[data-result=WAITING]").await;
        // The phone was put away and taken out again.
        browser.reload().await;
        browser.see("#verdict[data-result=READY]").await;
        browser.see("#waiting:not([hidden]) li").await;
        enter(&browser, &codes[1]).await;
        browser.see("#verdict[data-result=WAITING]").await;
        browser.see("#waiting-list li + li").await;

        house.connect().await;
        browser.see("#verdict[data-result=ADMITTED]").await;
        browser.see("#waiting[hidden]").await;
        let (path, token) = (format!("/v1/events/{event}/attendees"), &olga.token);
        let attendees = house.get(&path, token).await;
        let attendees = attendees["attendees"].as_array().unwrap();
        assert!(attendees.iter().all(|attendee| attendee["status"] == "ADMITTED"), "{attendees:?}");
    });
}
