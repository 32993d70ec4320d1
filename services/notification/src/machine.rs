//! The notification service as a machine: facts queue mails, and the courier says what became of them.

use std::sync::Arc;

use async_trait::async_trait;
use bus::Fact;
use domain::{
    BookingId, Refusal, Time, UserId,
    facts::{EventUpserted, Published, UserErased, UserUpserted},
    notification::{Kind, Notification, Occasion, Outcome, Recipient, Status},
    planted::{Defect, planted},
};
use kit::{Machine, View};
use serde::{Deserialize, Serialize};
use store::{Change, Condition, Cursor, Key, MAX_PAGE, Query, Row, Store, StoreError, Value};
use tokio::sync::Notify;

use crate::rows::{NotificationRow, event_key, notification_key, user_key};

/// What can be asked of the service.
#[derive(Debug, Clone)]
pub enum Command {
    /// Something happened that a user is told.
    Tell(Box<Notification>),
    /// A user changed.
    User(UserUpserted),
    /// A user is gone.
    Erased(UserErased),
    /// An event changed.
    Event(EventUpserted),
    /// A mail is about to be sent: nobody else tries it meanwhile.
    BeginTry {
        /// About which booking.
        booking_id: BookingId,
        /// What about.
        kind: Kind,
    },
    /// What became of a try.
    EndTry {
        /// About which booking.
        booking_id: BookingId,
        /// What about.
        kind: Kind,
        /// The number of the try.
        this_try: u32,
        /// What became of it.
        outcome: Outcome,
    },
}

/// What it answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// It is noted, or was before.
    Noted,
    /// The try with this number may begin.
    Begin(u32),
    /// Somebody else tries, or there is nothing to send any more.
    NotDue,
}

/// The behaviour of the notification service.
pub struct NotificationMachine {
    wake: Arc<Notify>,
}

impl NotificationMachine {
    /// A machine that wakes nobody but those who ask for [`NotificationMachine::wake`].
    #[must_use]
    pub fn new() -> Self {
        Self { wake: Arc::new(Notify::new()) }
    }

    /// Told whenever a fresh mail is queued.
    #[must_use]
    pub fn wake(&self) -> Arc<Notify> {
        Arc::clone(&self.wake)
    }
}

impl Default for NotificationMachine {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Machine for NotificationMachine {
    type Row = NotificationRow;
    type Command = Command;
    type Reply = Reply;

    fn keys(&self, command: &Command) -> Vec<Key> {
        match command {
            Command::Tell(notification) => vec![
                notification_key(notification.booking_id, notification.kind),
                user_key(notification.user_id),
            ],
            Command::User(fact) => vec![user_key(fact.user_id)],
            Command::Erased(fact) => vec![user_key(fact.user_id)],
            Command::Event(fact) => vec![event_key(fact.event_id)],
            Command::BeginTry { booking_id, kind } | Command::EndTry { booking_id, kind, .. } => {
                vec![notification_key(*booking_id, *kind)]
            }
        }
    }

    fn makes(&self, command: &Command) -> Option<Key> {
        match command {
            Command::Tell(notification) => Some(notification_key(notification.booking_id, notification.kind)),
            _ => None,
        }
    }

    fn searches(&self, command: &Command) -> bool {
        matches!(command, Command::Erased(_))
    }

    async fn search(
        &self,
        store: &dyn Store<NotificationRow>,
        command: &Command,
    ) -> Result<Vec<Key>, StoreError> {
        match command {
            Command::Erased(fact) => notifications_of(store, fact.user_id).await,
            _ => Ok(Vec::new()),
        }
    }

