//! Callers hold a client and cannot tell whether the service is in this process or elsewhere.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use http::{Request, Response};
use tonic::body::Body;
use tower::{Service, util::BoxCloneSyncService};

use crate::remote::Remote;

/// The largest message that a service accepts, in bytes.
pub const MAX_REQUEST_BYTES: usize = 256 * 1024;
/// The largest message that a client accepts, in bytes: a full page of events with long descriptions.
pub const MAX_RESPONSE_BYTES: usize = 16 * 1024 * 1024;

/// The rpcs of a service as they are served: what the generated `...Server` types are.
pub trait Rpcs:
    Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send + 'static>
    + Clone
    + Send
    + Sync
    + 'static
{
}

impl<S> Rpcs for S where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send + 'static>
        + Clone
        + Send
        + Sync
        + 'static
{
}

/// The way to a service: a call within the process, without a socket, or HTTP/2.
///
/// It is a tower service, so any generated client takes it: `TicketServiceClient::new(transport)`.
#[derive(Clone)]
pub enum Transport {
    /// The service runs in this process.
    Local(BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>),
    /// The service runs elsewhere.
    Remote(Remote),
}

impl Transport {
    /// The way to a service in this process.
    pub fn local(service: impl Rpcs) -> Self {
        Self::Local(BoxCloneSyncService::new(service))
    }
}

impl Service<Request<Body>> for Transport {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        match self {
            Self::Local(service) => service.poll_ready(context),
            Self::Remote(remote) => remote.poll_ready(context),
        }
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        match self {
            Self::Local(service) => service.call(request),
            Self::Remote(remote) => remote.call(request),
        }
    }
}
