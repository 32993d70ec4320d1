//! Who may call what: each rpc with a REST binding, by nobody, a stranger, the owner and ADMIN.
//!
//! A new rpc without a row here fails [`every_rpc_has_a_row`].

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicUsize, Ordering},
};

use kit::identity::Role;
use prost_reflect::MethodDescriptor;

use crate::fixture::{
    Actor, Read, Sketch, Stage,
    actor::{GOOD_CARD, PASSWORD},
    json, play,
};

/// The promise is silent about it; only that it is no fault of the server.
const ANY: u16 = 0;

/// One rpc: its call, its body, and the status for nobody, a stranger, the owner and ADMIN. Words in
/// angle brackets are made afresh for each call, and belong to the owner.
pub type Row = (&'static str, &'static str, &'static str, [u16; 4]);

const ACCOUNTS: &[Row] = &[
    (
        "UserService.Register",
        "POST /v1/auth/register",
        r#"{"name":"New","email":"<new>","password":"long enough"}"#,
        [201, 201, 201, 201],
    ),
    (
        "UserService.Login",
        "POST /v1/auth/login",
        r#"{"email":"<email>","password":"<password>"}"#,
        [200, 200, 200, 200],
    ),
    (
        "UserService.Refresh",
        "POST /v1/auth/refresh",
        r#"{"refresh_token":"<refresh>"}"#,
        [200, 200, 200, 200],
    ),
    ("UserService.Logout", "POST /v1/auth/logout", r#"{"refresh_token":"<refresh>"}"#, [204, 204, 204, 204]),
    ("UserService.GetMe", "GET /v1/users/me", "", [401, 200, 200, 200]),
    ("UserService.UpdateMe", "PATCH /v1/users/me", r#"{"name":"Other"}"#, [401, 200, 200, 200]),
    ("UserService.ExportMe", "GET /v1/users/me:export", "", [401, 200, 200, 200]),
    ("UserService.ListUsers", "GET /v1/admin/users", "", [401, 403, 403, 200]),
    ("UserService.GetSystem", "GET /v1/admin/system", "", [401, 403, 403, 200]),
    (
        "UserService.RedriveParkedFacts",
        "POST /v1/admin/parked-facts:redrive",
        r#"{"service":"event"}"#,
        [401, 403, 403, 200],
    ),
    ("NotificationService.ListCapturedMail", "GET /v1/admin/mail", "", [401, 403, 403, 200]),
    ("NotificationService.GetCapturedMail", "GET /v1/admin/mail/none", "", [401, 403, 403, 404]),
    ("UserService.GetJwks", "GET /.well-known/jwks.json", "", [200, 200, 200, 200]),
    ("NotificationService.ListNotifications", "GET /v1/notifications", "", [401, 200, 200, 200]),
    // The last one: afterwards its callers are gone.
    ("UserService.DeleteMe", "DELETE /v1/users/me", "", [401, 204, 204, 204]),
];

const EVENTS: &[Row] = &[
    ("EventService.CreateEvent", "POST /v1/events", "<sketch>", [401, 201, 201, 201]),
    (
        "EventService.ImportEvents",
        "POST /v1/events:import",
        r#"{"csv":"name,start_date\n"}"#,
        [401, 200, 200, 200],
    ),
    ("EventService.CloneEvent", "POST /v1/events/<event>:clone", "{}", [401, 403, 201, 201]),
    ("EventService.CloneEvent", "POST /v1/events/<draft>:clone", "{}", [401, 404, 201, 201]),
    ("EventService.ListEvents", "GET /v1/events", "", [200, 200, 200, 200]),
    ("EventService.GetEvent", "GET /v1/events/<event>", "", [200, 200, 200, 200]),
    ("EventService.GetEvent", "GET /v1/events/<draft>", "", [404, 404, 200, 200]),
    ("EventService.UpdateEvent", "PATCH /v1/events/<event>", r#"{"title":"Other"}"#, [401, 403, 200, ANY]),
    ("EventService.UpdateEvent", "PATCH /v1/events/<draft>", r#"{"title":"Other"}"#, [401, 404, 200, ANY]),
    ("EventService.DeleteEvent", "DELETE /v1/events/<draft>", "", [401, 404, 204, ANY]),
    ("EventService.PublishEvent", "POST /v1/events/<draft>:publish", "{}", [401, 404, 200, ANY]),
    ("EventService.CancelEvent", "POST /v1/events/<event>:cancel", "{}", [401, 403, 200, ANY]),
    (
        "EventService.CreateTicketType",
        "POST /v1/events/<event>/ticket-types",
        r#"{"name":"New","quantity":1}"#,
        [401, 403, 201, ANY],
    ),
    (
        "EventService.UpdateTicketType",
        "PATCH /v1/events/<event>/ticket-types/<type>",
        r#"{"quantity":7}"#,
        [401, 403, 200, ANY],
    ),
    (
        "EventService.DeleteTicketType",
        "DELETE /v1/events/<event>/ticket-types/<type>",
        "",
        [401, 403, 204, ANY],
    ),
    ("EventService.GetAvailability", "GET /v1/events/<event>/availability", "", [200, 200, 200, 200]),
    ("EventService.GetAvailability", "GET /v1/events/<draft>/availability", "", [404, 404, 200, 200]),
    (
        "FeedbackService.CreateFeedback",
        "POST /v1/events/<running>/feedback",
        r#"{"rating":5}"#,
        [401, 403, 201, 403],
    ),
    ("FeedbackService.ListFeedback", "GET /v1/events/<running>/feedback", "", [200, 200, 200, 200]),
    (
        "AnalyticsService.GetPopularity",
        "GET /v1/analytics/events/<running>/popularity",
        "",
        [401, 403, 200, 200],
    ),
    (
        "AnalyticsService.GetDemographics",
        "GET /v1/analytics/events/<running>/demographics",
        "",
        [401, 403, 200, 200],
    ),
    ("AnalyticsService.GetRatings", "GET /v1/analytics/events/<running>/ratings", "", [401, 403, 200, 200]),
    ("AnalyticsService.GetTrends", "GET /v1/analytics/events/<running>/trends", "", [401, 403, 200, 200]),
    ("AnalyticsService.ListTopEvents", "GET /v1/analytics/top-events", "", [401, 200, 200, 200]),
];

const BOOKINGS: &[Row] = &[
    ("TicketService.CreateBooking", "POST /v1/bookings", "<order>", [401, 202, 202, 202]),
    ("TicketService.ListBookings", "GET /v1/bookings", "", [401, 200, 200, 200]),
    ("TicketService.GetBooking", "GET /v1/bookings/<held>", "", [401, 404, 200, 200]),
    (
        "TicketService.PayBooking",
        "POST /v1/bookings/<held>:pay",
        r#"{"payment_method":"<card>"}"#,
        [401, 404, 200, ANY],
    ),
    ("TicketService.CancelBooking", "POST /v1/bookings/<booked>:cancel", "{}", [401, 404, 200, ANY]),
    ("TicketService.ListTickets", "GET /v1/tickets", "", [401, 200, 200, 200]),
    ("TicketService.GetTicket", "GET /v1/tickets/<ticket>", "", [401, 404, 200, ANY]),
    // These show the code, which is the holder's alone.
    ("TicketService.GetTicketQr", "GET /v1/tickets/<ticket>/qr.svg", "", [401, 404, 200, 404]),
    ("TicketService.GetTicketPdf", "GET /v1/tickets/<ticket>/pdf", "", [401, 404, 200, 404]),
    ("TicketService.GetTicketCalendar", "GET /v1/tickets/<ticket>/calendar.ics", "", [401, 404, 200, ANY]),
    (
        "TicketService.TransferTicket",
        "POST /v1/tickets/<ticket>:transfer",
        r#"{"email":"<stranger>"}"#,
        [401, 404, 200, 404],
    ),
    (
        "TicketService.CheckIn",
        "POST /v1/events/<running>/check-ins",
        r#"{"code":"<code>"}"#,
        [401, 403, 200, 200],
    ),
    ("TicketService.ListAttendees", "GET /v1/events/<running>/attendees", "", [401, 403, 200, 200]),
];

/// The rows of an rpc.
pub fn rows_of(rpc: &str) -> Vec<Row> {
    let rows = [ACCOUNTS, EVENTS, BOOKINGS].concat();
    rows.into_iter().filter(|row| row.0 == rpc).collect()
}

/// The rpcs that the contracts bind to REST, as `Service.Rpc`.
pub fn rest_rpcs() -> BTreeSet<String> {
    let name = |rpc: MethodDescriptor| format!("{}.{}", rpc.parent_service().name(), rpc.name());
    // A stream has no end to wait for; `live.rs` tells who sees which.
    let has_row = |rpc: &MethodDescriptor| is_rest(rpc) && !rpc.is_server_streaming();
    all_rpcs().into_iter().filter(has_row).map(name).collect()
}

/// Every rpc of every service.
pub fn all_rpcs() -> Vec<MethodDescriptor> {
    let services: Vec<_> = proto::descriptors().services().collect();
    services.iter().flat_map(|service| service.methods().collect::<Vec<_>>()).collect()
}

fn is_rest(rpc: &MethodDescriptor) -> bool {
    let pool = proto::descriptors();
    let http = pool.get_extension_by_name("google.api.http").unwrap();
    rpc.options().has_extension(&http)
}

/// The people, and what the owner has.
pub struct Cast<'s> {
    pub stage: &'s Stage,
    pub nobody: Actor,
    pub stranger: Actor,
    pub owner: Actor,
    pub admin: Actor,
    next_number: AtomicUsize,
}

impl<'s> Cast<'s> {
    pub async fn of(stage: &'s Stage) -> Self {
        Self {
            stage,
            nobody: stage.anonymous(),
            stranger: stage.user("Stranger").await,
            owner: stage.user("Owner").await,
            admin: stage.admin().await,
            next_number: AtomicUsize::new(100),
        }
    }

    /// Gives everybody a new token: a long story takes longer than one lasts.
    pub fn renew_tokens(&mut self) {
        for (actor, roles) in [
            (&mut self.stranger, &[Role::User][..]),
            (&mut self.owner, &[Role::User]),
            (&mut self.admin, &[Role::User, Role::Admin]),
        ] {
            *actor = self.stage.with_token_for(actor, roles, 0);
        }
    }

    /// A number that was not given before.
    pub fn number(&self) -> usize {
        self.next_number.fetch_add(1, Ordering::Relaxed)
    }

    async fn plays(&self, rows: &[Row]) {
        for (rpc, call, body, expected) in rows {
            let people = [&self.nobody, &self.stranger, &self.owner, &self.admin];
            let mut texts = String::new();
            for (number, (actor, expected)) in people.into_iter().zip(expected).enumerate() {
                let who = ["nobody", "a stranger", "the owner", "ADMIN"][number];
                // What is only read is the same for everybody.
                if texts.is_empty() || !call.starts_with("GET ") {
                    texts = self.prepare(&format!("{call}\n{body}"), number).await;
                }
                let (call, body) = texts.split_once('\n').unwrap();
                let (method, path) = call.split_once(' ').unwrap();
                let mut request = actor.call(method.parse().unwrap(), path);
                if !body.is_empty() {
                    request = request.raw("application/json", body.to_owned());
                }
                let answer = request.await;
                let as_told = *expected == ANY || answer.status == *expected;
                assert!(as_told, "{rpc} by {who}: {expected} is right, but {answer}");
                match answer.status {
                    401 => drop(answer.problem(401, "unauthenticated")),
                    404 => drop(answer.problem(404, "not_found")),
                    status => assert!(status < 500),
                }
            }
        }
    }

    /// Fills in what a row needs, made afresh.
    pub async fn prepare(&self, texts: &str, number: usize) -> String {
        let mut texts = texts
            .replace("<new>", &format!("new{number}@example.org"))
            .replace("<email>", &self.owner.email)
            .replace("<password>", PASSWORD)
            .replace("<card>", GOOD_CARD)
            .replace("<stranger>", &self.stranger.email)
            .replace("<sketch>", &sketch().0.to_string());
        if texts.contains("<refresh>") {
            let tokens = self.owner.logs_in(PASSWORD).await.expect(200);
            texts = texts.replace("<refresh>", tokens.text("refresh_token"));
        }
        if texts.contains("<draft>") {
            texts = texts.replace("<draft>", &self.owner.drafts(sketch()).await.id);
        }
        if texts.contains("<event>") || texts.contains("<order>") {
            let event = self.owner.publishes(sketch()).await;
            texts = texts.replace("<event>", &event.id).replace("<type>", &event.types[1]);
            texts = texts.replace("<order>", &event.order(1).to_string());
        }
        if ["<held>", "<booked>", "<ticket>", "<running>"].iter().any(|name| texts.contains(name)) {
            texts = self.prepare_bookings(texts).await;
        }
        texts
    }

    async fn prepare_bookings(&self, texts: String) -> String {
        let event = self.owner.publishes(sketch()).await;
        let held = self.owner.orders(event.order_of(&[(1, 1)])).await;
        let booked = self.owner.gets(&event, 1).await;
        let running = self.owner.publishes(sketch().running()).await;
        let admitted = self.owner.gets(&running, 1).await;
        let code = self.owner.first_ticket(&admitted).await;
        self.stage.caught_up().await;
        texts
            .replace("<held>", held.id())
            .replace("<booked>", booked.id())
            .replace("<ticket>", booked.list("tickets")[0].id())
            .replace("<running>", &running.id)
            .replace("<code>", code.text("code"))
    }
}

fn sketch() -> Sketch {
    Sketch::new("Concert").free("Standing", 9).priced("Seat", 1000, 9)
}

#[test]
fn every_rpc_has_a_row() {
    let rows = [ACCOUNTS, EVENTS, BOOKINGS].concat();
    let told: BTreeSet<String> = rows.iter().map(|(rpc, ..)| (*rpc).to_owned()).collect();
    assert_eq!(rest_rpcs(), told);
}

#[test]
fn an_rpc_without_a_rest_binding_is_one_that_services_ask_each_other() {
    let inner: Vec<MethodDescriptor> = all_rpcs().into_iter().filter(|rpc| !is_rest(rpc)).collect();
    let names: BTreeSet<&str> = inner.iter().map(MethodDescriptor::name).collect();
    assert_eq!(names, BTreeSet::from(["Export", "GetStanding", "Redrive"]));
    assert_eq!(inner.len(), 3 * 5, "each service but user, which asks them");
}

#[test]
fn every_rpc_says_who_may_call_it() {
    let access = proto::descriptors().get_extension_by_name("boxoffice.v1.access").unwrap();
    for rpc in all_rpcs() {
        assert!(rpc.options().has_extension(&access), "{} is open to nobody", rpc.full_name());
    }
}

#[test]
fn accounts_and_notifications_are_ones_own() {
    play(async |stage| Cast::of(stage).await.plays(ACCOUNTS).await);
}

#[test]
fn events_are_changed_and_measured_by_their_organiser() {
    play(async |stage| Cast::of(stage).await.plays(EVENTS).await);
}

#[test]
fn bookings_and_tickets_are_their_holders() {
    play(async |stage| Cast::of(stage).await.plays(BOOKINGS).await);
}

#[test]
fn a_service_is_not_reached_by_the_path_of_its_rpcs() {
    play(async |stage| {
        let anna = stage.user("Anna").await;
        for rpc in all_rpcs() {
            let path = format!("/{}/{}", rpc.parent_service().full_name(), rpc.name());
            anna.post(&path, json!({})).await.problem(404, "not_found");
        }
    });
}
