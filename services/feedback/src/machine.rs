//! The feedback service as a machine: ratings asked for by requests, and proofs heard as facts.

use async_trait::async_trait;
use domain::{
    Refusal, Time, UserId,
    facts::{EventUpserted, Published, SeatsReleased, SeatsSold, UserErased},
    feedback::{self, FeedbackId, Holding, Rate, RatedEvent, Rating, Standing, Summary},
    planted::{Defect, planted},
};
use kit::{Machine, View};
use serde::{Deserialize, Serialize};
use store::{Condition, Cursor, Key, MAX_PAGE, Query, Row, Store, StoreError, Value};

use crate::rows::{Erased, FeedbackRow, erased_key, event_key, holding_key, rating_key, summary_key};

/// What can be asked of the service.
#[derive(Debug, Clone)]
pub enum Command {
    /// Somebody rates an event.
    Rate(Rate),
    /// A booking has its places for good.
    Sold(SeatsSold),
    /// A booking gave places back.
    Released(SeatsReleased),
    /// An event changed.
    Event(EventUpserted),
    /// A user is gone.
    Erased(UserErased),
}

/// What it answers. It is kept with the idempotency key, so it says nothing about the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// The rating was taken.
    Rated {
        /// Its public name.
        feedback_id: FeedbackId,
        /// When it was first given.
        created_at: Time,
        /// When it was last edited.
        updated_at: Time,
    },
    /// A fact was heard.
    Heard,
}

/// The behaviour of the feedback service.
pub struct FeedbackMachine;

#[async_trait]
impl Machine for FeedbackMachine {
    type Row = FeedbackRow;
    type Command = Command;
    type Reply = Reply;

    fn keys(&self, command: &Command) -> Vec<Key> {
        match command {
            Command::Rate(rate) => {
                let mut keys = vec![
                    event_key(rate.event_id),
                    summary_key(rate.event_id),
                    rating_key(rate.event_id, rate.user_id),
                ];
                keys.extend(rate.evidence.map(holding_key));
                keys
            }
            Command::Sold(fact) => vec![holding_key(fact.booking_id), erased_key(fact.user_id)],
            Command::Released(fact) => vec![holding_key(fact.booking_id), erased_key(fact.user_id)],
            Command::Event(fact) => vec![event_key(fact.event_id)],
            Command::Erased(fact) => vec![erased_key(fact.user_id)],
        }
    }

    fn makes(&self, command: &Command) -> Option<Key> {
        match command {
            Command::Sold(fact) => Some(holding_key(fact.booking_id)),
            _ => None,
        }
    }

    fn searches(&self, command: &Command) -> bool {
        matches!(command, Command::Erased(_))
    }

    async fn search(
        &self,
        store: &dyn Store<FeedbackRow>,
        command: &Command,
    ) -> Result<Vec<Key>, StoreError> {
        let Command::Erased(fact) = command else { return Ok(Vec::new()) };
        let mut keys = keys_of(store, "holding", fact.user_id).await?;
        for key in keys_of(store, "rating", fact.user_id).await? {
            keys.push(key);
        }
        Ok(keys)
    }

    fn decide(&self, view: &mut View<FeedbackRow>, command: &Command, now: Time) -> Result<Reply, Refusal> {
        match command {
            Command::Rate(rate) => return take_rating(view, rate, now),
            Command::Sold(fact) => {
                let unheard = Holding::unheard(fact.booking_id, fact.event_id, fact.user_id);
                let holding = known_holding(view, unheard);
                put_changed(view, nameless_if_erased(view, holding.after_sale(fact)));
            }
            Command::Released(fact) => {
                let unheard = Holding::unheard(fact.booking_id, fact.event_id, fact.user_id);
                let holding = known_holding(view, unheard);
                put_changed(view, nameless_if_erased(view, holding.after_release(fact)));
            }
            Command::Event(fact) => {
                let known = view.get(&event_key(fact.event_id)).and_then(FeedbackRow::as_event);
                if known.is_none_or(|known| known.version < fact.version) {
                    view.put(RatedEvent::from(fact));
                }
            }
            Command::Erased(fact) => erase(view, fact.user_id),
        }
        Ok(Reply::Heard)
    }

