//! Writing events: drafts, publishing, changing, calling off.

use crate::fixture::{Read, Show, Sketch, hours_from_now, json, play};

#[test]
fn an_organiser_writes_a_draft_and_reads_back_all_of_it() {
    play(async |stage| {
        let olga = stage.organiser().await;
        let sketch = Sketch::new("Spring Concert")
            .with("description", "Strings.\n\nAnd brass.")
            .with("image_url", "https://example.org/poster.png")
            .with("capacity", 80)
            .free("Standing", 50)
            .priced("Seat", 2050, 40);
        let answer = olga.post("/v1/events", sketch.0.clone()).await;
        let event = answer.expect(201);
        assert_eq!(answer.header("location"), format!("/v1/events/{}", event.id()));
        assert_eq!((event.text("status"), event.number("version")), ("DRAFT", 1));
        assert_eq!(event["organizer_id"], olga.id.as_str());
        for field in ["title", "description", "image_url", "capacity", "time_zone", "venue", "categories"] {
            assert_eq!(event[field], sketch.0[field], "{field}");
        }
        let types = event.list("ticket_types");
        assert_eq!(types[0]["available"], 50);
        assert_eq!(types[1]["price"], json!({"currency": "EUR", "minor": 2050}));
        assert_eq!(types[1]["quantity"], 40);
        let read = olga.get(&format!("/v1/events/{}", event.id())).await.expect(200);
        assert_eq!(read, event);
    });
}

#[test]
fn a_draft_is_its_organisers_alone_until_it_is_published() {
    play(async |stage| {
        let olga = stage.organiser().await;
        let anna = stage.user("Anna").await;
        let event = olga.drafts(Sketch::new("Secret").free("Standing", 5)).await;
        for path in [event.path(), event.at("/availability")] {
            stage.anonymous().get(&path).await.problem(404, "not_found");
            anna.get(&path).await.problem(404, "not_found");
            olga.get(&path).await.expect(200);
        }
        let published = olga.post(&event.verb("publish"), json!({})).await.expect(200);
        assert_eq!((published.text("status"), published.number("version")), ("PUBLISHED", 2));
        assert_eq!(stage.anonymous().get(&event.path()).await.expect(200)["status"], "PUBLISHED");
        olga.post(&event.verb("publish"), json!({})).await.problem(409, "already_published");
    });
}

#[test]
fn an_event_without_a_ticket_type_cannot_be_published() {
    play(async |stage| {
        let olga = stage.organiser().await;
        let event = olga.drafts(Sketch::new("Empty")).await;
        olga.post(&event.verb("publish"), json!({})).await.problem(409, "not_publishable");
        olga.post(&event.at("/ticket-types"), json!({"name": "Standing", "quantity": 5})).await.expect(201);
        olga.post(&event.verb("publish"), json!({})).await.expect(200);
    });
}

#[test]
fn an_event_names_everything_that_is_wrong_with_it() {
    play(async |stage| {
        let olga = stage.organiser().await;
        let sketch = Sketch::new("")
            .with("ends_at", hours_from_now(1))
            .with("time_zone", "Mars/Olympus")
            .with("venue", json!({"city": "", "country": ""}))
            .with("capacity", 0)
            .with("image_url", "javascript:alert(1)")
            .kind(json!({"name": "", "quantity": 0, "max_per_booking": 51}));
        let refused = olga.post("/v1/events", sketch.0).await;
        for field in ["title", "ends_at", "time_zone", "venue.city", "venue.country", "image_url", "capacity"]
        {
            refused.bad_field(field);
        }
        for field in ["name", "quantity", "max_per_booking"] {
            refused.bad_field(&format!("ticket_types[0].{field}"));
        }
        for (field, kind) in [
            ("quantity", json!({"name": "A", "quantity": -1})),
            (
                "price.currency",
                json!({"name": "A", "quantity": 1, "price": {"currency": "euro", "minor": 1}}),
            ),
            ("price.minor", json!({"name": "A", "quantity": 1, "price": {"currency": "EUR", "minor": -1}})),
        ] {
            let refused = olga.post("/v1/events", Sketch::new("Concert").kind(kind).0).await;
            refused.bad_field(&format!("ticket_types[0].{field}"));
        }
        let events = olga.get("/v1/events?organizer_id=me").await.expect(200);
        assert_eq!(events["events"], json!([]), "nothing was changed");
    });
}

