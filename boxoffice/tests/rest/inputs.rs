//! The table of bad input: every field of the REST surface, from the contracts, with every value of [`values`].
//!
//! No answer is a 5xx. What the contract forbids ([`oracle`]) is refused by name and leaves nothing behind; what is
//! accepted reads back as it was sent.

mod fields;
mod oracle;
mod texts;
mod values;

use std::{collections::BTreeSet, sync::Mutex};

use futures_util::{StreamExt, stream};
use prost_reflect::MethodDescriptor;
use serde_json::Value;

use crate::{
    authorisation::{Cast, Row, all_rpcs, rows_of},
    fixture::{Actor, Answer, Stage, play},
};
use fields::{Field, Place};
use values::Sent;

/// The least that the table must have.
const VALUES: usize = 300;
/// Requests that are under way at once.
const AT_ONCE: usize = 16;
/// Afterwards the same call would be refused because it was made before.
const SPENT: &[&str] = &[
    "PayBooking",
    "CancelBooking",
    "CancelEvent",
    "PublishEvent",
    "DeleteEvent",
    "DeleteTicketType",
    "TransferTicket",
    "CreateTicketType",
    "Refresh",
    "Logout",
];
/// A field may make another one wrong; that one may be named.
const TOGETHER: &[(&str, &[&str])] = &[
    ("starts_at", &["ends_at", "ticket_types"]),
    ("ends_at", &["starts_at", "ticket_types"]),
    ("sales_start", &["sales_end"]),
    ("sales_end", &["sales_start"]),
    ("password", &["current_password"]),
    ("online", &["venue"]),
    ("quantity", &["lines", "max_per_booking", "attendees"]),
    ("max_per_booking", &["quantity"]),
    // One event has one currency, and each name once.
    ("currency", &["ticket_types"]),
    ("name", &["ticket_types"]),
    ("update_mask", &[""]),
    ("from", &["to"]),
];

/// The row of an rpc, and who makes the calls.
struct Under<'t, 's> {
    cast: &'t Cast<'s>,
    rpc: MethodDescriptor,
    row: &'t Row,
    actor: &'t Actor,
    doubts: &'t Mutex<Vec<String>>,
}

impl<'t, 's> Under<'t, 's> {
    fn of(cast: &'t Cast<'s>, rpc: &MethodDescriptor, row: &'t Row, doubts: &'t Mutex<Vec<String>>) -> Self {
        let is_admins = row.3[3] != row.3[2] && row.3[2] == 403;
        let actor = if is_admins { &cast.admin } else { &cast.owner };
        Self { cast, rpc: rpc.clone(), row, actor, doubts }
    }

    /// Sends everything that is surely wrong in the place of each field; gives how many answers there were. It is refused,
    /// and all of it together leaves nothing behind.
    async fn are_refused(&self, fields: &[Field], sent: &[Sent]) -> usize {
        let texts = self.prepared().await;
        let changes = self.row.1.split(' ').next() != Some("GET");
        let before = if changes { self.kept().await } else { Vec::new() };
        let every = fields.iter().flat_map(|field| sent.iter().map(move |sent| (field, sent)));
        let wrong = every.filter(|(field, sent)| oracle::is_wrong(self.rpc.name(), field, sent));
        let answers = stream::iter(wrong)
            .map(|(field, sent)| {
                let texts = &texts;
                async move { (field, sent, self.send(texts, field, sent).await) }
            })
            .buffer_unordered(AT_ONCE);
        let answers: Vec<_> = answers.collect().await;
        let mut answered = 0;
        for (field, sent, answer) in answers {
            let Some(answer) = answer else { continue };
            answered += 1;
            self.note(field, sent, &answer, self.doubt(field, sent, &answer, true));
        }
        if changes && before != self.kept().await {
            let doubt = format!("{}: something that was refused left something behind", self.rpc.full_name());
            self.doubts.lock().unwrap().push(doubt);
        }
        answered
    }

