//! Bodies that pass through: each part must come in time, and whoever counts the call counts it until the end.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::BoxError;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep};

use crate::limits::CLIENT_PAUSE;

pin_project! {
    /// A body with a limit on how long each part may take. `K` is kept until its end.
    pub(super) struct Timely<B, K> {
        #[pin]
        body: B,
        limit: Duration,
        #[pin]
        sleep: Option<Sleep>,
        _kept: K,
    }
}

impl<B, K> Timely<B, K> {
    /// Puts the limit on a body.
    pub fn new(body: B, limit: Duration, kept: K) -> Self {
        Self { body, limit, sleep: None, _kept: kept }
    }
}

impl<B, K> Body for Timely<B, K>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let mut this = self.project();
        if let Poll::Ready(frame) = this.body.poll_frame(context) {
            this.sleep.set(None);
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        // Only who has to wait needs a clock.
        if this.sleep.is_none() {
            this.sleep.set(Some(tokio::time::sleep_until(Instant::now() + *this.limit)));
        }
        if let Some(sleep) = this.sleep.as_mut().as_pin_mut() {
            ready!(sleep.poll(context));
        }
        Poll::Ready(Some(Err("a part of the body did not come in time".into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Whether a client's body has failed: it broke off, or is not well-formed.
#[derive(Debug, Clone, Default)]
pub(crate) struct ClientFailure(Arc<AtomicBool>);

impl ClientFailure {
    /// Whether it has.
    pub fn is_there(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// A client's body on its way to an upstream, with the limit on its pauses. Whose fault a broken call is, is known by
/// the failure that it notes.
pub(super) fn of_client(body: axum::body::Body, failure: &ClientFailure) -> axum::body::Body {
    let failed = Arc::clone(&failure.0);
    let timely = Timely::new(body, CLIENT_PAUSE, ());
    axum::body::Body::new(timely.map_err(move |error| {
        failed.store(true, Ordering::Release);
        error
    }))
}

#[cfg(test)]
mod tests {
    use http_body_util::{Channel, Full};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_part_that_does_not_come_ends_the_body() {
        let (mut sender, body) = Channel::<Bytes>::new(4);
        let mut timely = Box::pin(Timely::new(body, Duration::from_secs(5), ()));
        sender.send_data(Bytes::from_static(b"a")).await.unwrap();
        assert!(timely.frame().await.unwrap().is_ok());
        let began = Instant::now();
        assert!(timely.frame().await.unwrap().is_err());
        assert_eq!(began.elapsed(), Duration::from_secs(5));
    }

    #[tokio::test]
    async fn a_body_says_its_length_as_before() {
        let timely = Timely::new(Full::new(Bytes::from_static(b"abc")), Duration::from_secs(1), ());
        assert_eq!(timely.size_hint().exact(), Some(3));
        assert_eq!(timely.collect().await.unwrap().to_bytes(), "abc");
    }
}
