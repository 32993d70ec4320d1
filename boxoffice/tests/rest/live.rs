//! What is left of an event, as it changes.

use std::time::Duration;

use reqwest::{Response, header::CONTENT_TYPE};

use crate::fixture::{Read, Sketch, Value, play};

/// Beyond that, it does not come. Generous: the bound is for defects, not for slow machines.
const PATIENCE: Duration = Duration::from_secs(30);

/// One server-sent event.
#[derive(Debug)]
struct Sent {
    id: String,
    data: Value,
}

/// A stream as a browser reads it.
struct Reading {
    response: Response,
    rest: String,
}

impl Reading {
    async fn open(address: std::net::SocketAddr, path: &str, last_event_id: &str) -> Self {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut request = client.get(format!("http://{address}{path}")).header("accept", "text/event-stream");
        if !last_event_id.is_empty() {
            request = request.header("last-event-id", last_event_id);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()[CONTENT_TYPE], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        Self { response, rest: String::new() }
    }

    /// The next event; none when the stream has ended.
    async fn next(&mut self) -> Option<Sent> {
        loop {
            if let Some((block, rest)) = self.rest.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.rest = rest;
                let line = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
                if let Some(data) = line("data: ") {
                    let data = serde_json::from_str(data).unwrap();
                    return Some(Sent { id: line("id: ").unwrap_or_default().to_owned(), data });
                }
                continue;
            }
            let chunk = tokio::time::timeout(PATIENCE, self.response.chunk()).await.expect("nothing came");
            self.rest.push_str(std::str::from_utf8(&chunk.unwrap()?).unwrap());
        }
    }

    /// Reads on until so many places are left.
    async fn until_left(&mut self, left: i64) -> Sent {
        loop {
            let sent = self.next().await.expect("the stream goes on");
            if sent.data.list("ticket_types")[0].number("available") == left {
                return sent;
            }
        }
    }
}

#[test]
fn what_is_left_is_told_at_once_and_with_each_change() {
    play(async |stage| {
        let olga = stage.organiser().await;
        let anna = stage.user("Anna").await;
        let event = olga.publishes(Sketch::new("Concert").free("Standing", 10)).await;
        let mut live = Reading::open(olga.address, &event.at("/availability:stream"), "").await;
        let first = live.next().await.unwrap();
        assert_eq!(first.data.list("ticket_types")[0].number("available"), 10);
        assert_eq!(first.id, first.data.number("sequence").to_string());
        anna.gets(&event, 3).await;
        let then = live.until_left(7).await;
        assert!(then.data.number("sequence") > first.data.number("sequence"));
        let asked = anna.get(&event.at("/availability")).await.expect(200);
        assert_eq!(then.data, asked);
    });
}

#[test]
fn who_is_cut_off_goes_on_where_they_were() {
    play(async |stage| {
        let olga = stage.organiser().await;
        let event = olga.publishes(Sketch::new("Concert").free("Standing", 10)).await;
        let path = event.at("/availability:stream");
        let known = Reading::open(olga.address, &path, "").await.next().await.unwrap();
        // Nothing is new: the first that comes is the next change.
        let mut again = Reading::open(olga.address, &path, &known.id).await;
        olga.gets(&event, 1).await;
        let next = again.next().await.unwrap();
        assert!(next.data.number("sequence") > known.data.number("sequence"));
        // What changed while nobody listened comes at once.
        let missed = Reading::open(olga.address, &path, &known.id).await.next().await.unwrap();
        assert_eq!(missed.data.list("ticket_types")[0].number("available"), 9);
        let wrong = olga.get(&path).header("last-event-id", "yesterday").await;
        wrong.bad_field("Last-Event-ID");
    });
}

#[test]
fn a_draft_and_what_is_not_there_have_no_stream() {
    play(async |stage| {
        let olga = stage.organiser().await;
        let draft = olga.drafts(Sketch::new("Secret").free("Standing", 5)).await;
        let path = draft.at("/availability:stream");
        stage.anonymous().get(&path).await.problem(404, "not_found");
        olga.get("/v1/events/none/availability:stream").await.problem(404, "not_found");
    });
}

#[test]
fn streams_end_when_the_platform_stops() {
    // That the story ends is the proof: the platform waits for requests that run.
    let mut left_open = None;
    play(async |stage| {
        let olga = stage.organiser().await;
        let event = olga.publishes(Sketch::new("Concert").free("Standing", 10)).await;
        let mut live = Reading::open(olga.address, &event.at("/availability:stream"), "").await;
        live.next().await.unwrap();
        left_open = Some(live);
    });
    drop(left_open);
}