    /// Sends everything else in the place of a field. It may be refused for what only the service knows; what is accepted
    /// reads back.
    async fn may_be_accepted(&self, field: &Field, sent: &[Sent]) -> usize {
        let mut answered = 0;
        let mut texts = self.prepared().await;
        for sent in sent.iter().filter(|sent| !oracle::is_wrong(self.rpc.name(), field, sent)) {
            let Some(answer) = self.send(&texts, field, sent).await else { continue };
            answered += 1;
            if answer.status >= 400 {
                self.note(field, sent, &answer, self.doubt(field, sent, &answer, false));
                continue;
            }
            let doubt = (!reads_back(field, sent, &answer)).then_some("it reads back otherwise");
            self.note(field, sent, &answer, doubt);
            if SPENT.contains(&self.rpc.name()) {
                texts = self.prepared().await;
            }
        }
        answered
    }

    /// What there is once every service has heard of everything.
    async fn kept(&self) -> Vec<(String, store::Version)> {
        self.cast.stage.caught_up().await;
        self.cast.stage.kept().await
    }

    fn note(&self, field: &Field, sent: &Sent, answer: &Answer, doubt: Option<&str>) {
        let Some(doubt) = doubt else { return };
        let what = format!("{}.{} = {}", self.rpc.full_name(), field.path, sent.shown());
        self.doubts.lock().unwrap().push(format!("{what}: {doubt}: {}", answer.to_string().escape_debug()));
    }

    async fn prepared(&self) -> String {
        self.cast.prepare(&format!("{}\n{}", self.row.1, self.row.2), self.cast.number()).await
    }

    async fn send(&self, texts: &str, field: &Field, sent: &Sent) -> Option<Answer> {
        // Every account has an address of its own, and every guess of a password is somebody else's.
        let fresh = format!("guest{}@example.org", self.cast.number());
        let texts = match self.rpc.name() {
            "Register" | "Login" => self.row_with(&fresh),
            _ => texts.to_owned(),
        };
        let (call, body) = texts.split_once('\n').unwrap();
        let (method, path) = call.split_once(' ').unwrap();
        let request = field.request(&self.rpc, path, body, sent)?;
        let call = self.actor.call(method.parse().unwrap(), &request.path);
        Some(match request.body {
            Some(body) => call.raw("application/json", body).await,
            None => call.await,
        })
    }

    fn row_with(&self, email: &str) -> String {
        let body =
            self.row.2.replace("<new>", email).replace("<email>", email).replace("<password>", "long enough");
        format!("{}\n{body}", self.row.1)
    }

    /// What is wrong with a refusal; it must say what is wrong with which field.
    fn doubt(&self, field: &Field, sent: &Sent, answer: &Answer, surely: bool) -> Option<&'static str> {
        if !(400..500).contains(&answer.status) {
            return Some("it must be refused");
        }
        let problem = answer.json();
        if problem["status"] != answer.status || problem["detail"].as_str().is_none_or(str::is_empty) {
            return Some("it is no problem document");
        }
        let (name, length) = (field.name(), sent.json.len());
        let is_right = match answer.status {
            // What is not even text is found before there are fields.
            400 if field.place != Place::Body && std::str::from_utf8(&sent.text()).is_err() => true,
            400 if problem["code"] == "bad_input" => is_named(field, &problem),
            400 => problem["code"] == "malformed_json",
            401 => ["Login", "Refresh"].contains(&self.rpc.name()),
            // An id that is none leads nowhere, as one that is unknown; a path that is none has no route.
            404 | 405 => !surely || name.contains("id"),
            413 => length > 60_000,
            414 | 431 => length > 1_000,
            status => !surely && matches!(status, 402 | 403 | 409 | 412 | 422),
        };
        (!is_right).then_some("it does not name the field, or has the wrong status")
    }
}

