//! What operators and client programmers look at.

use crate::fixture::{Read, Sketch, json, play};

#[test]
fn a_platform_that_runs_is_alive_and_ready_in_each_part() {
    play(async |stage| {
        let nobody = stage.anonymous();
        nobody.get("/healthz").await.expect(200);
        let ready = nobody.get("/readyz").await.expect(200);
        assert_eq!(ready["ready"], true);
        let mut names = ready.each("parts", "name");
        names.sort();
        assert_eq!(names, ["analytics", "event", "feedback", "notification", "ticket", "user"]);
    });
}

#[test]
fn the_metrics_are_in_the_prometheus_format_and_count_requests() {
    play(async |stage| {
        let olga = stage.organiser().await;
        let event = olga.publishes(Sketch::new("Concert").free("Standing", 5)).await;
        olga.gets(&event, 1).await;
        let metrics = stage.anonymous().get("/metrics").await;
        assert_eq!(metrics.status, 200);
        let text = metrics.text();
        assert!(text.contains("# TYPE ") && text.contains("CreateBooking"), "{text}");
        for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let value = line.rsplit(' ').next().unwrap();
            assert!(value.parse::<f64>().is_ok(), "{line}");
        }
        for secret in [&olga.id, &olga.email, &event.id] {
            assert!(!text.contains(secret.as_str()), "metrics name nobody");
        }
    });
}

#[test]
fn the_openapi_document_has_every_call_of_the_contracts() {
    play(async |stage| {
        let document = stage.anonymous().get("/openapi.json").await.expect(200);
        assert!(document.text("openapi").starts_with("3."));
        let paths = document["paths"].as_object().unwrap();
        let calls: usize = paths
            .values()
            .map(|path| {
                let methods = ["get", "post", "put", "patch", "delete"];
                methods.iter().filter(|method| path.get(method).is_some()).count()
            })
            .sum();
        assert!(calls >= crate::authorisation::rest_rpcs().len(), "{calls} calls");
        for path in ["/v1/bookings", "/v1/events/{event_id}", "/v1/users/me", "/v1/tickets/{ticket_id}/pdf"] {
            assert!(paths.contains_key(path), "{path}");
        }
        let stream =
            &document["paths"]["/v1/events/{event_id}/availability:stream"]["get"]["responses"]["200"];
        assert!(stream["content"].get("text/event-stream").is_some(), "{stream}");
    });
}

#[test]
fn the_reference_page_lists_the_calls_and_needs_nothing_from_elsewhere() {
    play(async |stage| {
        let page = stage.anonymous().get("/docs").await;
        assert_eq!(page.status, 200);
        assert!(page.header("content-type").starts_with("text/html"));
        assert!(page.text().contains("/v1/bookings"));
        assert!(!page.text().contains("src=\"http"), "no script or picture from another host");
    });
}

#[test]
fn a_problem_has_a_page_that_explains_it() {
    play(async |stage| {
        let nobody = stage.anonymous();
        let problem = nobody.post("/v1/auth/login", json!({"email": 5})).await.bad_field("email");
        let page = nobody.get(problem.text("type")).await;
        assert_eq!(page.status, 200, "{page}");
        assert!(page.text().contains("bad_input"));
    });
}
