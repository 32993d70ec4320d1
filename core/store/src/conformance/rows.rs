//! Rows: versions, unique values, and text of every kind.

use super::*;

pub async fn what_is_committed_is_loaded(suite: &Suite) {
    let show = Show {
        id: "a".to_owned(),
        city: Some("Bern".to_owned()),
        seats: Some(-5),
        tags: vec!["jazz".to_owned(), "jazz".to_owned(), "folk".to_owned()],
        words: Some("alte halle".to_owned()),
        code: Some("A-1".to_owned()),
    };
    suite.have(vec![show.clone().into(), note("n", "hello")]).await;
    let rows = suite.rows(&[show_key("a"), note_key("n")]).await;
    assert_eq!(rows[0], Some(Versioned::new(show, 1)));
    assert_eq!(rows[1], Some(Versioned::new(note("n", "hello"), 1)));
}

pub async fn versions_grow_by_one(suite: &Suite) {
    for version in 0..5 {
        suite.commit(put(new_commit(), note("n", &format!("at {version}")), version)).await;
        assert_eq!(suite.version(&note_key("n")).await, version + 1);
    }
}

pub async fn loads_keep_the_order_asked_for(suite: &Suite) {
    suite.have(vec![note("a", ""), note("b", ""), note("c", "")]).await;
    let commit = Commit { answers: vec![(AnswerKey("k".to_owned()), answer("yes", 1))], ..new_commit() };
    suite.commit(commit).await;
    let keys = ["c", "absent", "a", "c", "b"].map(note_key);
    let answers = ["absent", "k"].map(|key| AnswerKey(key.to_owned()));
    let loaded = suite.store.load(&keys, &answers).await.expect("a load succeeds");
    let ids: Vec<_> = loaded.rows.iter().map(|row| row.as_ref().map(|row| row.row.key().id)).collect();
    assert_eq!(ids, ["c", "-", "a", "c", "b"].map(|id| (id != "-").then(|| id.into())));
    assert_eq!(loaded.answers, [None, Some(answer("yes", 1))]);
}

pub async fn a_stale_version_refuses_the_whole_commit(suite: &Suite) {
    suite.have(vec![note("n", "one")]).await;
    suite.commit(put(new_commit(), note("n", "two"), 1)).await;
    let key = AnswerKey("k".to_owned());
    let mut commit = put(new_commit(), note("other", ""), 0);
    commit = put(commit, note("n", "three"), 1);
    commit.facts = vec![Arc::new(fact(Topic::TicketEvent, 1))];
    commit.answers = vec![(key.clone(), answer("yes", 1))];
    commit.advances = vec![advance(0, 7)];
    commit.parked = vec![ParkedChange::Park(parked(7, 1))];
    suite.stale(commit).await;
    assert_eq!(suite.version(&note_key("other")).await, 0, "no other row");
    assert_eq!(
        suite.rows(&[note_key("n")]).await[0].as_ref().map(|n| n.row.as_ref()),
        Some(&note("n", "two"))
    );
    assert!(suite.fact_keys(Topic::TicketEvent).await.is_empty(), "no fact");
    assert_eq!(suite.answer(&key).await, None, "no answer");
    assert_eq!(suite.store.position(&consumed()).await.expect("a read"), Position(0), "no progress");
    assert!(suite.store.parked().await.expect("a read").is_empty(), "nothing parked");
}

pub async fn a_new_row_is_new_only_once(suite: &Suite) {
    suite.have(vec![note("n", "first")]).await;
    suite.stale(put(new_commit(), note("n", "second"), 0)).await;
    assert_eq!(suite.version(&note_key("n")).await, 1);
}

pub async fn a_row_that_is_gone_is_stale(suite: &Suite) {
    suite.stale(put(new_commit(), note("n", ""), 1)).await;
    suite.stale(remove(new_commit(), note_key("n"), 1)).await;
    suite.have(vec![note("n", "")]).await;
    suite.stale(remove(new_commit(), note_key("n"), 2)).await;
    suite.stale(remove(new_commit(), note_key("n"), 0)).await;
    assert_eq!(suite.version(&note_key("n")).await, 1);
}

pub async fn a_row_is_deleted_and_made_again(suite: &Suite) {
    suite.have(vec![with_code("a", "A-1")]).await;
    suite.commit(remove(new_commit(), show_key("a"), 1)).await;
    assert_eq!(suite.version(&show_key("a")).await, 0);
    suite.have(vec![with_code("a", "A-1")]).await;
    assert_eq!(suite.version(&show_key("a")).await, 1);
}

pub async fn deleting_nothing_changes_nothing(suite: &Suite) {
    suite.commit(remove(new_commit(), note_key("n"), 0)).await;
    assert_eq!(suite.version(&note_key("n")).await, 0);
}

pub async fn tables_do_not_share_ids(suite: &Suite) {
    suite.have(vec![note("same", "a note"), bare("same").into()]).await;
    suite.commit(remove(new_commit(), note_key("same"), 1)).await;
    assert_eq!(suite.version(&show_key("same")).await, 1);
}

