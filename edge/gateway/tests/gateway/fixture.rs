//! A gateway whose services answer as a test says, and record what they were sent.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    future::{Ready, ready},
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use axum::body::Body;
use bytes::{BufMut, Bytes, BytesMut};
use gateway::{Gateway, Options, Part, Readiness};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use kit::{
    Environment, Transport,
    access::Guard,
    identity::{Claims, Role, Signer},
};
use prost::Message;
use serde_json::{Value, json};
use tonic::{Status, server::NamedService, service::Routes};
use tower::{Service, ServiceExt};

/// What a service was sent.
#[derive(Debug, Clone)]
pub struct Call {
    /// `/boxoffice.v1.EventService/GetEvent`.
    pub rpc: String,
    pub metadata: HeaderMap,
    pub message: Bytes,
}

impl Call {
    pub fn read<M: Message + Default>(&self) -> M {
        M::decode(self.message.clone()).unwrap()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.metadata.get(name).map(|value| value.to_str().unwrap())
    }
}

/// What a service answers.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    pub metadata: Vec<(&'static str, String)>,
    pub message: Vec<u8>,
}

impl Reply {
    pub fn of(message: &impl Message) -> Self {
        Self { metadata: Vec::new(), message: message.encode_to_vec() }
    }

    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.metadata.push((name, value.to_owned()));
        self
    }
}

type Answers =
    Arc<dyn Fn(&Call) -> Pin<Box<dyn Future<Output = Result<Reply, Status>> + Send>> + Send + Sync>;

#[derive(Clone)]
struct Fake {
    answers: Answers,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl Fake {
    async fn answer(self, request: Request<tonic::body::Body>) -> Response<tonic::body::Body> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let message = body.slice(5..);
        let call = Call { rpc: head.uri.path().to_owned(), metadata: head.headers, message };
        self.calls.lock().unwrap().push(call.clone());
        let reply = match (self.answers)(&call).await {
            Ok(reply) => reply,
            Err(status) => return status.into_http(),
        };
        let mut framed = BytesMut::new();
        framed.put_u8(0);
        framed.put_u32(u32::try_from(reply.message.len()).unwrap());
        framed.put_slice(&reply.message);
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from_static("0"));
        let body = Full::new(framed.freeze()).with_trailers(ready(Some(Ok::<_, Infallible>(trailers))));
        let mut response = Response::new(tonic::body::Body::new(body.map_err(|never| match never {})));
        response.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
        for (name, value) in reply.metadata {
            response.headers_mut().append(name, HeaderValue::try_from(value).unwrap());
        }
        response
    }
}

macro_rules! fakes {
    ($($name:ident = $service:literal),*) => {
        $(
            #[derive(Clone)]
            struct $name(Fake);

            impl NamedService for $name {
                const NAME: &'static str = $service;
            }

            impl Service<Request<tonic::body::Body>> for $name {
                type Response = Response<tonic::body::Body>;
                type Error = Infallible;
                type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

                fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
                    Poll::Ready(Ok(()))
                }

                fn call(&mut self, request: Request<tonic::body::Body>) -> Self::Future {
                    let fake = self.0.clone();
                    Box::pin(async move { Ok(fake.answer(request).await) })
                }
            }
        )*
        const SERVICES: &[&str] = &[$($service),*];

        fn routes(fake: &Fake) -> Routes {
            let mut routes = Routes::default();
            $(routes = routes.add_service($name(fake.clone()));)*
            routes
        }
    };
}

fakes!(
    FakeUser = "boxoffice.v1.UserService",
    FakeEvent = "boxoffice.v1.EventService",
    FakeTicket = "boxoffice.v1.TicketService",
    FakeFeedback = "boxoffice.v1.FeedbackService"
);

/// The user of [`Fixture::token`].
pub const ADA: &str = "00000000-0000-0000-0000-00000000000a";

struct Parts(Vec<Part>);

#[async_trait::async_trait]
impl Readiness for Parts {
    async fn parts(&self) -> Vec<Part> {
        self.0.clone()
    }
}

pub struct Fixture {
    pub gateway: gateway::Gateway,
    pub calls: Arc<Mutex<Vec<Call>>>,
    signer: Signer,
    environment: Environment,
}

