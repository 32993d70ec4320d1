//! Starting: what is missing is named, and a process says whether it is alive and ready.

use std::process::Command;

use boxoffice::serve::Role;
use kit::{Remote, Transport};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use crate::{
    support::{Fleet, Layout, Process, get},
    visitor::Visitor,
};

fn serve(directory: &std::path::Path, role: &str, settings: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_boxoffice"));
    command.args(["serve", role]).current_dir(directory).env_clear();
    command.env("BOXOFFICE_GRPC_LISTEN", "127.0.0.1:0").env("BOXOFFICE_ADMIN_LISTEN", "127.0.0.1:0");
    command.env("BOXOFFICE_LISTEN", "127.0.0.1:0").envs(settings.iter().copied());
    command
}

#[test]
fn what_is_missing_is_named_with_its_mend() {
    let directory = tempfile::tempdir().unwrap();
    let log = ("BOXOFFICE_LOG_URL", "kafka://127.0.0.1:1");
    let store = ("BOXOFFICE_STORE_URL", "sqlite:./data");
    let key = ("BOXOFFICE_ACCESS_PUBLIC_KEY_FILE", "keys/access-token.pub.pem");
    for (role, settings, said) in [
        ("ticket", vec![], "BOXOFFICE_TICKET_STORE_URL"),
        ("ticket", vec![store], "BOXOFFICE_LOG_URL is needed"),
        ("ticket", vec![store, ("BOXOFFICE_LOG_URL", "nats://x")], "kafka://HOST:PORT"),
        ("ticket", vec![("BOXOFFICE_STORE_URL", "oracle://u:secret@x"), log], "a scheme that is not known"),
        ("ticket", vec![store, log], "BOXOFFICE_TICKET_KEY_FILE is needed: `boxoffice keys"),
        ("event", vec![store, log], "BOXOFFICE_ACCESS_PUBLIC_KEY_FILE is needed: `boxoffice keys"),
        (
            "event",
            vec![store, log, key],
            "there is no key file keys/access-token.pub.pem; `boxoffice keys keys`",
        ),
        ("user", vec![store, log], "BOXOFFICE_ACCESS_KEY_FILE is needed"),
        ("gateway", vec![], "boxoffice keys"),
    ] {
        let output = serve(directory.path(), role, &settings).output().unwrap();
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{role} {settings:?}: {err}");
        assert!(err.contains(said), "{role} {settings:?} does not say `{said}`: {err}");
        assert!(!err.contains("secret") && !err.contains("panicked"), "{err}");
    }
    assert!(!directory.path().join("data").exists(), "nothing was made");
}

/// Nobody listens at port 1 of loopback.
#[tokio::test(flavor = "multi_thread")]
async fn without_its_database_a_service_lives_and_is_not_ready() {
    let directory = tempfile::tempdir().unwrap();
    let keys = directory.path().join("keys");
    boxoffice::serve::keys::make(&keys).unwrap();
    let file = |name: &str| keys.join(name).display().to_string();
    let settings = [
        ("BOXOFFICE_STORE_URL", "mysql://ticket:hunter2@127.0.0.1:1/ticket".to_owned()),
        ("BOXOFFICE_LOG_URL", "kafka://127.0.0.1:1".to_owned()),
        ("BOXOFFICE_ACCESS_PUBLIC_KEY_FILE", file("access-token.pub.pem")),
        ("BOXOFFICE_TICKET_KEY_FILE", file("ticket.pk8")),
    ];
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let process = Process::start("ticket", serve(directory.path(), "ticket", &settings));
    let (grpc, admin) = eventually(|| {
        let log = process.log();
        let line = log.lines().find(|line| line.starts_with("boxoffice ticket: gRPC at "))?.to_owned();
        let (grpc, admin) = line["boxoffice ticket: gRPC at ".len()..].split_once(", admin at ")?;
        Some((grpc.to_owned(), admin.to_owned()))
    });
    assert_eq!(get(&format!("{admin}/healthz")).unwrap().0, 200);
    let (status, body) =
        eventually(|| get(&format!("{admin}/readyz")).filter(|(_, body)| body.contains("store")));
    assert_eq!(status, 503, "{body}");
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!((body["ready"].as_bool(), body["role"].as_str()), (Some(false), Some("ticket")));
    let store = body["parts"].as_array().unwrap().iter().find(|part| part["name"] == "store").unwrap();
    assert_eq!((store["ready"].as_bool(), store["needed"].as_bool()), (Some(false), Some(true)));
    assert_eq!(get(&format!("{admin}/metrics")).unwrap().0, 200);
    let transport = Transport::Remote(Remote::new("ticket", &format!("http://{grpc}")).unwrap());
    let mut health = HealthClient::new(transport.clone());
    let asked = health.check(HealthCheckRequest { service: String::new() }).await.unwrap();
    assert_eq!(asked.into_inner().status(), ServingStatus::NotServing);
    let mut tickets = proto::v1::ticket_service_client::TicketServiceClient::new(transport);
    let refused = tickets.get_booking(proto::v1::GetBookingRequest::default()).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::Unavailable, "{refused}");
    let log = tokio::task::spawn_blocking(move || process.stop()).await.unwrap();
    assert!(log.contains("the database cannot be used yet") && !log.contains("hunter2"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_role_is_ready_and_says_what_it_needs() {
    let directory = tempfile::tempdir().unwrap();
    let Some(mut fleet) = tokio::task::block_in_place(|| Fleet::start(directory.path(), Layout::Sqlite))
    else {
        return;
    };
    for role in Role::SERVICES {
        let (status, body) = get(&format!("{}/readyz", fleet.admin((role, 0)))).unwrap();
        assert_eq!(status, 200, "{role}: {body}");
        let transport = Transport::Remote(Remote::new(role.name(), &fleet.grpc((role, 0))).unwrap());
        let service = role.grpc_name().unwrap().to_owned();
        let answer = HealthClient::new(transport).check(HealthCheckRequest { service }).await.unwrap();
        assert_eq!(answer.into_inner().status(), ServingStatus::Serving, "{role}");
        let (_, metrics) = get(&format!("{}/metrics", fleet.admin((role, 0)))).unwrap();
        assert!(metrics.ends_with("# EOF\n"), "{role}: {metrics}");
    }
    let (_, metrics) = get(&format!("{}/metrics", fleet.admin((Role::Gateway, 0)))).unwrap();
    assert!(metrics.contains("boxoffice_breaker_state{breaker=\"ticket\"} 0"), "{metrics}");
    // A service that is gone is shown by the gateway, which goes on with the others.
    fleet.kill((Role::Analytics, 0));
    fleet.wait_for((Role::Gateway, 0), "without analytics", &|status, body| {
        status == 200 && body.contains(r#""name":"analytics","needed":false,"ready":false"#)
    });
    let visitor = Visitor::register(&fleet.url(), "Anna").await;
    let sale = visitor.publish(3, 0).await;
    assert_eq!(visitor.book(&sale, "first").await["status"], "BOOKED");
    let popularity = format!("/v1/analytics/events/{}/popularity", sale.event_id);
    let refused = visitor.request(reqwest::Method::GET, &popularity).send().await.unwrap();
    assert_eq!(refused.status(), 503);
    assert!(refused.headers().contains_key("retry-after"));
    tokio::task::block_in_place(|| fleet.stop_all());
}

fn eventually<T>(look: impl Fn() -> Option<T>) -> T {
    let began = std::time::Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < std::time::Duration::from_secs(30), "it never came about");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}
