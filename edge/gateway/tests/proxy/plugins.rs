//! Plugins on their way: scope, precedence, order, and what they do to Boxoffice itself.

use kong::Kind;
use serde_json::json;

use crate::fixture::{Backend, Front};

fn terminating(status: u16) -> serde_json::Value {
    json!({"name": "request-termination", "config": {"status_code": status, "message": "no"}})
}

#[tokio::test]
async fn the_most_specific_configuration_counts() {
    let (backend, mut front) = (Backend::saying("ok").await, Front::start().await);
    let (service, route) = front.route(&backend.url(), "/a");
    let mut statuses = Vec::new();
    for (status, scope) in [
        (410, json!({})),
        (411, json!({"service": {"id": service}})),
        (412, json!({"route": {"id": route}})),
        (413, json!({"route": {"id": route}, "service": {"id": service}})),
    ] {
        let mut plugin = terminating(status);
        plugin.as_object_mut().unwrap().extend(scope.as_object().unwrap().clone());
        front.put(Kind::Plugins, plugin);
        statuses.push(front.get("/a").await.status().as_u16());
    }
    assert_eq!(statuses, [410, 411, 412, 413]);
    assert_eq!(front.get("/healthz").await.status(), 410, "a global plugin is on Boxoffice too");
}

#[tokio::test]
async fn a_plugin_on_boxoffice_leaves_others_alone() {
    let (backend, mut front) = (Backend::saying("ok").await, Front::start().await);
    front.route(&backend.url(), "/a");
    let mut plugin = terminating(503);
    plugin["service"] = json!({"name": "boxoffice"});
    front.put(Kind::Plugins, plugin);
    assert_eq!(front.get("/healthz").await.status(), 503);
    assert_eq!(front.get("/a").await.status(), 200);
}

#[tokio::test]
async fn a_plugin_that_is_switched_off_does_nothing_and_a_service_that_is_has_no_routes() {
    let (backend, mut front) = (Backend::saying("ok").await, Front::start().await);
    let (service, _) = front.route(&backend.url(), "/a");
    let mut plugin = terminating(503);
    plugin["enabled"] = json!(false);
    let plugin = front.put(Kind::Plugins, plugin);
    assert_eq!(front.get("/a").await.status(), 200);
    front.patch(Kind::Plugins, plugin, json!({"enabled": true}));
    assert_eq!(front.get("/a").await.status(), 503);
    front.remove(Kind::Plugins, plugin);
    front.patch(Kind::Services, service, json!({"enabled": false}));
    assert_eq!(front.get("/a").await.status(), 404);
}
