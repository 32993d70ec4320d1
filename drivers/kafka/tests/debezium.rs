//! Change data capture in place of the relay: what a store commits into its outbox, Debezium's event router publishes,
//! configured as in `deploy/debezium`, and the log reads it as the same facts.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{fs, ops::RangeInclusive, os::unix::fs::PermissionsExt, path::Path, sync::Arc, time::Duration};

use bus::{Fact, FactId, Log, Memo, Position, Topic};
use engines::{debezium::Connect, kafka::Kafka, postgres::Postgres};
use kafka::{KafkaLog, Settings, TopicOptions, create_topics};
use sql::{Options, SqlStore};
use store::{
    Commit, CommitId, Store as _,
    conformance::{SuiteRow, TOPICS},
};
use uuid::Uuid;

/// How long everything may take to arrive, from the start of the connector.
const PATIENCE: Duration = Duration::from_secs(120);
const FACTS: u128 = 60;

/// The servers, or none where they cannot be had.
fn servers(directory: &Path) -> Option<(Postgres, Kafka)> {
    engines::or_not_tested("Debezium", engines::debezium::jars())?;
    engines::or_not_tested("Kafka", engines::kafka::jars())?;
    let program = engines::tools::need("postgres", "postgresql");
    engines::or_not_tested("PostgreSQL", program)?;
    let postgres = Postgres::start(directory, &["-c", "wal_level=logical", "-c", "fsync=off"]).unwrap();
    Some((postgres, Kafka::start(directory, 1).unwrap()))
}

/// A file of `deploy/debezium`, as properties: the names of the databases are those of this test.
fn connector(postgres: &Postgres) -> (String, Vec<(&'static str, String)>) {
    let text = fs::read_to_string(deployed("feedback-postgres.json")).unwrap();
    let settings: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&text).unwrap();
    let lines = settings.iter().map(|(name, value)| {
        // A backslash is one in JSON, and two in properties.
        let value = value.as_str().unwrap().replace('\\', "\\\\");
        if name == "database.dbname" { format!("{name}=suite\n") } else { format!("{name}={value}\n") }
    });
    let environment = vec![
        ("FEEDBACK_DB_HOST", "127.0.0.1".to_owned()),
        ("FEEDBACK_DB_PORT", postgres.port.to_string()),
        ("FEEDBACK_CDC_USER", engines::postgres::USER.to_owned()),
        ("FEEDBACK_CDC_PASSWORD", "trusted".to_owned()),
    ];
    (format!("name=suite\n{}", lines.collect::<String>()), environment)
}

fn deployed(file: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/debezium").join(file)
}

