//! The way to a service in other processes, over real connections: balance, restarts, silence and loss.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    convert::Infallible,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use http::{HeaderValue, Request, Response};
use kit::{Remote, Transport, breaker::State};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use tonic::{Code, Status, body::Body, server::NamedService, transport::server::TcpIncoming};
use tower::{Service, ServiceExt};

/// What a server of these tests does with a call.
#[derive(Clone, Copy)]
enum Manner {
    Answers,
    AnswersAfter(Duration),
    NeverAnswers,
}

#[derive(Clone)]
struct Echo {
    manner: Manner,
    calls: Arc<AtomicUsize>,
}

impl NamedService for Echo {
    const NAME: &'static str = "test.Echo";
}

impl Service<Request<Body>> for Echo {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let manner = self.manner;
        Box::pin(async move {
            match manner {
                Manner::Answers => {}
                Manner::AnswersAfter(pause) => tokio::time::sleep(pause).await,
                Manner::NeverAnswers => std::future::pending().await,
            }
            let mut response = Status::ok("").into_http();
            let timeout = request.headers().get("grpc-timeout").cloned();
            response.headers_mut().insert("told", timeout.unwrap_or(HeaderValue::from_static("nothing")));
            Ok(response)
        })
    }
}

/// A running server.
struct Server {
    address: SocketAddr,
    calls: Arc<AtomicUsize>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Server {
    async fn start(manner: Manner) -> Self {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0)), manner).await
    }

    async fn start_at(address: SocketAddr, manner: Manner) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let calls = Arc::new(AtomicUsize::new(0));
        let echo = Echo { manner, calls: Arc::clone(&calls) };
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tonic::transport::Server::builder().add_service(echo).serve_with_incoming_shutdown(
            TcpIncoming::from(listener),
            async {
                let _ = stopped.await;
            },
        );
        let task = tokio::spawn(async move { serving.await.unwrap() });
        Self { address, calls, stop, task }
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// Says goodbye and finishes what runs.
    async fn stop(self) {
        let _ = self.stop.send(());
        self.task.await.unwrap();
    }
}

fn remote(addresses: &[SocketAddr]) -> (Remote, Transport) {
    let urls: Vec<String> = addresses.iter().map(|address| format!("http://{address}")).collect();
    let remote = Remote::new("echo", &urls.join(",")).unwrap();
    (remote.clone(), Transport::Remote(remote))
}

/// Calls with a deadline in milliseconds.
async fn call(transport: &Transport, timeout_ms: u64) -> Result<Response<Body>, Status> {
    let request = Request::post("/test.Echo/Say").header("grpc-timeout", format!("{timeout_ms}m"));
    let answer = transport.clone().oneshot(request.body(Body::empty()).unwrap()).await;
    let response = answer.unwrap_or_else(|never| match never {});
    match Status::from_header_map(response.headers()) {
        Some(status) if status.code() != Code::Ok => Err(status),
        _ => Ok(response),
    }
}

async fn until(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(20), "it never came about: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn calls_are_spread_over_all_addresses_and_carry_what_is_left_of_their_time() {
    let servers = [Server::start(Manner::Answers).await, Server::start(Manner::Answers).await];
    let (remote, transport) = remote(&[servers[0].address, servers[1].address]);
    until("both are connected", || remote.peers().iter().filter(|peer| peer.connected).count() == 2).await;
    for _ in 0..100 {
        let response = call(&transport, 5_000).await.unwrap();
        let told: u64 = response.headers()["told"].to_str().unwrap().trim_end_matches('m').parse().unwrap();
        assert!((1..=5_000).contains(&told), "{told}");
    }
    assert_eq!(servers.iter().map(Server::calls).collect::<Vec<_>>(), [50, 50]);
}

#[tokio::test]
async fn an_address_where_nobody_is_takes_no_calls_and_joins_when_somebody_comes() {
    let here = Server::start(Manner::Answers).await;
    let gone = Server::start(Manner::Answers).await;
    let empty = gone.address;
    gone.stop().await;
    let (remote, transport) = remote(&[here.address, empty]);
    for _ in 0..50 {
        call(&transport, 5_000).await.unwrap();
    }
    assert_eq!(here.calls(), 50);
    let back = Server::start_at(empty, Manner::Answers).await;
    until("it is found", || remote.peers().iter().all(|peer| peer.connected)).await;
    for _ in 0..20 {
        call(&transport, 5_000).await.unwrap();
    }
    assert_eq!(back.calls(), 10);
}

