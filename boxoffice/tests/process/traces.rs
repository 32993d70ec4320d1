//! One trace id from the request of a buyer to the mail, through every service on the way.

#[cfg(not(feature = "otel"))]
use crate::support::Home;

/// Asking for what the program cannot do must not be passed over.
#[cfg(not(feature = "otel"))]
#[test]
fn a_program_without_traces_says_so_when_it_is_asked_for_them() {
    let home = Home::new();
    let data = home.data_arg();
    let mut command = home.command(&["up", "--listen", "127.0.0.1:0", "--data-dir", &data]);
    command.env("BOXOFFICE_OTLP_URL", "http://127.0.0.1:4318");
    crate::support::Ran::of(command.output().unwrap()).refused(&["otlp_url", "--features otel"]);
}

#[cfg(feature = "otel")]
mod collected {
    use std::{
        collections::BTreeSet,
        net::SocketAddr,
        sync::{Arc, Mutex},
        time::{Duration, Instant},
    };

    use axum::{Router, body::Bytes, extract::State, http::StatusCode, routing::post};
    use opentelemetry_proto::tonic::{
        collector::trace::v1::ExportTraceServiceRequest,
        common::v1::any_value::Value,
        trace::v1::{Span, span::SpanKind},
    };
    use prost::Message;
    use reqwest::Method;
    use serde_json::json;

    use crate::support::{Home, Ran, Running, Sale, Visitor};

    /// The longest that spans may take to come.
    const PATIENCE: Duration = Duration::from_secs(30);
    const LOOK_EVERY: Duration = Duration::from_millis(50);
    /// What a client sends: the trace, its own span, and that it is sampled.
    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const CLIENT_SPAN: &str = "00f067aa0ba902b7";

    type Collected = Arc<Mutex<Vec<Span>>>;

    /// A collector as its protocol has it: OTLP over HTTP.
    async fn collect(collected: Collected) -> SocketAddr {
        let take = async |State(collected): State<Collected>, body: Bytes| {
            let Ok(request) = ExportTraceServiceRequest::decode(body) else { return StatusCode::BAD_REQUEST };
            let scopes = request.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
            collected.lock().unwrap().extend(scopes.flat_map(|scope| scope.spans));
            StatusCode::OK
        };
        let router = Router::new().route("/v1/traces", post(take)).with_state(collected);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        address
    }