    fn hear(&self, fact: &Published) -> Option<Command> {
        match fact {
            Published::SeatsSold(fact) => Some(Command::Sold(fact.clone())),
            Published::SeatsReleased(fact) => Some(Command::Released(fact.clone())),
            Published::EventUpserted(fact) => Some(Command::Event(fact.clone())),
            Published::UserErased(fact) => Some(Command::Erased(fact.clone())),
            _ => None,
        }
    }
}

/// The rows of a table that name a user.
async fn keys_of(
    store: &dyn Store<FeedbackRow>,
    table: &'static str,
    user_id: UserId,
) -> Result<Vec<Key>, StoreError> {
    let condition = Condition::Is("user_id", Value::Text(user_id.to_string()));
    let mut query = Query::all(table).filter(condition);
    let mut keys = Vec::new();
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

fn take_rating(view: &mut View<FeedbackRow>, rate: &Rate, now: Time) -> Result<Reply, Refusal> {
    let empty = Summary::empty(rate.event_id);
    let holding = rate.evidence.and_then(|booking_id| view.get(&holding_key(booking_id)));
    let standing = Standing {
        event: view.get(&event_key(rate.event_id)).and_then(FeedbackRow::as_event),
        holding: holding.and_then(FeedbackRow::as_holding),
        rating: view.get(&rating_key(rate.event_id, rate.user_id)).and_then(FeedbackRow::as_rating),
        summary: view.get(&summary_key(rate.event_id)).and_then(FeedbackRow::as_summary).unwrap_or(&empty),
    };
    let rated = feedback::decide(standing, rate, now)?;
    let Rating { feedback_id, created_at, updated_at, .. } = rated.rating;
    view.put(rated.rating);
    view.put(rated.summary);
    view.publish(rated.fact);
    Ok(Reply::Rated { feedback_id, created_at, updated_at })
}

fn known_holding(view: &View<FeedbackRow>, unheard: Holding) -> Holding {
    let known = view.get(&holding_key(unheard.booking_id)).and_then(FeedbackRow::as_holding);
    known.cloned().unwrap_or(unheard)
}

/// A fact of a user who was erased meanwhile counts places, but no longer names them.
fn nameless_if_erased(view: &View<FeedbackRow>, holding: Holding) -> Holding {
    match holding.user_id {
        Some(_) if planted(Defect::ErasedNamedAgain) => holding,
        Some(user_id) if view.get(&erased_key(user_id)).is_some() => Holding { user_id: None, ..holding },
        _ => holding,
    }
}

/// Hearing a fact twice writes nothing.
fn put_changed(view: &mut View<FeedbackRow>, holding: Holding) {
    let row = FeedbackRow::Holding(holding);
    if view.get(&row.key()) != Some(&row) {
        view.put(row);
    }
}

/// Takes a user out of everything that names them.
fn erase(view: &mut View<FeedbackRow>, user_id: UserId) {
    let is_theirs = |named: Option<UserId>| named == Some(user_id);
    let ratings: Vec<Rating> = view
        .table("rating")
        .filter_map(FeedbackRow::as_rating)
        .filter(|rating| is_theirs(rating.user_id))
        .cloned()
        .collect();
    let holdings: Vec<Holding> = view
        .table("holding")
        .filter_map(FeedbackRow::as_holding)
        .filter(|holding| is_theirs(holding.user_id))
        .cloned()
        .collect();
    for rating in ratings {
        view.remove(rating_key(rating.event_id, user_id));
        view.put(rating.anonymous());
    }
    for holding in holdings {
        view.put(Holding { user_id: None, ..holding });
    }
    if view.get(&erased_key(user_id)).is_none() {
        view.put(Erased { user_id });
    }
}
