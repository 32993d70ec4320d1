//! What administrators see and nobody else does.

use crate::fixture::{Read, Sketch, eventually, json, play};

const PATHS: [&str; 4] = ["/v1/admin/users", "/v1/admin/system", "/v1/admin/mail", "/v1/admin/mail/x"];

#[test]
fn nobody_but_an_administrator_sees_any_of_it() {
    play(async |stage| {
        let anna = stage.user("Anna").await;
        for path in PATHS {
            anna.get(path).await.problem(403, "forbidden");
            stage.anonymous().get(path).await.problem(401, "unauthenticated");
        }
        let body = json!({"service": "event"});
        anna.post("/v1/admin/parked-facts:redrive", body.clone()).await.problem(403, "forbidden");
        stage.anonymous().post("/v1/admin/parked-facts:redrive", body).await.problem(401, "unauthenticated");
    });
}

#[test]
fn an_administrator_finds_everybody_page_by_page_or_by_address() {
    play(async |stage| {
        let root = stage.admin().await;
        let anna = stage.user("Anna").await;
        stage.user("Bert").await;
        let first = root.get("/v1/admin/users?page_size=2").await.expect(200);
        let token = first.text("next_page_token");
        let rest = root.get(&format!("/v1/admin/users?page_size=2&page_token={token}")).await.expect(200);
        let mut names = first.each("users", "name");
        names.extend(rest.each("users", "name"));
        names.sort();
        assert_eq!(
            (names, rest.text("next_page_token")),
            (["Anna", "Bert", "root"].map(str::to_owned).to_vec(), "")
        );
        let found = root.get("/v1/admin/users?email=ANNA%40example.org").await.expect(200);
        assert_eq!(found.each("users", "id"), [anna.id]);
        let none = root.get("/v1/admin/users?email=nobody%40example.org").await.expect(200);
        assert_eq!(none.list("users").len(), 0);
        let leaks = found.to_string();
        assert!(!leaks.contains("password") && !leaks.contains("argon2"), "{leaks}");
    });
}

#[test]
fn the_system_tells_how_far_each_service_is_and_what_is_held() {
    play(async |stage| {
        let root = stage.admin().await;
        let olga = stage.organiser().await;
        let event = olga.publishes(Sketch::new("Concert").priced("Seat", 2050, 20)).await;
        let held = olga.books(&event, 2).await;
        assert_eq!(held["status"], "HELD");
        stage.caught_up().await;
        let system = root.get("/v1/admin/system").await.expect(200);
        let names = system.each("services", "name");
        assert_eq!(names, ["event", "ticket", "feedback", "notification", "analytics"]);
        for service in system.list("services") {
            assert_eq!(service["answers"], true, "{service}");
            let standing = &service["standing"];
            assert_eq!(standing.number("parked_count"), 0, "{service}");
            assert!(!standing.list("topics").is_empty(), "{service}");
            assert!(standing.list("topics").iter().all(|topic| topic.number("behind") == 0), "{service}");
        }
        olga.cancels(&held).await.expect(200);
    });
}

#[test]
fn parked_facts_are_tried_again_by_service() {
    play(async |stage| {
        let root = stage.admin().await;
        for service in ["event", "ticket", "feedback", "notification", "analytics"] {
            let done =
                root.post("/v1/admin/parked-facts:redrive", json!({"service": service})).await.expect(200);
            assert_eq!((done.number("done"), done.number("still_parked")), (0, 0), "{service}");
        }
        let wrong = root.post("/v1/admin/parked-facts:redrive", json!({"service": "user"})).await;
        wrong.bad_field("service");
    });
}

#[test]
fn captured_mail_can_be_read() {
    play(async |stage| {
        let root = stage.admin().await;
        let olga = stage.organiser().await;
        let anna = stage.user("Anna").await;
        let event = olga.publishes(Sketch::new("Jürgens Konzert").free("Standing", 20)).await;
        anna.gets(&event, 1).await;
        let list = eventually("the mail is there", async || {
            let list = root.get("/v1/admin/mail").await.expect(200);
            (!list.list("mails").is_empty()).then_some(list)
        })
        .await;
        assert_eq!(list["captures"], true);
        let listed = &list.list("mails")[0];
        assert_eq!((listed.text("to"), listed.text("text")), (anna.email.as_str(), ""));
        let mail = root.get(&format!("/v1/admin/mail/{}", listed.id())).await.expect(200);
        assert!(mail.text("text").contains("Jürgens Konzert"), "{mail}");
        for evil in ["..%2F..%2Fevent.db", "none", "000000000000-a-b.eml"] {
            root.get(&format!("/v1/admin/mail/{evil}")).await.problem(404, "not_found");
        }
    });
}
