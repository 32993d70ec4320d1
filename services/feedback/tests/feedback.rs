//! The feedback service behind its guard, fed by facts.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../../kit/testing/stage.rs"]
mod support;

use std::sync::Arc;

use bus::{Log, MemoryLog, Topic};
use domain::{
    UserId,
    facts::{EventStatus, Published},
};
use feedback::{FeedbackMachine, FeedbackRow};
use kit::{Environment, Runtime, Transport};
use proto::v1::{
    CreateFeedbackRequest, ExportRequest, ListFeedbackRequest, feedback_service_client::FeedbackServiceClient,
};
use store::{Key, MemoryStore, Store};
use support::{
    Door, START, TestClock, assert_converges, booking, code, environment, erased, event, eventually,
    released, sold, tell, upserted, user,
};

struct World {
    runtime: Runtime,
    store: Arc<MemoryStore<FeedbackRow>>,
    log: Arc<MemoryLog>,
    clock: Arc<TestClock>,
    door: Door,
    client: FeedbackServiceClient<Transport>,
}

impl World {
    fn new() -> Self {
        let clock = TestClock::at(START);
        let environment: Environment = environment(&clock);
        let runtime = Runtime::new();
        let store = Arc::new(MemoryStore::new(feedback::PUBLISHES));
        let log = Arc::new(MemoryLog::new("event", &[Topic::TicketStatusEvent, Topic::UpsertData]));
        let read: Arc<dyn Log> = log.clone();
        let routes = feedback::start(&runtime, store.clone(), read, environment.clone());
        let door = Door::new(&environment);
        let client = FeedbackServiceClient::new(door.transport(routes));
        Self { runtime, store, log, clock, door, client }
    }

    /// Tells facts, and waits until the row of the last one is there.
    async fn tell(&self, facts: &[Published], until: Key, holds: impl Fn(&FeedbackRow) -> bool) {
        for fact in facts {
            tell(&self.log, fact.clone());
        }
        eventually("a row", async || {
            let loaded = self.store.load(std::slice::from_ref(&until), &[]).await.unwrap();
            loaded.rows[0].as_ref().filter(|versioned| holds(&versioned.row)).map(|_| ())
        })
        .await;
    }

    async fn holder(&self, number: u32) {
        let fact = sold(number, event(1), user(number), 2);
        self.tell(&[fact], Key::new("holding", booking(number).0), |_| true).await;
    }

    async fn published_event(&self) {
        self.tell(&[upserted(event(1), EventStatus::Published, 2)], Key::new("event", event(1).0), |_| true)
            .await;
    }

    async fn rate(
        &self,
        by: UserId,
        rating: i32,
    ) -> Result<tonic::Response<proto::v1::Feedback>, tonic::Status> {
        let mut client = self.client.clone();
        client.create_feedback(self.door.by(by, request(rating, "quite good"))).await
    }

    async fn list(&self, size: i32, token: &str) -> proto::v1::ListFeedbackResponse {
        let page_token = token.to_owned();
        let request = ListFeedbackRequest { event_id: event(1).to_string(), page_size: size, page_token };
        self.client.clone().list_feedback(request).await.unwrap().into_inner()
    }
}

fn request(rating: i32, comment: &str) -> CreateFeedbackRequest {
    CreateFeedbackRequest { event_id: event(1).to_string(), rating, comment: comment.to_owned() }
}

#[tokio::test]
async fn a_holder_rates_and_edits_and_the_sums_are_told() {
    let world = World::new();
    world.published_event().await;
    world.holder(1).await;
    world.holder(2).await;
    let first = world.rate(user(1), 5).await.unwrap();
    assert_eq!(first.metadata().get("x-http-status").unwrap(), "201");
    world.rate(user(2), 2).await.unwrap();
    world.clock.advance(60);
    let edited = world.rate(user(1), 3).await.unwrap();
    assert_eq!(edited.metadata().get("x-http-status").unwrap(), "201");
    assert_eq!(edited.get_ref().id, first.get_ref().id);

    let list = world.list(0, "").await;
    assert_eq!((list.average_rating, list.count), (Some(2.5), 2));
    assert_eq!(list.feedback[0], edited.into_inner());
    assert!(!format!("{list:?}").contains(&user(1).to_string()), "a list names nobody");
    let told: Vec<Published> = world
        .store
        .log()
        .all()
        .iter()
        .map(|fact| Published::read(&fact.kind, &fact.payload).unwrap())
        .collect();
    let Published::FeedbackRecorded(last) = &told[2] else { panic!("{told:?}") };
    assert_eq!((last.rating_sum, last.rating_count, last.sequence, last.edition), (5, 2, 3, 2));
    world.runtime.stop().await;
}

