//! The Admin API as its clients call it, on a store in memory.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use std::sync::Arc;

use admin::{Admin, GatewayRow, State};
use axum::{body::Body, extract::Request, response::Response};
use http_body_util::BodyExt;
use kit::Environment;
use kong::{Config, Field, Health, PluginSchemas, TargetHealth, TargetsHealth};
use serde_json::{Value, json};
use store::{MemoryStore, Store};
use tower::ServiceExt;
use uuid::Uuid;

/// Two plugins.
struct Plugins {
    jwt: Vec<Field>,
    limit: Vec<Field>,
}

impl PluginSchemas for Plugins {
    fn fields(&self, name: &str) -> Option<&[Field]> {
        match name {
            "jwt" => Some(&self.jwt),
            "rate-limiting" => Some(&self.limit),
            _ => None,
        }
    }

    fn names(&self) -> Vec<&'static str> {
        vec!["jwt", "rate-limiting"]
    }

    fn check(&self, _: &str, _: &Value) -> Result<(), (String, String)> {
        Ok(())
    }
}

/// Every target is well.
struct AllWell;

impl TargetsHealth for AllWell {
    fn of(&self, _: Uuid) -> Vec<TargetHealth> {
        Vec::new()
    }

    fn set(&self, _: Uuid, _: Uuid, _: Health) -> bool {
        true
    }
}

struct Gateway {
    admin: Admin,
    state: Arc<State>,
}

async fn gateway_on(store: Arc<dyn Store<GatewayRow>>, token: Option<&str>) -> Gateway {
    let plugins = Plugins {
        jwt: vec![Field::text("key_claim_name", "").default("iss")],
        limit: vec![Field::integer("minute", ""), Field::text("policy", "").default("local")],
    };
    let state =
        State::load(store, Environment::system(), Arc::new(plugins), Config::default(), Box::new(|_| {}))
            .await
            .unwrap();
    let state = Arc::new(state);
    Gateway {
        admin: Admin::new(
            Arc::clone(&state),
            Arc::new(AllWell),
            Arc::new(String::new),
            token.map(str::to_owned),
        ),
        state,
    }
}

fn memory() -> Arc<dyn Store<GatewayRow>> {
    Arc::new(MemoryStore::new(&[]))
}

async fn gateway() -> Gateway {
    gateway_on(memory(), None).await
}

impl Gateway {
    async fn send(&self, method: &str, path: &str, media_type: &str, body: &str) -> (u16, Value) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "localhost:8001")
            .header("content-type", media_type)
            .body(Body::from(body.to_owned()))
            .unwrap();
        let response: Response = self.admin.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    async fn form(&self, path: &str, body: &str) -> (u16, Value) {
        self.send("POST", path, "application/x-www-form-urlencoded", body).await
    }

    async fn json(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        self.send(method, path, "application/json", &body.to_string()).await
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.send("GET", path, "", "").await
    }
}

#[tokio::test]
async fn a_script_of_forms_sets_a_gateway_up() {
    let gateway = gateway().await;
    let (status, service) = gateway.form("/services/", "name=users&url=grpc%3A%2F%2Fusers%3A50051").await;
    assert_eq!((status, &service["port"]), (201, &json!(50_051)));
    let (status, route) =
        gateway.form("/services/users/routes", "name=users&paths[]=/v1/users&protocols[]=http").await;
    assert_eq!((status, &route["service"]["id"]), (201, &service["id"]));
    let (status, _) = gateway.form("/routes/users/plugins", "name=jwt&config.key_claim_name=kid").await;
    assert_eq!(status, 201);
    let (status, consumer) = gateway.form("/consumers", "username=ada").await;
    assert_eq!(status, 201);
    let (status, key) = gateway.form("/consumers/ada/jwt", "key=issuer&secret=s").await;
    assert_eq!((status, &key["consumer"]["id"]), (201, &consumer["id"]));
    let (_, credentials) = gateway.get("/consumers/ada/jwt").await;
    assert_eq!(credentials["data"][0]["algorithm"], "HS256");
    let (_, of_route) = gateway.get("/routes/users/service").await;
    assert_eq!(of_route["name"], "users");
    let boundary = "multipart/form-data; boundary=x";
    let parts = "--x\r\nContent-Disposition: form-data; name=\"username\"\r\n\r\ngrace\r\n--x--\r\n";
    let (status, _) = gateway.send("POST", "/consumers", boundary, parts).await;
    assert_eq!(status, 201);
}

