//! What is counted of rpcs and by parts.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    sync::Arc,
    task::{Context, Poll},
};

use bus::{MemoryLog, Position, Topic, conformance::sample};
use http::{Request, Response};
use kit::{
    Environment, Metrics, Observer,
    metrics::{Behind, BreakerState, MAX_COUNTED, behind},
};
use store::{Advance, Commit, CommitId, MemoryStore, Store, conformance::SuiteRow};
use tonic::{Status, body::Body};
use tower::Service;

/// Answers at once, and fails where the path says so.
#[derive(Clone)]
struct Answers;

impl Service<Request<Body>> for Answers {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        ready(Ok(match request.uri().path() {
            "/boxoffice.v1.EventService/GetEvent" => Status::not_found("no such event").into_http(),
            _ => Response::new(Body::empty()),
        }))
    }
}

#[tokio::test]
async fn calls_are_counted_by_rpc_and_code() {
    let metrics = Metrics::new();
    let mut service = Observer::new(&metrics, Environment::system()).watch(Answers);
    let call = |path: &str| Request::post(path).body(Body::empty()).unwrap();
    for path in ["/boxoffice.v1.TicketService/CreateBooking", "/boxoffice.v1.EventService/GetEvent"] {
        service.call(call(path)).await.unwrap();
    }
    drop(service.call(call("/boxoffice.v1.UserService/Login")));
    service.call(call("/grpc.health.v1.Health/Check")).await.unwrap();
    let text = metrics.text();
    for series in [
        r#"{service="ticket",rpc="CreateBooking",code="OK"} 1"#,
        r#"{service="event",rpc="GetEvent",code="NOT_FOUND"} 1"#,
        r#"{service="user",rpc="Login",code="CANCELLED"} 1"#,
        r#"{service="other",rpc="other",code="OK"} 1"#,
    ] {
        assert!(text.contains(&format!("boxoffice_rpc_requests_total{series}")), "{series}\n{text}");
    }
    assert!(text.contains(r#"boxoffice_rpc_duration_seconds_count{service="ticket",rpc="CreateBooking"} 1"#));
    assert!(!text.contains("GetBooking"), "an rpc that nobody called has no series");
}

#[test]
fn a_breaker_counts_how_often_it_opens() {
    let metrics = Metrics::new();
    let breaker = metrics.breaker("ticket");
    for state in [BreakerState::Open, BreakerState::Open, BreakerState::HalfOpen, BreakerState::Open] {
        breaker.set(state);
    }
    let text = metrics.text();
    assert!(text.contains("boxoffice_breaker_state{breaker=\"ticket\"} 2"), "{text}");
    assert!(text.contains("boxoffice_breaker_openings_total{breaker=\"ticket\"} 2"), "{text}");
}

#[tokio::test]
async fn how_far_a_consumer_is_behind_is_counted_from_where_its_store_says() {
    const TOPICS: &[Topic] = &[Topic::TicketEvent, Topic::VisitEvent];
    let log = MemoryLog::new("suite", TOPICS);
    let store = MemoryStore::<SuiteRow>::new(&[]);
    let facts =
        |from, to| (from..to).map(|number| Arc::new(sample(Topic::TicketEvent, number))).collect::<Vec<_>>();
    log.append(&facts(0, 7));
    let of = async || behind(&store, &log, TOPICS).await.unwrap();
    assert_eq!(of().await[&Topic::TicketEvent], Behind { facts: 7, oldest_us: Some(0), lost: 0 });
    assert_eq!(of().await[&Topic::VisitEvent], Behind::default());

    let partition = bus::Log::partitions(&log, Topic::TicketEvent).remove(0);
    let advance = Advance { partition, from: Position::default(), to: Position(5) };
    let id = CommitId(Environment::system().id());
    store.commit(Commit { advances: vec![advance], ..Commit::new(id, 0) }).await.unwrap();
    assert_eq!(of().await[&Topic::TicketEvent], Behind { facts: 2, oldest_us: Some(5_000), lost: 0 });

    // Counting ends somewhere, and facts that are no longer there are no lag but a loss.
    log.append(&facts(7, 2 * MAX_COUNTED as u32));
    assert_eq!(of().await[&Topic::TicketEvent].facts, MAX_COUNTED);
    log.trim(Topic::TicketEvent, Position(9), i64::MAX);
    assert_eq!(of().await[&Topic::TicketEvent], Behind { facts: 0, oldest_us: None, lost: 1 });
}
