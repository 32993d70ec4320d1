//! Finding events.

use crate::fixture::{Actor, Read, Sketch, hours_from_now, json, play};

async fn titles(actor: &Actor, query: &str) -> Vec<String> {
    actor.get(&format!("/v1/events{query}")).await.expect(200).each("events", "title")
}

fn day(hours: i64) -> String {
    hours_from_now(hours)[..10].to_owned()
}

#[test]
fn events_are_listed_soonest_first_without_those_that_are_over() {
    play(async |stage| {
        let olga = stage.organiser().await;
        for (title, days) in [("Third", 30), ("First", 1), ("Second", 20)] {
            olga.publishes(Sketch::new(title).in_days(days).free("Standing", 5)).await;
        }
        olga.publishes(Sketch::new("Running").running().free("Standing", 5)).await;
        olga.publishes(Sketch::new("Over").over().free("Standing", 5)).await;
        let nobody = stage.anonymous();
        assert_eq!(titles(&nobody, "").await, ["Running", "First", "Second", "Third"]);
        assert_eq!(titles(&nobody, "?sort=latest").await, ["Third", "Second", "First", "Running"]);
        assert_eq!(titles(&nobody, "?sort=newest").await, ["Running", "Second", "First", "Third"]);
        nobody.get("/v1/events?sort=cheapest").await.bad_field("sort");
    });
}

#[test]
fn events_that_are_over_are_found_from_an_earlier_time_on() {
    play(async |stage| {
        let olga = stage.organiser().await;
        olga.publishes(Sketch::new("Over").over().free("Standing", 5)).await;
        olga.publishes(Sketch::new("Coming").in_days(3).free("Standing", 5)).await;
        olga.publishes(Sketch::new("Later").in_days(30).free("Standing", 5)).await;
        let nobody = stage.anonymous();
        let since = |hours: i64| format!("?from={}", hours_from_now(hours));
        assert_eq!(titles(&nobody, &since(-48)).await, ["Over", "Coming", "Later"]);
        assert_eq!(titles(&nobody, &since(0)).await, ["Coming", "Later"]);
        assert_eq!(titles(&nobody, &format!("?to={}", hours_from_now(5 * 24))).await, ["Coming"]);
        let span = format!("?from={}&to={}", day(-48), day(10 * 24));
        assert_eq!(titles(&nobody, &span).await, ["Over", "Coming"], "dates alone will do");
        let none = format!("?from={}&to={}", day(5 * 24), day(10 * 24));
        assert_eq!(titles(&nobody, &none).await, Vec::<String>::new());
        nobody.get("/v1/events?from=yesterday").await.bad_field("from");
        nobody.get("/v1/events?to=2026-13-01").await.bad_field("to");
    });
}

#[test]
fn cities_countries_and_categories_are_found_whatever_their_case_and_accents() {
    play(async |stage| {
        let olga = stage.organiser().await;
        let in_city = |title: &str, city: &str, country: &str| {
            Sketch::new(title).in_city(city, country).free("Standing", 5)
        };
        olga.publishes(in_city("A", "Kraków", "Poland").with("categories", json!(["Jazz & Blues"]))).await;
        olga.publishes(in_city("B", "Krakow am See", "Germany").with("categories", json!(["jazz"]))).await;
        olga.publishes(in_city("C", "Zürich", "Switzerland").with("categories", json!(["Café", "Jazz"])))
            .await;
        let nobody = stage.anonymous();
        for city in ["Krak%C3%B3w", "krakow", "KRAKOW"] {
            assert_eq!(titles(&nobody, &format!("?city={city}")).await, ["A"], "{city}");
        }
        assert_eq!(titles(&nobody, "?city=zurich").await, ["C"]);
        assert_eq!(titles(&nobody, "?country=GERMANY").await, ["B"]);
        assert_eq!(titles(&nobody, "?category=JAZZ").await, ["B", "C"]);
        assert_eq!(titles(&nobody, "?category=cafe").await, ["C"]);
        assert_eq!(titles(&nobody, "?category=jazz&country=switzerland").await, ["C"]);
        assert_eq!(titles(&nobody, "?city=Berlin").await, Vec::<String>::new());
    });
}

#[test]
fn words_are_found_by_their_beginnings_in_title_description_venue_and_categories() {
    play(async |stage| {
        let olga = stage.organiser().await;
        let sketch = |title: &str| Sketch::new(title).free("Standing", 5);
        olga.publishes(sketch("Fête de la Musique").with("description", "Trompeten im Park")).await;
        olga.publishes(sketch("Rust Conference").with("categories", json!(["programming"]))).await;
        olga.publishes(sketch("東京Ruby会議").in_city("Tōkyō", "Japan")).await;
        let nobody = stage.anonymous();
        for (q, found) in [
            ("fete", vec!["Fête de la Musique"]),
            ("F%C3%8ATE+mus", vec!["Fête de la Musique"]),
            ("tromp", vec!["Fête de la Musique"]),
            ("conf+rust", vec!["Rust Conference"]),
            ("program", vec!["Rust Conference"]),
            ("onference", vec![]),
            ("rust+musique", vec![]),
            ("tokyo", vec!["東京Ruby会議"]),
            ("%E6%9D%B1%E4%BA%AC", vec!["東京Ruby会議"]),
            ("hall", vec!["Fête de la Musique", "Rust Conference", "東京Ruby会議"]),
        ] {
            let mut titles = titles(&nobody, &format!("?q={q}")).await;
            titles.sort();
            assert_eq!(titles, found, "{q}");
        }
    });
}