#[tokio::test]
async fn entities_are_changed_by_name_or_id_and_gone_when_removed() {
    let gateway = gateway().await;
    let (status, made) = gateway.json("PUT", "/services/users", json!({"host": "a"})).await;
    assert_eq!((status, &made["name"]), (200, &json!("users")));
    let (status, changed) = gateway.json("PATCH", "/services/users", json!({"retries": 2})).await;
    assert_eq!((status, &changed["retries"], &changed["id"]), (200, &json!(2), &made["id"]));
    let id = Uuid::from_u128(7).to_string();
    let (status, other) =
        gateway.json("PUT", &format!("/services/{id}"), json!({"name": "b", "host": "b"})).await;
    assert_eq!((status, &other["id"]), (200, &json!(id)));
    for _ in 0..2 {
        assert_eq!(gateway.send("DELETE", "/services/users", "", "").await.0, 204);
    }
    assert_eq!(gateway.get("/services/users").await, (404, json!({"message": "Not found"})));
}

#[tokio::test]
async fn what_is_wrong_is_answered_as_kong_does() {
    let gateway = gateway().await;
    let (status, body) = gateway.json("POST", "/services", json!({"name": "a b"})).await;
    assert_eq!((status, &body["code"], &body["name"]), (400, &json!(2), &json!("schema violation")));
    assert!(body["fields"].get("host").is_some());
    gateway.json("POST", "/services", json!({"name": "a", "host": "a"})).await;
    let (status, body) = gateway.json("POST", "/services", json!({"name": "a", "host": "a"})).await;
    assert_eq!((status, &body["code"]), (409, &json!(5)));
    let (status, body) =
        gateway.json("POST", "/routes", json!({"paths": ["/a"], "service": {"id": Uuid::nil()}})).await;
    assert_eq!((status, &body["code"]), (400, &json!(4)));
    let (status, body) = gateway.get("/services?offset=nonsense").await;
    assert_eq!((status, &body["code"]), (400, &json!(7)));
    assert_eq!(gateway.send("POST", "/services", "application/json", "{").await.0, 400);
    assert_eq!(gateway.send("POST", "/services", "image/png", "x").await.0, 415);
    assert_eq!(gateway.json("POST", "/status", json!({})).await.0, 405);
    assert_eq!(gateway.get("/nowhere").await.0, 404);
}

#[tokio::test]
async fn lists_have_pages_and_tags() {
    let gateway = gateway().await;
    for number in 0..5 {
        let tags = if number % 2 == 0 { json!(["even", "all"]) } else { json!(["all"]) };
        let body = json!({"name": format!("s{number}"), "host": "a", "tags": tags});
        assert_eq!(gateway.json("POST", "/services", body).await.0, 201);
    }
    let mut names = Vec::new();
    let mut next = "/services?size=2".to_owned();
    loop {
        let (_, page) = gateway.get(&next).await;
        names.extend(
            page["data"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()),
        );
        match page["next"].as_str() {
            Some(link) => next = link.to_owned(),
            None => {
                assert!(page.get("offset").is_none());
                break;
            }
        }
    }
    names.sort();
    assert_eq!(names, ["s0", "s1", "s2", "s3", "s4"]);
    let count = async |query: &str| gateway.get(query).await.1["data"].as_array().unwrap().len();
    assert_eq!(count("/services?tags=even,all").await, 3);
    assert_eq!(count("/services?tags=even/other").await, 3);
    assert_eq!(count("/tags/even").await, 3);
}

