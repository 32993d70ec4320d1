//! What is left of an event, again with each change.
//!
//! ```text
//!  commit --> Changes (a counter) --> each stream: wait, rest a moment, look, tell if the sequence is another
//! ```
//!
//! A stream tells what is, not what happened, so changes that come close together are told as one. Where other
//! processes write to the store too, it looks now and then.

use std::{pin::Pin, sync::Arc, time::Duration};

use domain::{EventId, Refusal};
use futures_util::{Stream, stream};
use kit::{Caller, Handle, ServiceError};
use proto::v1;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use crate::{
    convert::Eyes,
    machine::EventMachine,
    reading::{availability_of, eyes_of, view_of},
    service::{Answer, Events},
};

/// How many streams are open at the same time; more are refused.
const MAX_STREAMS: usize = 4_096;
/// The least time between two messages of a stream.
const REST: Duration = Duration::from_millis(500);
/// How often a stream looks by itself where other processes write too.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The messages of a stream.
pub(crate) type AvailabilityStream =
    Pin<Box<dyn Stream<Item = Result<v1::Availability, Status>> + Send + 'static>>;

/// Tells streams that figures changed. Which, they look up: most of the time nobody listens, and a commit only counts.
#[derive(Debug)]
pub(crate) struct Changes(watch::Sender<u64>);

impl Default for Changes {
    fn default() -> Self {
        Self(watch::Sender::new(0))
    }
}

impl Changes {
    /// Something was committed.
    pub(crate) fn tell(&self) {
        if self.0.receiver_count() > 0 {
            self.0.send_modify(|count| *count = count.wrapping_add(1));
        }
    }

    fn listen(&self) -> watch::Receiver<u64> {
        self.0.subscribe()
    }
}

/// The places for streams, and their end.
pub(crate) struct Streams {
    places: Arc<Semaphore>,
    shutdown: CancellationToken,
}

impl Streams {
    /// They end when the service stops.
    pub(crate) fn new(shutdown: CancellationToken) -> Self {
        Self { places: Arc::new(Semaphore::new(MAX_STREAMS)), shutdown }
    }
}

impl Events {
    pub(crate) async fn watch_availability(
        &self,
        request: Request<v1::StreamAvailabilityRequest>,
    ) -> Answer<AvailabilityStream> {
        let caller = Caller::of(&request);
        let full =
            |_| ServiceError::unavailable("unavailable", "too many streams are open; try again in a moment");
        let place = Arc::clone(&self.streams.places).try_acquire_owned().map_err(full)?;
        // Heard before it is looked: no change in between is missed.
        let changes = self.handle.machine().changes().listen();
        let view = self.visible(&caller, &request.get_ref().event_id).await?;
        let watcher = Watcher {
            handle: self.handle.clone(),
            event_id: view.event.id,
            eyes: eyes_of(&caller, &view.event),
            told: request.get_ref().after_sequence,
            looks: !self.handle.store().is_sole_writer(),
            changes,
            shutdown: self.streams.shutdown.clone(),
            is_first: true,
            _place: place,
        };
        let messages = stream::unfold(Some(watcher), |watcher| async move {
            let mut watcher = watcher?;
            match watcher.next().await {
                Ok(Some(message)) => Some((Ok(message), Some(watcher))),
                Ok(None) => None,
                Err(error) => Some((Err(Status::from(error)), None)),
            }
        });
        Ok(Response::new(Box::pin(messages)))
    }
}

struct Watcher {
    handle: Handle<EventMachine>,
    event_id: EventId,
    eyes: Eyes,
    /// The sequence that the other side knows.
    told: Option<i64>,
    /// Others write too.
    looks: bool,
    changes: watch::Receiver<u64>,
    shutdown: CancellationToken,
    is_first: bool,
    _place: OwnedSemaphorePermit,
}

impl Watcher {
    /// What is told next; none when the service stops.
    async fn next(&mut self) -> Result<Option<v1::Availability>, ServiceError> {
        loop {
            if !std::mem::take(&mut self.is_first) && !self.wait().await {
                return Ok(None);
            }
            self.changes.mark_unchanged();
            let view = view_of(&self.handle, self.event_id).await?;
            let view = view.ok_or_else(|| Refusal::not_found("event"))?;
            let now = availability_of(&view, self.eyes);
            if self.told != Some(now.sequence) {
                self.told = Some(now.sequence);
                return Ok(Some(now));
            }
        }
    }

    /// Until something changed, at least for a moment; false when the service stops.
    async fn wait(&mut self) -> bool {
        let changed = async {
            tokio::time::sleep(REST).await;
            tokio::select! {
                changed = self.changes.changed() => changed.is_ok(),
                () = tokio::time::sleep(LOOK_EVERY), if self.looks => true,
            }
        };
        tokio::select! {
            changed = changed => changed,
            () = self.shutdown.cancelled() => false,
        }
    }
}