fn is_named(field: &Field, problem: &Value) -> bool {
    let top = field.path.split(['.', '[']).next().unwrap();
    let others = TOGETHER.iter().filter(|(name, _)| *name == field.name()).flat_map(|(_, others)| *others);
    let known: Vec<&str> = others.copied().chain([top]).collect();
    let errors = problem["errors"].as_array().cloned().unwrap_or_default();
    errors.iter().any(|error| {
        let named = error["field"].as_str().unwrap_or_default();
        let is_close = named.starts_with(&field.path) || field.path.starts_with(named);
        let is_known = known.iter().any(|known| named.contains(known));
        (is_close || is_known) && error["reason"].as_str().is_some_and(|reason| !reason.is_empty())
    })
}

/// Whether what was accepted is what the answer says, where it says it.
fn reads_back(field: &Field, sent: &Sent, answer: &Answer) -> bool {
    let (Some(value), Ok(body)) = (&sent.value, serde_json::from_slice::<Value>(&answer.bytes)) else {
        return true;
    };
    let steps = field.path.replace("].", "/").replace(['[', '.'], "/").replace(']', "");
    let Some(told) = body.pointer(&format!("/{steps}")) else { return true };
    match (value, told) {
        _ if field.place != Place::Body => true,
        (Value::String(sent), Value::String(told)) => {
            sent.trim() == told.trim()
                || oracle::time(sent).is_some_and(|sent| Some(sent) == oracle::time(told))
        }
        (Value::Number(sent), Value::Number(told)) => sent.as_f64() == told.as_f64(),
        (Value::Bool(sent), Value::Bool(told)) => sent == told,
        // Lists and objects are compared by their fields; what is null was left out.
        _ => value.is_array() || value.is_object() || value.is_null(),
    }
}

async fn play_all(stage: &Stage, services: &[&str]) {
    let mut cast = Cast::of(stage).await;
    let sent = values::all();
    let (mut answered, doubts) = (0, Mutex::default());
    for rpc in all_rpcs() {
        if !services.contains(&rpc.parent_service().name()) {
            continue;
        }
        let name = format!("{}.{}", rpc.parent_service().name(), rpc.name());
        let Some(row) = rows_of(&name).first().copied() else { continue };
        let fields = fields::of(&rpc);
        // A token lasts for some minutes.
        cast.renew_tokens();
        answered += Under::of(&cast, &rpc, &row, &doubts).are_refused(&fields, &sent).await;
        for field in &fields {
            cast.renew_tokens();
            answered += Under::of(&cast, &rpc, &row, &doubts).may_be_accepted(field, &sent).await;
        }
    }
    let doubts = doubts.into_inner().unwrap();
    assert!(doubts.is_empty(), "{} of {answered}:\n{}", doubts.len(), doubts.join("\n"));
    println!("{answered} answers of {services:?} to {} values", sent.len());
}

#[test]
fn the_table_is_long_and_every_field_has_a_rule() {
    let sent = values::all();
    let distinct: BTreeSet<&[u8]> = sent.iter().map(|sent| sent.json.as_slice()).collect();
    assert!(distinct.len() >= VALUES, "{} values", distinct.len());
    let mut fields = 0;
    for rpc in all_rpcs() {
        let name = format!("{}.{}", rpc.parent_service().name(), rpc.name());
        if rows_of(&name).is_empty() {
            continue;
        }
        for field in fields::of(&rpc) {
            // A field without a rule panics here; one that takes everything is no field of a contract.
            let wrong = sent.iter().filter(|sent| oracle::is_wrong(rpc.name(), &field, sent)).count();
            assert!(wrong > 0 && wrong <= sent.len(), "{name} {}", field.path);
            fields += 1;
        }
    }
    assert!(fields >= 100, "{fields} fields");
}

#[test]
fn accounts_and_what_is_read_of_them_take_only_what_they_may() {
    play(async |stage| play_all(stage, &["UserService", "NotificationService"]).await);
}

#[test]
fn events_take_only_what_they_may() {
    play(async |stage| play_all(stage, &["EventService"]).await);
}

#[test]
fn bookings_ratings_and_figures_take_only_what_they_may() {
    play(async |stage| play_all(stage, &["TicketService", "FeedbackService", "AnalyticsService"]).await);
}