/// An answer of the gateway, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {:?}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.to_vec()).unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Checks that this is a problem with this code, and gives it.
    pub fn problem(&self, status: u16, code: &str) -> Value {
        let json = self.json();
        assert_eq!((self.status.as_u16(), json["code"].as_str()), (status, Some(code)), "{json}");
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(json["status"], status);
        assert_eq!(json["type"], format!("/docs/errors/{code}"));
        assert_eq!(json["trace_id"].as_str().unwrap().len(), 32);
        assert!(!json["title"].as_str().unwrap().is_empty() && !json["detail"].as_str().unwrap().is_empty());
        assert!(json["instance"].as_str().unwrap().starts_with('/'));
        assert!(!self.header("x-request-id").is_empty());
        json
    }

    /// Checks that this is a problem of one field, and gives the reason.
    pub fn field_problem(&self, field: &str) -> String {
        let json = self.problem(400, "bad_input");
        assert_eq!(json["errors"][0]["field"], field, "{json}");
        json["errors"][0]["reason"].as_str().unwrap().to_owned()
    }
}

impl Fixture {
    /// Every call gets the same answer.
    pub fn answering(answer: Result<Reply, Status>) -> Self {
        Self::new(move |_| Box::pin(ready(answer.clone())), Options::default(), Vec::new())
    }

    /// Every call gets an empty message.
    pub fn quiet() -> Self {
        Self::answering(Ok(Reply::default()))
    }

    pub fn new<F>(answers: F, options: Options, parts: Vec<Part>) -> Self
    where
        F: Fn(&Call) -> Pin<Box<dyn Future<Output = Result<Reply, Status>> + Send>> + Send + Sync + 'static,
    {
        let environment = Environment::system();
        let signer = Signer::from_pkcs8(&Signer::generate().unwrap()).unwrap();
        let guard = Guard::new(signer.verifier(), environment.clone());
        let calls = Arc::new(Mutex::new(Vec::new()));
        let fake = Fake { answers: Arc::new(answers), calls: Arc::clone(&calls) };
        let transport = Transport::local(guard.protect(routes(&fake)));
        let upstreams: BTreeMap<_, _> =
            SERVICES.iter().map(|name| ((*name).to_owned(), transport.clone())).collect();
        let extra = Arc::new(|| "# TYPE extra gauge\nextra 7\n# EOF\n".to_owned());
        let readiness = Arc::new(Parts(parts));
        let gateway = Gateway::new(upstreams, guard, environment.clone(), readiness, options, extra).unwrap();
        Self { gateway, calls, signer, environment }
    }

    /// Ada's token, made some seconds ago.
    pub fn token(&self, age_seconds: i64, roles: &[Role]) -> String {
        let claims = json!({
            "iss": "", "aud": "", "sub": ADA, "iat": 0, "nbf": 0, "exp": 0, "jti": ADA, "roles": [],
        });
        let claims: Claims = serde_json::from_value(claims).unwrap();
        let made_at = self.environment.now().plus_seconds(-age_seconds);
        format!("Bearer {}", self.signer.sign(claims.sub, roles, claims.jti, made_at).unwrap())
    }

    pub fn last_call(&self) -> Call {
        self.calls.lock().unwrap().last().expect("a service was called").clone()
    }

    pub fn was_called(&self) -> bool {
        !self.calls.lock().unwrap().is_empty()
    }

    /// As Ada.
    pub async fn send(&self, method: &str, uri: &str, body: &str) -> Answer {
        self.send_with(method, uri, &[], body).await
    }

    /// As Ada, with more headers; a body is JSON unless they say otherwise.
    pub async fn send_with(&self, method: &str, uri: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let token = self.token(0, &[Role::User]);
        let mut all = vec![("authorization", token.as_str())];
        if !body.is_empty() && !headers.iter().any(|(name, _)| *name == "content-type") {
            all.push(("content-type", "application/json"));
        }
        all.extend_from_slice(headers);
        self.raw(method, uri, &all, Body::from(body.to_owned())).await
    }

    /// As nobody.
    pub async fn anonymous(&self, method: &str, uri: &str, headers: &[(&str, &str)]) -> Answer {
        self.raw(method, uri, headers, Body::empty()).await
    }

    pub async fn raw(&self, method: &str, uri: &str, headers: &[(&str, &str)], body: Body) -> Answer {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.gateway.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status: head.status, headers: head.headers, body }
    }
}

/// An answer that is ready.
pub fn now(answer: Result<Reply, Status>) -> Pin<Box<dyn Future<Output = Result<Reply, Status>> + Send>> {
    let answer: Ready<_> = ready(answer);
    Box::pin(answer)
}
