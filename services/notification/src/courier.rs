//! The courier: takes the mails that are due, hands them to the mailer, and notes what became of them.
//!
//! A mail is sent at least once: a crash between the sending and the note sends it again, after
//! [`TRY_SECONDS`] and with the same message id.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use domain::notification::{MailError, Mailer, Notification, Outcome, TRY_SECONDS};
use futures_util::future::join_all;
use kit::{
    Item, Pipeline, Request,
    pipeline::{Done, NotDone},
    trace::{SpanKind, trace_id_of},
};
use store::{Key, Row, StoreError};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::{
    figures::{self, Figures},
    machine::{Command, NotificationMachine, Reply},
    render::Renderer,
    rows::{NotificationRow, event_key, user_key},
};

/// How often it looks for mails that are due, if nobody wakes it.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// The most mails that are on their way at once.
const MAX_BATCH: usize = 100;
/// The shortest pause between full batches.
const BREATH: Duration = Duration::from_millis(250);
/// Between full batches it rests so many times as long as the last one took: in a sale, when everything
/// takes longer, mail leaves the machine to the bookings.
const REST: u32 = 9;
/// The longest pause between full batches.
const MAX_BREATH: Duration = Duration::from_secs(5);
/// How long a mailer may take over one mail.
const SEND_TIMEOUT: Duration = Duration::from_secs(120);
// Who still sends is never taken for dead.
const _: () = assert!(SEND_TIMEOUT.as_secs() < TRY_SECONDS.unsigned_abs());
/// How long a stop waits for mails that are on their way; one that is cut off is sent again later.
const STOP_GRACE: Duration = Duration::from_secs(10);
/// The pause after the store could not be reached.
const STORE_PAUSE: Duration = Duration::from_secs(2);

/// Sends what is due. It commits beside the service's queue, so that what it has sent is noted even
/// while the service stops.
pub struct Courier {
    pipeline: Pipeline<NotificationMachine>,
    mailer: Arc<dyn Mailer>,
    renderer: Option<Renderer>,
    figures: Arc<Figures>,
}

impl Courier {
    /// A courier that hands the mails of a pipeline's store to a mailer.
    #[must_use]
    pub fn new(
        pipeline: Pipeline<NotificationMachine>,
        mailer: Arc<dyn Mailer>,
        figures: Arc<Figures>,
    ) -> Self {
        let renderer = Renderer::new();
        if let Err(error) = &renderer {
            tracing::error!(%error, "the mail templates cannot be read: no mail is sent");
        }
        Self { pipeline, mailer, renderer: renderer.ok(), figures }
    }

    /// Runs until told to stop; mails that are on their way are finished, if that is soon.
    pub(crate) async fn run(self, shutdown: CancellationToken) {
        let wake = self.pipeline.machine().wake();
        while !shutdown.is_cancelled() {
            let began = Instant::now();
            let sent = tokio::select! {
                sent = self.step() => sent,
                () = end_of_grace(&shutdown) => return,
            };
            let pause = match sent {
                Ok(sent) if sent == MAX_BATCH => {
                    tokio::time::sleep((began.elapsed() * REST).clamp(BREATH, MAX_BREATH)).await;
                    continue;
                }
                Ok(_) => LOOK_EVERY,
                Err(error) => {
                    tracing::warn!(%error, "the mails that are due could not be read");
                    STORE_PAUSE
                }
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = wake.notified() => {}
                () = shutdown.cancelled() => return,
            }
        }
    }

    /// Tries the mails that are due, up to 100; how many tries that were.
    ///
    /// # Errors
    /// When the store cannot be read. Nothing was sent then.
    pub async fn step(&self) -> Result<usize, StoreError> {
        let due = self.due().await?;
        if due.is_empty() {
            return Ok(0);
        }
        let begin = |n: &Notification| Command::BeginTry { booking_id: n.booking_id, kind: n.kind };
        let begun = self.commit(due.iter().map(begin)).await;
        let mine: Vec<(&Notification, u32)> = due
            .iter()
            .zip(begun)
            .filter_map(|(notification, reply)| match reply {
                Some(Reply::Begin(this_try)) => Some((notification, this_try)),
                _ => None,
            })
            .collect();
        let known = self.recipients_and_events(&mine).await;
        let known = &known;
        let tries = mine.iter().map(|&(notification, this_try)| async move {
            let outcome = match known {
                Ok(known) => self.try_traced(notification, known).await,
                Err(_) => later("store_unavailable"),
            };
            self.figures.tried(&outcome);
            let (booking_id, kind) = (notification.booking_id, notification.kind);
            Command::EndTry { booking_id, kind, this_try, outcome }
        });
        let ended = join_all(tries).await;
        self.commit(ended.into_iter()).await;
        Ok(mine.len())
    }

