//! Targets that fail, are killed, come back, are slow, or have too much to do.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::body::Body;
use futures_util::future::join_all;
use http::{Response, StatusCode};
use kong::{Health, Kind, TargetsHealth};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use uuid::Uuid;

use crate::fixture::{Answer, Backend, Front, until};

/// A gateway with an upstream of these targets; the ids of the upstream and of the targets.
async fn balanced(targets: &[&Backend], upstream: Value, service: Value) -> (Front, Uuid, Vec<Uuid>) {
    let mut front = Front::start().await;
    let mut body = json!({"name": "shop.internal"});
    body.as_object_mut().unwrap().extend(upstream.as_object().unwrap().clone());
    let upstream = front.put(Kind::Upstreams, body);
    let mut ids = Vec::new();
    for target in targets {
        let body = json!({"upstream": {"id": upstream}, "target": target.address.to_string()});
        ids.push(front.put(Kind::Targets, body));
    }
    let mut body = json!({"host": "shop.internal", "read_timeout": 5_000, "connect_timeout": 1_000});
    body.as_object_mut().unwrap().extend(service.as_object().unwrap().clone());
    let service = front.put(Kind::Services, body);
    front.put(Kind::Routes, json!({"service": {"id": service}, "paths": ["/"]}));
    (front, upstream, ids)
}

fn with_status(status: u16) -> Answer {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    Box::pin(async { response })
}

#[tokio::test]
async fn targets_take_turns_and_a_weight_of_zero_gets_nothing() {
    let (one, two, three) =
        (Backend::saying("1").await, Backend::saying("2").await, Backend::saying("3").await);
    let (mut front, _, ids) = balanced(&[&one, &two, &three], json!({}), json!({})).await;
    front.patch(Kind::Targets, ids[2], json!({"weight": 0}));
    for _ in 0..20 {
        assert_eq!(front.get("/").await.status(), 200);
    }
    assert_eq!((one.hits(), two.hits(), three.hits()), (10, 10, 0));
}

#[tokio::test]
async fn the_same_header_goes_to_the_same_target() {
    let (one, two) = (Backend::saying("1").await, Backend::saying("2").await);
    let upstream =
        json!({"algorithm": "consistent-hashing", "hash_on": "header", "hash_on_header": "x-user"});
    let (front, ..) = balanced(&[&one, &two], upstream, json!({})).await;
    let client = reqwest::Client::new();
    let mut by_user = Vec::new();
    for user in 0..40 {
        let mut seen = Vec::new();
        for _ in 0..3 {
            let sent = client.get(front.url("/")).header("x-user", user.to_string()).send().await.unwrap();
            seen.push(sent.text().await.unwrap());
        }
        assert!(seen.iter().all(|text| *text == seen[0]), "{seen:?}");
        by_user.push(seen.remove(0));
    }
    assert!(by_user.contains(&"1".to_owned()) && by_user.contains(&"2".to_owned()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_that_is_killed_under_load_costs_no_idempotent_request() {
    let slow = |_| -> Answer {
        Box::pin(async {
            tokio::time::sleep(Duration::from_millis(5)).await;
            Response::new(Body::from("ok"))
        })
    };
    let (mut one, two) = (Backend::start(slow).await, Backend::start(slow).await);
    let (front, upstream, _) = balanced(&[&one, &two], json!({}), json!({})).await;
    let (front, done, failed) =
        (Arc::new(front), Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let workers: Vec<_> = (0..16)
        .map(|_| {
            let (front, done, failed) = (Arc::clone(&front), Arc::clone(&done), Arc::clone(&failed));
            tokio::spawn(async move {
                let client = reqwest::Client::new();
                while !done.load(Ordering::SeqCst) {
                    let answer = client.get(front.url("/")).send().await.unwrap();
                    if answer.status() != 200 {
                        failed.fetch_add(1, Ordering::SeqCst);
                    }
                }
            })
        })
        .collect();
    until("both are busy", async || one.hits() > 200 && two.hits() > 200).await;
    one.kill().await;
    let address = one.address;
    until("the breaker opens", async || {
        front.live.of(upstream).iter().any(|target| target.breaker == "open")
    })
    .await;
    // It comes back at the same place.
    let back = Backend::at(address, slow).await;
    until("it is used again", async || back.hits() > 100).await;
    done.store(true, Ordering::SeqCst);
    join_all(workers).await;
    assert_eq!(failed.load(Ordering::SeqCst), 0);
    until("the breaker closes by itself", async || {
        front.live.of(upstream).iter().all(|target| target.breaker == "closed")
    })
    .await;
}

#[tokio::test]
async fn what_may_have_happened_is_not_done_twice() {
    let hits = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&hits);
    // It takes the request, and the connection breaks.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let breaking = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            if stream.read_u8().await.is_ok() {
                counted.fetch_add(1, Ordering::SeqCst);
            }
        }
    });
    let mut front = Front::start().await;
    front.route(&format!("http://{address}"), "/");
    let client = reqwest::Client::new();
    let post = client.post(front.url("/")).body("x").send().await.unwrap();
    assert_eq!(post.status(), 502);
    assert_eq!(hits.load(Ordering::SeqCst), 1);
    let put = client.put(front.url("/")).body("x").send().await.unwrap();
    assert_eq!(put.status(), 502);
    assert_eq!(hits.load(Ordering::SeqCst), 1 + 6, "one try and five more, as Kong");
    let keyed = client.post(front.url("/")).header("idempotency-key", "k").body("x").send().await.unwrap();
    assert_eq!(keyed.status(), 502);
    assert!(hits.load(Ordering::SeqCst) > 8, "with a key it may be made again");
    breaking.abort();
}