#[test]
fn an_event_on_the_net_needs_no_venue() {
    play(async |stage| {
        let olga = stage.organiser().await;
        let mut sketch = Sketch::new("Webinar").with("online", true).free("Seat", 5);
        sketch.0.as_object_mut().unwrap().remove("venue");
        let event = olga.post("/v1/events", sketch.0).await.expect(201);
        assert_eq!(event["online"], true);
    });
}

#[test]
fn a_patch_changes_only_the_fields_sent() {
    play(async |stage| {
        let olga = stage.organiser().await;
        let event =
            olga.publishes(Sketch::new("Old Title").with("description", "Kept").free("Standing", 5)).await;
        let changed = olga.patch(&event.path(), json!({"title": "New Title"})).await.expect(200);
        assert_eq!((changed.text("title"), changed.text("description")), ("New Title", "Kept"));
        assert_eq!(changed.number("version"), 3);
        let changed = olga.patch(&event.path(), json!({"categories": ["jazz", "soul"], "capacity": 3})).await;
        let changed = changed.expect(200);
        assert_eq!((&changed["categories"], &changed["capacity"]), (&json!(["jazz", "soul"]), &json!(3)));
        assert_eq!(changed.list("ticket_types")[0]["available"], 3, "the shared capacity leaves no more");
        let changed = olga.patch(&event.path(), json!({"capacity": null})).await.expect(200);
        assert!(changed["capacity"].is_null());
        assert_eq!(changed.list("ticket_types")[0]["available"], 5);
        olga.patch(&event.path(), json!({"title": ""})).await.bad_field("title");
        olga.patch(&event.path(), json!({"status": "DRAFT"})).await.bad_field("status");
        assert_eq!(olga.get(&event.path()).await.expect(200)["title"], "New Title");
    });
}

#[test]
fn a_patch_with_an_old_version_is_refused_and_with_the_current_one_it_works() {
    play(async |stage| {
        let olga = stage.organiser().await;
        let event = olga.drafts(Sketch::new("Concert").free("Standing", 5)).await;
        let etag = olga.get(&event.path()).await.header("etag").to_owned();
        assert!(etag.starts_with('"') && etag.ends_with('"'), "{etag}");
        let rename = |title: &str| olga.patch(&event.path(), json!({"title": title}));
        let changed = rename("First").header("if-match", &etag).await;
        changed.expect(200);
        assert_ne!(changed.header("etag"), etag);
        rename("Second").header("if-match", &etag).await.problem(412, "version_mismatch");
        assert_eq!(olga.get(&event.path()).await.expect(200)["title"], "First");
        rename("Third").header("if-match", changed.header("etag")).await.expect(200);
        rename("Fourth").header("if-match", "*").await.expect(200);
        rename("Fifth").header("if-match", "three").await.problem(400, "bad_input");
    });
}

#[test]
fn an_event_that_did_not_change_is_not_sent_again() {
    play(async |stage| {
        let olga = stage.organiser().await;
        let event = olga.publishes(Sketch::new("Concert").free("Standing", 5)).await;
        let etag = olga.get(&event.path()).await.header("etag").to_owned();
        let same = olga.get(&event.path()).header("if-none-match", &etag).await;
        assert_eq!((same.status, same.bytes.len()), (304, 0));
        olga.patch(&event.path(), json!({"title": "Other"})).await.expect(200);
        olga.get(&event.path()).header("if-none-match", &etag).await.expect(200);
    });
}

#[test]
fn the_etag_of_an_event_changes_when_its_places_do() {
    play(async |stage| {
        let olga = stage.organiser().await;
        let event = olga.publishes(Sketch::new("Concert").free("Standing", 5)).await;
        let before = olga.get(&event.path()).await;
        olga.gets(&event, 2).await;
        let after = olga.get(&event.path()).header("if-none-match", before.header("etag")).await.expect(200);
        assert_eq!(after.list("ticket_types")[0]["available"], 3);
    });
}

