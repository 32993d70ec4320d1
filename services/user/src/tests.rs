//! The service as its callers see it: on the store in memory, through the access guard.

mod accounts;
mod export;
mod races;
mod sign_in;

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use domain::Time;
use kit::{
    Clock, Code, Environment, Guard, Pipeline, Runtime, ServiceError, Transport, clock::SystemEntropy,
    identity::Signer,
};
use proto::v1::{
    GetMeRequest, LoginRequest, LogoutRequest, RefreshRequest, RegisterRequest, Tokens, UpdateMeRequest,
    User, user_service_client::UserServiceClient,
};
use store::MemoryStore;
use tonic::{Request, Status, metadata::MetadataValue};

use crate::{Config, Cost, PUBLISHES, UserMachine, UserRow, start};

const PASSWORD: &str = "correct horse";
/// 2027-01-15.
const START_MICROS: i64 = 1_800_000_000_000_000;

/// A clock that the test turns.
struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Time {
        Time::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// A platform with the user service alone.
struct World {
    clock: Arc<TestClock>,
    environment: Environment,
    store: Arc<MemoryStore<UserRow>>,
    runtime: Runtime,
    signer: Signer,
}

impl World {
    fn new() -> Self {
        let clock = Arc::new(TestClock(AtomicI64::new(START_MICROS)));
        let environment = Environment::new(clock.clone(), Arc::new(SystemEntropy));
        let signer = Signer::from_pkcs8(&Signer::generate().unwrap()).unwrap();
        let store = Arc::new(MemoryStore::new(PUBLISHES));
        Self { clock, environment, store, runtime: Runtime::new(), signer }
    }

    /// A process of the service; several share the store.
    fn process(&self) -> UserServiceClient<Transport> {
        self.process_with(Vec::new(), Config::default())
    }

    fn process_with(&self, peers: Vec<(String, Transport)>, config: Config) -> UserServiceClient<Transport> {
        let cost = Cost { memory_kib: 8, passes: 1, lanes: 1 };
        self.process_as_configured(peers, Config { cost, ..config })
    }

    fn process_as_configured(
        &self,
        peers: Vec<(String, Transport)>,
        config: Config,
    ) -> UserServiceClient<Transport> {
        let (store, log) = (self.store.clone(), self.store.log());
        let environment = self.environment.clone();
        let routes = start(&self.runtime, store, log, environment, self.signer.clone(), peers, config);
        UserServiceClient::new(Transport::local(self.guard().protect(routes)))
    }

    fn guard(&self) -> Guard {
        Guard::new(self.signer.verifier(), self.environment.clone())
    }

    fn pipeline(&self) -> Pipeline<UserMachine> {
        Pipeline::new(Arc::new(UserMachine), self.store.clone(), self.environment.clone())
    }

    fn pass_seconds(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }

    /// How many rows there are of each table: accounts, addresses, sessions.
    fn rows(&self) -> [usize; 3] {
        let mut counts = [0; 3];
        self.store.inspect(|row| match row {
            UserRow::Account(_) => counts[0] += 1,
            UserRow::Email(_) => counts[1] += 1,
            UserRow::Session(_) => counts[2] += 1,
        });
        counts
    }

    /// The facts that were published, by kind and payload.
    fn facts(&self) -> Vec<(String, serde_json::Value)> {
        let payload = |text: &str| serde_json::from_str(text).unwrap();
        self.store.log().all().into_iter().map(|fact| (fact.kind.clone(), payload(&fact.payload))).collect()
    }
}

fn application(email: &str) -> RegisterRequest {
    RegisterRequest {
        name: "Ada Lovelace".to_owned(),
        email: email.to_owned(),
        password: PASSWORD.to_owned(),
        gender: None,
        birth_year: None,
    }
}

type Client = UserServiceClient<Transport>;

async fn register(client: &Client, email: &str) -> User {
    client.clone().register(application(email)).await.unwrap().into_inner()
}

async fn login(client: &Client, email: &str, password: &str) -> Result<Tokens, ServiceError> {
    let request = LoginRequest { email: email.to_owned(), password: password.to_owned() };
    client.clone().login(request).await.map(tonic::Response::into_inner).map_err(read)
}

async fn refresh(client: &Client, refresh_token: &str) -> Result<Tokens, ServiceError> {
    let request = RefreshRequest { refresh_token: refresh_token.to_owned() };
    client.clone().refresh(request).await.map(tonic::Response::into_inner).map_err(read)
}

async fn logout(client: &Client, refresh_token: &str) -> Result<(), ServiceError> {
    let request = LogoutRequest { refresh_token: refresh_token.to_owned() };
    client.clone().logout(request).await.map(tonic::Response::into_inner).map_err(read)
}

async fn me(client: &Client, tokens: &Tokens) -> Result<User, ServiceError> {
    let request = with_token(GetMeRequest {}, tokens);
    client.clone().get_me(request).await.map(tonic::Response::into_inner).map_err(read)
}

async fn update(client: &Client, tokens: &Tokens, change: UpdateMeRequest) -> Result<User, ServiceError> {
    let request = with_token(change, tokens);
    client.clone().update_me(request).await.map(tonic::Response::into_inner).map_err(read)
}

fn with_token<T>(message: T, tokens: &Tokens) -> Request<T> {
    let mut request = Request::new(message);
    let value = format!("Bearer {}", tokens.access_token);
    request.metadata_mut().insert("authorization", MetadataValue::try_from(value).unwrap());
    request
}

fn with_key<T>(message: T, key: &str) -> Request<T> {
    let mut request = Request::new(message);
    let value = MetadataValue::try_from(key).unwrap();
    request.metadata_mut().insert(kit::request::IDEMPOTENCY_KEY, value);
    request
}

fn read(status: Status) -> ServiceError {
    ServiceError::from_status(&status)
}

fn fields(error: &ServiceError) -> Vec<&str> {
    assert_eq!(error.code, Code::BadInput, "{error:?}");
    error.fields.iter().map(|field| field.field.as_str()).collect()
}
