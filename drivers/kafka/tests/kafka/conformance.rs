//! What every log must do.

use std::{cell::RefCell, sync::Arc};

use bus::{Fact, Topic};
use kafka::{KafkaLog, KafkaPublisher, Settings};

use crate::cluster::{Mock, joined, publish, settings};

const TOPICS: [Topic; 2] = [Topic::TicketEvent, Topic::VisitEvent];

async fn published(settings: &Settings, facts: Vec<Fact>) {
    let publisher = KafkaPublisher::new(settings).unwrap();
    publish(&publisher, &facts.into_iter().map(Arc::new).collect::<Vec<_>>()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_of_a_group_conforms() {
    let clusters = RefCell::new(Vec::new());
    bus::conformance::run(|facts| {
        let mock = Mock::start(1, 1);
        let settings = settings(&mock.url());
        clusters.borrow_mut().push(mock);
        async move {
            published(&settings, facts).await;
            joined(&settings, "suite", &TOPICS, 2).await
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_of_everything_conforms() {
    let clusters = RefCell::new(Vec::new());
    bus::conformance::run(|facts| {
        let mock = Mock::start(1, 1);
        let settings = settings(&mock.url());
        clusters.borrow_mut().push(mock);
        async move {
            published(&settings, facts).await;
            KafkaLog::alone(&settings, &TOPICS).await.unwrap()
        }
    })
    .await;
}