#[tokio::test]
async fn nobody_who_answers_is_told_at_once_and_when_to_come_again() {
    let mut one = Backend::saying("1").await;
    let (front, upstream, _) = balanced(&[&one], json!({}), json!({"retries": 0})).await;
    assert_eq!(front.get("/").await.status(), 200);
    one.kill().await;
    for _ in 0..20 {
        let answer = front.get("/").await;
        assert_eq!(answer.status(), 503);
        assert!(answer.headers().contains_key("retry-after"));
    }
    assert_eq!(front.live.of(upstream)[0].breaker, "open");
    let hits = one.hits();
    let refused = front.get("/").await;
    assert_eq!((refused.status().as_u16(), one.hits()), (503, hits));
}

#[tokio::test]
async fn a_storm_of_failures_is_not_made_worse() {
    let backend = Backend::start(|_| Box::pin(async { std::future::pending().await })).await;
    let (front, ..) = balanced(&[&backend], json!({}), json!({"read_timeout": 30, "retries": 5})).await;
    let calls = 400;
    // In waves: the breaker would keep most of them away otherwise, which is another protection.
    for _ in 0..calls / 8 {
        join_all((0..8).map(|_| front.get("/"))).await;
    }
    // What may be saved up before is sixteen.
    assert!(backend.hits() as f64 <= 1.1 * f64::from(calls) + 16.0, "{}", backend.hits());
}

#[tokio::test]
async fn bad_answers_make_a_target_unwell_and_checks_make_it_well_again() {
    let broken = Arc::new(AtomicBool::new(true));
    let state = Arc::clone(&broken);
    let one =
        Backend::start(move |_| with_status(if state.load(Ordering::SeqCst) { 500 } else { 200 })).await;
    let two = Backend::saying("2").await;
    let checks = json!({"healthchecks": {
        "passive": {"unhealthy": {"http_failures": 3}},
        "active": {"healthy": {"successes": 1}, "unhealthy": {"interval": 0.1}, "http_path": "/health"},
    }});
    let (front, upstream, ids) = balanced(&[&one, &two], checks, json!({})).await;
    let health = || {
        let all = front.live.of(upstream);
        all.into_iter().find(|target| target.target == ids[0]).unwrap().health
    };
    assert_eq!(health(), "HEALTHY");
    for _ in 0..6 {
        front.get("/").await;
    }
    assert_eq!(health(), "UNHEALTHY");
    for _ in 0..10 {
        assert_eq!(front.get("/").await.status(), 200);
    }
    broken.store(false, Ordering::SeqCst);
    until("the check finds it well", async || health() == "HEALTHY").await;
    assert!(one.heads.lock().unwrap().iter().any(|head| head.uri == "/health"));
}

#[tokio::test]
async fn somebody_may_say_how_a_target_is() {
    let (one, two) = (Backend::saying("1").await, Backend::saying("2").await);
    let (front, upstream, ids) = balanced(&[&one, &two], json!({}), json!({})).await;
    assert!(front.live.set(upstream, ids[0], Health::Unhealthy));
    for _ in 0..6 {
        assert_eq!(front.get("/").await.text().await.unwrap(), "2");
    }
    assert!(front.live.set(upstream, ids[0], Health::Healthy));
    assert!(!front.live.set(upstream, Uuid::nil(), Health::Healthy));
    until("it is used again", async || front.get("/").await.text().await.unwrap() == "1").await;
}

#[tokio::test]
async fn who_is_too_slow_is_given_up() {
    let backend = Backend::start(|_| Box::pin(async { std::future::pending().await })).await;
    let (front, ..) = balanced(&[&backend], json!({}), json!({"read_timeout": 50, "retries": 0})).await;
    let answer = front.get("/").await;
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.json::<Value>().await.unwrap()["code"], "deadline_exceeded");
}

#[tokio::test]
async fn a_service_with_too_much_to_do_refuses_before_it_reads() {
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let opened = Arc::clone(&gate);
    let backend = Backend::start(move |_| {
        let gate = Arc::clone(&opened);
        Box::pin(async move {
            gate.acquire().await.unwrap().forget();
            Response::new(Body::from("ok"))
        })
    })
    .await;
    let (mut front, ..) = balanced(&[&backend], json!({}), json!({"read_timeout": 20_000})).await;
    let id = front.config.all(Kind::Services).find(|one| !one.is_built_in()).unwrap().id;
    let urgent = json!({"service": {"id": id}, "paths": ["/urgent"], "tags": ["priority:critical"]});
    front.put(Kind::Routes, urgent);
    let front = Arc::new(front);
    let client = reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap();
    let waiting: Vec<_> = (0..192)
        .map(|_| {
            let request = client.get(front.url("/"));
            tokio::spawn(async move { request.send().await.unwrap().status().as_u16() })
        })
        .collect();
    until("all places of usual requests are taken", async || backend.hits() == 192).await;
    let refused = front.get("/").await;
    assert_eq!(refused.status(), 503);
    assert!(refused.headers().contains_key("retry-after"));
    let request = client.get(front.url("/urgent"));
    let urgent = tokio::spawn(async move { request.send().await.unwrap().status().as_u16() });
    until("what must not fail has places of its own", async || backend.hits() == 193).await;
    gate.add_permits(1_000);
    assert_eq!(urgent.await.unwrap(), 200);
    for status in join_all(waiting).await {
        assert_eq!(status.unwrap(), 200);
    }
    assert_eq!(front.get("/").await.status(), 200);
}
