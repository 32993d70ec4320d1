//! What services tell each other: each kind of fact, decoded and decided by every service that hears it.

use std::{collections::BTreeSet, sync::Arc};

use bus::{Fact, Partition, Position, Record, Topic};
use domain::facts::Published;
use kit::{
    Environment, Machine, Pipeline,
    pipeline::{Delivery, Done, Item},
};
use proptest::{prelude::*, sample::select};
use store::memory::MemoryStore;

use crate::{config, mutation::mutated_text, platform::HERE};

/// A service hears what really happened, and then a changed fact, twice, as the log may give it. It may set the
/// changed one aside, and nothing before it.
async fn hears<M: Machine>(machine: M, before: &[Arc<Fact>], changed: &Arc<Fact>) -> Result<(), String> {
    let store = Arc::new(MemoryStore::<M::Row>::new(&Topic::ALL));
    let pipeline = Pipeline::new(Arc::new(machine), store, Environment::system());
    let told = before.iter().chain([changed, changed]).cloned();
    let records: Vec<Record> =
        (1..).zip(told).map(|(position, fact)| Record { position: Position(position), fact }).collect();
    let to = Position(records.len() as u64);
    let partition = Partition { topic: Topic::UpsertData, name: "fuzz".to_owned() };
    let (from, blocked) = (Position::default(), BTreeSet::new());
    let delivery = Delivery { partition, from, records, to, blocked, park_first: None };
    let outcomes = pipeline.run(&[Item::Delivery(delivery)]).await;
    match outcomes.into_iter().next() {
        Some(Ok(Done::Delivered(delivered))) => match delivered.poison {
            Some((at, why)) if at.0 <= before.len() as u64 => Err(format!("a real fact is set aside: {why}")),
            _ => Ok(()),
        },
        other => Err(format!(
            "{}: {:?}",
            <M::Row as store::Row>::SERVICE,
            other.map(|outcome| outcome.map(|_| ()))
        )),
    }
}

#[test]
fn the_samples_have_most_kinds() {
    let kinds: BTreeSet<String> = HERE.facts().iter().map(|fact| fact.kind.clone()).collect();
    for kind in [
        "booking.placed",
        "booking.cancelled",
        "seats.sold",
        "seats.released",
        "user.upserted",
        "event.upserted",
    ] {
        assert!(kinds.contains(kind), "{kind} is not in {kinds:?}");
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn payload_of_a_fact(
        (fact, payload) in select(HERE.facts()).prop_flat_map(|fact| {
            let payload = mutated_text(std::slice::from_ref(&fact.payload));
            (Just(fact), payload)
        }),
        other in select(HERE.facts()),
        is_swapped in prop::bool::weighted(0.2),
    ) {
        let kind = if is_swapped { other.kind.clone() } else { fact.kind.clone() };
        let changed = Arc::new(Fact { kind, payload, memo: bus::Memo::default(), ..(*fact).clone() });
        if let Ok(read) = Published::read(&changed.kind, &changed.payload) {
            prop_assert_eq!(read.kind(), changed.kind.as_str());
            // What was understood can be told again.
            let again = Published::read(read.kind(), &read.payload().unwrap());
            prop_assert_eq!(Ok(&read), again.as_ref());
        }
        let before = HERE.facts();
        let heard: Result<(), String> = HERE.block_on(async {
            hears(event::EventMachine::new(900), &before, &changed).await?;
            // Bookings begin here by requests, so only what is told of others is heard before.
            let mut of_others = before.clone();
            of_others.retain(|fact| fact.kind.ends_with(".upserted"));
            hears(ticket::TicketMachine::new(Arc::default()), &of_others, &changed).await?;
            hears(feedback::FeedbackMachine, &before, &changed).await?;
            hears(notification::NotificationMachine::new(), &before, &changed).await?;
            hears(analytics::AnalyticsMachine, &before, &changed).await
        });
        prop_assert_eq!(heard, Ok(()));
    }
}
