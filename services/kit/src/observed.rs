//! In front of a service and its guard: each call is counted by its code and its duration.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use domain::Time;
use http::{HeaderMap, Request, Response};
use pin_project_lite::pin_project;
use tonic::{Code, body::Body};
use tower::Service;

use crate::{
    clock::Environment,
    metrics::{Metrics, RpcFigure, RpcFigures},
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

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let shared = Arc::clone(&self.observer.shared);
        let call = Call {
            figure: Arc::clone(shared.figures.at(request.uri().path())),
            began: shared.environment.now(),
            shared,
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
    code: Code,
}

impl Drop for Call {
    fn drop(&mut self) {
        self.figure.observe(self.code, self.shared.environment.seconds_since(self.began));
    }
}

/// The code of an answer: a service that fails says so in the headers, as it has nothing else to say.
fn code_of(headers: &HeaderMap) -> Code {
    headers.get(GRPC_STATUS).map_or(Code::Ok, |value| Code::from_bytes(value.as_bytes()))
}
