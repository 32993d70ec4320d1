//! What the tests of several services share: a clock that stands, ids by number, facts, tokens, and
//! shuffled delivery. Each includes this file by its path.
#![allow(dead_code, reason = "each test file uses its part")]

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use bus::{Fact, FactId, Memo, MemoryLog, Topic};
use domain::{
    BookingId, Currency, EventId, Money, TicketTypeId, Time, UserId,
    facts::{
        CancelReason, EventStatus, EventUpserted, PricedLine, Published, SeatsReleased, SeatsSold,
        TicketTypeName, UserErased, UserUpserted,
    },
};
use kit::{
    Environment, Guard, Item, Machine, Pipeline, Request, Transport,
    clock::{Clock, SystemEntropy},
    identity::{Role, Signer},
    transport::Rpcs,
};
use store::{MemoryStore, Row};
use uuid::Uuid;

/// 2026-11-22T18:00:00Z, when the event of the tests starts.
pub const START: Time = Time::from_micros(1_795_370_400_000_000);
/// How long a test waits for what runs beside it.
const PATIENCE: Duration = Duration::from_secs(20);

/// A clock that stands until it is moved.
pub struct TestClock(AtomicI64);

impl TestClock {
    pub fn at(time: Time) -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(time.micros())))
    }

    pub fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Time {
        Time::from_micros(self.0.load(Ordering::SeqCst))
    }
}

pub fn environment(clock: &Arc<TestClock>) -> Environment {
    Environment::new(Arc::clone(clock) as Arc<dyn Clock>, Arc::new(SystemEntropy))
}

pub fn user(number: u32) -> UserId {
    UserId(Uuid::from_u128(0x1000_0000 + u128::from(number)))
}

pub fn event(number: u32) -> EventId {
    EventId(Uuid::from_u128(0x2000_0000 + u128::from(number)))
}

pub fn booking(number: u32) -> BookingId {
    BookingId::from_bits((0x3000_0000 + u128::from(number)) << 16)
}

pub fn ticket_type() -> TicketTypeId {
    TicketTypeId(Uuid::from_u128(0x4000_0000))
}

pub fn lines(quantity: u32) -> Vec<PricedLine> {
    let unit_price = Money { currency: Currency::EUR, minor: 2_050 };
    let line = PricedLine { ticket_type_id: ticket_type(), quantity, unit_price };
    if quantity == 0 { Vec::new() } else { vec![line] }
}

pub fn sold(number: u32, of: EventId, by: UserId, quantity: u32) -> Published {
    let total = Money { currency: Currency::EUR, minor: 2_050 * i64::from(quantity) };
    let at = START.plus_seconds(-86_400);
    let fact = SeatsSold {
        booking_id: booking(number),
        event_id: of,
        user_id: by,
        lines: lines(quantity),
        total,
        at,
    };
    fact.into()
}

pub fn released(number: u32, of: EventId, by: UserId, counts: [u32; 3]) -> Published {
    let [cancel_number, gives_back, keeps] = counts;
    let fact = SeatsReleased {
        booking_id: booking(number),
        event_id: of,
        user_id: by,
        reason: CancelReason::Buyer,
        cancel_number,
        lines: lines(gives_back),
        keeps: lines(keeps),
        was_sold: true,
        at: START.plus_seconds(-3_600),
    };
    fact.into()
}

pub fn upserted(of: EventId, status: EventStatus, version: u64) -> Published {
    let fact = EventUpserted {
        event_id: of,
        organizer_id: user(900),
        status,
        title: format!("Concert {version}"),
        starts_at: START,
        ends_at: START.plus_seconds(7_200),
        time_zone: "Europe/Berlin".to_owned(),
        place: "Town Hall, Berlin".to_owned(),
        ticket_types: vec![TicketTypeName { id: ticket_type(), name: "Standing".to_owned() }],
        version,
    };
    fact.into()
}

pub fn somebody(number: u32, version: u64) -> UserUpserted {
    UserUpserted {
        user_id: user(number),
        name: format!("Ada {number}"),
        email: format!("ada{number}@example.org"),
        gender: None,
        birth_year: None,
        version,
    }
}

pub fn erased(by: UserId) -> Published {
    UserErased { user_id: by }.into()
}

/// Appends a fact as its producer would.
pub fn tell(log: &MemoryLog, published: impl Into<Published>) {
    let published = published.into();
    log.append(&[Arc::new(Fact {
        id: FactId(Uuid::from_u128(log.all().len() as u128 + 1)),
        source: "event",
        kind: published.kind().to_owned(),
        topic: Topic::from_name(published.topic()).unwrap(),
        key: published.key(),
        time_us: START.micros(),
        traceparent: None,
        payload: published.payload().unwrap(),
        memo: Memo::default(),
    })]);
}

