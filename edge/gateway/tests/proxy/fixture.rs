//! A gateway on a socket, its configuration, and upstreams on sockets of their own.

use std::{
    convert::Infallible,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::body::Body;
use gateway::{
    Gateway, Options, Part, Readiness, Upstreams, plugin::Resources, plugins::Schemas, server::Server,
    snapshot::Live,
};
use http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use kit::{Environment, access::Guard, identity::Signer};
use kong::{Config, Given, Kind, Write};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

struct Nothing;

#[async_trait::async_trait]
impl Readiness for Nothing {
    async fn parts(&self) -> Vec<Part> {
        Vec::new()
    }
}

fn schemas() -> Schemas {
    Schemas(Resources { environment: Environment::system(), figures: Arc::default() })
}

/// A gateway that listens.
pub struct Front {
    pub address: SocketAddr,
    pub tls_address: SocketAddr,
    pub live: Arc<Live>,
    pub config: Config,
    /// Tells it to stop.
    pub stop: CancellationToken,
    serving: [JoinHandle<()>; 2],
}

impl Drop for Front {
    fn drop(&mut self) {
        self.serving.iter().for_each(JoinHandle::abort);
        self.stop.cancel();
    }
}

impl Front {
    /// Begins with Boxoffice alone, without services.
    pub async fn start() -> Self {
        let signer = Signer::from_pkcs8(&Signer::generate().unwrap()).unwrap();
        let environment = Environment::system();
        let guard = Guard::new(signer.verifier(), environment.clone());
        let gateway = Gateway::new(
            Upstreams::new(),
            guard,
            environment,
            Arc::new(Nothing),
            Options::default(),
            Arc::new(String::new),
        )
        .unwrap();
        let live = gateway.live();
        let server = Server::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = server.address().unwrap();
        let tls =
            Server::bind("127.0.0.1:0".parse().unwrap()).await.unwrap().with_tls(gateway.live()).unwrap();
        let tls_address = tls.address().unwrap();
        let stop = CancellationToken::new();
        let serving = tokio::spawn(server.serve_gateway(gateway.clone(), stop.clone()));
        let over_tls = tokio::spawn(tls.serve_gateway(gateway, stop.clone()));
        Self {
            address,
            tls_address,
            live,
            config: gateway::builtin::config(),
            stop,
            serving: [serving, over_tls],
        }
    }

    /// Puts an entity as the Admin API does; it is served from now on.
    pub fn put(&mut self, kind: Kind, body: Value) -> Uuid {
        let id = self.draft(kind, Write::Create, body);
        self.serve();
        id
    }

    /// Changes an entity.
    pub fn patch(&mut self, kind: Kind, id: Uuid, body: Value) {
        self.draft(kind, Write::Update(id), body);
        self.serve();
    }

    pub fn remove(&mut self, kind: Kind, id: Uuid) {
        let changes = self.config.removal(kind, id).unwrap();
        self.config.apply(&changes);
        self.serve();
    }

    fn draft(&mut self, kind: Kind, write: Write, body: Value) -> Uuid {
        let Value::Object(body) = body else { unreachable!() };
        let given = Given { id: Uuid::from_u128(rand()), secret: "s".repeat(64), now_s: 1_800_000_000 };
        let change = self.config.draft(kind, write, body, given, &schemas()).unwrap();
        let id = change.1;
        self.config.apply(&[change]);
        id
    }

    pub fn serve(&self) {
        assert_eq!(self.live.serve(&Arc::new(self.config.clone())), []);
    }

    /// A service at an address with a route for each path below one.
    pub fn route(&mut self, url: &str, path: &str) -> (Uuid, Uuid) {
        let service = self.put(Kind::Services, json!({"url": url}));
        let route =
            self.put(Kind::Routes, json!({"service": {"id": service}, "paths": [path], "strip_path": false}));
        (service, route)
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub async fn get(&self, path: &str) -> reqwest::Response {
        reqwest::get(self.url(path)).await.unwrap()
    }

    /// What is answered to these bytes until the connection ends or nothing comes for a moment.
    pub async fn raw(&self, request: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        // The other side may hang up before it has read all.
        let _ = stream.write_all(request).await;
        let mut answer = Vec::new();
        loop {
            let mut part = [0; 4_096];
            match tokio::time::timeout(Duration::from_millis(700), stream.read(&mut part)).await {
                Ok(Ok(length)) if length > 0 => answer.extend_from_slice(&part[..length]),
                _ => return answer,
            }
        }
    }
}

/// Different each time, and good enough for ids.
fn rand() -> u128 {
    static NEXT: AtomicUsize = AtomicUsize::new(1);
    0xabcd_0000_0000_4000_8000_0000_0000_0000 + NEXT.fetch_add(1, Ordering::Relaxed) as u128
}

pub type Answer = Pin<Box<dyn Future<Output = Response<Body>> + Send>>;

/// Something that answers HTTP/1.1 and HTTP/2.
pub struct Backend {
    pub address: SocketAddr,
    pub hits: Arc<AtomicUsize>,
    /// The heads of requests as they came.
    pub heads: Arc<Mutex<Vec<http::request::Parts>>>,
    stop: CancellationToken,
    serving: Option<JoinHandle<()>>,
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Backend {
    pub async fn start(answer: impl Fn(Request<Incoming>) -> Answer + Clone + Send + Sync + 'static) -> Self {
        Self::at("127.0.0.1:0".parse().unwrap(), answer).await
    }

    pub async fn at(
        address: SocketAddr,
        answer: impl Fn(Request<Incoming>) -> Answer + Clone + Send + Sync + 'static,
    ) -> Self {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(true).unwrap();
        socket.bind(address).unwrap();
        let listener = socket.listen(1_024).unwrap();
        let address = listener.local_addr().unwrap();
        let (hits, heads) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
        let stop = CancellationToken::new();
        let (counted, noted, stopped) = (Arc::clone(&hits), Arc::clone(&heads), stop.clone());
        let serving = tokio::spawn(async move {
            loop {
                let stream = tokio::select! {
                    accepted = listener.accept() => accepted.unwrap().0,
                    () = stopped.cancelled() => return,
                };
                let (answer, counted, noted, stopped) =
                    (answer.clone(), Arc::clone(&counted), Arc::clone(&noted), stopped.clone());
                let service = hyper::service::service_fn(move |request: Request<Incoming>| {
                    counted.fetch_add(1, Ordering::SeqCst);
                    let (head, body) = request.into_parts();
                    let mut noted = noted.lock().unwrap();
                    if noted.len() < 100 {
                        noted.push(head.clone());
                    }
                    let answer = answer(Request::from_parts(head, body));
                    async move { Ok::<_, Infallible>(answer.await) }
                });
                tokio::spawn(async move {
                    let builder = Builder::new(TokioExecutor::new());
                    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
                    tokio::select! {
                        _ = connection => {}
                        // As a process that is killed: the connection is gone, whatever runs.
                        () = stopped.cancelled() => {}
                    }
                });
            }
        });
        Self { address, hits, heads, stop, serving: Some(serving) }
    }

    /// Answers each request with its text.
    pub async fn saying(text: &'static str) -> Self {
        Self::start(move |_| Box::pin(async move { Response::new(Body::from(text)) })).await
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn hits(&self) -> usize {
        self.hits.load(Ordering::SeqCst)
    }

    pub fn last_head(&self) -> http::request::Parts {
        self.heads.lock().unwrap().last().unwrap().clone()
    }

    /// Ends it as a kill does.
    pub async fn kill(&mut self) {
        self.stop.cancel();
        if let Some(serving) = self.serving.take() {
            serving.await.unwrap();
        }
    }
}

/// Waits until something is so.
pub async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let waited = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waited).await.unwrap_or_else(|_| panic!("{what}"));
}
