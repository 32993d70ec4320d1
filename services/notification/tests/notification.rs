//! The notification service behind its guard, with a mailer that notes or refuses.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../../kit/testing/stage.rs"]
mod support;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use bus::{Log, MemoryLog, Topic};
use domain::{
    facts::{CancelReason, EventStatus, Published, SeatsRefused},
    notification::{Mail, MailError, Mailer, Sending},
};
use kit::{Runtime, Transport};
use notification::{NotificationMachine, NotificationRow};
use proto::v1::{
    ExportRequest, ListNotificationsRequest, Notification, notification::Status,
    notification_service_client::NotificationServiceClient,
};
use store::MemoryStore;
use support::{
    Door, START, TestClock, assert_converges, booking, environment, erased, event, eventually, released,
    sold, somebody, tell, upserted, user,
};

/// Notes every mail, and answers as it is told; without an order it takes the mail.
#[derive(Default)]
struct Notebook {
    mails: Mutex<Vec<Mail>>,
    answers: Mutex<VecDeque<Result<(), MailError>>>,
}

impl Mailer for Notebook {
    fn send(&self, mail: Mail) -> Sending {
        self.mails.lock().unwrap().push(mail);
        let answer = self.answers.lock().unwrap().pop_front().unwrap_or(Ok(()));
        Box::pin(async move { answer })
    }
}

impl Notebook {
    fn mails(&self) -> Vec<Mail> {
        self.mails.lock().unwrap().clone()
    }
}

struct World {
    runtime: Runtime,
    store: Arc<MemoryStore<NotificationRow>>,
    log: Arc<MemoryLog>,
    clock: Arc<TestClock>,
    mailer: Arc<Notebook>,
    door: Door,
    client: NotificationServiceClient<Transport>,
}

impl World {
    fn new(answers: impl IntoIterator<Item = Result<(), MailError>>) -> Self {
        let clock = TestClock::at(START);
        let environment = environment(&clock);
        let runtime = Runtime::new();
        let store = Arc::new(MemoryStore::new(notification::PUBLISHES));
        let log = Arc::new(MemoryLog::new("all", &[Topic::TicketStatusEvent, Topic::UpsertData]));
        let read: Arc<dyn Log> = log.clone();
        let mailer = Arc::new(Notebook::default());
        mailer.answers.lock().unwrap().extend(answers);
        let routes = notification::start(&runtime, store.clone(), read, environment.clone(), mailer.clone());
        let door = Door::new(&environment);
        let client = NotificationServiceClient::new(door.transport(routes));
        Self { runtime, store, log, clock, mailer, door, client }
    }

    fn tell(&self, facts: &[Published]) {
        for fact in facts {
            tell(&self.log, fact.clone());
        }
    }

    async fn list(&self, number: u32) -> Vec<Notification> {
        let request = self.door.by(user(number), ListNotificationsRequest::default());
        self.client.clone().list_notifications(request).await.unwrap().into_inner().notifications
    }

    /// The list of a user once it has so many entries of a status.
    async fn list_with(&self, number: u32, count: usize, status: Status) -> Vec<Notification> {
        eventually("notifications", async || {
            let list = self.list(number).await;
            (list.iter().filter(|n| n.status() == status).count() == count).then_some(list)
        })
        .await
    }

    /// Waits until a mail was tried so often and the outcome is noted.
    async fn tried(&self, tries: u32) -> NotificationRow {
        eventually("a noted try", async || {
            let mut found = None;
            self.store.inspect(|row| {
                let noted = row.as_notification().filter(|n| n.tries == tries && !n.failure.is_empty());
                found = noted.map(|_| row.clone()).or(found.take());
            });
            found
        })
        .await
    }
}

fn known() -> Vec<Published> {
    vec![upserted(event(1), EventStatus::Published, 1), somebody(1, 1).into()]
}

fn refused(number: u32) -> Published {
    let (booking_id, event_id, user_id) = (booking(number), event(1), user(1));
    SeatsRefused { booking_id, event_id, user_id, reason: "sold_out".to_owned(), at: START }.into()
}

fn expired(number: u32) -> Published {
    let Published::SeatsReleased(mut fact) = released(number, event(1), user(1), [1, 2, 0]) else {
        unreachable!()
    };
    fact.reason = CancelReason::Expired;
    fact.was_sold = false;
    fact.into()
}

#[tokio::test]
async fn each_kind_gives_one_mail_however_often_it_is_heard() {
    let world = World::new([]);
    world.tell(&known());
    let facts = [
        sold(1, event(1), user(1), 2),
        refused(2),
        expired(3),
        released(1, event(1), user(1), [1, 1, 1]),
        released(1, event(1), user(1), [2, 1, 0]),
    ];
    world.tell(&facts);
    world.tell(&facts);
    let list = world.list_with(1, 4, Status::Sent).await;
    let mut subjects: Vec<&str> = list.iter().map(|n| n.subject.as_str()).collect();
    subjects.sort_unstable();
    assert_eq!(
        subjects,
        [
            "No tickets for Concert 1",
            "Your booking for Concert 1 has expired",
            "Your booking for Concert 1 was cancelled",
            "Your tickets for Concert 1",
        ]
    );
    let mails = world.mailer.mails();
    assert_eq!(mails.len(), 4);
    let booked = mails.iter().find(|mail| mail.message_id.contains("booked")).unwrap();
    assert_eq!(booked.message_id, format!("{}.booked@boxoffice", booking(1)));
    assert_eq!((booked.to_name.as_str(), booked.to_email.as_str()), ("Ada 1", "ada1@example.org"));
    assert!(booked.text.contains("2 x Standing") && booked.text.contains("41.00 EUR"), "{}", booked.text);
    world.runtime.stop().await;
}