#[tokio::test]
async fn schemas_can_be_read_and_tried() {
    let gateway = gateway().await;
    let (_, root) = gateway.get("/").await;
    assert_eq!(root["version"], admin::KONG_VERSION);
    assert!(root["plugins"]["available_on_server"].get("jwt").is_some());
    let (_, schema) = gateway.get("/schemas/services").await;
    assert!(schema["fields"].as_array().unwrap().iter().any(|field| field.get("retries").is_some()));
    let (_, schema) = gateway.get("/schemas/plugins/jwt").await;
    let config = schema["fields"].as_array().unwrap().iter().find_map(|field| field.get("config")).unwrap();
    assert_eq!(config["fields"][0]["key_claim_name"]["default"], "iss");
    let good = json!({"name": "a", "host": "a"});
    assert_eq!(gateway.json("POST", "/schemas/services/validate", good).await.0, 200);
    let plugin = json!({"name": "jwt", "config": {"nonsense": 1}});
    assert_eq!(gateway.json("POST", "/schemas/plugins/validate", plugin).await.0, 400);
    assert_eq!(gateway.get("/services").await.1["data"], json!([]));
}

#[tokio::test]
async fn a_file_replaces_everything_and_comes_back_as_it_was() {
    let gateway = gateway().await;
    gateway.json("POST", "/services", json!({"name": "old", "host": "a"})).await;
    let file =
        "_format_version: '3.0'\nservices:\n- name: new\n  url: http://a:81/b\n  routes:\n  - paths: [/b]\n";
    let (status, loaded) = gateway.send("POST", "/config", "text/yaml", file).await;
    assert_eq!((status, loaded["services"].as_object().map(serde_json::Map::len)), (201, Some(1)));
    assert_eq!(gateway.get("/services/old").await.0, 404);
    let (_, dumped) = gateway.get("/config").await;
    let again = json!({"config": dumped["config"]});
    let before = gateway.state.revision();
    assert_eq!(gateway.json("POST", "/config", again).await.0, 201);
    assert_eq!(gateway.get("/services/new").await.1["port"], 81);
    assert!(gateway.state.revision() >= before);
    let (status, body) = gateway.send("POST", "/config", "text/yaml", "services: []").await;
    assert_eq!((status, body["fields"].get("_format_version").is_some()), (400, true));
}

#[tokio::test]
async fn what_was_answered_is_there_after_a_restart_and_on_other_nodes() {
    let store = memory();
    let first = gateway_on(Arc::clone(&store), None).await;
    let second = gateway_on(Arc::clone(&store), None).await;
    first.json("POST", "/services", json!({"name": "a", "host": "a"})).await;
    // The other node has not looked yet: its change is decided anew on what is stored.
    let (status, _) = second.json("POST", "/services", json!({"name": "a", "host": "a"})).await;
    assert_eq!(status, 409);
    let (status, _) = second.json("POST", "/services", json!({"name": "b", "host": "b"})).await;
    assert_eq!(status, 201);
    let watching = tokio_util::sync::CancellationToken::new();
    let (watched, until) = (Arc::clone(&first.state), watching.clone());
    let watcher = tokio::spawn(async move { watched.watch_others(until).await });
    let (mut changes, state) = (first.state.follow(), Arc::clone(&first.state));
    let is_seen = |_: &u64| state.config().find(kong::Kind::Services, "b").is_some();
    changes.wait_for(is_seen).await.unwrap();
    watching.cancel();
    watcher.await.unwrap();
    let third = gateway_on(store, None).await;
    assert_eq!(third.get("/services").await.1["data"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn without_the_token_nobody_comes_in() {
    let gateway = gateway_on(memory(), Some("secret")).await;
    assert_eq!(gateway.get("/services").await.0, 401);
}