pub async fn odd_text_survives(suite: &Suite) {
    let odd = [
        "",
        " ",
        "it's",
        "\"quoted\"",
        "back\\slash",
        "percent % under _ star * question ?",
        "'; DROP TABLE show; --",
        "new\nline\tand\rtab",
        "Žluťoučký kůň",
        "e\u{301} or é",
        "日本語",
        "👩‍👩‍👧‍👦 🎫",
        "\u{feff}mark \u{202e}right to left",
        "{\"json\": [null]}",
        "$where ${x} :name @name ?1",
    ];
    let rows: Vec<SuiteRow> = odd
        .iter()
        .map(|text| {
            let tags = vec![(*text).to_owned(), "common".to_owned()];
            let (city, code) = (Some((*text).to_owned()), Some((*text).to_owned()));
            Show { city, code, tags, words: Some((*text).to_owned()), ..bare(text) }.into()
        })
        .collect();
    suite.have(rows.clone()).await;
    let loaded = suite.rows(&odd.map(show_key)).await;
    let loaded: Vec<SuiteRow> = loaded.into_iter().flatten().map(Versioned::into_row).collect();
    assert_eq!(loaded, rows);
    for (index, text) in odd.into_iter().enumerate() {
        for column in ["city", "tags", "code"] {
            let query = Query::all("show").filter(Condition::Is(column, text.into()));
            let found = suite.store.query(&query).await.expect("a query succeeds");
            assert_eq!(found.len(), 1, "{text:?} in {column}");
            assert_eq!(*found[0].row, rows[index], "{text:?} in {column}");
        }
    }
}

pub async fn one_of_ten_concurrent_commits_wins(suite: &Suite) {
    suite.have(vec![note("n", "start")]).await;
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..10 {
        let store = Arc::clone(&suite.store);
        let mut commit = put(new_commit(), note("n", &format!("writer {number}")), 1);
        commit.facts.push(Arc::new(fact(Topic::TicketEvent, number)));
        tasks.spawn(async move { store.commit(commit).await });
    }
    let outcomes = tasks.join_all().await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert_eq!(
        outcomes.iter().filter(|outcome| matches!(outcome, Err(CommitError::Stale(_)))).count(),
        9,
        "the others are told so"
    );
    assert_eq!(suite.version(&note_key("n")).await, 2);
    assert_eq!(suite.fact_keys(Topic::TicketEvent).await.len(), 1);
}

pub async fn a_unique_value_is_taken_once(suite: &Suite) {
    suite.have(vec![with_code("a", "A-1"), with_code("b", "B-1")]).await;
    suite.stale(put(new_commit(), with_code("c", "A-1"), 0)).await;
    suite.stale(put(new_commit(), with_code("b", "A-1"), 1)).await;
    assert_eq!(suite.version(&show_key("b")).await, 1);
    assert_eq!(suite.version(&show_key("c")).await, 0);
    suite.commit(put(new_commit(), with_code("a", "A-1"), 1)).await;
}

pub async fn a_unique_value_is_taken_once_within_a_commit(suite: &Suite) {
    let commit = put(put(new_commit(), with_code("a", "A-1"), 0), with_code("b", "A-1"), 0);
    suite.stale(commit).await;
    assert_eq!(suite.version(&show_key("a")).await, 0);
}

pub async fn a_unique_value_is_free_again_after_a_delete(suite: &Suite) {
    suite.have(vec![with_code("a", "A-1")]).await;
    suite.commit(remove(new_commit(), show_key("a"), 1)).await;
    suite.have(vec![with_code("b", "A-1")]).await;
}

pub async fn unique_values_move_within_one_commit(suite: &Suite) {
    suite.have(vec![with_code("a", "A-1"), with_code("b", "B-1"), with_code("c", "C-1")]).await;
    let mut around = put(new_commit(), with_code("a", "B-1"), 1);
    around = put(around, with_code("b", "C-1"), 1);
    around = put(around, with_code("c", "A-1"), 1);
    around.facts.push(Arc::new(fact(Topic::TicketEvent, 1)));
    suite.commit(around).await;
    for (id, code) in [("a", "B-1"), ("b", "C-1"), ("c", "A-1")] {
        let row = suite.rows(&[show_key(id)]).await.remove(0);
        assert_eq!(row, Some(Versioned::new(with_code(id, code), 2)));
    }
    assert_eq!(suite.fact_keys(Topic::TicketEvent).await.len(), 1, "published once");
    let given_up = put(put(new_commit(), with_code("new", "A-1"), 0), bare("c").into(), 2);
    suite.commit(given_up).await;
}

pub async fn a_deleted_row_hands_on_its_unique_value(suite: &Suite) {
    suite.have(vec![with_code("a", "A-1")]).await;
    suite.commit(remove(put(new_commit(), with_code("b", "A-1"), 0), show_key("a"), 1)).await;
    assert_eq!(suite.version(&show_key("a")).await, 0);
    assert_eq!(suite.version(&show_key("b")).await, 1);
}

pub async fn a_taken_value_stays_taken_when_others_move(suite: &Suite) {
    suite.have(vec![with_code("a", "A-1"), with_code("b", "B-1"), with_code("x", "X-1")]).await;
    let swap = put(put(new_commit(), with_code("a", "B-1"), 1), with_code("b", "X-1"), 1);
    suite.stale(swap).await;
    let stale = put(put(new_commit(), with_code("a", "B-1"), 1), with_code("b", "A-1"), 9);
    suite.stale(stale).await;
    for (id, code) in [("a", "A-1"), ("b", "B-1"), ("x", "X-1")] {
        let row = suite.rows(&[show_key(id)]).await.remove(0);
        assert_eq!(row, Some(Versioned::new(with_code(id, code), 1)));
    }
}

pub async fn missing_unique_values_do_not_collide(suite: &Suite) {
    suite.have(vec![bare("a").into(), bare("b").into(), with_code("c", "")]).await;
    suite.stale(put(new_commit(), with_code("d", ""), 0)).await;
    suite.commit(put(new_commit(), bare("c").into(), 1)).await;
    assert_eq!(suite.version(&show_key("c")).await, 2);
}
