//! Several stores on one database, against one in memory.

use store::{Condition, MemoryStore, conformance::Show};

use super::*;

/// A generator of numbers that look random, the same for each seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

fn random_row(dice: &mut Dice) -> SuiteRow {
    let id = format!("{:02}", dice.below(12));
    if dice.below(3) == 0 {
        return note(&id, "text");
    }
    let city = (dice.below(3) > 0).then(|| ["Bern", "Basel"][dice.below(2) as usize].to_owned());
    let code = (dice.below(3) == 0).then(|| format!("C{}", dice.below(6)));
    let seats = (dice.below(4) > 0).then(|| dice.below(40).cast_signed());
    Show {
        id,
        city,
        seats,
        tags: vec![format!("t{}", dice.below(3))],
        words: Some("jazz im park".to_owned()),
        code,
    }
    .into()
}

async fn random_commit(dice: &mut Dice, number: u64, model: &MemoryStore<SuiteRow>) -> Commit<SuiteRow> {
    let mut commit = Commit::new(commit_id(number), 1_000);
    for _ in 0..=dice.below(3) {
        let row = random_row(dice);
        let key = row.key();
        if commit.changes.iter().any(|change| change.key == key) {
            continue;
        }
        let known = model.load(std::slice::from_ref(&key), &[]).await.unwrap().rows.remove(0);
        let version = known.map_or(0, |row| row.version);
        // Now and then it expects something wrong.
        let expected = if dice.below(10) == 0 { version + 1 } else { version };
        let row = (dice.below(5) > 0).then_some(row);
        commit.changes.push(Change::new(key, expected, row));
    }
    let topic = TOPICS[dice.below(3) as usize];
    commit.facts.push(Arc::new(sample(topic, u32::try_from(number).unwrap())));
    if dice.below(20) == 0 {
        commit.forgotten.push((topic, format!("key-{}", dice.below(number))));
    }
    commit
}

async fn compare(store: &Suite, model: &MemoryStore<SuiteRow>) {
    let queries = [
        Query::all("note"),
        Query::all("show"),
        Query::all("show").order("seats", store::Direction::Descending).limit(4),
        Query::all("show")
            .filter(Condition::Is("city", "Bern".into()))
            .order("seats", store::Direction::Ascending),
        Query::all("show").filter(Condition::Is("tags", "t1".into())).limit(2),
    ];
    for query in queries {
        assert_eq!(store.query(&query).await.unwrap(), model.query(&query).await.unwrap(), "{query:?}");
    }
    let keys: Vec<Key> = (0..12).map(|id| Key::new("show", format!("{id:02}"))).collect();
    assert_eq!(store.load(&keys, &[]).await.unwrap().rows, model.load(&keys, &[]).await.unwrap().rows);
    for topic in TOPICS {
        let facts =
            |records: Vec<bus::Record>| records.into_iter().map(|record| record.fact).collect::<Vec<_>>();
        let (here, there) = (all(store, topic).await, all(model.log().as_ref(), topic).await);
        assert_eq!(facts(here), facts(there), "{}", topic.name());
    }
}

/// Three stores on one database, used in turn, with deaths and reopenings, are one store in memory.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_stores_on_one_database_are_as_one_in_memory() {
    const COMMITS: u64 = 150;
    let Some(server) = Server::start() else { return };
    for (seed, dialect) in [(1, Dialect::FerretDb), (2, Dialect::MongoDb), (3, Dialect::MongoDb)] {
        let (url, model, mut dice) = (server.migrated().await, MemoryStore::new(&TOPICS), Dice(seed));
        let mut stores = Vec::new();
        for _ in 0..3 {
            stores.push(open(&url, dialect).await);
        }
        for number in 1..=COMMITS {
            let commit = random_commit(&mut dice, number, &model).await;
            let expected = model.commit(commit.clone()).await;
            let at = dice.below(3) as usize;
            let committed = stores[at].commit(commit).await;
            assert_eq!(
                committed.is_ok(),
                expected.is_ok(),
                "seed {seed}, commit {number}: {committed:?} {expected:?}"
            );
            match dice.below(12) {
                0 => compare(&stores[dice.below(3) as usize], &model).await,
                1 => {
                    let store = &stores[dice.below(3) as usize];
                    store.journal.apply().await.unwrap();
                    compare(store, &model).await;
                }
                2 if number % 3 == 0 => {
                    stores[at].close().await;
                    stores[at] = open(&url, dialect).await;
                }
                3 if number % 3 == 0 => stores[at] = open(&url, dialect).await,
                _ => {}
            }
        }
        for store in &stores {
            compare(store, &model).await;
        }
        stores[0].journal.flush().await.unwrap();
        compare(&stores[0], &model).await;
    }
}