#[test]
fn the_etag_with_which_an_event_was_read_still_allows_a_change_after_a_sale() {
    play(async |stage| {
        let olga = stage.organiser().await;
        let event = olga.publishes(Sketch::new("Concert").free("Standing", 5)).await;
        olga.gets(&event, 1).await;
        let etag = olga.get(&event.path()).await.header("etag").to_owned();
        let patch = olga.patch(&event.path(), json!({"title": "Renamed"})).header("if-match", &etag).await;
        assert_eq!(patch.expect(200)["title"], "Renamed");
    });
}

#[test]
fn only_drafts_can_be_deleted() {
    play(async |stage| {
        let olga = stage.organiser().await;
        let draft = olga.drafts(Sketch::new("Draft").free("Standing", 5)).await;
        olga.delete(&draft.path()).await.expect(204);
        olga.get(&draft.path()).await.problem(404, "not_found");
        olga.delete(&draft.path()).await.problem(404, "not_found");
        let event = olga.publishes(Sketch::new("Event").free("Standing", 5)).await;
        olga.delete(&event.path()).await.problem(409, "not_a_draft");
    });
}

#[test]
fn only_its_organiser_changes_an_event() {
    play(async |stage| {
        let olga = stage.organiser().await;
        let anna = stage.user("Anna").await;
        let event = olga.publishes(Sketch::new("Concert").free("Standing", 5)).await;
        let draft = olga.drafts(Sketch::new("Draft").free("Standing", 5)).await;
        anna.patch(&event.path(), json!({"title": "Mine"})).await.problem(403, "forbidden");
        anna.post(&event.verb("cancel"), json!({})).await.problem(403, "forbidden");
        anna.patch(&draft.path(), json!({"title": "Mine"})).await.problem(404, "not_found");
        anna.post(&draft.verb("publish"), json!({})).await.problem(404, "not_found");
        anna.delete(&draft.path()).await.problem(404, "not_found");
        stage
            .anonymous()
            .patch(&event.path(), json!({"title": "Mine"}))
            .await
            .problem(401, "unauthenticated");
        assert_eq!(olga.get(&event.path()).await.expect(200)["title"], "Concert");
    });
}

#[test]
fn a_cancelled_event_cannot_be_changed_or_cancelled_again() {
    play(async |stage| {
        let olga = stage.organiser().await;
        let event = olga.publishes(Sketch::new("Concert").free("Standing", 5)).await;
        let cancelled = olga.post(&event.verb("cancel"), json!({})).await.expect(200);
        assert_eq!(cancelled["status"], "CANCELLED");
        olga.post(&event.verb("cancel"), json!({})).await.problem(409, "already_cancelled");
        olga.patch(&event.path(), json!({"title": "Other"})).await.problem(409, "already_cancelled");
        olga.post(&event.verb("publish"), json!({})).await.problem(409, "already_cancelled");
        let draft = olga.drafts(Sketch::new("Draft").free("Standing", 5)).await;
        olga.post(&draft.verb("cancel"), json!({})).await.problem(409, "event_not_published");
        let past = olga.publishes(Sketch::new("Past").over().free("Standing", 5)).await;
        olga.post(&past.verb("cancel"), json!({})).await.problem(409, "event_ended");
    });
}

#[test]
fn an_external_id_makes_an_event_once() {
    play(async |stage| {
        let (olga, anna) = (stage.organiser().await, stage.user("Anna").await);
        let sketch =
            || Sketch::new("Imported").with("external_id", "conf-2026").with("publish", true).free("Seat", 5);
        let event = olga.post("/v1/events", sketch().0).await.expect(201);
        assert_eq!(event["status"], "PUBLISHED");
        olga.post("/v1/events", sketch().0).await.problem(409, "already_exists");
        let other = Show::of(&anna.post("/v1/events", sketch().0).await.expect(201));
        assert_ne!(other.id, event.id(), "the key is the organiser's own");
    });
}

#[test]
fn an_event_that_is_over_is_finished() {
    play(async |stage| {
        let olga = stage.organiser().await;
        let past = olga.publishes(Sketch::new("Past").over().free("Standing", 5)).await;
        let coming = olga.publishes(Sketch::new("Coming").free("Standing", 5)).await;
        assert_eq!(olga.get(&past.path()).await.expect(200)["finished"], true);
        assert_eq!(olga.get(&coming.path()).await.expect(200)["finished"], false);
    });
}
