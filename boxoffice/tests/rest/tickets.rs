//! Tickets: their codes, their papers, and giving them to somebody else.

use crate::fixture::{Actor, Read, Sketch, Value, eventually, json, play};

fn concert() -> Sketch {
    Sketch::new("Fête d'été").priced("Sitzplatz Größe", 2050, 9)
}

fn file(ticket: &Value, name: &str) -> String {
    format!("/v1/tickets/{}/{name}", ticket.id())
}

async fn gives(from: &Actor, ticket: &Value, to: &Actor) -> Value {
    let path = format!("/v1/tickets/{}:transfer", ticket.id());
    from.post(&path, json!({"email": to.email})).await.expect(200)
}

/// Draws the dark modules of a QR picture, and reads it as a camera would.
fn scan(svg: &str) -> String {
    let part = |from: &str, to: &str| svg.split_once(from).unwrap().1.split_once(to).unwrap().0.to_owned();
    let side: usize = part("viewBox=\"0 0 ", " ").parse().unwrap();
    let path = svg.rsplit_once(" d=\"").unwrap().1.split('"').next().unwrap();
    let mut dark = vec![vec![false; side]; side];
    for bar in path.split('M').skip(1) {
        let numbers: Vec<usize> = bar
            .split(|c: char| !c.is_ascii_digit())
            .filter(|digits| !digits.is_empty())
            .map(|digits| digits.parse().unwrap())
            .collect();
        let (x, y, width) = (numbers[0], numbers[1], numbers[2]);
        dark[y][x..x + width].fill(true);
    }
    let scale = 4;
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(side * scale, side * scale, |x, y| {
        if dark[y / scale][x / scale] { 0 } else { 255 }
    });
    image.detect_grids()[0].decode().unwrap().1
}

#[test]
fn a_holder_lists_their_tickets_each_with_its_own_code() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let event = olga.publishes(concert()).await;
        let booking = anna.buys(&event, 3).await;
        let tickets = anna.get("/v1/tickets").await.expect(200);
        let mut codes = tickets.each("tickets", "code");
        codes.sort();
        codes.dedup();
        assert_eq!(codes.len(), 3);
        assert!(codes.iter().all(|code| !code.is_empty()));
        let first = anna.first_ticket(&booking).await;
        assert_eq!(first["event_id"], event.id.as_str());
        assert_eq!(first["ticket_type_id"], event.types[0].as_str());
        assert!(codes.contains(&first.text("code").to_owned()));
        let other = olga.publishes(concert()).await;
        let query = format!("/v1/tickets?event_id={}", other.id);
        assert_eq!(anna.get(&query).await.expect(200)["tickets"], json!([]));
    });
}

#[test]
fn a_ticket_and_its_papers_are_its_holders_alone() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let event = olga.publishes(concert()).await;
        let booking = anna.buys(&event, 1).await;
        let ticket = anna.first_ticket(&booking).await;
        stage.caught_up().await;
        for name in ["pdf", "qr.svg", "calendar.ics"] {
            assert_eq!(anna.get(&file(&ticket, name)).await.status, 200, "{name}");
            olga.get(&file(&ticket, name)).await.problem(404, "not_found");
            stage.anonymous().get(&file(&ticket, name)).await.problem(401, "unauthenticated");
        }
        let path = format!("/v1/tickets/{}", ticket.id());
        olga.get(&path).await.problem(404, "not_found");
        olga.post(&format!("{path}:transfer"), json!({"email": olga.email})).await.problem(404, "not_found");
    });
}

#[test]
fn the_qr_picture_holds_the_code_of_the_ticket() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let event = olga.publishes(concert()).await;
        let booking = anna.buys(&event, 1).await;
        let ticket = anna.first_ticket(&booking).await;
        let picture = anna.get(&file(&ticket, "qr.svg")).await;
        assert_eq!((picture.status, picture.header("content-type")), (200, "image/svg+xml"));
        assert_eq!(scan(picture.text()), ticket.text("code"));
    });
}

#[test]
fn the_calendar_entry_says_what_when_and_where() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let sketch =
            concert().with("starts_at", "2030-07-04T18:30:00Z").with("ends_at", "2030-07-04T21:00:00Z");
        let event = olga.publishes(sketch).await;
        let booking = anna.buys(&event, 1).await;
        stage.caught_up().await;
        let ticket = anna.first_ticket(&booking).await;
        let entry = anna.get(&file(&ticket, "calendar.ics")).await;
        assert_eq!(entry.status, 200);
        assert!(entry.header("content-type").starts_with("text/calendar"));
        let text = entry.text().replace("\r\n ", "");
        assert!(
            entry.text().starts_with("BEGIN:VCALENDAR\r\n") && entry.text().ends_with("END:VCALENDAR\r\n")
        );
        for part in
            ["SUMMARY:Fête d'été", "20300704T183000Z", "20300704T210000Z", "Town Hall", "BEGIN:VEVENT"]
        {
            assert!(text.contains(part), "{part} is not in {text}");
        }
    });
}

#[test]
fn the_printed_ticket_is_a_pdf() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let event = olga.publishes(concert()).await;
        let booking = anna.buys(&event, 1).await;
        stage.caught_up().await;
        let ticket = anna.first_ticket(&booking).await;
        let paper = anna.get(&file(&ticket, "pdf")).await;
        assert_eq!((paper.status, paper.header("content-type")), (200, "application/pdf"));
        assert!(paper.bytes.starts_with(b"%PDF-"));
        assert!(paper.bytes.trim_ascii_end().ends_with(b"%%EOF"));
        assert!(
            paper.header("content-disposition").contains(".pdf"),
            "{}",
            paper.header("content-disposition")
        );
    });
}

