//! What nobody should send: each is refused with the right 4xx, and nothing changes.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::fixture::{Actor, Read, Show, Sketch, Stage, json, play};

/// An organiser with an event, and a buyer.
async fn scene(stage: &Stage) -> (Actor, Actor, Show) {
    let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
    let event = olga.publishes(Sketch::new("Concert").priced("Seat", 1000, 5)).await;
    (olga, anna, event)
}

/// Nobody has booked anything.
async fn nothing_changed(actor: &Actor, event: &Show) {
    let availability = actor.get(&event.at("/availability")).await.expect(200);
    assert_eq!(availability.list("ticket_types")[0]["available"], 5);
    assert_eq!(availability["sequence"], 2, "one for the draft, one for its publication");
    assert_eq!(actor.get("/v1/bookings").await.expect(200)["bookings"], json!([]));
}

/// Sends bytes as they are, and gives the head of the answer.
async fn send_raw(actor: &Actor, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(actor.address).await.unwrap();
    // The platform may answer and close before all has been sent.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn forged_claims_make_nobody_somebody_else() {
    play(async |stage| {
        let (olga, anna, event) = scene(stage).await;
        stage.caught_up().await;
        let forge = |call: crate::fixture::actor::Call| {
            call.header("x-jwt-claim-sub", &olga.id)
                .header("x-jwt-claim-roles", "USER,ADMIN")
                .header("X-JWT-Claim-Email", &olga.email)
        };
        let nobody = stage.anonymous();
        forge(nobody.get("/v1/users/me")).await.problem(401, "unauthenticated");
        forge(nobody.post("/v1/bookings", event.order(1))).await.problem(401, "unauthenticated");
        assert_eq!(forge(anna.get("/v1/users/me")).await.expect(200).id(), anna.id);
        forge(anna.get(&event.at("/attendees"))).await.problem(403, "forbidden");
        forge(anna.patch(&event.path(), json!({"title": "Mine"}))).await.problem(403, "forbidden");
        forge(anna.get(&event.figures("popularity"))).await.problem(403, "forbidden");
        nothing_changed(&anna, &event).await;
        assert_eq!(olga.get(&event.path()).await.expect(200)["title"], "Concert");
    });
}

#[test]
fn anothers_booking_is_as_good_as_unknown() {
    play(async |stage| {
        let (_, anna, event) = scene(stage).await;
        let ben = stage.user("Ben").await;
        let held = anna.books(&event, 2).await;
        ben.get(&format!("/v1/bookings/{}", held.id())).await.problem(404, "not_found");
        ben.pays(&held, crate::fixture::actor::GOOD_CARD).await.problem(404, "not_found");
        ben.cancels(&held).await.problem(404, "not_found");
        assert_eq!(ben.get("/v1/bookings").await.expect(200)["bookings"], json!([]));
        let query = format!("/v1/bookings?event_id={}", event.id);
        assert_eq!(ben.get(&query).await.expect(200)["bookings"], json!([]));
        assert_eq!(anna.sees(&held).await["status"], "HELD");
    });
}

#[test]
fn an_expired_token_is_refused_even_where_none_is_needed() {
    play(async |stage| {
        let (_, anna, event) = scene(stage).await;
        let fresh = stage.with_token_of(&anna, 290);
        fresh.get("/v1/users/me").await.expect(200);
        let expired = stage.with_token_of(&anna, 301);
        for answer in [
            expired.get("/v1/users/me").await,
            expired.post("/v1/bookings", event.order(1)).await,
            expired.get(&event.path()).await,
        ] {
            answer.problem(401, "unauthenticated");
            assert!(answer.header("www-authenticate").starts_with("Bearer"));
        }
        let early = stage.with_token_of(&anna, -60);
        early.get("/v1/users/me").await.problem(401, "unauthenticated");
        nothing_changed(&anna, &event).await;
    });
}

#[test]
fn a_token_that_is_not_ours_is_refused() {
    play(async |stage| {
        let (_, anna, _) = scene(stage).await;
        let parts: Vec<&str> = anna.token().split('.').collect();
        let unsigned = format!("eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.{}.", parts[1]);
        let swapped = format!("{}.{}.{}", parts[0], parts[1], parts[2].chars().rev().collect::<String>());
        let refresh = anna.logs_in(crate::fixture::actor::PASSWORD).await.expect(200);
        for token in [&unsigned, &swapped, refresh.text("refresh_token"), "a.b.c", "null", &"x".repeat(5000)]
        {
            anna.with_token(token).get("/v1/users/me").await.problem(401, "unauthenticated");
        }
        let nobody = stage.anonymous();
        for header in ["", "Bearer", "Bearer ", "Basic YTpi", &format!("Token {}", anna.token())] {
            let answer = nobody.get("/v1/users/me").header("authorization", header).await;
            answer.problem(401, "unauthenticated");
        }
    });
}

