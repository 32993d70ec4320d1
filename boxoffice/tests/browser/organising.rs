//! An organiser's way: an event is written, put on sale and looked after.

use crate::{
    browser::{Browser, Scripts, key},
    house::play,
};

/// Types a time into a field of the browser's own: month, day and year, then the clock.
async fn choose_time(browser: &Browser, field: &str, day: &str, clock: &str) {
    browser.type_into(field, &format!("{day}{}{clock}", key::TAB)).await;
}

async fn writes_an_event(browser: &Browser) {
    browser.click("nav a[href='/organise']").await;
    browser.click("a[href='/organise/new']").await;
    browser.fill("#title", "Night of Poems").await;
    browser.fill("#description", "With *tea*.").await;
    let preview = "(async () => document.querySelector('#preview em')?.textContent === 'tea')()";
    browser.until(preview).await;
    choose_time(browser, "#starts_at", "05052099", "0730PM").await;
    choose_time(browser, "#ends_at", "05052099", "1000PM").await;
    browser.fill("#venue_name", "Hall").await;
    browser.fill("#venue_city", "Porto").await;
    browser.fill("#venue_country", "Portugal").await;
    browser.fill("#type_name", "Seat").await;
    browser.fill("#price", "12.50").await;
    browser.fill("#quantity", "20").await;
    browser.click("#event button").await;
    browser.see("[data-notice=saved]").await;
}

async fn changes_the_price(browser: &Browser) {
    browser.click(".stub a[href*='/ticket-types/']").await;
    browser.see("#remove").await;
    assert_eq!(browser.attribute("#price", "value").await.as_deref(), Some("12.50"));
    browser.fill("#price", "15.555").await;
    browser.click("#type button").await;
    browser.see("#price[aria-invalid]").await;
    browser.fill("#price", "15").await;
    browser.click("#type button").await;
    browser.see("[data-notice=saved]").await;
    assert!(browser.text(".stub").await.contains("€15.00"));
}

#[test]
fn an_organiser_writes_an_event_puts_it_on_sale_and_sees_what_is_sold() {
    play(async |house| {
        let olga = house.account("Olga").await;
        let browser = house.browser_of(&olga).await;
        writes_an_event(&browser).await;
        let dashboard = browser.path().await.split('?').next().unwrap().to_owned();
        let event = dashboard.rsplit('/').next().unwrap().to_owned();
        browser.click(&format!("a[href='{dashboard}/edit']")).await;
        browser.fill("#type_name", "Friends of the house").await;
        browser.fill("#quantity", "5").await;
        browser.click("#type button").await;
        browser.see("[data-notice=saved]").await;
        changes_the_price(&browser).await;
        browser.open(&dashboard).await;
        browser.click("button[value=publish]").await;
        browser.see("[data-notice=published]").await;

        let visitor = house.browser(Scripts::On).await;
        visitor.open(&format!("/events/{event}")).await;
        assert!(visitor.text(".when").await.contains("19:30 to 22:00"));
        assert!(visitor.text(".prose").await.contains("With tea."));
        let ana = house.account("Ana").await;
        house.book(&ana, &event, 2).await;

        browser.open_until(&dashboard, "#sales + figure svg").await;
        assert!(browser.text(".tiles").await.contains("€30.00"));
        browser.click("#sales ~ details summary").await;
        assert!(browser.text("#sales ~ details table").await.contains("2"));
        browser.open(&format!("{dashboard}/attendees")).await;
        assert!(browser.text("main").await.contains("Ana"));
    });
}