    async fn due(&self) -> Result<Vec<Notification>, StoreError> {
        let now = self.pipeline.environment().now();
        let found = self.pipeline.store().query(&figures::due(now, MAX_BATCH)).await?;
        Ok(found.iter().filter_map(|versioned| versioned.row.as_notification()).cloned().collect())
    }

    /// Commits commands together; `None` for those that were not committed, which the next look finds.
    async fn commit(&self, commands: impl Iterator<Item = Command>) -> Vec<Option<Reply>> {
        let request = |command| Item::Request(Request { command, idempotency: None, traceparent: None });
        let items: Vec<Item<Command>> = commands.map(request).collect();
        if items.is_empty() {
            return Vec::new();
        }
        let outcomes = self.pipeline.run(&items).await;
        outcomes.into_iter().map(reply).collect()
    }

    /// As [`Courier::try_one`]; the log and the trace of the request that led to it show the try.
    async fn try_traced(
        &self,
        notification: &Notification,
        known: &BTreeMap<Key, NotificationRow>,
    ) -> Outcome {
        let environment = self.pipeline.environment();
        let traceparent = notification.traceparent.as_deref();
        let span = environment.child_of(traceparent);
        let logged = tracing::error_span!("mail", trace_id = trace_id_of(traceparent));
        let outcome = self.try_one(notification, known).instrument(logged).await;
        if let Some(span) = span {
            let name = format!("mail {}", notification.kind.name());
            let tries = ("boxoffice.mail.tries", i64::from(notification.tries + 1).into());
            let failure = (!matches!(outcome, Outcome::Sent { .. })).then_some("not sent");
            span.end(environment, SpanKind::Client, NotificationRow::SERVICE, name, failure, vec![tries]);
        }
        outcome
    }

    /// Sends one mail. The recipient was read after the try began: who was erased gets none.
    async fn try_one(&self, notification: &Notification, known: &BTreeMap<Key, NotificationRow>) -> Outcome {
        let recipient = known.get(&user_key(notification.user_id)).and_then(NotificationRow::as_user);
        let event = known.get(&event_key(notification.event_id)).and_then(NotificationRow::as_event);
        let Some(recipient) = recipient else { return later("user_unknown") };
        if recipient.is_erased {
            return Outcome::Never { why: "user_erased".to_owned() };
        }
        let Some(event) = event else { return later("event_unknown") };
        let Some(renderer) = &self.renderer else { return later("not_rendered") };
        let mail = match renderer.mail(notification, recipient, event) {
            Ok(mail) => mail,
            Err(error) => {
                tracing::error!(notification = notification.id(), %error, "a mail could not be rendered");
                return later("not_rendered");
            }
        };
        let subject = mail.subject.clone();
        let began = self.pipeline.environment().now();
        let sending = tokio::time::timeout(SEND_TIMEOUT, self.mailer.send(mail));
        let sent = sending.await.unwrap_or_else(|_| Err(MailError::Transient("it took too long".to_owned())));
        self.figures.handed_over(began);
        match sent {
            Ok(()) => Outcome::Sent { subject },
            Err(error) => {
                tracing::warn!(notification = notification.id(), %error, "a mail was not taken");
                match error {
                    MailError::Transient(_) => later("mail_not_taken_yet"),
                    MailError::Permanent(_) => Outcome::Never { why: "mail_refused".to_owned() },
                }
            }
        }
    }

    /// Whom the mails are for and what they are about, in one read.
    async fn recipients_and_events(
        &self,
        mine: &[(&Notification, u32)],
    ) -> Result<BTreeMap<Key, NotificationRow>, StoreError> {
        let of_one = |&(notification, _): &(&Notification, u32)| {
            [user_key(notification.user_id), event_key(notification.event_id)]
        };
        let keys: Vec<Key> = mine.iter().flat_map(of_one).collect::<BTreeSet<_>>().into_iter().collect();
        let loaded = self.pipeline.store().load(&keys, &[]).await?;
        let found = keys.into_iter().zip(loaded.rows);
        Ok(found.filter_map(|(key, versioned)| Some((key, versioned?.into_row()))).collect())
    }
}

/// Returns when a stop has waited long enough.
async fn end_of_grace(shutdown: &CancellationToken) {
    shutdown.cancelled().await;
    tokio::time::sleep(STOP_GRACE).await;
}

fn reply(outcome: Result<Done<Reply>, NotDone>) -> Option<Reply> {
    match outcome {
        Ok(Done::Answered { reply, .. }) => Some(reply),
        Ok(Done::Delivered(_)) => None,
        Err(why) => {
            tracing::warn!(?why, "the state of a mail could not be noted");
            None
        }
    }
}

fn later(why: &str) -> Outcome {
    Outcome::Later { why: why.to_owned() }
}
