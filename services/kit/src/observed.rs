//! In front of a service and its guard: each call is counted by its code and its duration, and has a span where
//! spans are collected.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use domain::Time;
use http::{HeaderMap, HeaderValue, Request, Response};
use pin_project_lite::pin_project;
use tonic::{Code, body::Body};
use tower::Service;

use crate::{
    clock::Environment,
    metrics::{Metrics, RpcFigure, RpcFigures},
    request::TRACEPARENT,
    trace::{OpenSpan, SpanKind},
    transport::Rpcs,
};

/// Where a service says that a call failed, unless it has begun to answer.
const GRPC_STATUS: &str = "grpc-status";

/// Watches the rpcs of services. Cheap to clone.
#[derive(Clone)]
pub struct Observer {
    shared: Arc<Shared>,
}

struct Shared {
    figures: Arc<RpcFigures>,
    environment: Environment,
}

impl Observer {
    /// Counts in these figures.
    #[must_use]
    pub fn new(metrics: &Metrics, environment: Environment) -> Self {
        Self { shared: Arc::new(Shared { figures: Arc::clone(metrics.rpcs()), environment }) }
    }

    /// Puts itself in front of a service.
    pub fn watch<S: Rpcs>(&self, rpcs: S) -> Observed<S> {
        Observed { rpcs, observer: self.clone() }
    }
}

/// A service whose calls are counted.
#[derive(Clone)]
pub struct Observed<S> {
    rpcs: S,
    observer: Observer,
}

impl<S: Rpcs> Service<Request<Body>> for Observed<S> {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = ObservedCall<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.rpcs.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let shared = Arc::clone(&self.observer.shared);
        let span = begin_span(&shared.environment, request.headers_mut());
        let call = Call {
            figure: Arc::clone(shared.figures.at(request.uri().path())),
            began: shared.environment.now(),
            shared,
            span,
            // Until there is an answer: a call that is dropped before that was given up by its caller.
            code: Code::Cancelled,
        };
        ObservedCall { answer: self.rpcs.call(request), call: Some(call) }
    }
}

pin_project! {
    /// A call on its way.
    pub struct ObservedCall<F> {
        #[pin]
        answer: F,
        call: Option<Call>,
    }
}

impl<F> Future for ObservedCall<F>
where
    F: Future<Output = Result<Response<Body>, Infallible>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let answer = ready!(this.answer.poll(context));
        if let (Some(mut call), Ok(response)) = (this.call.take(), &answer) {
            call.code = code_of(response.headers());
        }
        Poll::Ready(answer)
    }
}

/// What is known of a call; counted when it is dropped.
struct Call {
    figure: Arc<RpcFigure>,
    began: Time,
    shared: Arc<Shared>,
    span: Option<OpenSpan>,
    code: Code,
}

impl Drop for Call {
    fn drop(&mut self) {
        let environment = &self.shared.environment;
        self.figure.observe(self.code, environment.seconds_since(self.began));
        if let Some(span) = self.span.take() {
            let attributes = vec![
                ("rpc.system", "grpc".into()),
                ("rpc.method", self.figure.rpc().into()),
                ("rpc.grpc.status_code", (self.code as i64).into()),
            ];
            let failure = is_fault(self.code).then_some("fault");
            let (service, name) = (self.figure.service(), self.figure.rpc());
            span.end(environment, SpanKind::Server, service, name, failure, attributes);
        }
    }
}

/// The code of an answer: a service that fails says so in the headers, as it has nothing else to say.
fn code_of(headers: &HeaderMap) -> Code {
    headers.get(GRPC_STATUS).map_or(Code::Ok, |value| Code::from_bytes(value.as_bytes()))
}

/// Begins the span of a call; what the service is told is that it works for this span.
fn begin_span(environment: &Environment, headers: &mut HeaderMap) -> Option<OpenSpan> {
    environment.spans()?;
    let traceparent = headers.get(TRACEPARENT).and_then(|value| value.to_str().ok());
    let span = environment.child_of(traceparent)?;
    let value = HeaderValue::try_from(span.context.traceparent()).ok()?;
    headers.insert(TRACEPARENT, value);
    Some(span)
}

/// Whether a code says that something is wrong with us.
fn is_fault(code: Code) -> bool {
    matches!(
        code,
        Code::Unknown
            | Code::DeadlineExceeded
            | Code::Unimplemented
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss
    )
}
