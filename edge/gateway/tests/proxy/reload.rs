//! The configuration changes while requests run.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::body::Body;
use http::Response;
use kong::Kind;
use serde_json::json;

use crate::fixture::{Answer, Backend, Front, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_is_lost_while_the_configuration_changes() {
    let slow = |_| -> Answer {
        Box::pin(async {
            tokio::time::sleep(Duration::from_millis(3)).await;
            Response::new(Body::from("ok"))
        })
    };
    let (one, two) = (Backend::start(slow).await, Backend::start(slow).await);
    let mut front = Front::start().await;
    let (service, route) = front.route(&one.url(), "/a");
    let url = front.url("/a");
    let (done, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let workers: Vec<_> = (0..8)
        .map(|_| {
            let (url, done, answered) = (url.clone(), Arc::clone(&done), Arc::clone(&answered));
            tokio::spawn(async move {
                let client = reqwest::Client::new();
                while !done.load(Ordering::SeqCst) {
                    // POST: nothing of it is made twice.
                    let answer = client.post(&url).body("x").send().await.unwrap();
                    assert_eq!(answer.status(), 200);
                    assert_eq!(answer.text().await.unwrap(), "ok");
                    answered.fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    for round in 0..50 {
        let before = answered.load(Ordering::SeqCst);
        let to = if round % 2 == 0 { &two } else { &one };
        front.patch(Kind::Services, service, json!({"url": to.url()}));
        front.patch(Kind::Routes, route, json!({"paths": ["/a", format!("/b{round}")]}));
        front.put(Kind::Routes, json!({"service": {"id": service}, "paths": [format!("/other{round}")]}));
        until("requests go on", async || answered.load(Ordering::SeqCst) > before + 8).await;
    }
    done.store(true, Ordering::SeqCst);
    for worker in workers {
        worker.await.unwrap();
    }
    assert!(one.hits() > 0 && two.hits() > 0);
    assert_eq!(one.hits() + two.hits(), answered.load(Ordering::SeqCst));
}

#[tokio::test]
async fn what_cannot_be_served_is_told_and_the_rest_is_served() {
    let backend = Backend::saying("ok").await;
    let mut front = Front::start().await;
    front.route(&backend.url(), "/a");
    // Such as a file that has gone since.
    let plugin = json!({
        "id": uuid::Uuid::from_u128(9), "name": "grpc-gateway", "config": {"proto": "/gone.proto"},
        "protocols": ["http"], "enabled": true, "service": null, "route": null, "consumer": null,
    });
    front.config.put(Kind::Plugins, uuid::Uuid::from_u128(9), Arc::new(plugin));
    let troubles = front.live.serve(&Arc::new(front.config.clone()));
    assert_eq!(troubles.len(), 1);
    assert!(troubles[0].why.contains("there is no file"), "{troubles:?}");
    assert_eq!(front.get("/a").await.status(), 200);
}
