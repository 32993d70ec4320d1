//! The pages: storefront, organiser, door and admin, rendered on the server. They are complete without JavaScript.
//!
//! ```text
//!  request --> Visit (session, language) --> handler --> services (gRPC, in process or HTTP/2)
//!                                               |
//!  answer  <-- safety headers, cookie <-- Page (typed) or Failure, which becomes a page
//! ```
//!
//! | file | what is there |
//! | --- | --- |
//! | `urls.rs` | every address, as a type: `urls::Event { event_id }` is linked, `urls::Event::ROUTE` is routed |
//! | `visit.rs` | one request: who it is, `visit.request(message)` in their name, `visit.ask(call)` |
//! | `view.rs` | what pages are rendered with; the trait `Page`; notices after a form |
//! | `layout.rs`, `components.rs` | what is around a page, and what it is made of |
//! | `form.rs` | `Form`, which checks the token of the form; `Errors` by field |
//! | `failure.rs`, `pages/error.rs` | what a handler answers instead of a page, and the page that it becomes |
//! | `session.rs` | the sealed cookie; `session/exchange.rs` renews tokens once for many requests |
//! | `headers.rs` | safety headers, and whether a form comes from here |
//! | `i18n.rs`, `format.rs`, `locales/` | texts in all languages; numbers, money and time |
//! | `assets.rs`, `assets/` | styles and scripts under names with their hash |
//! | `pages/` | the pages: how to add one is said in `pages/mod.rs` |
//!
//! A handler, from end to end:
//!
//! ```text
//! async fn show(visit: Visit, Path(event_id): Path<String>) -> Answer {
//!     visit.person()?;                                                   // only for who is signed in
//!     let request = visit.request(GetEventRequest { event_id });
//!     let event = visit.ask(visit.services().event().get_event(request)).await?;
//!     visit.view().show(&EditPage { event })
//! }
//!
//! async fn save(visit: Visit, Path(event_id): Path<String>, Form(form): Form) -> Answer {
//!     // A form with a mistake is shown again with `view.show_with(StatusCode::UNPROCESSABLE_ENTITY, &page)`, its
//!     // `Errors` and what was typed; one that was carried out leads on, so that reloading repeats nothing:
//!     Ok(see_other(urls::Event { event_id: &event_id }, Some(Notice::Rated)))
//! }
//! ```

mod assets;
mod components;
mod cookies;
mod failure;
mod form;
mod format;
mod headers;
mod i18n;
mod layout;
pub mod limits;
mod markdown;
mod pages;
mod poster;
mod public_url;
mod refusals;
mod services;
mod session;
mod site;
mod urls;
mod view;
mod visit;

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    Router,
    body::{Body, Bytes, HttpBody},
    response::Response,
};
use kit::Environment;
use tokio::sync::Semaphore;
use tower::Service;

pub use public_url::{BadPublicUrl, PublicUrl};
pub use services::Upstreams;
pub use session::{SESSION_KEY_BYTES, SessionKey};

use cookies::Secure;
use pages::events::FacetCache;
use services::Services;
use session::{Exchanges, Sealer};

/// What a deployment may choose.
#[derive(Debug, Clone)]
pub struct Options {
    /// The key that sessions are sealed with. All replicas have the same.
    pub session_key: SessionKey,
    /// Where people reach the pages. Without it, links that must be whole name the host that the browser named, and
    /// cookies travel without TLS too.
    pub public_url: Option<PublicUrl>,
    /// How many requests are carried out at the same time; more are refused with 503.
    pub max_concurrent_requests: usize,
}

impl Options {
    /// With a key, and the rest as is usual.
    #[must_use]
    pub fn new(session_key: SessionKey) -> Self {
        let max_concurrent_requests = limits::MAX_CONCURRENT_REQUESTS;
        Self { session_key, public_url: None, max_concurrent_requests }
    }
}

/// All that requests share.
pub(crate) struct Shared {
    services: Services,
    environment: Environment,
    options: Options,
    sealer: Sealer,
    exchanges: Exchanges,
    facets: FacetCache,
    permits: Semaphore,
}

impl Shared {
    /// Whether cookies are for TLS only.
    fn secure(&self) -> Secure {
        let is_secure = self.options.public_url.as_ref().is_some_and(PublicUrl::is_secure);
        if is_secure { Secure::Yes } else { Secure::No }
    }
}

/// The pages: a tower service that answers every request. Copies share all of it.
#[derive(Clone)]
pub struct Web {
    shared: Arc<Shared>,
    router: Router,
}

impl Web {
    /// The pages over these services.
    #[must_use]
    pub fn new(upstreams: &Upstreams, environment: Environment, options: Options) -> Self {
        let shared = Shared {
            services: Services::new(upstreams),
            environment,
            sealer: Sealer::new(&options.session_key),
            exchanges: Exchanges::new(),
            facets: FacetCache::default(),
            permits: Semaphore::new(options.max_concurrent_requests.min(Semaphore::MAX_PERMITS)),
            options,
        };
        Self { shared: Arc::new(shared), router: pages::router() }
    }

    /// Whether a path is one of the pages', where they are served beside the REST surface.
    #[must_use]
    pub fn has(path: &str) -> bool {
        let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
        urls::FIRST_SEGMENTS.contains(&first)
    }
}

impl<B> Service<http::Request<B>> for Web
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
        Box::pin(site::answer(Arc::clone(&self.shared), self.router.clone(), request.map(Body::new)))
    }
}