/// Asks again until the answer is there.
pub async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, ask: impl Fn() -> F) -> T {
    let asking = async {
        loop {
            match ask().await {
                Some(answer) => return answer,
                None => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    };
    tokio::time::timeout(PATIENCE, asking).await.unwrap_or_else(|_| panic!("waited in vain for {what}"))
}

/// Signs tokens and guards a service as the program does.
pub struct Door {
    signer: Signer,
    environment: Environment,
}

impl Door {
    pub fn new(environment: &Environment) -> Self {
        let signer = Signer::from_pkcs8(&Signer::generate().unwrap()).unwrap();
        Self { signer, environment: environment.clone() }
    }

    pub fn transport(&self, rpcs: impl Rpcs) -> Transport {
        Transport::local(Guard::new(self.signer.verifier(), self.environment.clone()).protect(rpcs))
    }

    /// A request of somebody.
    pub fn by<T>(&self, who: UserId, message: T) -> tonic::Request<T> {
        self.with_roles(who, &[Role::User], message)
    }

    pub fn by_admin<T>(&self, message: T) -> tonic::Request<T> {
        self.with_roles(user(999), &[Role::User, Role::Admin], message)
    }

    fn with_roles<T>(&self, who: UserId, roles: &[Role], message: T) -> tonic::Request<T> {
        let token = self.signer.sign(who, roles, self.environment.id(), self.environment.now()).unwrap();
        let mut request = tonic::Request::new(message);
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        request
    }
}

/// The stable code of a refusal.
pub fn code<T: std::fmt::Debug>(answer: Result<T, tonic::Status>) -> (u16, String) {
    let error = kit::ServiceError::from_status(&answer.unwrap_err());
    (error.code.http(), error.reason.into_owned())
}

/// Numbers that look random and are the same each time.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

/// An order that the log allows: facts of one key of one topic stay in order, all else is mixed.
fn shuffled(facts: &[Published], dice: &mut Dice) -> Vec<Published> {
    let mut queues: BTreeMap<(String, String), Vec<Published>> = BTreeMap::new();
    for fact in facts.iter().rev() {
        queues.entry((fact.topic().to_owned(), fact.key())).or_default().push(fact.clone());
    }
    let mut queues: Vec<Vec<Published>> = queues.into_values().collect();
    let mut order = Vec::new();
    while !queues.is_empty() {
        let chosen = dice.below(queues.len());
        order.extend(queues[chosen].pop());
        queues.retain(|queue| !queue.is_empty());
    }
    order
}

/// The rows after delivering the facts in batches; `batch_size` may be chosen anew for each batch.
async fn rows_after<M: Machine>(
    machine: M,
    order: &[Published],
    mut batch_size: impl FnMut() -> usize,
) -> Vec<M::Row> {
    let store: Arc<MemoryStore<M::Row>> = Arc::new(MemoryStore::new(&[]));
    let pipeline = Pipeline::new(Arc::new(machine), store.clone(), environment(&TestClock::at(START)));
    let commands: Vec<M::Command> = order.iter().filter_map(|fact| pipeline.machine().hear(fact)).collect();
    let mut rest = &commands[..];
    while !rest.is_empty() {
        let (batch, later) = rest.split_at(batch_size().min(rest.len()));
        let request = |command: &M::Command| {
            Item::Request(Request { command: command.clone(), idempotency: None, traceparent: None })
        };
        let items: Vec<Item<M::Command>> = batch.iter().map(request).collect();
        for outcome in pipeline.run(&items).await {
            assert!(outcome.is_ok(), "a fact was refused: {:?}", outcome.err());
        }
        rest = later;
    }
    let mut rows = Vec::new();
    store.inspect(|row| rows.push(row.clone()));
    rows
}

/// Delivers the whole log twice, in many orders and batches: each time the same rows come out.
pub async fn assert_converges<M: Machine>(machine: impl Fn() -> M, facts: &[Published]) -> Vec<M::Row> {
    let expected = rows_after(machine(), facts, || 1).await;
    assert!(!expected.is_empty(), "the facts leave rows of {}", <M::Row as Row>::SERVICE);
    for seed in 1..=200 {
        let mut dice = Dice::new(seed);
        let mut order = shuffled(facts, &mut dice);
        order.extend(shuffled(facts, &mut dice));
        let rows = rows_after(machine(), &order, || 1 + dice.below(5)).await;
        assert_eq!(rows, expected, "seed {seed}: {order:#?}");
    }
    expected
}
