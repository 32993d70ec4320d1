//! The analytics service behind its guard, fed by facts of all topics.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../../kit/testing/stage.rs"]
mod support;

use std::sync::Arc;

use analytics::{AnalyticsMachine, AnalyticsRow};
use bus::{Log, MemoryLog, Topic};
use domain::{
    EventId, Time, UserId,
    facts::{EventStatus, EventVisited, FeedbackRecorded, Gender, Published, UserUpserted},
};
use kit::{Runtime, Transport};
use proto::v1::{
    ExportRequest, GetDemographicsRequest, GetPopularityRequest, GetRatingsRequest, GetTrendsRequest,
    ListTopEventsRequest, Money, analytics_service_client::AnalyticsServiceClient,
};
use store::MemoryStore;
use support::{
    Door, START, TestClock, assert_converges, code, environment, erased, event, eventually, released, sold,
    somebody, tell, upserted, user,
};

/// The organiser of every event of the tests.
const ORGANISER: u32 = 900;

struct World {
    runtime: Runtime,
    store: Arc<MemoryStore<AnalyticsRow>>,
    log: Arc<MemoryLog>,
    door: Door,
    client: AnalyticsServiceClient<Transport>,
}

impl World {
    async fn hearing(facts: &[Published], rows: usize) -> Self {
        let environment = environment(&TestClock::at(START));
        let runtime = Runtime::new();
        let store = Arc::new(MemoryStore::new(analytics::PUBLISHES));
        let log = Arc::new(MemoryLog::new("all", &Topic::ALL));
        let read: Arc<dyn Log> = log.clone();
        let routes = analytics::start(&runtime, store.clone(), read, environment.clone());
        let door = Door::new(&environment);
        let client = AnalyticsServiceClient::new(door.transport(routes));
        let world = Self { runtime, store, log, door, client };
        world.tell(facts, rows).await;
        world
    }

    /// Tells facts, and waits until everything is heard.
    async fn tell(&self, facts: &[Published], rows: usize) {
        for fact in facts {
            tell(&self.log, fact.clone());
        }
        // The last fact of each topic is a mark that is counted as a row of its own.
        let marks = [
            upserted(event(99), EventStatus::Draft, 1),
            visited(event(98), "2026-01-01", 1),
            rated(97, 50, 1, [1, 1, 1, 1]),
            sold(96, event(96), user(96), 1),
        ];
        for mark in marks {
            tell(&self.log, mark);
        }
        let marks = 1 + 2 + 2 + 3;
        eventually("all rows", async || {
            let mut count = 0;
            self.store.inspect(|_| count += 1);
            (count == rows + marks).then_some(())
        })
        .await;
    }

    fn as_organiser<T>(&self, message: T) -> tonic::Request<T> {
        self.door.by(user(ORGANISER), message)
    }
}

fn visited(of: EventId, date: &str, visits: u64) -> Published {
    EventVisited { event_id: of, date: domain::Day::parse(date).unwrap(), visits }.into()
}

/// The rating of a user, with its edition and the event's running sum, count and sequence.
fn rated(event_number: u32, by: u32, rating: u32, figures: [u64; 4]) -> Published {
    let [edition, rating_sum, rating_count, sequence] = figures;
    let fact = FeedbackRecorded {
        event_id: event(event_number),
        user_id: user(by),
        rating,
        edition: u32::try_from(edition).unwrap(),
        rating_sum,
        rating_count,
        sequence,
        at: START,
    };
    fact.into()
}

fn person(number: u32, gender: Gender, birth_year: i32, version: u64) -> Published {
    let gender = Some(gender);
    UserUpserted { gender, birth_year: Some(birth_year), ..somebody(number, version) }.into()
}

fn sold_at(number: u32, by: UserId, quantity: u32, at: &str) -> Published {
    let Published::SeatsSold(mut fact) = sold(number, event(1), by, quantity) else { unreachable!() };
    fact.at = Time::parse(at).unwrap();
    fact.into()
}