#[test]
fn a_cancelled_ticket_has_no_code_and_is_not_printed() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let event = olga.publishes(concert()).await;
        let booking = anna.buys(&event, 1).await;
        let ticket = anna.first_ticket(&booking).await;
        anna.cancels(&booking).await.expect(200);
        let after = anna.first_ticket(&booking).await;
        assert_eq!((after.text("status"), after["code"].as_str().unwrap_or_default()), ("CANCELLED", ""));
        for name in ["pdf", "qr.svg"] {
            anna.get(&file(&ticket, name)).await.problem(409, "already_cancelled");
        }
    });
}

#[test]
fn a_given_ticket_is_the_other_ones_with_a_new_code() {
    play(async |stage| {
        let (olga, anna, ben) = (stage.organiser().await, stage.user("Anna").await, stage.user("Ben").await);
        let event = olga.publishes(concert()).await;
        let booking = anna.buys(&event, 2).await;
        let ticket = anna.first_ticket(&booking).await;
        stage.caught_up().await;
        let given = gives(&anna, &ticket, &ben).await;
        assert_eq!(given.id(), ticket.id());
        assert!(given["code"].as_str().unwrap_or_default().is_empty(), "the new code is not the giver's");
        let path = format!("/v1/tickets/{}", ticket.id());
        anna.get(&path).await.problem(404, "not_found");
        let received = ben.get(&path).await.expect(200);
        assert_ne!(received.text("code"), ticket.text("code"));
        assert_eq!(anna.get("/v1/tickets").await.expect(200).list("tickets").len(), 1);
        assert_eq!(ben.get("/v1/tickets").await.expect(200).each("tickets", "id"), [ticket.id()]);
        let carl = stage.user("Carl").await;
        stage.caught_up().await;
        gives(&ben, &received, &carl).await;
        ben.get(&path).await.problem(404, "not_found");
        carl.get(&path).await.expect(200);
    });
}

#[test]
fn a_ticket_is_given_only_to_somebody_else_with_an_account() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let event = olga.publishes(concert()).await;
        let booking = anna.buys(&event, 1).await;
        let ticket = anna.first_ticket(&booking).await;
        stage.caught_up().await;
        let to = |email: &str| {
            anna.post(&format!("/v1/tickets/{}:transfer", ticket.id()), json!({"email": email}))
        };
        to("nobody@example.org").await.problem(409, "unknown_recipient");
        to(&anna.email).await.bad_field("email");
        assert_eq!(to("").await.status / 100, 4);
        assert_eq!(anna.first_ticket(&booking).await["code"], ticket["code"], "nothing was changed");
    });
}

#[test]
fn a_ticket_of_an_event_that_has_begun_stays_where_it_is() {
    play(async |stage| {
        let (olga, anna, ben) = (stage.organiser().await, stage.user("Anna").await, stage.user("Ben").await);
        let event = olga.publishes(concert().running()).await;
        let booking = anna.buys(&event, 1).await;
        let ticket = anna.first_ticket(&booking).await;
        stage.caught_up().await;
        let path = format!("/v1/tickets/{}:transfer", ticket.id());
        anna.post(&path, json!({"email": ben.email})).await.problem(409, "not_transferable");
        anna.cancels(&booking).await.problem(409, "not_cancellable");
    });
}

#[test]
fn the_list_of_attendees_follows_sales_gifts_and_cancellations() {
    play(async |stage| {
        let (olga, anna, ben) = (stage.organiser().await, stage.user("Anna").await, stage.user("Ben").await);
        let event = olga.publishes(Sketch::new("Concert").free("Standing", 9)).await;
        let mut order = event.order(2);
        order["attendees"] = json!([{"name": "Zoë", "email": "zoe@example.org"}]);
        let first = anna.orders(order).await;
        let second = anna.gets(&event, 1).await;
        stage.caught_up().await;
        let list = async || olga.get(&event.at("/attendees")).await.expect(200);
        let everybody = list().await;
        assert_eq!(everybody.each("attendees", "name"), ["Zoë", "Anna", "Anna"]);
        assert_eq!(
            everybody.each("attendees", "email"),
            ["zoe@example.org", "anna@example.org", "anna@example.org"]
        );
        assert_eq!(everybody.list("attendees")[0]["ticket_type"], "Standing");
        let last = &first.list("tickets")[1];
        gives(&anna, last, &ben).await;
        anna.cancels(&second).await.expect(200);
        assert_eq!(list().await.each("attendees", "name"), ["Zoë", "Ben"]);
        anna.get(&event.at("/attendees")).await.problem(403, "forbidden");
        stage.anonymous().get(&event.at("/attendees")).await.problem(401, "unauthenticated");
    });
}

#[test]
fn the_attendees_as_csv_are_safe_to_open_in_a_spreadsheet() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let event = olga.publishes(Sketch::new("Concert").free("Standing", 9)).await;
        let mut order = event.order(2);
        order["attendees"] = json!([{"name": "=1+1", "email": ""}, {"name": "Müller, \"Max\"", "email": ""}]);
        anna.orders(order).await;
        let answer = eventually("the list is there", async || {
            let answer = olga.get(&event.at("/attendees?format=csv")).await;
            (answer.status == 200).then_some(answer)
        })
        .await;
        assert!(answer.header("content-type").starts_with("text/csv"));
        let mut reader = csv::Reader::from_reader(answer.bytes.as_slice());
        let names = reader.headers().unwrap().clone();
        let column = names.iter().position(|name| name == "name").unwrap();
        let rows: Vec<String> = reader.records().map(|row| row.unwrap()[column].to_owned()).collect();
        assert_eq!(rows, ["'=1+1", "Müller, \"Max\""]);
        olga.get(&event.at("/attendees?format=xls")).await.bad_field("format");
    });
}
