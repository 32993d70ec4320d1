//! Every page, as visitors, buyers, organisers and administrators see it.

use serde_json::{Value, json};

use crate::{
    browser::{Browser, Scripts},
    house::{Account, House, play},
    looks::Looks,
};

/// What the page of an event may weigh with everything that it loads, in bytes.
const MAX_EVENT_PAGE_BYTES: f64 = 60_000.0;

/// An event that has everything that an event may have.
fn full() -> Value {
    let money = |minor: i64| json!({"currency": "EUR", "minor": minor});
    json!({
        "title": "Village Brass: a summer evening",
        "description": "Twelve players, one square, and *the baker keeps his oven on*.\n\n## What to bring\n\n- a chair\n- \
            somebody to dance with\n\n> It has never rained yet.\n\nThe band is at [its own page](https://brass.example).",
        "venue": {"name": "Marktplatz", "address": "Am Brunnen 1", "city": "Oberdorf", "country": "Germany"},
        "categories": ["music", "open air"],
        "website_url": "https://brass.example/summer",
        "ticket_types": [
            {"name": "Standing", "price": money(1_250), "quantity": 80, "max_per_booking": 6},
            {"name": "Seated, with a cushion", "price": money(2_500), "quantity": 40},
            {"name": "Children", "quantity": 1},
            {"name": "At the door", "price": money(3_000), "quantity": 20, "sales_start": "2099-05-01T16:00:00Z"},
        ],
    })
}

/// Events and bookings to look at; the event that has everything.
async fn furnish(house: &House, olga: &Account) -> String {
    for (title, city, minor) in
        [("Night run by the river", "Zaragoza", 1_500), ("Ten seats: a tasting", "Porto", 4_500)]
    {
        let price = json!([{"name": "Place", "price": {"currency": "EUR", "minor": minor}, "quantity": 20}]);
        let venue = json!({"name": "Adega", "city": city, "country": "Iberia"});
        house.event(olga, json!({"title": title, "venue": venue, "ticket_types": price})).await;
    }
    let seat = json!([{"name": "Seat", "quantity": 1}]);
    let full_house = house.event(olga, json!({"title": "La nuit du théâtre", "ticket_types": seat})).await;
    house.book(olga, &full_house, 1).await;
    house.event(olga, full()).await
}

fn id(of: &Value) -> &str {
    of["id"].as_str().unwrap()
}

#[test]
fn anybody_can_use_what_visitors_see() {
    play(async |house| {
        let olga = house.account("Olga").await;
        let event = furnish(house, &olga).await;
        let browser = house.browser(Scripts::On).await;
        let Some(mut looks) = Looks::new(&browser).await else { return };
        looks.at("events", "/").await;
        looks.at("events-found", "/?q=brass&city=oberdorf").await;
        looks.at("events-none", "/?q=nothing+at+all").await;
        looks.at("calendar", "/calendar?month=2099-05").await;
        looks.at("event", &format!("/events/{event}")).await;
        looks.at("widget", &format!("/widget/{event}")).await;
        looks.at("sign-up", "/sign-up").await;
        looks.at("log-in", "/log-in").await;
        looks.at("welcome", "/welcome").await;
        looks.at("nowhere", "/events/nowhere").await;
        let wrong = async |browser: &Browser| {
            browser.fill("#email", "nobody").await;
            browser.click("#sign-up button").await;
            browser.see("#error-summary").await;
        };
        looks.after("sign-up-wrong", "/sign-up", wrong).await;
        looks.end();
    });
}

