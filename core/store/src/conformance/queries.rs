//! Queries: each condition, the order, and pages.

use super::*;

/// Four shows in two cities, and one that has no values at all.
fn shows() -> Vec<SuiteRow> {
    let show = |id: &str, city: &str, seats, tags: &[&str], words: &str| {
        SuiteRow::from(Show {
            city: Some(city.to_owned()),
            seats: Some(seats),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            words: Some(words.to_owned()),
            ..bare(id)
        })
    };
    vec![
        show("a", "Bern", 10, &["jazz", "open air"], "jazz im park"),
        show("b", "Basel", 20, &["folk"], "volksmusik im parkhaus"),
        show("c", "Bern", 30, &["jazz"], "spark und feuer c++"),
        show("d", "Basel", -40, &[], "日 本 祭"),
        bare("e").into(),
    ]
}

async fn ids(suite: &Suite, query: &Query) -> Vec<String> {
    let found = suite.store.query(query).await.expect("a query succeeds");
    found.into_iter().map(|versioned| versioned.row.key().id.to_string()).collect()
}

async fn finds(suite: &Suite, condition: Condition, expected: &[&str]) {
    let query = Query::all("show").filter(condition.clone());
    assert_eq!(ids(suite, &query).await, expected, "{condition:?}");
}

pub async fn a_query_of_everything_is_ordered_by_id(suite: &Suite) {
    assert!(ids(suite, &Query::all("show")).await.is_empty());
    suite.have(shows().into_iter().rev().chain([note("n", "")]).collect()).await;
    assert_eq!(ids(suite, &Query::all("show")).await, ["a", "b", "c", "d", "e"]);
    assert_eq!(ids(suite, &Query::all("note")).await, ["n"]);
    suite.commit(put(new_commit(), note("n", "changed"), 1)).await;
    let found = suite.store.query(&Query::all("note")).await.expect("a query succeeds");
    assert_eq!(found, [Versioned::new(note("n", "changed"), 2)]);
}

pub async fn is_finds_equal_values(suite: &Suite) {
    suite.have(shows()).await;
    finds(suite, Condition::Is("city", "Bern".into()), &["a", "c"]).await;
    finds(suite, Condition::Is("city", "bern".into()), &[]).await;
    finds(suite, Condition::Is("city", "Ber".into()), &[]).await;
    finds(suite, Condition::Is("seats", Value::Int(-40)), &["d"]).await;
}

pub async fn one_of_finds_any_of_them(suite: &Suite) {
    suite.have(shows()).await;
    let seats =
        |numbers: &[i64]| Condition::OneOf("seats", numbers.iter().copied().map(Value::Int).collect());
    finds(suite, seats(&[10, 30, 99]), &["a", "c"]).await;
    finds(suite, seats(&[]), &[]).await;
    finds(suite, Condition::OneOf("city", vec!["Bern".into(), "Basel".into()]), &["a", "b", "c", "d"]).await;
    finds(suite, Condition::OneOf("tags", vec!["folk".into(), "jazz".into()]), &["a", "b", "c"]).await;
}

pub async fn ranges_include_their_beginning_only(suite: &Suite) {
    suite.have(shows()).await;
    finds(suite, Condition::AtLeast("seats", Value::Int(20)), &["b", "c"]).await;
    finds(suite, Condition::Below("seats", Value::Int(20)), &["a", "d"]).await;
    finds(suite, Condition::AtLeast("city", "Bern".into()), &["a", "c"]).await;
    finds(suite, Condition::Below("city", "Bern".into()), &["b", "d"]).await;
}

pub async fn all_conditions_must_hold(suite: &Suite) {
    suite.have(shows()).await;
    let query = Query::all("show")
        .filter(Condition::Is("city", "Bern".into()))
        .filter(Condition::AtLeast("seats", Value::Int(5)))
        .filter(Condition::Below("seats", Value::Int(30)))
        .filter(Condition::Is("tags", "jazz".into()))
        .filter(Condition::Matches("words", vec!["park".to_owned()]));
    assert_eq!(ids(suite, &query).await, ["a"]);
}

pub async fn sets_match_by_one_of_their_texts(suite: &Suite) {
    suite.have(shows()).await;
    finds(suite, Condition::Is("tags", "jazz".into()), &["a", "c"]).await;
    finds(suite, Condition::Is("tags", "open air".into()), &["a"]).await;
    finds(suite, Condition::Is("tags", "open".into()), &[]).await;
    let fewer = Show { tags: vec!["open air".to_owned()], ..bare("a") };
    suite.commit(put(new_commit(), fewer.into(), 1)).await;
    finds(suite, Condition::Is("tags", "jazz".into()), &["c"]).await;
    finds(suite, Condition::Is("tags", "open air".into()), &["a"]).await;
    suite.commit(remove(new_commit(), show_key("a"), 2)).await;
    finds(suite, Condition::Is("tags", "open air".into()), &[]).await;
}

pub async fn words_match_by_their_beginnings(suite: &Suite) {
    suite.have(shows()).await;
    let words = |text: &str| Condition::Matches("words", text.split(' ').map(str::to_owned).collect());
    finds(suite, words("park"), &["a", "b"]).await;
    finds(suite, words("parkh"), &["b"]).await;
    finds(suite, words("im park"), &["a", "b"]).await;
    finds(suite, words("par i ja"), &["a"]).await;
    finds(suite, words("park feuer"), &[]).await;
    finds(suite, words("c+"), &["c"]).await;
    finds(suite, words("日 祭"), &["d"]).await;
    for odd in ["\"", "*", "par*", "NOT", "words:", "(", "-", "^park", "'", "%", "_ark"] {
        finds(suite, words(odd), &[]).await;
    }
}

