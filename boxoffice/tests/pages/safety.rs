//! What others may not do to visitors.

use http::{StatusCode, header};
use serde_json::json;

use crate::browser::play;

const HOSTILE: &str = "</title><script>alert(1)</script><img src=x onerror=alert(1)>";

#[test]
fn a_form_of_another_site_is_refused_and_changes_nothing() {
    play(async |house| {
        let mut ana = house.somebody("Ana").await;
        let form = ana.get("/account").await.form("account").with(&[("name", "Mallory")]);
        let foreign: [&[(&str, &str)]; 4] = [
            &[("host", "here.example"), ("sec-fetch-site", "cross-site")],
            &[("host", "here.example"), ("sec-fetch-site", "same-site")],
            &[("host", "here.example"), ("origin", "https://evil.example")],
            &[("host", "here.example"), ("origin", "null")],
        ];
        for headers in foreign {
            let answer = ana.send_from(&form, headers).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN);
            answer.must_have("forged_form");
        }
        let mut ben = house.somebody("Ben").await;
        let of_ben = ben.get("/account").await.form("account");
        let token = of_ben.fields.iter().find(|(name, _)| name == "form_token").unwrap().1.clone();
        for wrong in [form.clone().without("form_token"), form.clone().with(&[("form_token", &token)])] {
            assert_eq!(ana.send(&wrong).await.status, StatusCode::FORBIDDEN);
        }
        let account = ana.get("/account").await;
        assert!(account.has("value=\"Ana\"") && !account.has("Mallory"));
        assert_eq!(ana.send(&form).await.status, StatusCode::SEE_OTHER);
    });
}

#[test]
fn what_people_write_never_runs() {
    play(async |house| {
        let event = house
            .event(json!({
                "title": HOSTILE, "description": format!("{HOSTILE}\n\n[a](javascript:alert(1))"),
                "venue": {"name": HOSTILE, "city": "Berlin", "country": "Germany"}, "categories": ["<b>x"],
            }))
            .await;
        let mut visitor = house.visitor();
        for path in [
            format!("/events/{event}"),
            "/".to_owned(),
            format!("/widget/{event}"),
            "/calendar?month=2099-05".to_owned(),
        ] {
            let page = visitor.get(&path).await;
            assert_eq!(page.status, StatusCode::OK, "{path}");
            for running in ["<script>alert", "<img", "href=\"javascript", "<b>x", "</title><script"] {
                assert!(!page.has(running), "{path} has {running}");
            }
        }
        let search = visitor.get("/?q=%3Cscript%3Ealert(1)%3C/script%3E").await;
        assert!(search.has("&lt;script&gt;") && !search.has("<script>alert"));
    });
}

#[test]
fn every_answer_is_safe_and_only_the_widget_may_be_framed() {
    play(async |house| {
        let event = house.event(json!({})).await;
        let mut visitor = house.visitor();
        let policy = |page: &crate::browser::Page| {
            page.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned()
        };
        for path in ["/", "/log-in", "/nothing", &format!("/events/{event}")] {
            let page = visitor.get(path).await;
            let policy = policy(&page);
            assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{path}: {policy}");
            assert!(
                policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"),
                "{path}: {policy}"
            );
            assert_eq!(page.headers[header::X_FRAME_OPTIONS], "DENY");
            assert_eq!(page.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
            assert_eq!(page.headers[header::CACHE_CONTROL], "no-store");
        }
        let widget = visitor.get(&format!("/widget/{event}")).await;
        assert!(
            policy(&widget).contains("frame-ancestors *") && policy(&widget).contains("form-action 'none'")
        );
        assert!(!widget.headers.contains_key(header::X_FRAME_OPTIONS) && !widget.has("<form"));
        let style = visitor.get("/").await.text;
        let style = style.split("href=\"/assets/").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let asset = visitor.get(&format!("/assets/{style}")).await;
        assert!(asset.headers[header::CACHE_CONTROL].to_str().unwrap().contains("immutable"));
    });
}

#[test]
fn pages_and_the_rest_surface_are_side_by_side() {
    play(async |house| {
        let mut visitor = house.visitor();
        visitor.get("/nothing/here").await.must_have("There is nothing here");
        assert!(visitor.get("/v1/events").await.text.starts_with('{'));
        assert!(visitor.get("/healthz").await.has("ok"));
        assert!(visitor.get("/events/no-such-event").await.has("data-code=\""));
    });
}