fn story() -> Vec<Published> {
    vec![
        upserted(event(1), EventStatus::Published, 1),
        person(1, Gender::Female, 2000, 1),
        person(2, Gender::Male, 1960, 1),
        sold(1, event(1), user(1), 4),
        sold(2, event(1), user(2), 2),
        sold(3, event(1), user(3), 1),
        released(1, event(1), user(1), [1, 1, 3]),
        released(2, event(1), user(2), [1, 2, 0]),
        visited(event(1), "2026-11-20", 5),
        visited(event(1), "2026-11-20", 7),
        visited(event(1), "2026-11-22", 3),
        rated(1, 1, 5, [1, 5, 1, 1]),
        rated(1, 3, 2, [1, 7, 2, 2]),
        rated(1, 1, 4, [2, 6, 2, 3]),
    ]
}

/// event, 3 bookings, 3 days (20, 21 sold, 22), 2 users, 2 ratings.
const STORY_ROWS: usize = 1 + 3 + 3 + 2 + 2;

#[tokio::test]
async fn popularity_counts_each_fact_once() {
    let mut twice = story();
    twice.extend(story());
    let world = World::hearing(&twice, STORY_ROWS).await;
    let request = GetPopularityRequest { event_id: event(1).to_string() };
    let answer = world.client.clone().get_popularity(world.as_organiser(request)).await.unwrap().into_inner();
    assert_eq!((answer.booked, answer.cancelled, answer.visits), (7, 3, 10));
    assert_eq!(answer.conversion, 0.3);
    assert_eq!((answer.average_rating, answer.rating_count), (Some(3.0), 2));
    assert_eq!(answer.revenue, [Money { currency: "EUR".to_owned(), minor: 4 * 2_050 }]);
    world.runtime.stop().await;
}