#[test]
fn a_renamed_event_is_found_by_its_new_name_only() {
    play(async |stage| {
        let olga = stage.organiser().await;
        let event = olga.publishes(Sketch::new("Winter").free("Standing", 5)).await;
        olga.patch(&event.path(), json!({"title": "Sommer"})).await.expect(200);
        let nobody = stage.anonymous();
        assert_eq!(titles(&nobody, "?q=winter").await, Vec::<String>::new());
        assert_eq!(titles(&nobody, "?q=sommer").await, ["Sommer"]);
    });
}

#[test]
fn strange_queries_find_nothing_and_break_nothing() {
    play(async |stage| {
        let olga = stage.organiser().await;
        olga.publishes(Sketch::new("Concert").free("Standing", 5)).await;
        let nobody = stage.anonymous();
        for q in ["%22", "*", "concert*%22", "a+OR+b", "NEAR(a+b)", "%27%3B+DROP+TABLE+event%3B--", "(", "-x"]
        {
            let answer = nobody.get(&format!("/v1/events?q={q}")).await;
            assert!(matches!(answer.status, 200 | 400), "{answer}");
        }
        nobody.get("/v1/events?q=a+b+c+d+e+f+g+h+i").await.bad_field("q");
        assert_eq!(titles(&nobody, "?q=conc").await, ["Concert"]);
    });
}

#[test]
fn the_public_sees_what_is_published_and_an_organiser_their_own_too() {
    play(async |stage| {
        let (olga, anna, admin) = (stage.organiser().await, stage.user("Anna").await, stage.admin().await);
        let sketch = |title: &str, days: i64| Sketch::new(title).in_days(days).free("Standing", 5);
        olga.drafts(sketch("Draft", 1)).await;
        olga.publishes(sketch("Published", 2)).await;
        let off = olga.publishes(sketch("Called off", 3)).await;
        olga.post(&off.verb("cancel"), json!({})).await.expect(200);
        anna.publishes(sketch("Anna's", 4)).await;
        olga.publishes(Sketch::new("Over").over().free("Standing", 5)).await;
        let nobody = stage.anonymous();
        assert_eq!(titles(&nobody, "").await, ["Published", "Anna's"]);
        assert_eq!(titles(&anna, "").await, ["Published", "Anna's"]);
        assert_eq!(titles(&nobody, "?status=DRAFT").await, Vec::<String>::new());
        assert_eq!(titles(&nobody, "?status=CANCELLED").await, Vec::<String>::new());
        assert_eq!(titles(&nobody, &format!("?organizer_id={}", olga.id)).await, ["Published"]);
        assert_eq!(titles(&olga, "?organizer_id=me").await, ["Over", "Draft", "Published", "Called off"]);
        assert_eq!(titles(&olga, "?organizer_id=me&status=DRAFT").await, ["Draft"]);
        assert_eq!(titles(&anna, "?organizer_id=me").await, ["Anna's"]);
        assert_eq!(titles(&admin, "?status=DRAFT").await, ["Draft"]);
        nobody.get("/v1/events?organizer_id=me").await.problem(401, "unauthenticated");
        nobody.get("/v1/events?status=OPEN").await.bad_field("status");
    });
}

#[test]
fn a_long_list_comes_in_pages_that_miss_and_repeat_nothing() {
    play(async |stage| {
        let olga = stage.organiser().await;
        let all: Vec<String> = (10..33).map(|number| format!("Event {number}")).collect();
        for title in &all {
            olga.publishes(
                Sketch::new(title)
                    .with("starts_at", "2030-07-04T18:00:00Z")
                    .with("ends_at", "2030-07-04T20:00:00Z")
                    .free("Standing", 5),
            )
            .await;
        }
        let nobody = stage.anonymous();
        let first = nobody.get("/v1/events").await.expect(200);
        assert_eq!(first.list("events").len(), 20, "the default");
        for size in [1, 7, 20, 23, 100] {
            let mut seen = Vec::new();
            let mut token = String::new();
            loop {
                let path = format!("/v1/events?page_size={size}&page_token={token}");
                let page = nobody.get(&path).await.expect(200);
                assert!(page.list("events").len() <= size);
                seen.extend(page.each("events", "title"));
                token = page.text("next_page_token").to_owned();
                if token.is_empty() {
                    break;
                }
            }
            seen.sort();
            assert_eq!(seen, all, "pages of {size}");
        }
        let token = first.text("next_page_token");
        nobody.get(&format!("/v1/events?q=event&page_token={token}")).await.bad_field("page_token");
        nobody.get("/v1/events?page_token=nonsense").await.bad_field("page_token");
        for size in ["-1", "101", "many"] {
            nobody.get(&format!("/v1/events?page_size={size}")).await.bad_field("page_size");
        }
    });
}