#[tokio::test]
async fn who_may_rate_and_when() {
    let world = World::new();
    assert_eq!(code(world.rate(user(1), 5).await), (404, "not_found".to_owned()));
    world.published_event().await;
    assert_eq!(code(world.rate(user(1), 5).await), (403, "not_a_ticket_holder".to_owned()));
    assert_eq!(code(world.rate(user(1), 6).await), (400, "bad_input".to_owned()));
    let anonymous = world.client.clone().create_feedback(request(5, "")).await;
    assert_eq!(code(anonymous), (401, "unauthenticated".to_owned()));

    world.holder(1).await;
    world.clock.advance(-1);
    assert_eq!(code(world.rate(user(1), 5).await), (409, "event_not_started".to_owned()));
    world.clock.advance(1);
    let gave_back = released(1, event(1), user(1), [1, 2, 0]);
    let holding = Key::new("holding", booking(1).0);
    world.tell(&[gave_back], holding, |row| row.as_holding().unwrap().places == 0).await;
    assert_eq!(code(world.rate(user(1), 5).await), (403, "not_a_ticket_holder".to_owned()));

    let called_off = upserted(event(1), EventStatus::Cancelled, 3);
    world
        .tell(&[called_off], Key::new("event", event(1).0), |row| row.as_event().unwrap().version == 3)
        .await;
    assert_eq!(code(world.rate(user(1), 5).await), (409, "event_cancelled".to_owned()));
    world.runtime.stop().await;
}

#[tokio::test]
async fn an_idempotency_key_gives_the_first_answer_again() {
    let world = World::new();
    world.published_event().await;
    world.holder(1).await;
    let mut client = world.client.clone();
    let keyed = |rating: i32| {
        let mut request = world.door.by(user(1), request(rating, "once"));
        request.metadata_mut().insert("idempotency-key", "k1".parse().unwrap());
        request
    };
    let first = client.create_feedback(keyed(4)).await.unwrap();
    world.clock.advance(5);
    let again = client.create_feedback(keyed(4)).await.unwrap();
    assert_eq!(again.metadata().get("idempotency-replayed").unwrap(), "true");
    assert_eq!(again.metadata().get("x-http-status").unwrap(), "201");
    assert_eq!(first.into_inner(), again.into_inner());
    assert_eq!(code(client.create_feedback(keyed(5)).await), (422, "idempotency_key_reused".to_owned()));
    assert_eq!(world.store.log().all().len(), 1);
    world.runtime.stop().await;
}

#[tokio::test]
async fn pages_are_newest_first_and_skip_nobody() {
    let world = World::new();
    world.published_event().await;
    // The clock stands, so all ratings are of the same moment.
    for number in 1..=5 {
        world.holder(number).await;
        world.rate(user(number), i32::try_from(number).unwrap()).await.unwrap();
    }
    let (mut seen, mut token) = (Vec::new(), String::new());
    loop {
        let page = world.list(2, &token).await;
        seen.extend(page.feedback.iter().map(|feedback| feedback.rating));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(seen, [5, 4, 3, 2, 1]);
    world.runtime.stop().await;
}

#[tokio::test]
async fn an_erased_user_leaves_the_number_alone() {
    let world = World::new();
    world.published_event().await;
    world.holder(1).await;
    world.rate(user(1), 5).await.unwrap();
    let mut client = world.client.clone();
    let export = client.export(world.door.by(user(1), ExportRequest {})).await.unwrap().into_inner().json;
    let export: serde_json::Value = serde_json::from_str(&export).unwrap();
    assert_eq!(export["feedback"][0]["comment"], "quite good");
    assert_eq!(export["booked_places"][0]["places"], 2);

    world.tell(&[erased(user(1))], Key::new("erased", user(1).0), |_| true).await;
    let list = world.list(0, "").await;
    assert_eq!((list.average_rating, list.count), (Some(5.0), 1));
    assert_eq!((list.feedback[0].rating, list.feedback[0].comment.as_str()), (5, ""));
    assert_eq!(code(world.rate(user(1), 1).await), (403, "not_a_ticket_holder".to_owned()));
    world.store.inspect(|row| {
        let is_mark = matches!(row, FeedbackRow::Erased(_));
        assert!(is_mark || !format!("{row:?}").contains(&user(1).to_string()), "{row:?}");
    });
    world.runtime.stop().await;
}

#[tokio::test]
async fn any_order_and_any_repetition_gives_the_same_rows() {
    let facts = [
        upserted(event(1), EventStatus::Draft, 1),
        upserted(event(1), EventStatus::Published, 2),
        upserted(event(2), EventStatus::Published, 1),
        sold(1, event(1), user(1), 4),
        sold(2, event(1), user(2), 1),
        sold(3, event(2), user(1), 1),
        released(1, event(1), user(1), [1, 1, 3]),
        released(2, event(1), user(2), [1, 1, 0]),
        released(1, event(1), user(1), [2, 2, 1]),
        released(4, event(2), user(3), [1, 0, 0]),
        erased(user(2)),
        erased(user(3)),
        upserted(event(1), EventStatus::Cancelled, 3),
    ];
    let rows = assert_converges(|| FeedbackMachine, &facts).await;
    let places: Vec<u32> =
        rows.iter().filter_map(FeedbackRow::as_holding).map(|holding| holding.places).collect();
    assert_eq!(places, [1, 0, 1, 0]);
}
