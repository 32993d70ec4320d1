//! `boxoffice import events`: a CSV file of events, row by row through the REST surface.
//!
//! Each row becomes one call that creates and publishes its event under an external id which follows
//! from the row, so importing a file again creates nothing.

use std::{
    collections::VecDeque,
    fs::File,
    io::{IsTerminal, Write},
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context;
use event::import::{Columns, Numbered, column_of, rows};
use http::StatusCode;
use prost::Message;
use prost_reflect::{DynamicMessage, SerializeOptions};
use proto::v1::CreateEventRequest;
use serde_json::Value;
use tokio::task::JoinHandle;

use crate::api::{Api, Reply};

/// How many rows are under way at a time.
const MAX_UNDER_WAY: usize = 64;
/// The most bad rows that are shown one by one.
const MAX_SHOWN: usize = 1_000;
/// How often progress is shown on a terminal.
const SHOW_EVERY: Duration = Duration::from_millis(200);

/// What an import did.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// New events.
    pub created: u64,
    /// Rows whose event was there already.
    pub known: u64,
    /// Rows that were refused: their line and the reason.
    pub bad: Vec<(u64, String)>,
}

impl Summary {
    fn rows(&self) -> u64 {
        self.created + self.known + self.bad.len() as u64
    }
}

type UnderWay = VecDeque<(u64, JoinHandle<anyhow::Result<Reply>>)>;

/// Imports a file. Bad rows are reported on `report` and skipped.
///
/// # Errors
/// When the file cannot be read, lacks a column, or the platform does not answer.
pub async fn events(file: &Path, api: Arc<Api>, report: &mut dyn Write) -> anyhow::Result<Summary> {
    let opened = File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(opened);
    let header = reader.headers().context("the first line cannot be read")?;
    let columns = Columns::find(header).map_err(|why| anyhow::anyhow!("the file {why}"))?;
    for unknown in &columns.unknown {
        writeln!(report, "column `{unknown}` is not known and is left out")?;
    }
    let mut summary = Summary::default();
    let mut under_way = UnderWay::new();
    let mut progress = Progress::start();
    for Numbered { line, record } in rows(&mut reader) {
        let read = record.map_err(|error| error.to_string());
        let event = read.and_then(|record| {
            columns.event(&record).map_err(|(column, reason)| format!("{column} {reason}"))
        });
        match event {
            Ok(event) => {
                let (api, body) = (Arc::clone(&api), body(event)?);
                let call = tokio::spawn(async move { api.post("/v1/events", &body).await });
                under_way.push_back((line, call));
            }
            Err(reason) => note_bad(&mut summary, report, line, reason)?,
        }
        if under_way.len() >= MAX_UNDER_WAY {
            finish_one(&mut under_way, &mut summary, report).await?;
        }
        progress.show(&summary);
    }
    while !under_way.is_empty() {
        finish_one(&mut under_way, &mut summary, report).await?;
    }
    progress.end();
    Ok(summary)
}

/// The JSON of a call that creates an event and puts it on sale at once.
fn body(event: CreateEventRequest) -> anyhow::Result<Value> {
    let event = CreateEventRequest { publish: true, ..event };
    let descriptor = proto::descriptors().get_message_by_name("boxoffice.v1.CreateEventRequest");
    let descriptor = descriptor.context("the contract has no CreateEventRequest")?;
    let message = DynamicMessage::decode(descriptor, event.encode_to_vec().as_slice())?;
    let options = SerializeOptions::new().stringify_64_bit_integers(false).use_proto_field_name(true);
    Ok(message.serialize_with_options(serde_json::value::Serializer, &options)?)
}

async fn finish_one(
    under_way: &mut UnderWay,
    summary: &mut Summary,
    report: &mut dyn Write,
) -> anyhow::Result<()> {
    let Some((line, call)) = under_way.pop_front() else { return Ok(()) };
    let (status, body) = call.await??;
    match status {
        StatusCode::CREATED => summary.created += 1,
        StatusCode::CONFLICT if body["code"] == "already_exists" => summary.known += 1,
        StatusCode::BAD_REQUEST => note_bad(summary, report, line, reasons(&body))?,
        StatusCode::UNAUTHORIZED => {
            anyhow::bail!(
                "line {line}: the token is not valid or has expired; repeat with a fresh one, it goes on"
            )
        }
        other => anyhow::bail!("line {line}: the platform answered {other}: {}", body["detail"]),
    }
    Ok(())
}

fn note_bad(summary: &mut Summary, report: &mut dyn Write, line: u64, reason: String) -> anyhow::Result<()> {
    if summary.bad.len() < MAX_SHOWN {
        writeln!(report, "line {line}: {reason}")?;
    }
    summary.bad.push((line, reason));
    Ok(())
}

/// The field errors of a problem in one line, by the names of the columns.
fn reasons(problem: &Value) -> String {
    let errors = problem["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    let named: Vec<String> = errors
        .iter()
        .map(|error| {
            let field = error["field"].as_str().unwrap_or_default();
            format!("{} {}", column_of(field), error["reason"].as_str().unwrap_or_default())
        })
        .collect();
    if named.is_empty() {
        problem["detail"].as_str().unwrap_or("refused").to_owned()
    } else {
        named.join("; ")
    }
}

/// A line on the terminal that shows how far the import is.
struct Progress {
    shown_at: Option<Instant>,
}

impl Progress {
    fn start() -> Self {
        Self { shown_at: std::io::stderr().is_terminal().then(Instant::now) }
    }

    fn show(&mut self, summary: &Summary) {
        if self.shown_at.is_some_and(|at| at.elapsed() >= SHOW_EVERY) {
            eprint!("\r{} rows, {} new, {} bad ", summary.rows(), summary.created, summary.bad.len());
            self.shown_at = Some(Instant::now());
        }
    }

    fn end(&self) {
        if self.shown_at.is_some() {
            eprint!("\r{:60}\r", "");
        }
    }
}