#[tokio::test]
async fn a_mail_waits_until_its_recipient_is_known() {
    let world = World::new([]);
    world.tell(&[sold(1, event(1), user(1), 1)]);
    let waiting = world.list_with(1, 1, Status::Queued).await;
    assert_eq!(waiting[0].subject, "Your tickets for your event");
    world.tried(1).await;
    world.tell(&known());
    world.clock.advance(2);
    world.list_with(1, 1, Status::Sent).await;
    assert_eq!(world.mailer.mails().len(), 1);
    world.runtime.stop().await;
}

#[tokio::test]
async fn a_transient_failure_is_tried_again_with_the_same_id() {
    let world = World::new([Err(MailError::Transient("busy".to_owned()))]);
    world.tell(&known());
    world.tell(&[sold(1, event(1), user(1), 1)]);
    world.tried(1).await;
    assert_eq!(world.mailer.mails().len(), 1, "it pauses first");
    world.clock.advance(2);
    world.list_with(1, 1, Status::Sent).await;
    let mails = world.mailer.mails();
    assert_eq!(mails.len(), 2);
    assert_eq!(mails[0].message_id, mails[1].message_id);
    world.runtime.stop().await;
}

#[tokio::test]
async fn a_permanent_failure_is_given_up() {
    let world = World::new([Err(MailError::Permanent("no such mailbox".to_owned()))]);
    world.tell(&known());
    world.tell(&[sold(1, event(1), user(1), 1)]);
    world.list_with(1, 1, Status::Failed).await;
    assert_eq!(world.mailer.mails().len(), 1);
    world.runtime.stop().await;
}

#[tokio::test]
async fn an_erased_user_gets_no_mail_and_leaves_no_record() {
    let world = World::new([]);
    // The event is not known yet, so the mail waits, and the user goes meanwhile.
    world.tell(&[somebody(1, 1).into(), sold(1, event(1), user(1), 1)]);
    world.tried(1).await;
    let request = world.door.by(user(1), ExportRequest {});
    let export = world.client.clone().export(request).await.unwrap().into_inner().json;
    assert!(export.contains("ada1@example.org") && export.contains("BOOKED"), "{export}");

    world.tell(&[erased(user(1))]);
    eventually("the erasure", async || world.list(1).await.is_empty().then_some(())).await;
    // A late fact, and then one of somebody else that shows that the late one was heard.
    let marks = [sold(2, event(1), user(1), 1), sold(3, event(1), user(2), 1)];
    world.tell(&marks);
    world.tell(&[upserted(event(1), EventStatus::Published, 1), somebody(2, 1).into()]);
    // Whether the first try comes before or after its user is known is left to chance, so time goes on.
    eventually("the other's mail", async || {
        world.clock.advance(10);
        world.list(2).await.iter().any(|n| n.status() == Status::Sent).then_some(())
    })
    .await;
    assert_eq!(world.mailer.mails().len(), 1);
    assert!(world.list(1).await.is_empty());
    world.store.inspect(|row| assert!(!format!("{row:?}").contains("ada1@"), "{row:?}"));
    world.runtime.stop().await;
}

#[tokio::test]
async fn the_list_comes_in_pages_newest_first() {
    let world = World::new([]);
    world.tell(&known());
    for number in 1..=5 {
        world.tell(&[refused(number)]);
    }
    world.list_with(1, 5, Status::Sent).await;
    let (mut seen, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = world.door.by(user(1), ListNotificationsRequest { page_size: 2, page_token });
        let page = world.client.clone().list_notifications(request).await.unwrap().into_inner();
        seen.extend(page.notifications.into_iter().map(|n| n.booking_id));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    let expected: Vec<String> = (1..=5).rev().map(|number| booking(number).to_string()).collect();
    assert_eq!(seen, expected);
    world.runtime.stop().await;
}

#[tokio::test]
async fn any_order_and_any_repetition_gives_the_same_rows() {
    let mut facts = known();
    facts.extend([
        sold(1, event(1), user(1), 2),
        refused(2),
        expired(3),
        released(1, event(1), user(1), [1, 1, 1]),
        released(1, event(1), user(1), [2, 1, 0]),
        released(4, event(1), user(3), [1, 0, 0]),
        sold(5, event(2), user(2), 1),
        somebody(2, 1).into(),
        somebody(1, 2).into(),
        somebody(3, 1).into(),
        erased(user(2)),
        upserted(event(1), EventStatus::Cancelled, 2),
    ]);
    let rows = assert_converges(NotificationMachine::new, &facts).await;
    let ids: Vec<String> = rows.iter().filter_map(NotificationRow::as_notification).map(|n| n.id()).collect();
    let expected = [(1, "BOOKED"), (1, "CANCELLED"), (2, "REFUSED"), (3, "EXPIRED"), (4, "CANCELLED")];
    assert_eq!(ids, expected.map(|(number, kind)| format!("{}/{kind}", booking(number))));
}