#[tokio::test]
async fn people_are_grouped_and_the_erased_are_unknown() {
    let world = World::hearing(&story(), STORY_ROWS).await;
    let mut client = world.client.clone();
    let demographics = || GetDemographicsRequest { event_id: event(1).to_string() };
    let answer = client.get_demographics(world.as_organiser(demographics())).await.unwrap().into_inner();
    let groups: Vec<_> =
        answer.groups.iter().map(|g| (g.gender.as_str(), g.age_band.as_str(), g.tickets)).collect();
    assert_eq!(groups, [("FEMALE", "25_34", 3), ("UNKNOWN", "UNKNOWN", 1)]);

    let ratings = GetRatingsRequest { event_id: event(1).to_string() };
    let answer = client.get_ratings(world.as_organiser(ratings)).await.unwrap().into_inner();
    let groups: Vec<_> =
        answer.groups.iter().map(|g| (g.gender.as_str(), g.average_rating, g.count)).collect();
    assert_eq!(groups, [("FEMALE", 4.0, 1), ("UNKNOWN", 2.0, 1)]);
    assert_eq!((answer.average_rating, answer.count), (Some(3.0), 2));

    tell(&world.log, erased(user(1)));
    eventually("the erasure", async || {
        let answer = client.clone().get_demographics(world.as_organiser(demographics())).await.unwrap();
        let groups = answer.into_inner().groups;
        (groups.len() == 1 && groups[0].gender == "UNKNOWN" && groups[0].tickets == 4).then_some(())
    })
    .await;
    let export = client.export(world.door.by(user(1), ExportRequest {})).await.unwrap().into_inner().json;
    assert!(!export.contains("FEMALE") && !export.contains("2000"), "{export}");
    let export = client.export(world.door.by(user(2), ExportRequest {})).await.unwrap().into_inner().json;
    assert!(export.contains(r#""birth_year":1960"#), "{export}");
    world.runtime.stop().await;
}

#[tokio::test]
async fn trends_are_continuous() {
    let facts = [
        upserted(event(1), EventStatus::Published, 1),
        sold_at(1, user(1), 2, "2026-11-01T23:59:59Z"),
        sold_at(2, user(1), 1, "2026-11-02T00:00:00Z"),
        visited(event(1), "2026-11-04", 9),
    ];
    // event, 2 bookings, 3 days
    let world = World::hearing(&facts, 6).await;
    let ask = async |period: i32| {
        let request = GetTrendsRequest { event_id: event(1).to_string(), period };
        let answer = world.client.clone().get_trends(world.as_organiser(request)).await?;
        let points = answer.into_inner().points;
        Ok(points.into_iter().map(|p| (p.start, p.booked, p.visits)).collect::<Vec<_>>())
    };
    let point = |start: &str, booked: i64, visits: i64| (start.to_owned(), booked, visits);
    let daily = vec![
        point("2026-11-01", 2, 0),
        point("2026-11-02", 1, 0),
        point("2026-11-03", 0, 0),
        point("2026-11-04", 0, 9),
    ];
    assert_eq!(ask(0).await.unwrap(), daily);
    assert_eq!(ask(1).await.unwrap(), daily);
    assert_eq!(ask(2).await.unwrap(), [point("2026-10-26", 2, 0), point("2026-11-02", 1, 9)]);
    assert_eq!(ask(3).await.unwrap(), [point("2026-11-01", 3, 9)]);
    assert_eq!(code(ask(4).await), (400, "bad_input".to_owned()));
    world.runtime.stop().await;
}

#[tokio::test]
async fn only_the_organiser_and_admin_see_figures() {
    let world = World::hearing(&story(), STORY_ROWS).await;
    let mut client = world.client.clone();
    let ask = |of: EventId| GetPopularityRequest { event_id: of.to_string() };
    let stranger = client.get_popularity(world.door.by(user(1), ask(event(1)))).await;
    assert_eq!(code(stranger), (403, "forbidden".to_owned()));
    assert!(client.get_popularity(world.door.by_admin(ask(event(1)))).await.is_ok());
    assert_eq!(code(client.get_popularity(ask(event(1))).await), (401, "unauthenticated".to_owned()));
    let unknown = client.get_popularity(world.as_organiser(ask(event(5)))).await;
    assert_eq!(code(unknown), (404, "not_found".to_owned()));
    // Its sale was heard, but the event itself was not told yet.
    let untold = client.get_popularity(world.as_organiser(ask(event(96)))).await;
    assert_eq!(code(untold), (404, "not_found".to_owned()));
    world.runtime.stop().await;
}

#[tokio::test]
async fn top_events_are_ones_own_most_booked_first() {
    let facts = [
        upserted(event(1), EventStatus::Published, 1),
        upserted(event(2), EventStatus::Published, 1),
        sold(1, event(1), user(1), 1),
        sold(2, event(2), user(1), 3),
    ];
    // 2 events, 2 bookings, 2 days
    let world = World::hearing(&facts, 6).await;
    let mut client = world.client.clone();
    let top = async |client: &mut AnalyticsServiceClient<Transport>, request| {
        let answer = client.list_top_events(request).await.unwrap().into_inner();
        answer.events.into_iter().map(|event| event.event_id).collect::<Vec<_>>()
    };
    let ask = |limit| ListTopEventsRequest { limit };
    let (one, two) = (event(1).to_string(), event(2).to_string());
    assert_eq!(top(&mut client, world.as_organiser(ask(2))).await, [two.clone(), one]);
    assert_eq!(top(&mut client, world.as_organiser(ask(1))).await, [two]);
    assert!(top(&mut client, world.door.by(user(1), ask(0))).await.is_empty());
    assert_eq!(top(&mut client, world.door.by_admin(ask(0))).await.len(), 6, "events and marks");
    let too_many = client.list_top_events(world.as_organiser(ask(101))).await;
    assert_eq!(code(too_many), (400, "bad_input".to_owned()));
    world.runtime.stop().await;
}

#[tokio::test]
async fn any_order_and_any_repetition_gives_the_same_rows() {
    let mut facts = story();
    facts.extend([
        upserted(event(1), EventStatus::Cancelled, 2),
        person(1, Gender::Other, 2001, 2),
        released(1, event(1), user(1), [2, 3, 0]),
        sold(4, event(2), user(2), 1),
        released(5, event(2), user(4), [1, 0, 0]),
        erased(user(2)),
        erased(user(4)),
    ]);
    let rows = assert_converges(|| AnalyticsMachine, &facts).await;
    let first = rows.iter().find_map(AnalyticsRow::as_event).unwrap();
    assert_eq!((first.booked, first.cancelled, first.visits, first.version), (7, 6, 10, 2));
}
