//! Writes rounds of rows and facts, one commit for each store, and moves the consumers along.

use std::{collections::BTreeMap, sync::Arc};

use analytics::AnalyticsRow;
use boxoffice::stores::Stores;
use bus::{Fact, Partition, Position, Topic};
use domain::Time;
use event::EventRow;
use feedback::FeedbackRow;
use kit::Environment;
use notification::NotificationRow;
use store::{Advance, Change, Commit, CommitId, Row, Store};
use ticket::TicketRow;
use user::UserRow;

/// New rows of each service, and what the producers say with them.
#[derive(Default)]
pub struct Round {
    pub user: Vec<UserRow>,
    pub event: Vec<EventRow>,
    pub ticket: Vec<TicketRow>,
    pub feedback: Vec<FeedbackRow>,
    pub notification: Vec<NotificationRow>,
    pub analytics: Vec<AnalyticsRow>,
    pub user_facts: Vec<Arc<Fact>>,
    pub event_facts: Vec<Arc<Fact>>,
    pub ticket_facts: Vec<Arc<Fact>>,
}

/// Writes to the stores of a platform that is not running.
pub struct Writer {
    stores: Stores,
    environment: Environment,
    /// How much each producer has published; every consumer is there.
    published: BTreeMap<Partition, u64>,
}

impl Writer {
    pub fn new(stores: Stores, environment: Environment) -> Self {
        Self { stores, environment, published: BTreeMap::new() }
    }

    /// Writes a round.
    pub async fn write(&mut self, round: Round, at: Time) -> anyhow::Result<()> {
        let advances = self.publish(&round);
        let of = |topics: &[Topic]| -> Vec<Advance> {
            advances.iter().filter(|advance| topics.contains(&advance.partition.topic)).cloned().collect()
        };
        let stores = &self.stores;
        let (user_facts, event_facts, ticket_facts) =
            (round.user_facts, round.event_facts, round.ticket_facts);
        tokio::try_join!(
            self.put(stores.user.as_ref(), at, round.user, user_facts, of(user::CONSUMES)),
            self.put(stores.event.as_ref(), at, round.event, event_facts, of(event::CONSUMES)),
            self.put(stores.ticket.as_ref(), at, round.ticket, ticket_facts, of(ticket::CONSUMES)),
            self.put(stores.feedback.as_ref(), at, round.feedback, vec![], of(feedback::CONSUMES)),
            self.put(
                stores.notification.as_ref(),
                at,
                round.notification,
                vec![],
                of(notification::CONSUMES)
            ),
            self.put(stores.analytics.as_ref(), at, round.analytics, vec![], of(analytics::CONSUMES)),
        )?;
        Ok(())
    }

    /// How the consumers move when a round is published.
    fn publish(&mut self, round: &Round) -> Vec<Advance> {
        let facts = round.user_facts.iter().chain(&round.event_facts).chain(&round.ticket_facts);
        let mut counts: BTreeMap<Partition, u64> = BTreeMap::new();
        for fact in facts {
            let partition = Partition { topic: fact.topic, name: fact.source.to_owned() };
            *counts.entry(partition).or_default() += 1;
        }
        let advance = |(partition, count): (Partition, u64)| {
            let published = self.published.entry(partition.clone()).or_default();
            let from = Position(*published);
            *published += count;
            Advance { partition, from, to: Position(*published) }
        };
        counts.into_iter().map(advance).collect()
    }

    async fn put<R: Row>(
        &self,
        store: &dyn Store<R>,
        at: Time,
        rows: Vec<R>,
        facts: Vec<Arc<Fact>>,
        advances: Vec<Advance>,
    ) -> anyhow::Result<()> {
        let changes = rows.into_iter().map(|row| Change::new(row.key(), 0, Some(row))).collect();
        let id = CommitId(self.environment.id());
        let commit = Commit { changes, facts, advances, ..Commit::new(id, at.micros()) };
        if !commit.is_empty() {
            store.commit(commit).await?;
        }
        Ok(())
    }
}
