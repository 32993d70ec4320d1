//! Several processes on one database, each with a store of its own.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bus::{Log as _, Position, Topic};
use store::{Change, CommitError, Store as _};
use tokio::task::JoinSet;

use crate::support::{Suite, commit_id, fact, note, note_commit, note_key, open, version};

const REPLICAS: u64 = 3;
const COMMITS: u64 = 25;

/// Raises a row that all write, until it succeeds; how often somebody else was first.
async fn raise(store: &Suite, number: u64) -> u64 {
    let mut stale = 0;
    loop {
        let at = version(store, note_key("shared")).await;
        let id = commit_id(100_000 + number * 1_000 + stale);
        let mut commit = store::Commit { id, ..note_commit(number) };
        commit.changes.push(Change::new(note_key("shared"), at, Some(note("shared", "text"))));
        match store.commit(commit).await {
            Ok(()) => return stale,
            Err(CommitError::Stale(_)) => stale += 1,
            Err(error) => panic!("{error}"),
        }
    }
}

crate::on_each_server! {
    async fn positions_rise_in_the_order_of_commits_whoever_commits(engine) {
        let url = engine.database().await;
        let mut writing = JoinSet::new();
        for replica in 0..REPLICAS {
            let store = open(&url).await;
            writing.spawn(async move {
                for number in 0..COMMITS {
                    raise(&store, replica * COMMITS + number).await;
                }
                store.close().await;
            });
        }
        let reader = open(&url).await;
        let partition = reader.partitions(Topic::TicketEvent).remove(0);
        let mut seen = 0;
        while seen < REPLICAS * COMMITS {
            reader.wait(&partition, Position(seen)).await.unwrap();
            for record in reader.read(&partition, Position(seen), 7).await.unwrap().records {
                assert_eq!(record.position.0, seen + 1, "one that was behind came later");
                seen += 1;
            }
        }
        writing.join_all().await;
        assert_eq!(version(&reader, note_key("shared")).await, REPLICAS * COMMITS, "no commit was lost");
        reader.close().await;
    }

    async fn a_reader_hears_of_the_commits_of_others(engine) {
        let url = engine.database().await;
        let (reader, writer) = (Arc::new(open(&url).await), open(&url).await);
        let partition = reader.partitions(Topic::TicketEvent).remove(0);
        let waiting = tokio::spawn({
            let reader = Arc::clone(&reader);
            async move { reader.wait(&partition, Position(0)).await }
        });
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(!waiting.is_finished(), "there is nothing yet");
        let committed = Instant::now();
        writer.commit(note_commit(0)).await.unwrap();
        waiting.await.unwrap().unwrap();
        assert!(committed.elapsed() < Duration::from_secs(5), "it took {:?}", committed.elapsed());
    }

    async fn concurrent_commits_of_one_process_all_succeed(engine) {
        let store = Arc::new(open(&engine.database().await).await);
        let mut committing = JoinSet::new();
        for number in 0..20 {
            let store = Arc::clone(&store);
            committing.spawn(async move { store.commit(note_commit(number)).await });
        }
        assert!(committing.join_all().await.iter().all(Result::is_ok));
        let partition = store.partitions(Topic::TicketEvent).remove(0);
        let records = store.read(&partition, Position(0), 100).await.unwrap().records;
        assert_eq!(records.len(), 20);
        store.close().await;
    }

    async fn a_commit_is_brought_to_its_end_when_nobody_waits_for_it(engine) {
        let store = open(&engine.database().await).await;
        let _ = tokio::time::timeout(Duration::from_millis(1), store.commit(note_commit(0))).await;
        crate::support::until("the commit", async || version(&store, note_key("00000")).await == 1).await;
        store.commit(note_commit(1)).await.unwrap();
        store.close().await;
    }

    async fn what_is_too_long_is_refused_or_cut_and_never_mixed_up(engine) {
        let store = open(&engine.database().await).await;
        let long = "é".repeat(256);
        let mut commit = store::Commit::new(commit_id(1), 1);
        commit.changes.push(Change::new(note_key(&long), 0, Some(note(&long, "text"))));
        let refused = store.commit(commit).await;
        assert!(matches!(&refused, Err(CommitError::Failed(why)) if why.contains("255 characters")), "{refused:?}");
        let mut commit = store::Commit::new(commit_id(2), 1);
        commit.facts.push(Arc::new(bus::Fact { key: long.clone(), ..fact(1) }));
        let refused = store.commit(commit).await;
        assert!(matches!(&refused, Err(CommitError::Failed(_))), "{refused:?}");
        assert!(store.load(&[note_key(&long)], &[]).await.unwrap().rows[0].is_none());
        let show = store::conformance::Show {
            id: "s".to_owned(),
            city: Some("é".repeat(5_000)),
            seats: None,
            tags: vec!["ü".repeat(5_000)],
            words: Some(format!("short {}", "日".repeat(5_000))),
            code: None,
        };
        let mut commit = store::Commit::new(commit_id(3), 1);
        commit.changes.push(Change::new(store::Key::new("show", "s"), 0, Some(show.clone().into())));
        store.commit(commit).await.unwrap();
        let finds = async |condition| {
            let found = store.query(&store::Query::all("show").filter(condition)).await.unwrap();
            found.first().is_some_and(|found| *found.row == show.clone().into())
        };
        use store::Condition::{Is, Matches};
        assert!(finds(Is("city", "é".repeat(5_000).as_str().into())).await);
        assert!(!finds(Is("city", "é".repeat(200).as_str().into())).await);
        assert!(finds(Is("tags", "ü".repeat(5_000).as_str().into())).await);
        assert!(finds(Matches("words", vec!["日".repeat(300)])).await);
        store.close().await;
    }
}