    fn decide(
        &self,
        view: &mut View<NotificationRow>,
        command: &Command,
        now: Time,
    ) -> Result<Reply, Refusal> {
        match command {
            Command::Tell(notification) => tell(view, notification),
            Command::User(fact) => {
                let known = view.get(&user_key(fact.user_id)).and_then(NotificationRow::as_user);
                if let Some(user) = Recipient::upserted(known, fact) {
                    view.put(user);
                }
            }
            Command::Erased(fact) => erase(view, fact.user_id),
            Command::Event(fact) => {
                let known = view.get(&event_key(fact.event_id)).and_then(NotificationRow::as_event);
                if known.is_none_or(|known| known.version < fact.version) {
                    view.put(Occasion::from(fact));
                }
            }
            Command::BeginTry { booking_id, kind } => {
                let known = view.get(&notification_key(*booking_id, *kind));
                let begun = known.and_then(NotificationRow::as_notification).and_then(|n| n.begin_try(now));
                let Some(begun) = begun else { return Ok(Reply::NotDue) };
                let this_try = begun.tries;
                view.put(begun);
                return Ok(Reply::Begin(this_try));
            }
            Command::EndTry { booking_id, kind, this_try, outcome } => {
                let known = view.get(&notification_key(*booking_id, *kind));
                let known = known.and_then(NotificationRow::as_notification);
                // It is gone when the user was erased while the mail was on its way.
                if let Some(ended) = known.and_then(|n| n.end_try(*this_try, outcome, now)) {
                    view.put(ended);
                }
            }
        }
        Ok(Reply::Noted)
    }

    fn hear(&self, fact: &Published) -> Option<Command> {
        match fact {
            Published::SeatsSold(fact) => Some(Command::Tell(Box::new(Notification::of_sale(fact)))),
            Published::SeatsRefused(_) if planted(Defect::RefusalNotTold) => None,
            Published::SeatsRefused(fact) => Some(Command::Tell(Box::new(Notification::of_refusal(fact)))),
            Published::SeatsReleased(fact) => {
                Notification::of_release(fact).map(|notification| Command::Tell(Box::new(notification)))
            }
            Published::UserUpserted(fact) => Some(Command::User(fact.clone())),
            Published::UserErased(fact) => Some(Command::Erased(fact.clone())),
            Published::EventUpserted(fact) => Some(Command::Event(fact.clone())),
            _ => None,
        }
    }

    fn hear_fact(&self, published: &Published, fact: &Fact) -> Option<Command> {
        let mut command = self.hear(published)?;
        if let Command::Tell(notification) = &mut command {
            notification.traceparent.clone_from(&fact.traceparent);
        }
        Some(command)
    }

    fn committed(&self, changes: &[Change<NotificationRow>]) {
        let is_fresh =
            |notification: &Notification| notification.status == Status::Queued && notification.tries == 0;
        let rows = changes.iter().filter_map(|change| change.row.as_deref());
        if rows.filter_map(NotificationRow::as_notification).any(is_fresh) {
            self.wake.notify_one();
        }
    }
}

/// Queues a mail, once, and for nobody who is gone.
fn tell(view: &mut View<NotificationRow>, notification: &Notification) {
    let user = view.get(&user_key(notification.user_id)).and_then(NotificationRow::as_user);
    let is_erased = user.is_some_and(|user| user.is_erased);
    let is_known = view.get(&notification_key(notification.booking_id, notification.kind)).is_some();
    let is_known = is_known && !planted(Defect::ToldAgain);
    let is_erased = is_erased && !planted(Defect::ErasedTold);
    if !is_erased && !is_known {
        view.put(notification.clone());
    }
}

/// Takes away everything of a user but the mark that they are gone.
fn erase(view: &mut View<NotificationRow>, user_id: UserId) {
    let theirs: Vec<Key> = view
        .table("notification")
        .filter_map(NotificationRow::as_notification)
        .filter(|notification| notification.user_id == user_id)
        .map(|notification| notification_key(notification.booking_id, notification.kind))
        .collect();
    for key in theirs {
        view.remove(key);
    }
    let mark = NotificationRow::User(Recipient::erased(user_id));
    if view.get(&mark.key()) != Some(&mark) {
        view.put(mark);
    }
}

async fn notifications_of(
    store: &dyn Store<NotificationRow>,
    user_id: UserId,
) -> Result<Vec<Key>, StoreError> {
    let condition = Condition::Is("user_id", Value::Text(user_id.to_string()));
    let mut query = Query::all("notification").filter(condition);
    let mut keys: Vec<Key> = Vec::new();
    loop {
        let page = store.query(&query).await?;
        keys.extend(page.iter().map(|versioned| versioned.row.key()));
        match keys.last() {
            Some(last) if page.len() == MAX_PAGE => {
                query = query.after(Some(Cursor { value: Value::Null, id: last.id.to_string() }));
            }
            _ => return Ok(keys),
        }
    }
}