fn fact(number: u128) -> Arc<Fact> {
    let topic = TOPICS[usize::try_from(number).unwrap() % TOPICS.len()];
    Arc::new(Fact {
        id: FactId(Uuid::from_u128(number)),
        source: "suite",
        kind: "booking.placed".to_owned(),
        topic,
        key: format!("event-{}", number % 5),
        time_us: 1_800_000_000_123_456 + i64::try_from(number).unwrap(),
        traceparent: number
            .is_multiple_of(2)
            .then(|| "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
        payload: format!(r#"{{"title":"Käthchen \"{number}\"\n","quantity":{number}}}"#),
        memo: Memo::default(),
    })
}

async fn commit(store: &SqlStore<SuiteRow>, numbers: RangeInclusive<u128>) {
    let mut commit = Commit::new(CommitId(Uuid::from_u128(*numbers.start())), 1_800_000_000_000_000);
    commit.facts = numbers.map(fact).collect();
    store.commit(commit).await.unwrap();
}

/// Everything on the log, in the order of each partition, once there are so many facts.
async fn read(log: &KafkaLog, count: usize, connect: &Connect) -> Vec<Arc<Fact>> {
    let began = tokio::time::Instant::now();
    loop {
        let mut facts = Vec::new();
        for partition in TOPICS.into_iter().flat_map(|topic| log.partitions(topic)) {
            let batch = log.read(&partition, Position(0), 1_000).await.unwrap();
            facts.extend(batch.records.into_iter().map(|record| record.fact));
        }
        if facts.len() >= count {
            return facts;
        }
        assert!(began.elapsed() < PATIENCE, "{} of {count} facts: {:#?}", facts.len(), connect.errors());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn assert_same(read: &[Arc<Fact>], numbers: impl Iterator<Item = u128>) {
    for topic in TOPICS {
        for key in 0..5 {
            let key = format!("event-{key}");
            let of_key = |fact: &&Arc<Fact>| fact.topic == topic && fact.key == key;
            let heard: Vec<&Arc<Fact>> = read.iter().filter(of_key).collect();
            assert!(!heard.is_empty());
        }
    }
    let by_id = |facts: Vec<Arc<Fact>>| {
        let mut facts = facts;
        facts.sort_by_key(|fact| fact.id.0);
        facts
    };
    assert_eq!(by_id(read.to_vec()), by_id(numbers.map(fact).collect()));
}

/// Facts of one key come in the order in which they were committed.
fn assert_in_order(read: &[Arc<Fact>]) {
    for topic in Topic::ALL {
        for key in 0..5 {
            let key = format!("event-{key}");
            let of_key = read.iter().filter(|fact| fact.topic == topic && fact.key == key);
            let ids: Vec<Uuid> = of_key.map(|fact| fact.id.0).collect();
            assert!(ids.is_sorted(), "{topic:?} {key}: {ids:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn debezium_publishes_what_the_relay_would() {
    let directory = tempfile::tempdir().unwrap();
    // PostgreSQL runs as somebody else, who must get there.
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let Some((postgres, kafka)) = servers(directory.path()) else { return };
    postgres.run("CREATE DATABASE suite").unwrap();
    let url = format!("postgres://{}@127.0.0.1:{}/suite", engines::postgres::USER, postgres.port);
    sql::migrate::<SuiteRow>(&url).await.unwrap();
    let options = Options { topics: TOPICS.to_vec(), ..Options::default() };
    let store: SqlStore<SuiteRow> = SqlStore::open(&url, options).await.unwrap();
    let settings = Settings::from_url(&format!("kafka://{}", kafka.servers())).unwrap();
    let topics = TopicOptions { partitions: 3, replication: 1, ..TopicOptions::default() };
    create_topics(&settings, &topics).await.unwrap();

    // What is there before the connector comes, and what comes while it is there.
    commit(&store, 1..=FACTS / 2).await;
    let (connector, mut environment) = connector(&postgres);
    environment.push(("KAFKA_SERVERS", kafka.servers()));
    let worker = fs::read_to_string(deployed("worker.properties")).unwrap();
    // The worker's own file may not refer to its environment.
    let worker = worker.replace("${env:KAFKA_SERVERS}", &kafka.servers());
    let connect = Connect::start(directory.path(), &worker, &connector, &environment).unwrap();
    let log = KafkaLog::alone(&settings, &TOPICS).await.unwrap();
    let half = usize::try_from(FACTS / 2).unwrap();
    assert_same(&read(&log, half, &connect).await, 1..=FACTS / 2);
    for number in FACTS / 2 + 1..=FACTS {
        commit(&store, number..=number).await;
    }
    let all = read(&log, 2 * half, &connect).await;
    assert_same(&all, 1..=FACTS);
    assert_in_order(&all);

    // Rows that go are no facts: after the next fact there is nothing but it.
    for topic in TOPICS {
        store.trim(topic, Position(u64::MAX >> 1), i64::MAX).await.unwrap();
    }
    commit(&store, FACTS + 1..=FACTS + 1).await;
    assert_same(&read(&log, 2 * half + 1, &connect).await, 1..=FACTS + 1);
    store.close().await;
}