#[tokio::test]
async fn no_call_fails_while_servers_restart_one_after_the_other() {
    let manner = Manner::AnswersAfter(Duration::from_millis(2));
    let mut servers = vec![Server::start(manner).await, Server::start(manner).await];
    let (remote, transport) = remote(&[servers[0].address, servers[1].address]);
    until("both are connected", || remote.peers().iter().filter(|peer| peer.connected).count() == 2).await;
    let done = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let callers: Vec<JoinHandle<usize>> = (0..16)
        .map(|_| {
            let (transport, done) = (transport.clone(), Arc::clone(&done));
            tokio::spawn(async move {
                let mut answered = 0;
                while !done.load(Ordering::SeqCst) {
                    call(&transport, 10_000).await.unwrap();
                    answered += 1;
                }
                answered
            })
        })
        .collect();
    for _ in 0..6 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let server = servers.remove(0);
        let address = server.address;
        server.stop().await;
        servers.push(Server::start_at(address, manner).await);
        until("it is back", || remote.peers().iter().all(|peer| peer.connected)).await;
    }
    done.store(true, Ordering::SeqCst);
    let mut answered = 0;
    for caller in callers {
        answered += caller.await.unwrap();
    }
    assert!(answered > 100, "{answered}");
}

#[tokio::test]
async fn a_server_that_is_silent_is_left_alone_and_the_others_go_on() {
    let (silent, good) = (Server::start(Manner::NeverAnswers).await, Server::start(Manner::Answers).await);
    let (remote, transport) = remote(&[silent.address, good.address]);
    until("both are connected", || remote.peers().iter().filter(|peer| peer.connected).count() == 2).await;
    let calls = futures_util::future::join_all((0..60).map(|_| call(&transport, 100))).await;
    let late =
        calls.iter().filter_map(|call| call.as_ref().err()).filter(|e| e.code() == Code::DeadlineExceeded);
    assert!(late.count() >= 10, "some went to the silent one");
    let state = |address| remote.peers().into_iter().find(|p| p.address == address).unwrap().breaker;
    assert_eq!(state(silent.address.to_string()), State::Open);
    let before = silent.calls();
    for _ in 0..100 {
        call(&transport, 100).await.unwrap();
    }
    assert_eq!(silent.calls(), before, "no call of a hundred went there");
}

#[tokio::test]
async fn with_nobody_there_a_call_is_refused_at_once_and_says_when_to_come_again() {
    let gone = Server::start(Manner::Answers).await;
    let address = gone.address;
    gone.stop().await;
    let (_remote, transport) = remote(&[address]);
    // The first one may wait until it is known.
    call(&transport, 5_000).await.unwrap_err();
    let began = Instant::now();
    for _ in 0..20 {
        let status = call(&transport, 5_000).await.unwrap_err();
        assert_eq!(status.code(), Code::Unavailable);
        assert!(kit::ServiceError::from_status(&status).retry_after.is_some());
    }
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_call_that_may_have_been_carried_out_is_not_made_again() {
    let elsewhere = tokio::runtime::Runtime::new().unwrap();
    let dying = elsewhere.spawn(Server::start(Manner::NeverAnswers)).await.unwrap();
    let (remote, transport) = remote(&[dying.address]);
    until("it is connected", || {
        remote.peers().iter().all(|peer| peer.connected) && !remote.peers().is_empty()
    })
    .await;
    let running = tokio::spawn(async move { call(&transport, 20_000).await });
    let calls = Arc::clone(&dying.calls);
    until("it has the call", || calls.load(Ordering::SeqCst) == 1).await;
    // Its connections end with it, without a goodbye.
    elsewhere.shutdown_background();
    let status = running.await.unwrap().unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.message().contains("Idempotency-Key"), "{status}");
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}