pub async fn search_follows_a_change(suite: &Suite) {
    let show = |words: Option<&str>| SuiteRow::from(Show { words: words.map(str::to_owned), ..bare("a") });
    let search = |word: &str| Condition::Matches("words", vec![word.to_owned()]);
    suite.have(vec![show(Some("old name"))]).await;
    suite.commit(put(new_commit(), show(Some("new name")), 1)).await;
    finds(suite, search("old"), &[]).await;
    finds(suite, search("new"), &["a"]).await;
    suite.commit(put(new_commit(), show(None), 2)).await;
    finds(suite, search("name"), &[]).await;
    suite.commit(put(new_commit(), show(Some("third name")), 3)).await;
    finds(suite, search("third"), &["a"]).await;
    suite.commit(remove(new_commit(), show_key("a"), 4)).await;
    finds(suite, search("third"), &[]).await;
    suite.have(vec![show(Some("fourth"))]).await;
    finds(suite, search("name"), &[]).await;
    finds(suite, search("fou"), &["a"]).await;
}

pub async fn missing_values_never_match(suite: &Suite) {
    suite.have(vec![bare("a").into()]).await;
    finds(suite, Condition::Is("city", Value::Null), &[]).await;
    finds(suite, Condition::Is("city", "".into()), &[]).await;
    finds(suite, Condition::OneOf("city", vec![Value::Null, "x".into()]), &[]).await;
    finds(suite, Condition::AtLeast("seats", Value::Int(i64::MIN)), &[]).await;
    finds(suite, Condition::Below("seats", Value::Int(i64::MAX)), &[]).await;
    finds(suite, Condition::AtLeast("city", "".into()), &[]).await;
    finds(suite, Condition::Below("city", "z".into()), &[]).await;
    finds(suite, Condition::Matches("words", vec!["a".to_owned()]), &[]).await;
    finds(suite, Condition::Is("tags", "".into()), &[]).await;
}

pub async fn ties_are_broken_by_id(suite: &Suite) {
    suite.have(shows()).await;
    let cities = Query::all("show").filter(Condition::OneOf("city", vec!["Bern".into(), "Basel".into()]));
    let up = cities.clone().order("city", Direction::Ascending);
    assert_eq!(ids(suite, &up).await, ["b", "d", "a", "c"]);
    let down = cities.order("city", Direction::Descending);
    assert_eq!(ids(suite, &down).await, ["c", "a", "d", "b"]);
}

pub async fn missing_values_come_first(suite: &Suite) {
    suite.have(shows()).await;
    let up = Query::all("show").order("seats", Direction::Ascending);
    assert_eq!(ids(suite, &up).await, ["e", "d", "a", "b", "c"]);
    let down = Query::all("show").order("seats", Direction::Descending);
    assert_eq!(ids(suite, &down).await, ["c", "b", "a", "d", "e"]);
}

pub async fn pages_visit_each_row_once(suite: &Suite) {
    let rows = (0..23).map(|number: i64| {
        let (city, seats) = (["x", "y", "z"][number as usize % 3].to_owned(), Some(number % 4));
        let (city, seats) = if number % 5 == 0 { (None, None) } else { (Some(city), seats) };
        SuiteRow::from(Show { city, seats, ..bare(&format!("{number:02}")) })
    });
    suite.have(rows.collect()).await;
    for order in ["city", "seats"] {
        for direction in [Direction::Ascending, Direction::Descending] {
            let whole = ids(suite, &Query::all("show").order(order, direction)).await;
            assert_eq!(whole.len(), 23);
            for step in [1, 2, 3, 7, 23] {
                let query = Query::all("show").order(order, direction).limit(step);
                assert_eq!(pages(suite, query, Some(order)).await, whole, "{order} {direction:?} by {step}");
            }
        }
    }
}

pub async fn pages_follow_the_ids(suite: &Suite) {
    suite.have(shows()).await;
    let up = Query::all("show").limit(2);
    assert_eq!(pages(suite, up.clone(), None).await, ["a", "b", "c", "d", "e"]);
    let down = Query { direction: Direction::Descending, ..up.clone() };
    assert_eq!(pages(suite, down, None).await, ["e", "d", "c", "b", "a"]);
    let some = up.filter(Condition::AtLeast("seats", Value::Int(0)));
    assert_eq!(pages(suite, some, None).await, ["a", "b", "c"]);
}

/// The ids of every page.
async fn pages(suite: &Suite, mut query: Query, order: Option<&str>) -> Vec<String> {
    let mut visited = Vec::new();
    loop {
        let page = suite.store.query(&query).await.expect("a query succeeds");
        assert!(page.len() <= query.limit);
        visited.extend(page.iter().map(|versioned| versioned.row.key().id.to_string()));
        let Some(last) = page.last() else { return visited };
        assert!(visited.len() < 100, "paging goes round in circles");
        query.after =
            Some(Cursor { value: order_value(&last.row, order), id: last.row.key().id.to_string() });
    }
}

fn order_value(row: &SuiteRow, order: Option<&str>) -> Value {
    let columns = SuiteRow::TABLES[0].columns;
    let index = columns.iter().position(|column| Some(column.name) == order);
    index.map_or(Value::Null, |index| row.columns()[index].clone())
}

pub async fn a_limit_is_kept(suite: &Suite) {
    suite.have(shows()).await;
    assert_eq!(ids(suite, &Query::all("show").limit(2)).await, ["a", "b"]);
    assert!(ids(suite, &Query::all("show").limit(0)).await.is_empty());
    assert_eq!(Query::all("show").limit(MAX_PAGE + 1).limit, MAX_PAGE);
}

pub async fn an_unknown_table_is_an_error(suite: &Suite) {
    assert!(suite.store.query(&Query::all("nothing")).await.is_err());
}
