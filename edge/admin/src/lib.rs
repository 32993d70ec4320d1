//! Kong's Admin API over the gateway's configuration: the part that `curl`, decK and the ordinary tools use.
//!
//! ```text
//!   request --> door (token, or this machine) --> body (JSON or form) --> kong::Config decides --> store
//!                                                                                                    |
//!   the gateway's next snapshot <------------------- the configuration in memory <------------------+
//! ```
//!
//! A change is stored before it is answered, and served from then on; other nodes on the same store see it within a
//! second ([`State::watch_others`]). Paths are read in one place (`paths.rs`), and one set of calls serves all kinds
//! (`calls.rs`), because what a kind is is data ([`kong::entity`]).

mod answer;
mod body;
mod calls;
mod door;
mod file;
mod info;
mod list;
mod paths;
mod rows;
mod state;

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::Request,
    response::Response,
};
use http::{HeaderName, HeaderValue, Method};
use kong::TargetsHealth;
use tower::Service;

pub use rows::GatewayRow;
pub use state::{ChangeError, Serve, State};

use crate::{answer::Failure, door::Door, paths::Call};

/// The version of Kong whose Admin API this is.
pub const KONG_VERSION: &str = "3.9.0";

/// The figures of a process, as OpenMetrics text.
pub type Figures = Arc<dyn Fn() -> String + Send + Sync>;

/// What the Admin API is made of.
pub(crate) struct Shared {
    /// The configuration.
    pub state: Arc<State>,
    /// How targets are.
    pub health: Arc<dyn TargetsHealth>,
    /// The figures of this process, as OpenMetrics text.
    pub figures: Figures,
    /// The id of this node.
    pub node: uuid::Uuid,
    door: Door,
}

/// The Admin API as a tower service. Copies share all of it.
#[derive(Clone)]
pub struct Admin {
    shared: Arc<Shared>,
}

impl Admin {
    /// The Admin API of a configuration. Without a token it answers programs on this machine only, so it must not
    /// listen elsewhere then.
    #[must_use]
    pub fn new(
        state: Arc<State>,
        health: Arc<dyn TargetsHealth>,
        figures: Figures,
        token: Option<String>,
    ) -> Self {
        let node = state.given().id;
        Self { shared: Arc::new(Shared { state, health, figures, node, door: Door::new(token) }) }
    }
}

impl<B> Service<http::Request<B>> for Admin
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let (shared, request) = (Arc::clone(&self.shared), request.map(Body::new));
        Box::pin(async move {
            let is_head = request.method() == Method::HEAD;
            let mut response = answer(&shared, request).await.unwrap_or_else(Failure::into_response);
            if is_head {
                *response.body_mut() = Body::empty();
            }
            let headers = response.headers_mut();
            headers.insert(http::header::SERVER, HeaderValue::from_static("boxoffice"));
            headers.insert(
                HeaderName::from_static("x-content-type-options"),
                HeaderValue::from_static("nosniff"),
            );
            headers.insert(http::header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            Ok(response)
        })
    }
}

async fn answer(shared: &Shared, request: Request) -> Result<Response, Failure> {
    let (head, body) = request.into_parts();
    shared.door.admit(&head.headers)?;
    let call = Call::of(&shared.state.config(), head.uri.path())?;
    let query = head.uri.query().unwrap_or_default().to_owned();
    let is_file = matches!(call, Call::Config);
    let sent = body::read(&head.headers, body, is_file).await?;
    calls::carry_out(shared, &head.method, call, &query, sent).await
}