#[test]
fn a_body_of_ten_megabytes_is_refused_before_it_is_read() {
    play(async |stage| {
        let (_, anna, event) = scene(stage).await;
        let head = format!(
            "POST /v1/bookings HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
             content-type: application/json\r\ncontent-length: 10485760\r\nconnection: close\r\n\r\n",
            anna.token()
        );
        let announced = send_raw(&anna, head.as_bytes()).await;
        assert!(announced.starts_with("HTTP/1.1 413 "), "{announced}");
        assert!(announced.contains("application/problem+json") && announced.contains("body_too_large"));
        let chunked = head.replace("content-length: 10485760", "transfer-encoding: chunked");
        let mut request = chunked.into_bytes();
        for _ in 0..3 {
            request.extend_from_slice(format!("{:x}\r\n{}\r\n", 40_000, " ".repeat(40_000)).as_bytes());
        }
        let unannounced = send_raw(&anna, &request).await;
        assert!(unannounced.starts_with("HTTP/1.1 413 "), "{unannounced}");
        nothing_changed(&anna, &event).await;
    });
}

#[test]
fn broken_json_is_refused_as_such() {
    play(async |stage| {
        let (_, anna, event) = scene(stage).await;
        let deep = "[".repeat(10_000);
        let nested = format!("{{\"lines\":{}{}}}", "[".repeat(100), "]".repeat(100));
        let bodies = [
            "",
            "{",
            "{\"event_id\":",
            "not json",
            "{}{}",
            "{\"event_id\":\"x\",}",
            "{'event_id':1}",
            "NaN",
            &deep,
        ];
        for body in bodies {
            let call = anna.call(reqwest::Method::POST, "/v1/bookings");
            call.raw("application/json", body.to_owned()).await.problem(400, "malformed_json");
        }
        for body in ["null", "[]", "1", "\"text\"", &nested] {
            let call = anna.call(reqwest::Method::POST, "/v1/bookings");
            assert_eq!(call.raw("application/json", body.to_owned()).await.status, 400, "{body}");
        }
        let latin1 = anna.call(reqwest::Method::POST, "/v1/bookings");
        let answer = latin1.raw("application/json", b"{\"event_id\":\"\xe9\"}".to_vec()).await;
        assert_eq!(answer.status, 400, "{answer}");
        nothing_changed(&anna, &event).await;
    });
}

#[test]
fn another_media_type_than_json_is_refused() {
    play(async |stage| {
        let (_, anna, event) = scene(stage).await;
        for media_type in
            ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/xml"]
        {
            let call = anna.call(reqwest::Method::POST, "/v1/bookings");
            let answer = call.raw(media_type, event.order(1).to_string()).await;
            answer.problem(415, "unsupported_media_type");
        }
        nothing_changed(&anna, &event).await;
    });
}

#[test]
fn quantities_that_make_no_sense_are_refused() {
    play(async |stage| {
        let (_, anna, event) = scene(stage).await;
        for quantity in [
            json!(-1),
            json!(0),
            json!(51),
            json!(i64::MAX),
            json!(1.5),
            json!("two"),
            json!(true),
            json!([1]),
        ] {
            let mut order = event.order(1);
            order["lines"][0]["quantity"] = quantity;
            anna.post("/v1/bookings", order).waiting().await.bad_field("lines[0].quantity");
        }
        let mut none = event.order(1);
        none["lines"] = json!([]);
        anna.post("/v1/bookings", none).await.bad_field("lines");
        let mut twice = event.order(1);
        twice["lines"] = json!([event.order(1)["lines"][0], event.order(1)["lines"][0]]);
        anna.post("/v1/bookings", twice).await.bad_field("lines[1].ticket_type_id");
        nothing_changed(&anna, &event).await;
    });
}

#[test]
fn wrong_types_are_refused_by_the_path_of_their_field() {
    play(async |stage| {
        let (_, anna, event) = scene(stage).await;
        let line = event.order(1)["lines"][0].clone();
        for (field, body) in [
            ("event_id", json!({"event_id": 7, "lines": [line]})),
            ("lines", json!({"event_id": event.id, "lines": "all"})),
            ("lines[0]", json!({"event_id": event.id, "lines": [1]})),
            (
                "lines[0].ticket_type_id",
                json!({"event_id": event.id, "lines": [{"ticket_type_id": {}, "quantity": 1}]}),
            ),
            (
                "lines[0].ticket_type_id",
                json!({"event_id": event.id, "lines": [{"ticket_type_id": "x", "quantity": 1}]}),
            ),
        ] {
            anna.post("/v1/bookings", body).await.bad_field(field);
        }
        nothing_changed(&anna, &event).await;
    });
}

#[test]
fn strange_paths_and_heads_get_a_4xx() {
    play(async |stage| {
        let (_, anna, _) = scene(stage).await;
        for path in [
            "/v1/events/%00",
            "/v1/events/%zz",
            "/v1/events/..%2f..%2fetc",
            "/v1/events/%ff",
            "//v1/events",
            "/v1/events/",
            "/v1/events/a/b/c/d",
            "/v1/events/x:explode",
            "/V1/EVENTS",
        ] {
            let answer = send_raw(
                &anna,
                format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes(),
            )
            .await;
            assert!(
                answer.starts_with("HTTP/1.1 400") || answer.starts_with("HTTP/1.1 404"),
                "{path}: {answer}"
            );
        }
        let long = anna.get(&format!("/v1/events?q={}", "x".repeat(5_000))).await;
        long.problem(414, "uri_too_long");
        let fields: String = (0..200).map(|number| format!("x-{number}: y\r\n")).collect();
        let answer =
            send_raw(&anna, format!("GET /v1/events HTTP/1.1\r\nhost: x\r\n{fields}\r\n").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
        let answer = send_raw(&anna, b"this is not http\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    });
}