#[test]
fn anybody_can_use_what_buyers_see() {
    play(async |house| {
        let (olga, ana) = (house.account("Olga").await, house.account("Ana").await);
        let event = furnish(house, &olga).await;
        let paid = house.book(&ana, &event, 2).await;
        let held = house.hold(&ana, &event, 1).await;
        let returned = house.book(&ana, &event, 1).await;
        house.post(&format!("/v1/bookings/{}:cancel", id(&returned)), &ana.token, &json!({})).await;
        let browser = house.browser_of(&ana).await;
        let Some(mut looks) = Looks::new(&browser).await else { return };
        let kind = &house.get(&format!("/v1/events/{event}"), "").await["ticket_types"][1];
        looks.at("book", &format!("/events/{event}/book?n.{}=2", id(kind))).await;
        looks.at("book-nothing", &format!("/events/{event}/book")).await;
        looks.at("bookings", "/bookings").await;
        looks.at("booking-held", &format!("/bookings/{}", id(&held))).await;
        let declined = async |browser: &Browser| {
            browser.fill("#card", "4000000000000002").await;
            browser.click("#pay button").await;
            browser.see("#error-summary").await;
        };
        looks.after("booking-declined", &format!("/bookings/{}", id(&held)), declined).await;
        looks.at("booking-paid", &format!("/bookings/{}?done=paid", id(&paid))).await;
        looks.at("booking-cancelled", &format!("/bookings/{}", id(&returned))).await;
        looks.at("cancel", &format!("/bookings/{}/cancel", id(&paid))).await;
        looks.at("ticket", &format!("/tickets/{}", id(&paid["tickets"][0]))).await;
        looks.at("account", "/account").await;
        looks.end();
    });
}

#[test]
fn anybody_can_use_what_organisers_see() {
    play(async |house| {
        let (olga, ana) = (house.account("Olga").await, house.account("Ana").await);
        let event = furnish(house, &olga).await;
        let booking = house.book(&ana, &event, 2).await;
        let code = house.code(&ana, &booking).await;
        let browser = house.browser_of(&olga).await;
        browser.open_until(&format!("/organise/{event}"), "#sales + figure svg").await;
        let Some(mut looks) = Looks::new(&browser).await else { return };
        looks.at("organise", "/organise").await;
        looks.at("organise-new", "/organise/new").await;
        looks.at("organise-event", &format!("/organise/{event}")).await;
        looks.at("organise-edit", &format!("/organise/{event}/edit")).await;
        let kind = &house.get(&format!("/v1/events/{event}"), "").await["ticket_types"][0];
        looks.at("organise-type", &format!("/organise/{event}/ticket-types/{}", id(kind))).await;
        looks.at("attendees", &format!("/organise/{event}/attendees")).await;
        let imports = async |browser: &Browser| {
            browser.click("details summary").await;
            browser.fill("#csv", "name,start_date\nA fair,2099-06-01\n,2099-06-02\n").await;
            browser.click("#import button").await;
            browser.see("#bad-rows").await;
        };
        looks.after("organise-imported", "/organise", imports).await;
        looks.at("door", "/door").await;
        looks.at("door-of", &format!("/door/{event}")).await;
        for (name, code) in [("door-inside", code.as_str()), ("door-forged", "HELLO")] {
            let checks = async |browser: &Browser| {
                browser.fill("#code", code).await;
                browser.click("#check-in button").await;
                browser.see("#verdict:not([data-result=READY])").await;
            };
            looks.after(name, &format!("/door/{event}"), checks).await;
        }
        looks.end();
    });
}

#[test]
fn anybody_can_use_what_administrators_see() {
    play(async |house| {
        let (olga, admin) = (house.account("Olga").await, house.account("Admin").await);
        let event = furnish(house, &olga).await;
        house.book(&admin, &event, 1).await;
        let browser = house.browser_of(&admin).await;
        browser.open_until("/mailbox", "#mails a").await;
        let mail = browser.attribute("#mails a", "href").await.unwrap();
        let Some(mut looks) = Looks::new(&browser).await else { return };
        looks.at("admin", "/admin").await;
        looks.at("mailbox", "/mailbox").await;
        looks.at("mail", &mail).await;
        looks.at("system", "/system").await;
        looks.end();
    });
}

#[test]
fn the_page_of_an_event_is_light() {
    play(async |house| {
        let olga = house.account("Olga").await;
        let event = furnish(house, &olga).await;
        let browser = house.browser(Scripts::On).await;
        browser.open(&format!("/events/{event}")).await;
        let sum = "return ['navigation', 'resource'].flatMap(kind => performance.getEntriesByType(kind)) \
            .reduce((sum, one) => sum + one.transferSize, 0)";
        let bytes = browser.evaluate(sum).await.as_f64().unwrap();
        assert!(bytes > 5_000.0, "{bytes} bytes are too few to be a page");
        assert!(bytes <= MAX_EVENT_PAGE_BYTES, "{bytes} bytes");
    });
}
