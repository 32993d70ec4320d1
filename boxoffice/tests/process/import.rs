//! `boxoffice import events`: real conferences, on a stopped platform and through a running one.

use serde_json::Value;

use crate::support::{Home, Ran, Visitor};

const SAMPLE: &str = "conferences-sample.csv";
const ROWS: usize = 40;
const BAD: &str = "conferences-bad.csv";
/// Before every event of the sample, so that lists have the finished ones too.
const FROM: &str = "2000-01-01T00:00:00Z";

/// A stopped platform with one account.
async fn with_organizer() -> (Home, Visitor) {
    let home = Home::new();
    let running = home.up();
    let organizer = Visitor::register(&running.url, "olga").await;
    running.stop();
    (home, organizer)
}

fn import(home: &Home, file: &str, organizer: &Visitor) -> Ran {
    let data = home.data_arg();
    home.run(&["import", "events", file, "--organizer", &organizer.email, "--data-dir", &data])
}

async fn titles(anonymous: &Visitor, filter: &str) -> Vec<String> {
    let events = anonymous.list(&format!("/v1/events?from={FROM}{filter}"), "events").await;
    events.iter().map(|event| event["title"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_sample_is_imported_once_into_a_stopped_platform() {
    let (home, organizer) = with_organizer().await;
    let file = Home::sample(SAMPLE);
    let first = import(&home, &file, &organizer).succeeded();
    assert!(first.out.contains(&format!("{ROWS} created, 0 already there, 0 bad")), "{first:?}");
    let second = import(&home, &file, &organizer).succeeded();
    assert!(second.out.contains(&format!("0 created, {ROWS} already there, 0 bad")), "{second:?}");
    home.audit().succeeded();

    let running = home.up();
    let anonymous = Visitor::known(&running.url, "", "");
    assert_eq!(titles(&anonymous, "").await.len(), ROWS);
    for (filter, expected) in [
        ("&city=Wroc%C5%82aw", vec!["wroc_love.rb", "wroc_love.rb"]),
        ("&q=nurnberg", vec!["Developer Week Nürnberg"]),
        ("&q=%CF%80e", vec![]),
        ("&q=test%CE%BC", vec!["Testμ", "Testμ Conference"]),
        ("&q=speed&category=general", vec!["We ❤️ Speed"]),
        ("&country=Greece", vec!["Oπe\\n Conf Athens"]),
        ("&city=krakow", vec!["Rolling Scopes Kraków"]),
    ] {
        assert_eq!(titles(&anonymous, filter).await, expected, "{filter}");
    }
    check_one(&anonymous).await;
    running.stop();
}

/// What became of one row, and of one on the net without a city.
async fn check_one(anonymous: &Visitor) {
    let found = anonymous.see(&format!("/v1/events?from={FROM}&q=mobile+era")).await;
    let event: &Value = &found["events"][0];
    assert_eq!(event["status"], "PUBLISHED");
    assert_eq!(event["finished"], true);
    assert_eq!(event["starts_at"], "2017-10-05T09:00:00Z");
    assert_eq!(event["ends_at"], "2017-10-06T18:00:00Z");
    assert_eq!(event["venue"]["city"], "Oslo");
    assert_eq!(event["categories"], serde_json::json!(["android", "ios"]));
    assert_eq!(event["website_url"], "https://mobileera.rocks");
    assert_eq!(event["ticket_types"][0]["quantity"], 100);
    assert_eq!(event["ticket_types"][0]["price"]["minor"], 0);
    let found = anonymous.see(&format!("/v1/events?from={FROM}&q=byteconf")).await;
    assert_eq!(
        (&found["events"][0]["online"], &found["events"][0]["venue"]["city"]),
        (&true.into(), &"".into())
    );
}

#[tokio::test]
async fn bad_rows_are_reported_with_line_and_reason_and_the_rest_goes_in() {
    let (home, organizer) = with_organizer().await;
    let ran = import(&home, &Home::sample(BAD), &organizer).refused(&[
        "line 3: start_date",
        "2027-02-30",
        "line 4: end_date must not be before start_date",
        "line 5: ",
        "line 6: online must be true or false, not `perhaps`",
        "line 7: name must be one line",
    ]);
    assert!(ran.out.contains("2 created, 0 already there, 5 bad"), "{ran:?}");
    let nameless = ran.err.lines().find(|line| line.starts_with("line 5: ")).unwrap();
    assert!(nameless.contains("name must not be empty"), "{nameless}");

    let repeated = import(&home, &Home::sample(BAD), &organizer);
    assert_eq!(repeated.code, Some(1));
    assert!(repeated.out.contains("0 created, 2 already there, 5 bad"), "{repeated:?}");
    home.audit().succeeded();
}

#[tokio::test]
async fn a_sample_is_imported_through_a_running_platform() {
    let home = Home::new();
    let running = home.up();
    let organizer = Visitor::register(&running.url, "olga").await;
    let with_token = |file: &str, token: &str| {
        home.run(&["import", "events", file, "--url", &running.url, "--token", token])
    };
    let file = Home::sample(SAMPLE);
    let first = with_token(&file, &organizer.access_token).succeeded();
    assert!(first.out.contains(&format!("{ROWS} created, 0 already there, 0 bad")), "{first:?}");
    let second = with_token(&file, &organizer.access_token).succeeded();
    assert!(second.out.contains(&format!("0 created, {ROWS} already there, 0 bad")), "{second:?}");
    let bad = with_token(&Home::sample(BAD), &organizer.access_token).refused(&["line 3: start_date"]);
    assert!(bad.out.contains("2 created, 0 already there, 5 bad"), "{bad:?}");

    with_token(&file, "not-a-token").refused(&["token"]);
    let own = organizer.list(&format!("/v1/events?organizer_id=me&from={FROM}"), "events").await;
    assert_eq!(own.len(), ROWS + 2);
    running.stop();
    home.audit().succeeded();
}

#[tokio::test]
async fn the_token_may_come_from_the_environment_and_must_be_the_organizers() {
    let home = Home::new();
    let running = home.up();
    let organizer = Visitor::register(&running.url, "olga").await;
    let file = Home::sample(SAMPLE);
    let with_organizer = |email: &str| {
        let mut command =
            home.command(&["import", "events", &file, "--url", &running.url, "--organizer", email]);
        Ran::of(command.env("BOXOFFICE_TOKEN", &organizer.access_token).output().unwrap())
    };
    with_organizer("somebody.else@visitor.example").refused(&["somebody.else@visitor.example"]);
    with_organizer(&organizer.email).succeeded();
    running.stop();
}

#[tokio::test]
async fn what_cannot_be_imported_at_all_is_said() {
    let (home, organizer) = with_organizer().await;
    let data = home.data_arg();
    let file = Home::sample(SAMPLE);
    home.run(&["import", "events", &file, "--organizer", "nobody@visitor.example", "--data-dir", &data])
        .refused(&["nobody@visitor.example", "register"]);
    home.run(&["import", "events", &file, "--data-dir", &data]).refused(&["--organizer is needed"]);
    import(&home, "missing.csv", &organizer).refused(&["missing.csv"]);

    let no_date = home.write("no-date.csv", "name,city\nRustFest,Leiden\n").display().to_string();
    import(&home, &no_date, &organizer).refused(&["no column `start_date`"]);
    let empty = home.write("empty.csv", "").display().to_string();
    import(&home, &empty, &organizer).refused(&["no column `name`"]);
    home.run(&["import", "events", &file, "--url", "http://127.0.0.1:1", "--token", "x"])
        .refused(&["http://127.0.0.1:1"]);
    home.run(&["import", "events", &file, "--url", "nonsense", "--token", "x"]).refused(&["nonsense"]);
}

#[tokio::test]
async fn an_unknown_column_is_left_out_and_others_may_be_named_in_any_order() {
    let (home, organizer) = with_organizer().await;
    let text = "\u{feff}Speaker,PRICE,start_date,name,places\nAda,12.50,2027-05-01,Ada live,7\n";
    let file = home.write("own.csv", text).display().to_string();
    let ran = import(&home, &file, &organizer).succeeded();
    assert!(ran.err.contains("speaker") && ran.out.contains("1 created"), "{ran:?}");
    let running = home.up();
    let found = Visitor::known(&running.url, "", "").see(&format!("/v1/events?from={FROM}&q=ada")).await;
    let kind = &found["events"][0]["ticket_types"][0];
    assert_eq!(
        (kind["price"]["minor"].as_i64(), kind["quantity"].as_i64()),
        (Some(1_250), Some(7)),
        "{kind}"
    );
    running.stop();
}
