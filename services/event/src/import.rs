//! Events from a CSV file.

mod row;

use csv::{Position, ReaderBuilder, StringRecord};
use domain::{Refusal, UserId};
use futures_util::future::join_all;
use kit::{Caller, Request as Order, ServiceError, request as metadata};
use proto::v1::{
    self,
    import_events_response::{Bad, Created},
};
use tonic::{Request, Response};

use crate::{
    machine::{EventCommand, EventReply},
    service::{Answer, Events},
};

pub use row::{Columns, column_of};

/// The most rows of a file that comes by an rpc; larger ones are for `boxoffice import`.
pub const MAX_ROWS: usize = 500;
/// The most bad fields that are told.
const MAX_BAD: usize = 1_000;

/// One row of a file, with its line; the header is line 1.
pub struct Numbered {
    /// The line.
    pub line: u64,
    /// What it says, or why it cannot be read.
    pub record: Result<StringRecord, csv::Error>,
}

/// The rows of a file behind its header.
pub fn rows<R: std::io::Read>(reader: &mut csv::Reader<R>) -> impl Iterator<Item = Numbered> + '_ {
    let mut first_line = None;
    reader.records().map(move |record| {
        let position = match &record {
            Ok(record) => record.position(),
            Err(error) => error.position(),
        };
        let counted = position.map_or(0, Position::line);
        // Where lines end with CR LF, the reader counts a row as beginning before the LF: one line early.
        let is_early = *first_line.get_or_insert(counted) < 2;
        Numbered { line: counted + u64::from(is_early), record }
    })
}

impl Events {
    pub(crate) async fn import(
        &self,
        request: Request<v1::ImportEventsRequest>,
    ) -> Answer<v1::ImportEventsResponse> {
        let organizer_id = Caller::of(&request).user()?;
        let traceparent = metadata::traceparent(request.metadata());
        let mut reader = ReaderBuilder::new().flexible(true).from_reader(request.get_ref().csv.as_bytes());
        let header =
            reader.headers().map_err(|error| Refusal::field("csv", format!("cannot be read: {error}")))?;
        let columns = Columns::find(header).map_err(|why| Refusal::field("csv", why))?;
        let mut report =
            v1::ImportEventsResponse { unknown_columns: columns.unknown.clone(), ..Default::default() };
        let mut commands = Vec::new();
        for (count, Numbered { line, record }) in rows(&mut reader).enumerate() {
            if count == MAX_ROWS {
                let why = format!("may have {MAX_ROWS} rows at most: split it, or use `boxoffice import`");
                return Err(Refusal::field("csv", why).into());
            }
            let row = i32::try_from(line).unwrap_or(i32::MAX);
            match record {
                Ok(record) => match self.event_of(organizer_id, &columns, &record) {
                    Ok(command) => commands.push((row, command)),
                    Err(refusal) => note(&mut report, row, &refusal),
                },
                Err(error) => report.bad.push(bad(row, "", &error.to_string())),
            }
        }
        // At once, so that they share few commits.
        let orders = commands.into_iter().map(|(row, command)| {
            let order = Order { command, idempotency: None, traceparent: traceparent.clone() };
            async move { (row, self.handle.submit(order).await) }
        });
        for (row, outcome) in join_all(orders).await {
            match outcome.map(|replied| replied.reply) {
                Ok(EventReply::Event(view)) => report.created.push(Created {
                    row,
                    event_id: view.event.id.to_string(),
                    title: view.event.draft.title.clone(),
                }),
                Ok(EventReply::Done) => {}
                Err(error) if error.reason == "already_exists" => report.known += 1,
                // What was made so far stays, and is known when the file is sent again.
                Err(error) if error.fields.is_empty() => return Err(error),
                Err(error) => note_error(&mut report, row, &error),
            }
        }
        report.bad.sort_by_key(|bad| bad.row);
        report.bad.truncate(MAX_BAD);
        Ok(Response::new(report))
    }

    fn event_of(
        &self,
        organizer_id: UserId,
        columns: &Columns,
        record: &StringRecord,
    ) -> Result<EventCommand, Refusal> {
        let event = columns.event(record).map_err(|(column, reason)| Refusal::field(column, reason))?;
        let event = self.new_event(organizer_id, &event)?;
        Ok(EventCommand::Create(Box::new(event)))
    }
}

fn bad(row: i32, column: &str, reason: &str) -> Bad {
    Bad { row, field: column.to_owned(), reason: reason.to_owned() }
}

fn note(report: &mut v1::ImportEventsResponse, row: i32, refusal: &Refusal) {
    let fields = refusal.fields.iter();
    report.bad.extend(fields.map(|error| bad(row, column_of(&error.field), &error.reason)));
}

fn note_error(report: &mut v1::ImportEventsResponse, row: i32, error: &ServiceError) {
    let fields = error.fields.iter();
    report.bad.extend(fields.map(|error| bad(row, column_of(&error.field), &error.reason)));
}