    fn up(home: &Home, collector: SocketAddr, ratio: &str) -> Running {
        let data = home.data_arg();
        let mut command = home.command(&["up", "--listen", "127.0.0.1:0", "--data-dir", &data]);
        command.env("BOXOFFICE_OTLP_URL", format!("http://{collector}")).env("BOXOFFICE_TRACE_RATIO", ratio);
        Running::start(command)
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Which service did it, and what.
    fn hop(span: &Span) -> String {
        let part = span.attributes.iter().find(|attribute| attribute.key == "boxoffice.service");
        let value = part.and_then(|part| part.value.as_ref()?.value.clone());
        let Some(Value::StringValue(service)) = value else { panic!("{span:?} is of no service") };
        format!("{service}: {}", span.name)
    }

    async fn book(visitor: &Visitor, sale: &Sale, traceparent: &str) -> reqwest::Response {
        let lines = json!([{ "ticket_type_id": sale.ticket_type_id, "quantity": 1 }]);
        let body = json!({ "event_id": sale.event_id, "lines": lines });
        let request = visitor.request(Method::POST, "/v1/bookings").header("Prefer", "wait=10");
        request.header("traceparent", traceparent).json(&body).send().await.unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_booking_is_one_trace_from_the_request_to_the_mail() {
        let (home, collected) = (Home::new(), Collected::default());
        // Of what is not asked for, nothing is collected.
        let running = up(&home, collect(Arc::clone(&collected)).await, "0");
        let vera = Visitor::register(&running.url, "vera").await;
        let sale = vera.publish(5, 0).await;
        let answer = book(&vera, &sale, &format!("00-{TRACE}-{CLIENT_SPAN}-01")).await;
        assert_eq!(answer.status(), 201);
        let told = answer.headers()["traceparent"].to_str().unwrap().to_owned();
        assert!(told.starts_with(&format!("00-{TRACE}-")) && told.ends_with("-01"), "{told}");

        let hops = [
            "gateway: POST /boxoffice.v1.TicketService/CreateBooking",
            "ticket: CreateBooking",
            "ticket: commit",
            "event: process booking.placed",
            "ticket: process seats.sold",
            "notification: process seats.sold",
            "feedback: process seats.sold",
            "analytics: process seats.sold",
            "notification: mail BOOKED",
        ];
        let spans = until_there(&collected, &hops);
        let ids: BTreeSet<_> = spans.iter().map(|span| hex(&span.trace_id)).collect();
        assert_eq!(ids, BTreeSet::from([TRACE.to_owned()]), "one trace, and no other");
        assert_eq!(spans.len(), hops.len(), "each once: {:?}", spans.iter().map(hop).collect::<Vec<_>>());

        let find = |name: &str| spans.iter().find(|span| hop(span) == name).unwrap();
        assert_eq!(hex(&find(hops[0]).parent_span_id), CLIENT_SPAN);
        assert_eq!(hex(&find(hops[0]).span_id), told[36..52], "the client is told of the gateway's span");
        let parents = [(1, 0), (2, 1), (3, 2), (4, 3), (5, 3), (6, 3), (7, 3), (8, 3)];
        for (child, parent) in parents {
            let (child, parent) = (find(hops[child]), find(hops[parent]));
            assert_eq!(child.parent_span_id, parent.span_id, "{} follows {}", hop(child), hop(parent));
            assert!(
                child.start_time_unix_nano >= parent.start_time_unix_nano && child.end_time_unix_nano > 0
            );
        }
        assert_eq!(find(hops[0]).kind(), SpanKind::Server);
        assert_eq!(find(hops[3]).kind(), SpanKind::Consumer);
        assert_eq!(find(hops[8]).kind(), SpanKind::Client);
        let everything = format!("{spans:?}");
        for personal in [&vera.email, "vera", &vera.access_token] {
            assert!(!everything.contains(personal), "a span names somebody: {personal}");
        }
        let figures = vera.request(Method::GET, "/metrics").send().await.unwrap().text().await.unwrap();
        let exported = format!("boxoffice_spans_total{{outcome=\"exported\"}} {}\n", hops.len());
        assert!(figures.contains(&exported), "{figures}");
        running.stop();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_share_of_the_requests_is_traced_and_a_stop_sends_the_last_spans() {
        let (home, collected) = (Home::new(), Collected::default());
        let running = up(&home, collect(Arc::clone(&collected)).await, "1");
        let nobody = Visitor::known(&running.url, "", "");
        nobody.see("/v1/events").await;
        // A client that says that it is not sampled is not.
        let unsampled = format!("00-{TRACE}-{CLIENT_SPAN}-00");
        let answer = nobody.request(Method::GET, "/v1/events").header("traceparent", &unsampled).send().await;
        assert_eq!(answer.unwrap().headers()["traceparent"], unsampled);
        running.stop();
        let hops: Vec<_> = collected.lock().unwrap().iter().map(hop).collect();
        let mut hops: Vec<_> = hops.iter().map(String::as_str).collect();
        hops.sort_unstable();
        assert_eq!(hops, ["event: ListEvents", "gateway: GET /boxoffice.v1.EventService/ListEvents"]);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_collector_that_is_not_there_disturbs_nobody() {
        let home = Home::new();
        let nowhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let running = up(&home, nowhere, "1");
        let vera = Visitor::register(&running.url, "vera").await;
        let sale = vera.publish(5, 0).await;
        assert_eq!(vera.book(&sale, "one").await["status"], "BOOKED");
        running.stop();
    }

    #[test]
    fn an_address_of_a_collector_that_cannot_be_used_is_named() {
        let home = Home::new();
        let data = home.data_arg();
        let mut command = home.command(&["up", "--listen", "127.0.0.1:0", "--data-dir", &data]);
        command.env("BOXOFFICE_OTLP_URL", "127.0.0.1:4318");
        Ran::of(command.output().unwrap()).refused(&["otlp_url", "must begin with http://"]);
    }

    /// Waits until each of these hops was collected.
    fn until_there(collected: &Collected, hops: &[&str]) -> Vec<Span> {
        let until = Instant::now() + PATIENCE;
        loop {
            let spans = collected.lock().unwrap().clone();
            let seen: BTreeSet<_> = spans.iter().map(hop).collect();
            let missing: Vec<_> = hops.iter().filter(|hop| !seen.contains(**hop)).collect();
            if missing.is_empty() {
                return spans;
            }
            assert!(Instant::now() < until, "never collected: {missing:?}; there are {seen:?}");
            tokio::task::block_in_place(|| std::thread::sleep(LOOK_EVERY));
        }
    }
}
